// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Accounting} from "./Accounting.sol";
import {AdapterFailure} from "./AdapterFailure.sol";
import {BreakerState} from "./BreakerState.sol";
import {RateBudget} from "./RateBudget.sol";
import {TrustedRead} from "./TrustedRead.sol";
import {AdapterSlot, Keeper, VaultState, WAD} from "./VaultState.sol";

/// @title The keeper's only power, and every bound on it
/// @notice Threat model: whoever calls {rebalance} holds a stolen key, chose the amounts, the data, the block and the
/// transactions around it, and is friends with every depositor and every venue that the timelock did not vet.
///
/// WHAT IT PROMISES
/// - Until the keeper is removed, it costs depositors at most the loss budget in any window, plus what venues lose within their
///   caps. What a move loses is measured by balances and by adapters' fair values before and after, and never netted.
/// - A plan that only moves to idle is free of the turnover budget, of caps and of the breaker, and loses a venue's rounding
///   whatever the budgets say. What it loses beyond that is bounded as in any plan, by the bound of a call and the loss budget.
///
/// WHAT IT TRUSTS
/// - Fair values, which the timelock's vetting stands for. No number of the keeper's, of a venue or of the moment.
///
/// WHAT CAN GO WRONG
/// - A loss in an adapter that the plan does not touch is not in {Accounting.limitBase} until the next accrual.
/// - An exhausted loss budget keeps a plan from leaving a venue at a cost, until it refills: the emergency exits have their own
///   way, and depositors theirs.
///
/// WHAT IT DOES NOT PROMISE
/// - That plans are good, or come at all. That money is moved out of a venue that fails before it does.
/// @dev Linked library: runs in the vault's storage. The vault passes the keeper's calldata on as it came and appends two
/// words: its asset, and the slot of its state. Its cost does not grow with the number of adapters: only those that
/// a plan touches are valued, and every limit that is a share of total assets is a share of {Accounting.limitBase}.
library Rebalancing {
    using SafeERC20 for IERC20;
    using RateBudget for RateBudget.Bucket;

    /// @dev What a plan has come to so far, in assets. `base` is what shares of total assets are of; `grows`: money goes into adapters.
    struct Run {
        uint256 base;
        uint256 accountedBefore;
        uint256 idleBefore;
        uint256 idle;
        uint256 moved;
        uint256 lost;
        bool grows;
    }

    /// @dev An adapter that was given money, and its value at the end.
    struct Grown {
        AdapterSlot slot;
        uint256 value;
    }

    /// @notice See {IVault.rebalance}. Order of the checks: keeper, breaker, deadline, nonce, each move, loss, loss budget,
    /// turnover budget, caps of each adapter that grew, idle.
    function rebalance(IVault.Move[] calldata moves, IVault.Guard calldata guard) external {
        (IERC20 asset, VaultState storage s) = appended();
        Run memory run;
        Keeper storage keeper = s.keepers[msg.sender];
        if (!keeper.allowed) revert IVault.NotKeeper(msg.sender);
        for (uint256 i; i < moves.length; ++i) if (moves[i].assets > 0) run.grows = true;
        if (run.grows) {
            (IVault.Breaker state, uint256 until) = BreakerState.get(s);
            if (state != IVault.Breaker.Closed) revert IVault.BreakerTripped(state, until);
        }
        if (block.timestamp > guard.deadline) revert IVault.DeadlinePassed(guard.deadline, block.timestamp);
        uint256 count = keeper.count;
        uint256 nonce = (uint256(s.planEpoch) << 64) | count;
        if (guard.nonce != nonce) revert IVault.WrongNonce(guard.nonce, nonce);
        keeper.count = uint64(count + 1);

        run.base = Accounting.limitBase(s);
        run.accountedBefore = s.accounted;
        run.idle = run.idleBefore = asset.balanceOf(address(this));
        Grown[] memory grown = carryOut(s, asset, moves, run);

        checkLoss(s, run, moves.length, guard.maxLoss);
        if (run.moved != 0) spendTurnover(s, run);
        for (uint256 i; i < grown.length && grown[i].slot.adapter != address(0); ++i) checkCaps(s, grown[i], run.base);
        checkIdle(s, run);

        emit IVault.Rebalanced(
            msg.sender,
            nonce,
            guard.decision,
            hashOf(moves),
            run.accountedBefore,
            s.accounted,
            run.moved,
            run.lost
        );
    }

    function appended() private pure returns (IERC20 asset, VaultState storage s) {
        assembly ("memory-safe") {
            asset := calldataload(sub(calldatasize(), 0x40))
            s.slot := calldataload(sub(calldatasize(), 0x20))
        }
    }

    /// @dev `keccak256(abi.encode(moves))` of calldata in the canonical encoding, without encoding them again. Of calldata
    /// in another encoding it is the hash of no plan at all: what is hashed is what the moves were read from.
    function hashOf(IVault.Move[] calldata moves) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let start := sub(moves.offset, 0x20)
            let size := sub(sub(calldatasize(), 0x40), start)
            mstore(free, 0x20)
            calldatacopy(add(free, 0x20), start, size)
            hash := keccak256(free, add(size, 0x20))
        }
    }

    function carryOut(
        VaultState storage s,
        IERC20 asset,
        IVault.Move[] calldata moves,
        Run memory run
    ) private returns (Grown[] memory grown) {
        uint256 length = moves.length;
        if (length == 0) revert IVault.NoMoves();
        grown = new Grown[](run.grows ? length : 0);
        uint256 grownCount;
        uint256 seen;
        for (uint256 i; i < length; ++i) {
            IVault.Move calldata move = moves[i];
            uint256 place = s.positions[move.adapter].place;
            if (place == 0) revert IVault.UnknownAdapter(move.adapter);
            if (move.assets == 0) revert IVault.EmptyMove(i);
            if (move.assets < 0 && grownCount != 0) revert IVault.UnorderedMove(i);
            if (seen & (1 << place) != 0) revert IVault.DuplicateMove(i, move.adapter);
            seen |= 1 << place;
            AdapterSlot memory slot = s.adapters[place - 1];
            if (move.assets < 0) {
                withdrawMove(s, asset, move, slot, run, i);
            } else {
                grown[grownCount] = Grown(slot, depositMove(s, asset, move, slot, run));
                ++grownCount;
            }
        }
    }

    /// @dev A withdrawal is allowed from an adapter in quarantine, and from one that cannot be read: then its value is
    /// already written off and what comes back is no loss.
    function withdrawMove(
        VaultState storage s,
        IERC20 asset,
        IVault.Move calldata move,
        AdapterSlot memory slot,
        Run memory run,
        uint256 index
    ) private {
        bool all = move.assets == type(int256).min;
        Accounting.Withdrawal memory w = Accounting.beginWithdrawal(
            s,
            slot,
            all ? type(uint256).max : uint256(-move.assets)
        );
        uint256 idleBefore = run.idle;
        try IAdapter(slot.adapter).withdraw(w.amount, move.data) returns (uint256) {} catch (bytes memory reason) {
            AdapterFailure.raise(slot.adapter, reason);
        }
        run.idle = asset.balanceOf(address(this));
        if (run.idle <= idleBefore) revert IVault.EmptyMove(index);
        run.lost += Accounting.endWithdrawal(s, slot, w, run.idle - idleBefore);
    }

    function depositMove(
        VaultState storage s,
        IERC20 asset,
        IVault.Move calldata move,
        AdapterSlot memory slot,
        Run memory run
    ) private returns (uint256 valueAfter) {
        if (slot.quarantined) revert IVault.AdapterQuarantined(slot.adapter);
        (bool ok, uint256 before) = Accounting.positionValue(slot.adapter);
        if (!ok) revert IVault.AdapterUnreadable(slot.adapter);
        Accounting.chargeFall(s, slot, slot.claimed ? Accounting.vaultPart(s, slot.adapter, before) : before);
        uint256 amount = uint256(move.assets);
        uint256 idleBefore = run.idle;
        if (amount > idleBefore) revert IVault.IdleExceeded(amount, idleBefore);
        // What strangers sent to the adapter comes in with this deposit, and makes up for no loss of it. (An inexact adapter's
        // fair value has counted what lies with it already.)
        uint256 strays = slot.exact ? TrustedRead.balanceOf(address(asset), slot.adapter) : 0;
        asset.safeTransfer(slot.adapter, amount);
        put(slot.adapter, amount, move.data);
        run.idle = asset.balanceOf(address(this));
        uint256 kept = idleBefore - amount;
        strays = Math.min(strays, run.idle - Math.min(run.idle, kept));
        (ok, valueAfter) = Accounting.positionValue(slot.adapter);
        if (!ok) revert IVault.AdapterUnreadable(slot.adapter);
        // Both sides whole: an adapter may send back more than it was given, of what lay with it and counted.
        uint256 had = before + idleBefore + strays;
        if (valueAfter + run.idle < had) {
            uint256 lost = had - valueAfter - run.idle;
            Accounting.bookLoss(s, slot, lost);
            run.lost += lost;
        }
        if (slot.claimed) {
            Accounting.resizeUnits(s, slot.adapter, before, valueAfter);
            valueAfter = Accounting.vaultPart(s, slot.adapter, valueAfter);
        }
        run.moved += run.idle < kept ? idleBefore - run.idle : amount;
        Accounting.recordValue(s, slot, valueAfter);
        emit IVault.Allocated(slot.adapter, int256(amount), valueAfter);
    }

    function put(address adapter, uint256 assets, bytes calldata data) private {
        try IAdapter(adapter).deposit(assets, data) {} catch (bytes memory reason) {
            AdapterFailure.raise(adapter, reason);
        }
    }

    function checkLoss(VaultState storage s, Run memory run, uint256 moves, uint256 keepersBound) private {
        if (run.lost == 0) return;
        uint256 perCall = (run.base * s.lossPerCall) / WAD;
        // Only to idle, and no more than rounding: never out of budget. The budget is charged all the same.
        bool rounding = !run.grows && run.lost <= Accounting.ROUNDING * moves;
        uint256 bound = Math.min(keepersBound, rounding ? Math.max(perCall, run.lost) : perCall);
        if (run.lost > bound) revert IVault.LossExceeded(run.lost, bound);
        RateBudget.Bucket storage budget = s.lossBudget;
        uint256 share = RateBudget.shareOf(run.lost, run.base);
        uint256 available = budget.available();
        if (share > available && !rounding) revert IVault.LossBudgetExceeded(share, available);
        emit IVault.BudgetSpent("lossBudget", share, budget.charge(share));
    }

    function spendTurnover(VaultState storage s, Run memory run) private {
        RateBudget.Bucket storage budget = s.turnoverBudget;
        uint256 share = RateBudget.shareOf(run.moved, run.base);
        uint256 available = budget.available();
        if (share > available) revert IVault.TurnoverBudgetExceeded(share, available);
        emit IVault.BudgetSpent("turnoverBudget", share, budget.charge(share));
    }

    function checkCaps(VaultState storage s, Grown memory grown, uint256 base) private {
        address adapter = grown.slot.adapter;
        uint256 cap = s.positions[adapter].absoluteCap;
        if (grown.value > cap) revert IVault.AbsoluteCapExceeded(adapter, grown.value, cap);
        cap = (base * grown.slot.relativeCap) / WAD;
        if (grown.value > cap) revert IVault.RelativeCapExceeded(adapter, grown.value, cap);
        uint256 group;
        for (uint256 mask = grown.slot.groupMask; mask != 0; (mask >>= 1, ++group)) {
            if (mask & 1 == 0) continue;
            cap = (base * s.groups[group].relativeCap) / WAD;
            if (s.groups[group].allocated <= cap) continue;
            refreshGroup(s, group);
            uint256 allocated = s.groups[group].allocated;
            if (allocated > cap) revert IVault.GroupCapExceeded(group, allocated, cap);
        }
    }

    /// @dev Recorded values of members that the plan did not touch may be old: before a plan is refused for them, they are
    /// read. One that cannot be read keeps its recorded value.
    function refreshGroup(VaultState storage s, uint256 group) private {
        uint256 count = s.adapterCount;
        for (uint256 i; i < count; ++i) {
            AdapterSlot memory slot = s.adapters[i];
            if (slot.groupMask & (1 << group) == 0) continue;
            (bool ok, uint256 value) = Accounting.fairValue(s, slot);
            if (!ok) continue;
            Accounting.chargeFall(s, slot, value);
            Accounting.recordValue(s, slot, value);
            emit IVault.Allocated(slot.adapter, 0, value);
        }
    }

    /// @dev What came in during this block may leave in it again, so none of it is idle that counts.
    function checkIdle(VaultState storage s, Run memory run) private view {
        if (run.idle >= run.idleBefore) return;
        uint256 minimum = (run.base * s.minimumIdle) / WAD + (run.accountedBefore - run.base);
        if (run.idle < minimum) revert IVault.IdleTooLow(run.idle, minimum);
    }
}
