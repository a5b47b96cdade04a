// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ledger} from "../Ledger.sol";
import {MarketVenue} from "../MarketVenue.sol";
import {World} from "../World.sol";
import {DepositorActs} from "./DepositorActs.sol";

/// @title Plans of a stolen key: how they are made up, and everything that has to be true of one that ran
abstract contract Plans is DepositorActs {
    /// @dev More than any plan takes; a venue may burn it.
    uint256 private constant PLAN_GAS = 2e7;

    /// @dev What stood before a plan.
    struct Stand {
        Look look;
        IVault.Breaker breaker;
        bool[ADAPTERS] quarantined;
        uint256 base;
        uint256 idle;
        uint256 trueTotal;
        uint256 strays;
        uint256 taken;
        uint256 costs;
        uint256 supply;
        uint256 nonce;
    }

    mapping(address keeper => mapping(uint256 nonce => bool)) private used;
    address private lastKeeper;
    bytes private lastPlan;

    constructor(World w_, Ledger l_) DepositorActs(w_, l_) {}

    /* MAKING UP A PLAN */

    function runPlan(uint256 word) internal {
        address keeper = w.attackers(word % 2);
        IVault.Move[] memory moves = word % 8 == 7 ? anyMoves(next(word, 1)) : soundMoves(next(word, 1));
        IVault.Guard memory guard = IVault.Guard({
            nonce: vault.nextNonce(keeper),
            deadline: block.timestamp,
            maxLoss: type(uint256).max,
            decision: bytes32(word)
        });
        if (word % 32 == 3) guard.nonce = next(word, 2) % 8;
        if (word % 32 == 5) guard.deadline = block.timestamp - 1;
        if (word % 32 == 6) guard.maxLoss = next(word, 3) % w.scale();
        setTakes(next(word, 4), moves);
        send(keeper, moves, guard);
        for (uint256 i; i < ADAPTERS; ++i) w.venues(i).setTake(address(0), 0, false);
    }

    /// @dev One leg at the largest position that can be read, at which a friend takes all that one plan may lose.
    function runGrind(uint256 word) internal {
        uint256 best;
        for (uint256 i = 1; i < ADAPTERS; ++i) if (w.reads(i) && w.vaultPartOf(i) > w.vaultPartOf(best)) best = i;
        if (!w.reads(best)) return;
        address keeper = w.attackers(word % 2);
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0].adapter = address(w.adapters(best));
        moves[0].assets = word % 4 == 0 ? int256(vault.idle() / 16) : -int256(w.vaultPartOf(best) / 8);
        uint256 take = Math.mulDiv(vault.limitBase(), vault.lossPerCall(), WAD);
        w.venues(best).setTake(w.THIEF(), take - Math.min(take, word % 8), false);
        send(keeper, moves, IVault.Guard(vault.nextNonce(keeper), block.timestamp, type(uint256).max, 0));
        w.venues(best).setTake(address(0), 0, false);
    }

    /// @dev As an honest keeper would: most of idle goes to work, and nobody takes anything.
    function runInvestment(uint256 word) internal {
        address keeper = w.attackers(word % 2);
        IVault.Move[] memory moves = new IVault.Move[](2);
        for (uint256 k; k < 2; ++k) {
            moves[k].adapter = address(w.adapters((word + k) % ADAPTERS));
            moves[k].assets = int256((vault.idle() * (1 + (next(word, k) % 45))) / 100 + 1);
        }
        send(keeper, moves, IVault.Guard(vault.nextNonce(keeper), block.timestamp, type(uint256).max, 0));
    }

    /// @dev Withdrawals from some adapters, deposits into the others, amounts that can work.
    function soundMoves(uint256 word) private view returns (IVault.Move[] memory moves) {
        moves = new IVault.Move[](1 + (word % ADAPTERS));
        uint256 out = (word >> 8) % (moves.length + 1);
        uint256 first = (word >> 16) % ADAPTERS;
        uint256 idle = vault.idle();
        for (uint256 k; k < moves.length; ++k) {
            uint256 i = (first + k) % ADAPTERS;
            uint256 amount;
            if (k < out) {
                amount = within(next(word, k), 1, w.positionOf(i));
                moves[k].assets = next(word, k) % 4 == 0 ? type(int256).min : -int256(amount);
                idle += amount;
            } else {
                amount = within(next(word, k), 1, idle);
                moves[k].assets = int256(amount);
                idle -= Math.min(idle, amount);
            }
            moves[k].adapter = address(w.adapters(i));
        }
    }

    /// @dev Whatever a signer can sign.
    function anyMoves(uint256 word) private view returns (IVault.Move[] memory moves) {
        moves = new IVault.Move[](word % 5);
        for (uint256 k; k < moves.length; ++k) {
            uint256 drawn = next(word, k);
            uint256 i = drawn % 16;
            moves[k].adapter = i < 15 ? address(w.adapters(i % ADAPTERS)) : address(uint160(drawn));
            uint256 amount = within(next(drawn, 1), 0, 2 * (vault.idle() + w.positionOf(i % ADAPTERS)));
            if (drawn % 64 == 0) amount = uint256(type(int256).max);
            moves[k].assets = drawn % 2 == 0 ? int256(amount) : -int256(amount);
            if (drawn % 4 == 0) moves[k].data = abi.encode(drawn);
        }
    }

    /// @dev What the friends' venues take in this plan: often exactly what the bounds allow. A venue that cannot be read is
    /// written off already: what it takes on the way out is its own loss, so there it takes nothing.
    function setTakes(uint256 word, IVault.Move[] memory moves) private {
        uint256 base = vault.limitBase();
        (, , uint256 available) = vault.lossBudget();
        uint256 bound = Math.mulDiv(base, Math.min(vault.lossPerCall(), available), WAD);
        for (uint256 i; i < ADAPTERS; ++i) {
            if (!w.reads(i)) continue;
            uint256 drawn = next(word, i);
            uint256 mode = drawn % 8;
            uint256 take;
            if (mode < 3) take = bound / Math.max(moves.length, 1);
            else if (mode == 3) take = Math.mulDiv(base, vault.lossPerCall(), WAD);
            else if (mode == 4) take = within(next(drawn, 1), 1, 2 * bound);
            else if (mode == 5) take = 1 + ((drawn >> 8) % 4);
            if (mode < 4 && take > 4) take -= (drawn >> 8) % 4;
            w.venues(i).setTake(w.THIEF(), take, (drawn >> 16) % 4 == 0);
        }
    }

    /* SENDING IT */

    function send(address keeper, IVault.Move[] memory moves, IVault.Guard memory guard) private {
        Stand memory s = stand(keeper);
        bytes memory plan = abi.encodeCall(IVault.rebalance, (moves, guard));
        w.listener().expect(true);
        vm.prank(keeper);
        (bool done, bytes memory reason) = address(vault).call{gas: PLAN_GAS}(plan);
        w.listener().expect(false);
        if (w.listener().entered()) l.breach("invariant_nobodyGetsInMidway", "entered a plan", 1, 0);
        if (!done) return l.refuse(reason);
        l.reach(s.breaker == IVault.Breaker.Closed ? "plan" : "plan while tripped");
        judge(s, moves, guard);
        if (used[keeper][guard.nonce] || guard.nonce != s.nonce) {
            l.breach("invariant_noPlanRunsTwice", "nonce", guard.nonce, s.nonce);
        }
        used[keeper][guard.nonce] = true;
        (lastKeeper, lastPlan) = (keeper, plan);
    }

    function replayLast() internal {
        if (lastPlan.length == 0) return;
        vm.prank(lastKeeper);
        (bool done, ) = address(vault).call{gas: PLAN_GAS}(lastPlan);
        if (done) l.breach("invariant_noPlanRunsTwice", "a plan ran again", 1, 0);
    }

    function stand(address keeper) private view returns (Stand memory s) {
        s.look = look();
        (s.breaker, ) = vault.breaker();
        for (uint256 i; i < ADAPTERS; ++i) s.quarantined[i] = vault.adapter(address(w.adapters(i))).quarantined;
        s.base = vault.limitBase();
        s.idle = vault.idle();
        s.trueTotal = w.trueTotal(true);
        s.strays = w.strays();
        s.taken = takenByThief();
        s.costs = costsOfAll();
        s.supply = vault.totalSupply();
        s.nonce = vault.nextNonce(keeper);
    }

    function takenByThief() private view returns (uint256 sum) {
        for (uint256 i; i < ADAPTERS; ++i) sum += w.venues(i).taken();
    }

    /// @notice What the vault's moves have cost it at all venues, whoever had it.
    function costsOfAll() internal view returns (uint256 sum) {
        for (uint256 i; i < ADAPTERS; ++i) sum += w.venues(i).taken() + w.venues(i).left();
    }

    /* WHAT HAS TO BE TRUE OF A PLAN THAT RAN */

    function judge(Stand memory s, IVault.Move[] memory moves, IVault.Guard memory guard) private {
        uint256 moved;
        for (uint256 k; k < moves.length; ++k) if (moves[k].assets > 0) moved += uint256(moves[k].assets);
        judgeLoss(s, moves.length, moved != 0, guard.maxLoss);
        if (moved != 0) {
            (uint256 sum, uint256 limit) = l.spend("turnover", shareOf(moved, s.base));
            if (sum > limit) l.breach("invariant_turnoverStaysWithinItsBudgetInAnyWindow", "share moved", sum, limit);
            judgeCaps(s, moves);
        }
        judgeGrowth(s);
        uint256 idle = vault.idle();
        uint256 minimum = Math.mulDiv(s.base, vault.minimumIdle(), WAD);
        if (idle < s.idle && idle < minimum) {
            l.breach("invariant_growthStaysUnderEveryCap", "idle below its minimum", idle, minimum);
        }
        if (vault.totalSupply() != s.supply) {
            l.breach("invariant_plansLeaveSharesAlone", "supply", vault.totalSupply(), s.supply);
        }
    }

    function judgeLoss(Stand memory s, uint256 moves, bool grows, uint256 maxLoss) private {
        uint256 taken = takenByThief() - s.taken;
        uint256 costs = costsOfAll() - s.costs;
        uint256 trueTotal = w.trueTotal(true);
        uint256 net = s.trueTotal - Math.min(s.trueTotal, trueTotal);
        // What lay with an adapter comes in as a gain that waits, and hides as much of the loss from the sum.
        compare(s.look, withGain(Math.max(costs, net + s.strays - w.strays())));
        uint256 lost = Math.max(taken, net - Math.min(net, s.look.dust));
        // A plan that only moves to idle is never out of budget for what a venue rounds off.
        if (lost != 0) l.reach("plan with a loss");
        if (lost == 0 || (!grows && lost <= 2 * moves)) return;
        uint256 bound = Math.min(maxLoss, Math.mulDiv(s.base, vault.lossPerCall(), WAD));
        // What a venue takes may be more by its rounding than what it is worth less.
        if (lost > bound + 2 * moves) l.breach("invariant_noPlanLosesMoreThanItsBounds", "lost", lost, bound);
        (uint256 sum, uint256 limit) = l.spend("loss", shareOf(lost, s.base));
        if (sum > limit) {
            l.breach("invariant_keeperCostsDepositorsAtMostTheLossBudgetInAnyWindow", "share lost", sum, limit);
        }
    }

    /// @dev A loss comes off before the gain since the last accrual is reckoned, which is the smaller for it.
    function withGain(uint256 lost) private view returns (uint256) {
        (, , uint256 updatedAt) = vault.accountedAssets();
        return Math.mulDiv(lost, WAD + (vault.maxRate() * (block.timestamp - updatedAt)) / 365 days + 1, WAD) + 1;
    }

    function judgeCaps(Stand memory s, IVault.Move[] memory moves) private {
        string memory law = "invariant_growthStaysUnderEveryCap";
        IVault.GroupConfiguration[] memory groups = vault.groups();
        for (uint256 k; k < moves.length; ++k) {
            if (moves[k].assets <= 0) continue;
            IVault.AdapterRecord memory record = vault.adapter(moves[k].adapter);
            uint256 value = valueOf(moves[k].adapter);
            if (value > record.absoluteCap) l.breach(law, "absolute", value, record.absoluteCap);
            uint256 cap = Math.mulDiv(s.base, record.relativeCap, WAD);
            if (value > cap) l.breach(law, "relative", value, cap);
            for (uint256 g; g < groups.length; ++g) {
                if (record.groupMask & (1 << g) == 0) continue;
                cap = Math.mulDiv(s.base, groups[g].relativeCap, WAD);
                if (vault.groupAllocation(g) > cap) l.breach(law, "group", vault.groupAllocation(g), cap);
            }
        }
    }

    function judgeGrowth(Stand memory s) private {
        for (uint256 i; i < ADAPTERS; ++i) {
            uint256 receipts = w.venues(i).balanceOf(address(w.adapters(i)));
            if (receipts <= s.look.receipts[i]) continue;
            if (s.breaker != IVault.Breaker.Closed) {
                l.breach("invariant_whileTrippedNoPlanIncreasesAnAdapter", "receipts", receipts, s.look.receipts[i]);
            }
            if (s.quarantined[i]) {
                l.breach("invariant_quarantinedAdaptersGetNothing", "receipts", receipts, s.look.receipts[i]);
            }
        }
    }

    function valueOf(address adapter) private view returns (uint256) {
        for (uint256 i; i < ADAPTERS; ++i) if (address(w.adapters(i)) == adapter) return w.vaultPartOf(i);
        return 0;
    }

    function shareOf(uint256 amount, uint256 base) private pure returns (uint256) {
        return base == 0 ? type(uint64).max : Math.mulDiv(amount, WAD, base, Math.Rounding.Ceil);
    }
}
