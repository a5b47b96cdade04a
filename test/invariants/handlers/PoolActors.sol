// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Curve3PoolAdapter} from "../../../contracts/adapters/Curve3PoolAdapter.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {ThreePoolModel} from "../../models/ThreePoolModel.sol";
import {Cheats} from "../Cheats.sol";
import {Ledger} from "../Ledger.sol";
import {PoolWorld} from "../PoolWorld.sol";

/// @title The market actor, the stolen key, a guardian who is in it, and those who mean no harm, around a vault in a pool
/// @dev A push is always taken back within the call, be it days later, and what others have is compared at the pool's rest.
/// A handler never reverts for what the vault does.
contract PoolActors is Cheats {
    uint256 private constant WAD = 1e18;
    /// @dev Roundings of three coins, receipts and shares in a handful of calls, in units of the asset.
    uint256 private constant DUST = 100;

    /// @dev What was bought in a push, to be sold again; `amount` zero: there was none.
    struct Push {
        uint256 from;
        uint256 to;
        uint256 amount;
    }

    PoolWorld private immutable w;
    Ledger private immutable l;
    Vault private immutable vault;
    Curve3PoolAdapter private immutable adapter;
    ThreePoolModel private immutable pool;
    address private immutable attacker;
    address private immutable depositor;

    constructor(PoolWorld w_, Ledger l_) {
        (w, l, vault, adapter, pool) = (w_, l_, w_.vault(), w_.adapter(), w_.pool());
        (attacker, depositor) = (w_.ATTACKER(), w_.DEPOSITOR());
    }

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
        vm.prank(depositor);
        try vault.redeem(shares, depositor, depositor) {} catch {}
    }

    function donate(uint256 word) external {
        address to = word % 2 == 0 ? address(adapter) : address(vault);
        w.token().mint(to, within(next(word, 1), 1, vault.totalAssets() / 100 + 1));
    }

    /// @notice A feed falls silent, or all answer again.
    function setFeeds(uint256 word) external {
        if (word % 2 == 0) w.report(next(word, 1) % 3, block.timestamp - w.HEARTBEAT() - 1);
        else answer();
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
        uint256 held = vault.balanceOf(attacker);
        Push memory push = pushed(next(word, 1));
        bool entered = tryDeposit(within(next(word, 2), 1, 3 * vault.totalAssets()));
        if (word % 2 == 0) {
            taken(push);
            push = pushed(next(word, 3));
        }
        if (word % 8 == 1) nextBlock();
        uint256 shares = vault.balanceOf(attacker) - (word % 3 == 0 ? 0 : held);
        tryLeave(word, shares);
        taken(push);
        if (entered) l.reach("round trip");
        compare("invariant_poolPushesGiveWhoComesAndGoesNothing", before, waited(word));
    }

    /// @notice A push for hours, in which everybody may read and record what he likes.
    function besiege(uint256 word) external {
        uint256 before = w.ofOthers();
        bool readable = reads();
        uint256 value = readable ? adapter.fairValue() : 0;
        Push memory push = pushed(word);
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
        taken(push);
        compare("invariant_poolPushesGiveWhoComesAndGoesNothing", before, 0);
    }

    /// @notice Plans of the stolen key between a push and its end.
    function sandwich(uint256 word) external {
        for (uint256 i; i < 1 + (word % 6); ++i) sandwichOne(next(word, i));
    }

    function sandwichOne(uint256 word) private {
        uint256 before = w.trueTotal();
        uint256 base = vault.limitBase();
        Push memory push = pushed(next(word, 1));
        bool done = tryPlan(next(word, 2));
        taken(push);
        if (!done) return;
        l.reach(push.amount == 0 ? "plan" : "plan in a sandwich");
        uint256 total = w.trueTotal();
        uint256 lost = before - Math.min(before, total);
        if (lost <= DUST) return;
        lost -= DUST;
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
        uint256 base = vault.limitBase();
        Push memory push = pushed(next(word, 2));
        uint256 assets = word % 8 == 0 ? type(uint256).max : within(next(word, 3), 1, vault.totalAssets() / 4);
        vm.prank(w.GUARDIAN());
        try vault.guardianExit(address(adapter), assets, 0) {
            l.reach("guardian's exit");
        } catch {
            assets = 0;
        }
        taken(push);
        if (assets == 0) return;
        uint256 total = w.trueTotal();
        uint256 lost = before - Math.min(before, total);
        if (lost > DUST) spend("emergency", lost - DUST, base);
    }

    /// @notice As an honest keeper would: a part of idle goes into the pool, at rest.
    function invest(uint256 word) external {
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0] = IVault.Move(address(adapter), int256(vault.idle() / (2 + (word % 4)) + 1), "");
        run(moves);
    }

    /* PARTS OF AN ACT */

    /// @dev Out of a coin for another, the asset being one: often about as far as the pool stays steady.
    function pushed(uint256 word) private returns (Push memory push) {
        if (word % 8 == 0) return push;
        uint256 other = word % 2 == 0 ? 0 : 2;
        (push.from, push.to) = (uint256(1), other);
        if ((word >> 8) % 2 == 1) (push.from, push.to) = (push.to, push.from);
        uint256 most = (word >> 16) % 2 == 0 ? 100_000_000 : 50_000_000;
        uint256 amount = within(next(word, 1), 1, most) * w.unitOf(push.from);
        uint256 held = w.coins(push.to).balanceOf(attacker);
        vm.prank(attacker);
        try pool.exchange(int128(uint128(push.from)), int128(uint128(push.to)), amount, 0) {
            push.amount = w.coins(push.to).balanceOf(attacker) - held;
        } catch {}
    }

    function taken(Push memory push) private {
        if (push.amount == 0) return;
        vm.prank(attacker);
        pool.exchange(int128(uint128(push.to)), int128(uint128(push.from)), push.amount, 0);
    }

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
        if (shares == 0) return;
        if (!reads()) l.reach("in kind while a feed is silent");
        vm.prank(attacker);
        try vault.redeemInKind(shares, attacker, new address[](0)) {
            l.reach("in kind");
        } catch (bytes memory reason) {
            l.breach("invariant_poolExitIsNeverBlocked", "reverted", uint32(bytes4(reason)), shares);
        }
    }

    function tryPlan(uint256 word) private returns (bool) {
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0].adapter = address(adapter);
        uint256 idle = vault.idle();
        moves[0].assets =
            word % 2 == 0
                ? int256(within(next(word, 1), 1, idle))
                : -int256(within(next(word, 1), 1, vault.totalAssets()));
        if (word % 32 == 1) moves[0].assets = type(int256).min;
        if (word % 16 == 2) moves[0].adapter = address(w.lending());
        return run(moves);
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

    function compare(string memory law, uint256 before, uint256 allowed) private {
        uint256 others = w.ofOthers();
        if (others + allowed + DUST < before) l.breach(law, "left to others", others, before);
    }

    /// @dev Where a block passed in between, a gain that waits may drip to whoever is in: he came with three vaults at the most.
    function waited(uint256 word) private view returns (uint256) {
        return word % 8 == 1 ? Math.mulDiv(4 * w.trueTotal(), vault.maxRate() * 13, WAD * 365 days) : 0;
    }

    function spend(bytes32 account, uint256 lost, uint256 base) private {
        (uint256 sum, uint256 limit) = l.spend(account, base == 0 ? 0 : Math.mulDiv(lost, WAD, base));
        if (sum > limit) {
            l.breach("invariant_poolLossesStayWithinTheirBudgetsInAnyWindow", "share lost", sum, limit);
        }
    }

    function nextBlock() private {
        vm.warp(block.timestamp + 12);
        vm.roll(block.number + 1);
    }

    function answer() private {
        for (uint256 k; k < 3; ++k) w.report(k, block.timestamp);
    }

    function reads() private view returns (bool) {
        try adapter.fairValue() returns (uint256) {
            return true;
        } catch {
            return false;
        }
    }
}
