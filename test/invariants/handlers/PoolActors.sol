// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {ILiquidityAdapter} from "../../../contracts/interfaces/ILiquidityAdapter.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Cheats} from "../Cheats.sol";
import {Ledger} from "../Ledger.sol";
import {PoolWorld} from "../PoolWorld.sol";

/// @title The market actor, the stolen key, a guardian who is in it, and those who mean no harm, around a vault in a pool
/// @dev A push is always taken back within the call, be it days later, and what others have is compared at the pool's rest.
/// A handler never reverts for what the vault does.
abstract contract PoolActors is Cheats {
    uint256 private constant WAD = 1e18;
    /// @dev Roundings of the pool's coins, receipts and shares in a handful of calls, in units of the asset.
    uint256 private constant DUST = 100;

    PoolWorld private immutable w;
    Ledger internal immutable l;
    Vault internal immutable vault;
    ILiquidityAdapter internal immutable adapter;
    address internal immutable attacker;
    address private immutable depositor;

    constructor(PoolWorld w_, Ledger l_) {
        (w, l, vault, adapter) = (w_, l_, w_.vault(), w_.adapter());
        (attacker, depositor) = (w_.ATTACKER(), w_.DEPOSITOR());
    }

    /* THE VENUE */

    /// @dev The attacker pushes the pool's price, as far and where the word says, or not at all.
    function pushed(uint256 word) internal virtual returns (bool);

    /// @dev The pool is brought to its rest, whoever moved it.
    function taken() internal virtual;

    /// @dev By what fair value is too low now, of what is behind the adapter at rest: so much may be had by who leaves
    /// in kind, whom no price pays, or be lost by a plan, beside the bounds.
    function shortfall(uint256) internal virtual returns (uint256) {
        return 0;
    }

    /// @dev Looks at what the venue's own laws are about, in the middle of a push too.
    function look() internal virtual {}

    /// @dev A plan or the guardian took all of the position.
    function emptied() internal virtual {}

    /* THOSE WHO MEAN NO HARM */

    /// @notice Now and then the attacker, who stays.
    function deposit(uint256 word) external {
        address account = word % 2 == 0 ? attacker : depositor;
        uint256 assets = within(next(word, 1), 1, w.token().balanceOf(depositor) / 4);
        vm.prank(account);
        try vault.deposit(assets, account) {} catch {}
    }

    function leave(uint256 word) external {
        uint256 shares = within(word, 1, vault.balanceOf(depositor) / 4);
        if (word % 4 == 3) return leaveInKind(depositor, shares);
        vm.prank(depositor);
        try vault.redeem(shares, depositor, depositor) {} catch {}
    }

    function donate(uint256 word) external {
        address to = word % 2 == 0 ? address(adapter) : address(vault);
        w.token().mint(to, within(next(word, 1), 1, vault.totalAssets() / 100 + 1));
    }

    /// @notice A feed falls silent, or all answer again.
    function setFeeds(uint256 word) external {
        if (word % 2 == 0) w.report(next(word, 1) % w.feedCount(), block.timestamp - w.HEARTBEAT() - 1);
        else answer();
    }

    /// @notice The guardian writes the pool off, or the timelock counts it again.
    function setQuarantine(uint256 word) external {
        if (word % 4 == 0) {
            vm.prank(w.GUARDIAN());
            try vault.quarantine(address(adapter)) {
                l.reach("quarantine");
            } catch {}
        } else {
            vm.prank(address(w.timelock()));
            try vault.liftQuarantine(address(adapter)) {} catch {}
        }
    }

    function pass(uint256 word) external {
        vm.warp(block.timestamp + within(word, 12, 6 hours));
        vm.roll(block.number + 1);
        answer();
        vault.accrue();
    }

    /* THE ATTACKER */

    /// @notice In and out again, with a push around either.
    function roundTrip(uint256 word) external {
        uint256 before = w.ofOthers();
        uint256 there = w.behind();
        uint256 allowed = waited(word);
        uint256 held = vault.balanceOf(attacker);
        pushed(next(word, 1));
        bool entered = tryDeposit(within(next(word, 2), 1, 3 * vault.totalAssets()));
        if (word % 2 == 0) {
            taken();
            pushed(next(word, 3));
        }
        if (word % 8 == 1) nextBlock();
        uint256 shares = vault.balanceOf(attacker) - (word % 3 == 0 ? 0 : held);
        allowed += shortfall(there);
        tryLeave(word, shares);
        taken();
        if (entered) l.reach("round trip");
        compare("invariant_poolPushesGiveWhoComesAndGoesNothing", before, allowed);
        look();
    }

    /// @notice A push for hours, in which everybody may read and record what he likes.
    function besiege(uint256 word) external {
        uint256 before = w.ofOthers();
        bool readable = reads();
        uint256 value = readable ? adapter.fairValue() : 0;
        pushed(word);
        look();
        if (readable) {
            uint256 now_ = adapter.fairValue();
            if (now_ < value) l.breach("invariant_poolTradesLowerNoFairValue", "fair value", now_, value);
            if (!adapter.steady()) l.reach("unsteady");
        }
        vm.warp(block.timestamp + within(next(word, 1), 12, 12 hours));
        vm.roll(block.number + 1);
        if (word % 4 != 0) answer();
        if (word % 2 == 0) vault.accrue();
        else try vault.refresh(address(adapter)) {} catch {}
        requireShut();
        look();
        taken();
        compare("invariant_poolPushesGiveWhoComesAndGoesNothing", before, 0);
        look();
    }

    /// @notice Plans of the stolen key between a push and its end.
    function sandwich(uint256 word) external {
        for (uint256 i; i < 1 + (word % 6); ++i) {
            uint256 salted = next(word, i);
            judged(anyMoves(next(salted, 2)), next(salted, 1));
        }
    }

    /// @dev A plan between a push and its end; `push` zero: without one.
    function judged(IVault.Move[] memory moves, uint256 push) internal {
        uint256 before = w.trueTotal();
        uint256 low = shortfall(w.behind());
        uint256 base = vault.limitBase();
        bool away = pushed(push);
        bool done = run(moves);
        if (done && moves[0].assets == type(int256).min) emptied();
        if (done) look();
        taken();
        if (!done) return;
        l.reach(away ? "plan in a sandwich" : "plan");
        uint256 lost = lostSince(before, low);
        if (lost == 0) return;
        l.reach("plan with a loss");
        uint256 bound = Math.mulDiv(base, vault.lossPerCall(), WAD);
        if (lost > bound) l.breach("invariant_poolPlansLoseNoMoreThanTheirBounds", "lost", lost, bound);
        spend("loss", lost, base);
    }

    /// @notice A guardian who is in it trips and leaves between a push and its end.
    function evacuate(uint256 word) external {
        if (word % 4 == 0) {
            vm.prank(w.GUARDIAN());
            try vault.guardianTrip(within(next(word, 1), 1, 2 hours)) {} catch {}
        }
        uint256 before = w.trueTotal();
        uint256 low = shortfall(w.behind());
        uint256 base = vault.limitBase();
        pushed(next(word, 2));
        uint256 assets = word % 8 == 0 ? type(uint256).max : within(next(word, 3), 1, vault.totalAssets() / 4);
        vm.prank(w.GUARDIAN());
        try vault.guardianExit(address(adapter), assets, 0) {
            l.reach("guardian's exit");
            if (assets == type(uint256).max) emptied();
        } catch {
            assets = 0;
        }
        taken();
        if (assets == 0) return;
        look();
        uint256 lost = lostSince(before, low);
        if (lost != 0) spend("emergency", lost, base);
    }

    /// @notice As an honest keeper would: a part of idle goes into the pool, at rest.
    function invest(uint256 word) external {
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0] = IVault.Move(address(adapter), int256(vault.idle() / (2 + (word % 4)) + 1), "");
        judged(moves, 0);
    }

    /* PARTS OF AN ACT */

    function tryDeposit(uint256 assets) private returns (bool done) {
        vm.prank(attacker);
        try vault.deposit(assets, attacker) {
            return true;
        } catch (bytes memory reason) {
            if (bytes4(reason) == IVault.VenueUnsteady.selector) l.reach("entry refused, unsteady");
            return false;
        }
    }

    function tryLeave(uint256 word, uint256 shares) private {
        if (shares == 0) return;
        if ((word >> 8) % 2 == 0) {
            uint256 paid = Math.min(shares, vault.maxRedeem(attacker));
            vm.prank(attacker);
            try vault.redeem(paid, attacker, attacker) {
                shares -= paid;
            } catch {}
        }
        if (shares != 0) leaveInKind(attacker, shares);
    }

    function leaveInKind(address account, uint256 shares) private {
        if (shares > vault.balanceOf(account)) return;
        if (!reads()) l.reach("in kind while a feed is silent");
        vm.prank(account);
        try vault.redeemInKind(shares, account, new address[](0)) {
            l.reach("in kind");
        } catch (bytes memory reason) {
            l.breach("invariant_poolExitIsNeverBlocked", "reverted", uint32(bytes4(reason)), shares);
        }
    }

    function anyMoves(uint256 word) private view returns (IVault.Move[] memory moves) {
        moves = new IVault.Move[](1);
        moves[0].adapter = address(adapter);
        uint256 idle = vault.idle();
        moves[0].assets =
            word % 2 == 0
                ? int256(within(next(word, 1), 1, idle))
                : -int256(within(next(word, 1), 1, vault.totalAssets()));
        if (word % 8 == 1) moves[0].assets = type(int256).min;
        if (word % 16 == 2) moves[0].adapter = address(w.lending());
    }

    function run(IVault.Move[] memory moves) private returns (bool) {
        IVault.Guard memory guard = IVault.Guard(vault.nextNonce(attacker), block.timestamp, type(uint256).max, 0);
        vm.prank(attacker);
        try vault.rebalance(moves, guard) {
            return true;
        } catch (bytes memory reason) {
            l.refuse(reason);
            return false;
        }
    }

    /// @dev While the pool is away from where it belongs and matters, nobody enters.
    function requireShut() private {
        if (adapter.steady()) return;
        (uint256 accounted, , ) = vault.accountedAssets();
        if (vault.adapter(address(adapter)).recorded * 10_000 < accounted) return;
        string memory law = "invariant_poolEntryIsShutWhileUnsteady";
        if (vault.maxDeposit(depositor) != 0) l.breach(law, "room", vault.maxDeposit(depositor), 0);
        vm.prank(depositor);
        try vault.deposit(1e6, depositor) {
            l.breach(law, "entered", 1e6, 0);
        } catch {}
    }

    /// @dev Beyond dust, and beyond what fair value was too low by.
    function lostSince(uint256 before, uint256 low) private returns (uint256) {
        return Math.saturatingSub(before, w.trueTotal() + low + DUST);
    }

    function compare(string memory law, uint256 before, uint256 allowed) private {
        uint256 others = w.ofOthers();
        if (others + allowed + DUST < before) l.breach(law, "left to others", others, before);
    }

    /// @dev Where a block passed in between, a gain that waits may drip to whoever is in: he came with three vaults at the most.
    function waited(uint256 word) private returns (uint256) {
        return word % 8 == 1 ? Math.mulDiv(4 * w.trueTotal(), vault.maxRate() * 13, WAD * 365 days) : 0;
    }

    function spend(bytes32 account, uint256 lost, uint256 base) private {
        (uint256 sum, uint256 limit) = l.spend(account, base == 0 ? 0 : Math.mulDiv(lost, WAD, base));
        if (sum > limit) {
            l.breach("invariant_poolLossesStayWithinTheirBudgetsInAnyWindow", "share lost", sum, limit);
        }
    }

    function nextBlock() internal {
        vm.warp(block.timestamp + 12);
        vm.roll(block.number + 1);
    }

    function answer() internal {
        for (uint256 k; k < w.feedCount(); ++k) w.report(k, block.timestamp);
    }

    function reads() internal view returns (bool) {
        try adapter.fairValue() returns (uint256) {
            return true;
        } catch {
            return false;
        }
    }
}
