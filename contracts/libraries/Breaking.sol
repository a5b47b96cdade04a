// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {ICondition} from "../interfaces/ICondition.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Accounting} from "./Accounting.sol";
import {AdapterFailure} from "./AdapterFailure.sol";
import {Authority} from "./Authority.sol";
import {BoundedRead} from "./BoundedRead.sol";
import {BreakerState} from "./BreakerState.sol";
import {RateBudget} from "./RateBudget.sol";
import {AdapterSlot, ConditionState, VaultState} from "./VaultState.sol";

/// @title The circuit breaker and quarantine
/// @notice
/// WHAT IT PROMISES
/// - Breaker and quarantine only ever stop the keeper and entry. Nothing here stands in the way of an exit.
/// - A trip by proof takes a registered condition that holds at arming and at tripping, half an hour to a day apart, and lasts
///   until the timelock resets it. The guardian's lasts seven days at most, and then has to rest for as long.
/// - The guardian's exit loses no more than the emergency budget in any window.
///
/// WHAT IT TRUSTS
/// - Conditions that the timelock registered: they are asked with bounded gas, and one that reverts does not hold. That they
///   judge by earlier blocks, so that no transaction makes one true, is theirs to keep ({ICondition}).
/// - Somebody to watch. Between arming and tripping nobody here looks: a condition that held, ceased and holds again trips
///   unless someone called {disarm} while it did not hold. Anyone may; whoever runs a vault should see to it that somebody does.
///
/// WHAT CAN GO WRONG
/// - A quarantine is a loss to who leaves by `redeem` meanwhile, and a guardian may make one for no reason. A stranger needs two
///   reads that fail, ten minutes apart, with no report of one that works between them.
/// - A venue whose read a stranger can make fail lets strangers do that; such venues must not be added.
///
/// WHAT IT DOES NOT PROMISE
/// - That a trip comes in time, or at all: it takes somebody's transactions. That an emergency exit gets a good price, beyond the
///   adapter's floor.
/// @dev Linked library: runs in the vault's storage, with the vault's caller.
library Breaking {
    using Authority for VaultState;
    using RateBudget for RateBudget.Bucket;

    /// @dev How long a condition must have been armed, and until when it may trip. Old arms say nothing about today.
    uint256 private constant TRIP_AFTER = 30 minutes;
    uint256 private constant TRIP_UNTIL = 1 days;

    uint256 private constant MAX_GUARDIAN_TRIP = 7 days;

    /// @dev Blocks between two failed reads that quarantine an adapter without the guardian (about ten minutes), and after
    /// which the first is too old to count (about a day).
    uint256 private constant REPORT_AFTER = 50;
    uint256 private constant REPORT_UNTIL = 7_200;

    uint256 private constant CONDITION_GAS = 1_000_000;
    uint256 private constant CONDITION_GAS_NEEDED = 1_030_000;

    /* ANYONE */

    /// @notice See {IVault.arm}. An arming that may no longer trip is renewed.
    function arm(VaultState storage s, address condition) external {
        ConditionState storage state = registered(s, condition);
        uint256 armedAt = state.armedAt;
        if (armedAt != 0 && block.timestamp <= armedAt + TRIP_UNTIL) revert IVault.AlreadyArmed(condition, armedAt);
        if (!holds(condition)) revert IVault.ConditionNotHolding(condition);
        state.armedAt = uint40(block.timestamp);
        emit IVault.ConditionArmed(condition, block.timestamp);
    }

    /// @notice See {IVault.trip}. The arming is used up, so that a reset does not leave one that trips at once.
    function trip(VaultState storage s, address condition) external {
        ConditionState storage state = registered(s, condition);
        if (s.breaker == IVault.Breaker.Tripped) revert IVault.AlreadyTripped(IVault.Breaker.Tripped, 0);
        uint256 armedAt = state.armedAt;
        if (armedAt == 0) revert IVault.NotArmed(condition);
        if (block.timestamp < armedAt + TRIP_AFTER || block.timestamp > armedAt + TRIP_UNTIL) {
            revert IVault.OutsideTripWindow(block.timestamp, armedAt + TRIP_AFTER, armedAt + TRIP_UNTIL);
        }
        if (!holds(condition)) revert IVault.ConditionNotHolding(condition);
        delete state.armedAt;
        s.breaker = IVault.Breaker.Tripped;
        s.breakerUntil = 0;
        emit IVault.BreakerChanged(IVault.Breaker.Tripped, 0, condition);
    }

    /// @notice See {IVault.disarm}.
    function disarm(VaultState storage s, address condition) external {
        ConditionState storage state = registered(s, condition);
        if (state.armedAt == 0) revert IVault.NotArmed(condition);
        if (holds(condition)) revert IVault.ConditionHolding(condition);
        delete state.armedAt;
        emit IVault.ConditionDisarmed(condition);
    }

    /// @notice See {IVault.reportUnreadable}.
    /// @dev A read by anyone, with a floor of gas that rules out failures made by the caller.
    function reportUnreadable(VaultState storage s, address adapter) external {
        AdapterSlot storage slot = slotOf(s, adapter);
        if (slot.quarantined) revert IVault.AdapterQuarantined(adapter);
        uint256 first = s.readFailureAt[adapter];
        (bool ok, uint256 value) = Accounting.fairValue(s, slot);
        if (ok) {
            if (first == 0) revert IVault.StillReadable(adapter, value);
            delete s.readFailureAt[adapter];
            emit IVault.ReadFailureCleared(adapter);
        } else if (first == 0 || block.number > first + REPORT_UNTIL) {
            s.readFailureAt[adapter] = block.number;
            emit IVault.ReadFailureReported(adapter, block.number);
        } else {
            if (block.number < first + REPORT_AFTER) revert IVault.ReportTooEarly(block.number, first + REPORT_AFTER);
            setQuarantined(s, slot);
        }
    }

    /// @notice See {IVault.emergencyExit}. It asks for what the venue says it can pay, of which no more than the vault's part.
    function emergencyExit(VaultState storage s, IERC20 asset, address adapter) external returns (uint256 received) {
        (IVault.Breaker state, ) = BreakerState.get(s);
        if (state != IVault.Breaker.Tripped) revert IVault.NotTripped(state);
        AdapterSlot memory slot = slotOf(s, adapter);
        if (!slot.exact) revert IVault.NotExact(adapter);
        (bool known, uint256 before) = Accounting.positionValue(adapter);
        uint256 amount = Accounting.withdrawable(s, slot);
        uint256 idleBefore = asset.balanceOf(address(this));
        if (amount != 0) withdraw(adapter, amount);
        received = asset.balanceOf(address(this)) - idleBefore;
        if (received == 0) revert IVault.EmptyMove(0);
        Accounting.bookLoss(s, slot, Accounting.bookWithdrawal(s, slot, known, before, received));
        emit IVault.EmergencyExit(adapter, received, s.accounted);
    }

    /// @notice See {IVault.refresh}.
    function refresh(VaultState storage s, address adapter) external {
        AdapterSlot memory slot = slotOf(s, adapter);
        (bool ok, uint256 value) = Accounting.fairValue(s, slot);
        if (!ok) revert IVault.AdapterUnreadable(adapter);
        Accounting.chargeFall(s, slot, value);
        Accounting.recordValue(s, slot, value);
        emit IVault.Allocated(adapter, 0, value);
    }

    /* GUARDIAN */

    /// @notice See {IVault.guardianTrip}.
    /// @dev As long as it lasts, so long the next must wait after it: the guardian alone cannot keep a vault shut.
    function guardianTrip(VaultState storage s, uint256 duration) external {
        s.requireGuardian();
        (IVault.Breaker state, uint256 until) = BreakerState.get(s);
        if (state != IVault.Breaker.Closed) revert IVault.AlreadyTripped(state, until);
        if (duration == 0 || duration > MAX_GUARDIAN_TRIP) revert IVault.TripTooLong(duration, MAX_GUARDIAN_TRIP);
        if (block.timestamp < s.guardianTripFrom) revert IVault.TripTooSoon(block.timestamp, s.guardianTripFrom);
        until = block.timestamp + duration;
        s.breaker = IVault.Breaker.GuardianTripped;
        s.breakerUntil = uint40(until);
        s.guardianTripFrom = uint40(until + duration);
        emit IVault.BreakerChanged(IVault.Breaker.GuardianTripped, until, address(0));
    }

    /// @notice See {IVault.guardianExit}.
    /// @dev The adapter's own floor holds besides. Without a value nobody could say what was lost.
    function guardianExit(
        VaultState storage s,
        IERC20 asset,
        address adapter,
        uint256 assets,
        uint256 minimum
    ) external returns (uint256 received) {
        s.requireGuardian();
        (IVault.Breaker state, ) = BreakerState.get(s);
        if (state == IVault.Breaker.Closed) revert IVault.NotTripped(state);
        AdapterSlot memory slot = slotOf(s, adapter);
        if (slot.exact) revert IVault.IsExact(adapter);
        if (assets == 0) revert IVault.EmptyMove(0);
        uint256 base = Accounting.limitBase(s);
        Accounting.Withdrawal memory w = Accounting.beginWithdrawal(s, slot, assets);
        if (!w.known) revert IVault.AdapterUnreadable(adapter);
        uint256 idleBefore = asset.balanceOf(address(this));
        withdraw(adapter, w.amount);
        received = asset.balanceOf(address(this)) - idleBefore;
        if (received == 0) revert IVault.EmptyMove(0);
        if (received < minimum) revert IVault.BoundMissed(received, minimum);
        chargeEmergency(s, Accounting.endWithdrawal(s, slot, w, received), base);
        emit IVault.EmergencyExit(adapter, received, s.accounted);
    }

    function withdraw(address adapter, uint256 assets) private {
        try IAdapter(adapter).withdraw(assets, "") returns (uint256) {} catch (bytes memory reason) {
            AdapterFailure.raise(adapter, reason);
        }
    }

    /// @param base What shares of the budget are of (asset units).
    function chargeEmergency(VaultState storage s, uint256 lost, uint256 base) private {
        if (lost != 0) {
            uint256 share = RateBudget.shareOf(lost, base);
            uint256 available = s.emergencyBudget.available();
            if (share > available) revert IVault.EmergencyBudgetExceeded(share, available);
            emit IVault.BudgetSpent("emergencyBudget", share, s.emergencyBudget.charge(share));
        }
    }

    /// @notice See {IVault.quarantine}.
    /// @dev The caller has accrued before and accrues again afterwards: then the adapter's value is written off.
    function quarantine(VaultState storage s, address adapter) external {
        s.requireFor(true);
        AdapterSlot storage slot = slotOf(s, adapter);
        if (slot.quarantined) revert IVault.AdapterQuarantined(adapter);
        setQuarantined(s, slot);
    }

    /* OWNER */

    /// @notice See {IVault.liftQuarantine}.
    /// @dev The caller accrues afterwards: what is there, up to what was written off, counts again at once.
    function liftQuarantine(VaultState storage s, address adapter) external {
        s.requireOwner();
        AdapterSlot storage slot = slotOf(s, adapter);
        if (!slot.quarantined) revert IVault.NotQuarantined(adapter);
        slot.quarantined = false;
        delete s.readFailureAt[adapter];
        s.revalue = true;
        emit IVault.QuarantineLifted(adapter);
    }

    /// @notice See {IVault.setCondition}.
    function setCondition(VaultState storage s, address condition, bool allowed) external {
        s.requireOwner();
        if (condition == address(0)) revert IVault.ZeroAddress("condition");
        if (s.conditions[condition].registered == allowed) revert IVault.Unchanged("condition");
        s.conditions[condition] = ConditionState({registered: allowed, armedAt: 0});
        emit IVault.ConditionChanged(condition, allowed);
    }

    /// @notice See {IVault.resetBreaker}.
    /// @dev Ends any trip. Conditions take their reference from `breakerResetAt` on.
    function reset(VaultState storage s) external {
        s.requireOwner();
        (IVault.Breaker state, ) = BreakerState.get(s);
        if (state == IVault.Breaker.Closed) revert IVault.NotTripped(state);
        s.breaker = IVault.Breaker.Closed;
        s.breakerUntil = 0;
        s.breakerResetAt = uint40(block.timestamp);
        emit IVault.BreakerChanged(IVault.Breaker.Closed, 0, address(0));
    }

    /* INTERNALS */

    function setQuarantined(VaultState storage s, AdapterSlot storage slot) private {
        slot.quarantined = true;
        s.revalue = true;
        delete s.readFailureAt[slot.adapter];
        emit IVault.Quarantined(slot.adapter, msg.sender);
    }

    function holds(address condition) private view returns (bool) {
        if (gasleft() < CONDITION_GAS_NEEDED) revert IVault.InsufficientGas(gasleft(), CONDITION_GAS_NEEDED);
        (bool ok, uint256 value) = BoundedRead.tryUint(
            condition,
            CONDITION_GAS,
            abi.encodeCall(ICondition.holds, (address(this)))
        );
        return ok && value != 0;
    }

    function registered(VaultState storage s, address condition) private view returns (ConditionState storage state) {
        state = s.conditions[condition];
        if (!state.registered) revert IVault.UnknownCondition(condition);
    }

    function slotOf(VaultState storage s, address adapter) private view returns (AdapterSlot storage) {
        uint256 place = s.positions[adapter].place;
        if (place == 0) revert IVault.UnknownAdapter(adapter);
        return s.adapters[place - 1];
    }
}
