// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Ledger} from "../Ledger.sol";
import {Listener} from "../Listener.sol";
import {MarketVenue} from "../MarketVenue.sol";
import {World} from "../World.sol";
import {Handler} from "./Handler.sol";

/// @title What a holder can do, each with the check that it moved exactly what it said
abstract contract DepositorActs is Handler {
    /// @dev Some venues burn all the gas that they are given.
    uint256 private constant VENUE_GAS = 3e6;

    string private constant EXACTLY = "invariant_callsMoveExactlyWhatTheirPreviewsSaid";

    constructor(World w_, Ledger l_) Handler(w_, l_) {}

    /// @dev Even: the honest; odd: the attackers. Attackers share what they have.
    function groupOf(uint256 who) internal view returns (address[] memory) {
        return who % 2 == 0 ? w.depositorGroup() : w.attackerGroup();
    }

    function accountOf(address[] memory group, uint256 who) internal pure returns (address) {
        return group[(who / 2) % group.length];
    }

    function perform(address account, uint256 kind, uint256 amount) internal {
        if (kind >= 6) return choose(account, kind, amount);
        uint256 before = vault.sharePrice();
        w.listener().expect(true);
        choose(account, kind, amount);
        w.listener().expect(false);
        requireUnheard(before);
    }

    /// @dev Whoever is called in the middle gets in nowhere, and sees no price that is not that before or after.
    function requireUnheard(uint256 before) private {
        string memory law = "invariant_nobodyGetsInMidway";
        Listener listener = w.listener();
        if (listener.entered()) l.breach(law, "entered", 1, 0);
        if (listener.heardRoom() != 0) l.breach(law, "room", listener.heardRoom(), 0);
        uint256 price = listener.heardPrice();
        if (price == 0) return;
        uint256 afterwards = vault.sharePrice();
        uint256 slack = Math.mulDiv(w.dust(), 1e36, vault.totalSupply() + w.virtualShares());
        if (price + slack < Math.min(before, afterwards)) l.breach(law, "price", price, before);
        if (price > Math.max(before, afterwards) + slack) l.breach(law, "price", price, before);
    }

    function choose(address account, uint256 kind, uint256 amount) private {
        if (kind == 0) doDeposit(account, amount);
        else if (kind == 1) doMint(account, amount);
        else if (kind == 2) doWithdraw(account, amount);
        else if (kind == 3) doRedeem(account, amount);
        else if (kind == 4) doRedeemInKind(account, amount);
        else if (kind == 5) doRedeemClaim(account, amount);
        else if (kind == 6) doLeaveVenue(account, amount);
        else if (kind == 7) doTransfer(account, amount);
        else if (kind == 8) doTransferClaim(account, amount);
        else doEnterVenue(account, amount);
    }

    function doDeposit(address account, uint256 amount) internal {
        uint256 tokens = token.balanceOf(account);
        uint256 assets = within(amount, 0, tokens);
        uint256 expected = vault.previewDeposit(assets);
        uint256 shares = vault.balanceOf(account);
        vm.prank(account);
        try vault.deposit(assets, account) returns (uint256 minted) {
            l.reach("deposit");
            l.flowIn(assets);
            exactly("deposit took", tokens - token.balanceOf(account), assets);
            exactly("deposit minted", vault.balanceOf(account) - shares, expected);
            exactly("deposit said", minted, expected);
        } catch {}
    }

    function doMint(address account, uint256 amount) internal {
        uint256 tokens = token.balanceOf(account);
        uint256 shares = within(amount, 0, vault.previewDeposit(tokens));
        uint256 expected = vault.previewMint(shares);
        uint256 held = vault.balanceOf(account);
        vm.prank(account);
        try vault.mint(shares, account) returns (uint256 assets) {
            l.flowIn(assets);
            exactly("mint took", tokens - token.balanceOf(account), expected);
            exactly("mint minted", vault.balanceOf(account) - held, shares);
        } catch {}
    }

    function doWithdraw(address account, uint256 amount) internal {
        uint256 shares = vault.balanceOf(account);
        uint256 assets = within(amount, 0, vault.previewRedeem(shares));
        uint256 expected = vault.previewWithdraw(assets);
        uint256 tokens = token.balanceOf(account);
        if (assets > vault.idle()) l.reach("exit beyond idle");
        vm.prank(account);
        try vault.withdraw(assets, account, account) {
            l.reach("withdrawal");
            l.flowOut(assets);
            exactly("withdraw paid", token.balanceOf(account) - tokens, assets);
            exactly("withdraw burned", shares - vault.balanceOf(account), expected);
        } catch {}
    }

    function doRedeem(address account, uint256 amount) internal {
        uint256 held = vault.balanceOf(account);
        uint256 shares = within(amount, 0, held);
        uint256 expected = vault.previewRedeem(shares);
        uint256 tokens = token.balanceOf(account);
        vm.prank(account);
        try vault.redeem(shares, account, account) {
            l.flowOut(expected);
            exactly("redeem paid", token.balanceOf(account) - tokens, expected);
            exactly("redeem burned", held - vault.balanceOf(account), shares);
        } catch {}
    }

    function doRedeemInKind(address account, uint256 amount) internal {
        uint256 held = vault.balanceOf(account);
        uint256 shares = within(amount, 0, held);
        address[] memory skip = new address[](amount % 3);
        for (uint256 i; i < skip.length; ++i) skip[i] = address(w.adapters(next(amount, i) % ADAPTERS));
        vm.prank(account);
        try vault.redeemInKind(shares, account, skip) {
            l.reach("exit in kind");
            if (!w.allCount()) l.reach("exit in kind while something does not count");
            if (vault.totalAssets() < w.trueTotal(false)) l.reach("exit in kind while a gain drips");
            exactly("redeemInKind burned", held - vault.balanceOf(account), shares);
            // What was written off in the same call may come back, so only the shares' part is gone.
            uint256 supply = vault.totalSupply() + w.virtualShares();
            uint256 left = vault.totalAssets();
            l.flowOut(Math.mulDiv(left - Math.min(left, 1), shares, supply));
        } catch (bytes memory reason) {
            l.breach("invariant_exitIsNeverBlocked", "redeemInKind reverted", uint32(bytes4(reason)), shares);
        }
    }

    function doRedeemClaim(address account, uint256 amount) internal {
        address adapter = address(w.adapters(amount % ADAPTERS));
        uint256 units = within(next(amount, 1), 0, claims.balanceOf(account, uint160(adapter)));
        vm.prank(account);
        try vault.redeemClaim(adapter, units, account) {
            l.reach("claim redeemed");
        } catch {}
    }

    /// @dev Receipts that were paid in kind, and what attackers hold of a venue otherwise.
    function doLeaveVenue(address account, uint256 amount) internal {
        for (uint256 i; i < ADAPTERS; ++i) {
            MarketVenue venue = w.venues(i);
            uint256 receipts = within(next(amount, i), 0, venue.balanceOf(account));
            if (receipts == 0) continue;
            vm.prank(account);
            try venue.redeem{gas: VENUE_GAS}(receipts, account, account) {} catch {}
        }
    }

    /// @dev Besides the vault, so that what a plan leaves inside a venue is shared with others there.
    function doEnterVenue(address account, uint256 amount) internal {
        MarketVenue venue = w.venues(amount % ADAPTERS);
        uint256 assets = within(next(amount, 1), 0, token.balanceOf(account) / 2);
        vm.prank(account);
        try venue.deposit{gas: VENUE_GAS}(assets, account) {} catch {}
    }

    function doTransfer(address account, uint256 amount) internal {
        address[] memory group = w.holders();
        address to = group[amount % 7];
        // Within the group: a gift to others is no exit, and would look like one.
        if (isAttacker(to) != isAttacker(account)) return;
        uint256 shares = within(next(amount, 1), 0, vault.balanceOf(account));
        vm.prank(account);
        vault.transfer(to, shares);
    }

    function doTransferClaim(address account, uint256 amount) internal {
        address to = w.holders()[amount % 7];
        if (isAttacker(to) != isAttacker(account)) return;
        uint256 id = uint160(address(w.adapters(next(amount, 1) % ADAPTERS)));
        uint256 units = within(next(amount, 2), 0, claims.balanceOf(account, id));
        vm.prank(account);
        claims.transfer(to, id, units);
    }

    function isAttacker(address account) internal view returns (bool) {
        for (uint256 i; i < 4; ++i) if (w.attackers(i) == account) return true;
        return false;
    }

    function exactly(string memory what, uint256 found, uint256 expected) private {
        if (found != expected) l.breach(EXACTLY, what, found, expected);
    }
}
