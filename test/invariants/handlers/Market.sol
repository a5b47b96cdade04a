// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Ledger} from "../Ledger.sol";
import {MarketVenue} from "../MarketVenue.sol";
import {World} from "../World.sol";
import {Handler} from "./Handler.sol";

/// @title What nobody at the vault decides: yields, losses, cash, gifts, broken venues
contract Market is Handler {
    constructor(World w_, Ledger l_) Handler(w_, l_) {}

    modifier gradual() {
        _;
        checkTotal();
    }

    function yield(uint256 which, uint256 amount) external gradual {
        MarketVenue venue = w.venues(which % ADAPTERS);
        token.mint(address(venue), within(amount, 0, cash(venue) / 50));
    }

    function lose(uint256 which, uint256 amount) external gradual {
        MarketVenue venue = w.venues(which % ADAPTERS);
        venue.lose(within(amount, 0, amount % 8 == 0 ? cash(venue) / 2 : cash(venue) / 100));
    }

    /// @notice A gift to the vault, an adapter or a venue: nobody's gain at once.
    function donate(uint256 to, uint256 amount) external gradual {
        uint256 before = vault.totalAssets();
        uint256 gift = within(amount, 1, vault.totalAssets() / 10 + 1);
        uint256 i = (to / 3) % ADAPTERS;
        if (to % 3 == 0) token.mint(address(vault), gift);
        else if (to % 3 == 1) token.mint(address(w.venues(i)), gift);
        else token.mint(address(w.adapters(i)), gift);
        if (vault.totalAssets() > before + 1 && w.allCount()) {
            (uint256 off, ) = vault.writtenOff();
            (uint256 accounted, , uint256 updatedAt) = vault.accountedAssets();
            // What may count of it is what time since the last accrual allows: `most` knows. In its block: nothing.
            if (updatedAt == block.timestamp && off == 0 && vault.totalAssets() > accounted) {
                l.breach(
                    "invariant_gainsNeverCountFasterThanMaxRate",
                    "a gift counted",
                    vault.totalAssets(),
                    accounted
                );
            }
        }
    }

    function setCash(uint256 which, uint256 amount) external gradual {
        MarketVenue venue = w.venues(which % ADAPTERS);
        uint256 liquidity = amount % 2 == 0 ? type(uint256).max : within(amount / 2, 0, cash(venue));
        venue.setPayments(amount % 16 == 3, amount % 16 == 5, liquidity);
    }

    function setExitFee(uint256 which, uint256 amount) external gradual {
        w.venues(which % ADAPTERS).setExitFee(amount % 2 == 0 ? 0 : amount % 50);
    }

    function setReads(uint256 which, uint256 word) external gradual {
        w.venues(which % ADAPTERS).setReads(word % 4 == 1, word % 4 == 3);
    }

    /// @notice All venues behave.
    function calm() external gradual {
        for (uint256 i; i < ADAPTERS; ++i) {
            w.venues(i).setReads(false, false);
            w.venues(i).setPayments(false, false, type(uint256).max);
            w.venues(i).setExitFee(0);
        }
    }

    function cash(MarketVenue venue) private view returns (uint256) {
        return token.balanceOf(address(venue));
    }
}
