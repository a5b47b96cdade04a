// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {DepositorActs} from "./DepositorActs.sol";

/// @title Everybody who holds shares, honest or not: one act a call
contract Depositors is DepositorActs {
    constructor(World w_, Ledger l_) DepositorActs(w_, l_) {}

    function deposit(uint256 who, uint256 amount) external {
        act(who, 0, amount);
    }

    function mint(uint256 who, uint256 amount) external {
        act(who, 1, amount);
    }

    function withdraw(uint256 who, uint256 amount) external {
        act(who, 2, amount);
    }

    function redeem(uint256 who, uint256 amount) external {
        act(who, 3, amount);
    }

    function redeemInKind(uint256 who, uint256 amount) external {
        act(who, 4, amount);
    }

    function redeemClaim(uint256 who, uint256 amount) external {
        act(who, 5, amount);
    }

    function leaveVenue(uint256 who, uint256 amount) external {
        act(who, 6, amount);
    }

    function transferShares(uint256 who, uint256 amount) external {
        act(who, 7, amount);
    }

    function transferClaim(uint256 who, uint256 amount) external {
        act(who, 8, amount);
    }

    function enterVenue(uint256 who, uint256 amount) external {
        act(who, 9, amount);
    }

    /// @notice Several acts of one account in one block.
    function roundTrip(uint256 who, uint256 amount) external {
        address[] memory group = groupOf(who);
        uint256 before = w.wealthOf(group);
        uint256 dust = w.dust() * 5;
        act(who, amount % 2, amount);
        act(who, 2 + (next(amount, 1) % 3), next(amount, 2));
        if (amount % 4 == 0) act(who, 6, 0);
        act(who, 2 + (next(amount, 3) % 5), amount % 3 == 0 ? 1 : next(amount, 4));
        uint256 wealth = w.wealthOf(group);
        if (wealth > before + dust && w.allRead()) {
            l.breach("invariant_noRoundTripEndsWithMoreThanItBegan", "wealth after a trip", wealth, before + dust);
        }
    }

    function act(uint256 who, uint256 kind, uint256 amount) private {
        Look memory looked = look();
        // An exit in kind accrues in an accrued block as well, and so finds what was lost since.
        if (kind == 4) looked.price = Math.min(looked.price, priceOfNextSecond());
        judged(who, kind, amount);
        compare(looked, 0);
        requireUnfunded(looked);
    }

    function priceOfNextSecond() private returns (uint256 price) {
        vm.warp(block.timestamp + 1);
        price = vault.sharePrice();
        vm.warp(block.timestamp - 1);
    }

    function judged(uint256 who, uint256 kind, uint256 amount) private {
        address[] memory group = groupOf(who);
        address account = accountOf(group, who);
        uint256 before = w.wealthOf(group);
        uint256 dust = w.dust();
        perform(account, kind, amount);
        uint256 wealth = w.wealthOf(group);
        // Known: an exit in kind is paid what cannot be read on top of a price that is not without it yet.
        if (wealth > before + dust && (kind != 4 || w.allRead())) {
            l.breach("invariant_noRoundTripEndsWithMoreThanItBegan", "wealth after an act", wealth, before + dust);
        }
    }
}
