// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Accounting} from "./Accounting.sol";
import {Authority} from "./Authority.sol";
import {RateBudget} from "./RateBudget.sol";
import {
    AdapterSlot,
    ConditionState,
    Group,
    MAX_ADAPTERS,
    MAX_GROUPS,
    Position,
    VaultState,
    WAD
} from "./VaultState.sol";

/// @title First configuration, opening, and every setter
/// @notice
/// WHAT IT PROMISES
/// - Each setter compares with today's value: in the safer direction the guardian may call it, in the other only the timelock.
///   Today's value itself is refused, so that no event tells of a change that is none.
/// - The vault opens only under a timelock of a day or more, with its deployer holding no role there nor here.
/// - No fee is above its maximum, no window under an hour, no adapter of another vault or asset.
///
/// WHAT IT TRUSTS
/// - The timelock, with what it announces; an adapter that it adds, to be what was vetted: code is not looked at. An adapter can
///   take all that plans put into it, up to its caps.
///
/// WHAT CAN GO WRONG
/// - A limit that is set to nonsense within its range is a limit: nobody here knows what is sensible. A relative cap of zero
///   shuts an adapter, a budget of zero shuts the keeper.
///
/// WHAT IT DOES NOT PROMISE
/// - That a stricter limit holds of what was done before: positions above a new cap stay, and only shrink.
/// @dev Linked library: runs in the vault's storage, with the vault's caller.
library Settings {
    using RateBudget for RateBudget.Bucket;
    using Authority for VaultState;

    uint256 private constant MAX_MANAGEMENT_FEE = 0.02e18;
    uint256 private constant MAX_PERFORMANCE_FEE = 0.2e18;
    uint256 private constant MAX_RATE = 2e18;
    uint256 private constant MIN_DELAY = 1 days;
    uint256 private constant MIN_WINDOW = 1 hours;
    uint256 private constant MAX_WINDOW = 365 days;

    /// @dev Least seed in the asset's unit: what it would cost to move the price of one share of an empty vault.
    uint256 private constant MIN_SEED = 1e6;

    /* FIRST CONFIGURATION */

    /// @notice The first configuration, whole: {IVault.Configuration}. By the constructor only; nobody has a role before it.
    /// @dev Reverts as the setters do, and with {IVault.Unchanged} for a condition that is there twice.
    function configure(VaultState storage s, IVault.Configuration memory c) external {
        s.owner = nonZero(c.owner, "owner");
        emit IVault.OwnerChanged(address(0), c.owner);
        s.guardian = nonZero(c.guardian, "guardian");
        emit IVault.GuardianChanged(address(0), c.guardian);
        for (uint256 i; i < c.keepers.length; ++i) {
            s.keepers[nonZero(c.keepers[i], "keeper")].allowed = true;
            emit IVault.KeeperChanged(c.keepers[i], true);
        }
        s.feeRecipient = c.feeRecipient;
        emit IVault.FeeRecipientChanged(address(0), c.feeRecipient);
        s.managementFee = uint64(checkedFee(s, "managementFee", c.managementFee, MAX_MANAGEMENT_FEE));
        changed("managementFee", 0, c.managementFee);
        s.performanceFee = uint64(checkedFee(s, "performanceFee", c.performanceFee, MAX_PERFORMANCE_FEE));
        changed("performanceFee", 0, c.performanceFee);
        s.maxRate = uint64(within("maxRate", c.maxRate, MAX_RATE));
        changed("maxRate", 0, c.maxRate);
        s.depositCap = uint120(Math.min(c.depositCap, type(uint120).max));
        changed("depositCap", 0, s.depositCap);
        s.minimumIdle = uint64(within("minimumIdle", c.minimumIdle, WAD));
        changed("minimumIdle", 0, c.minimumIdle);
        s.lossPerCall = uint64(within("lossPerCall", c.lossPerCall, WAD));
        changed("lossPerCall", 0, c.lossPerCall);
        configureBudget(s.lossBudget, "lossBudget", c.lossBudget.limit, c.lossBudget.window);
        configureBudget(s.turnoverBudget, "turnoverBudget", c.turnoverBudget.limit, c.turnoverBudget.window);
        configureBudget(s.emergencyBudget, "emergencyBudget", c.emergencyBudget.limit, c.emergencyBudget.window);
        for (uint256 i; i < c.groups.length; ++i) appendGroup(s, c.groups[i]);
        for (uint256 i; i < c.adapters.length; ++i) appendAdapter(s, c.asset, c.adapters[i]);
        for (uint256 i; i < c.conditions.length; ++i) {
            ConditionState storage condition = s.conditions[nonZero(c.conditions[i], "condition")];
            if (condition.registered) revert IVault.Unchanged("condition");
            condition.registered = true;
            emit IVault.ConditionChanged(c.conditions[i], true);
        }
        s.updatedAt = uint32(block.timestamp);
    }

    /// @notice Checks that all is in place for the first deposit, and marks the vault as open.
    /// @dev The deployer must hold nothing by then: no role here, none at the timelock.
    function open(VaultState storage s, address deployer, uint256 seed) external {
        if (s.opened) revert IVault.AlreadyOpened();
        if (seed < MIN_SEED) revert IVault.SeedTooSmall(seed, MIN_SEED);
        within("seed", seed, Accounting.MAX_TOTAL);
        address owner = s.owner;
        requireTimelock(owner);
        if (deployer == owner) revert IVault.DeployerHoldsRole(deployer, "owner");
        if (deployer == s.guardian) revert IVault.DeployerHoldsRole(deployer, "guardian");
        if (s.keepers[deployer].allowed) revert IVault.DeployerHoldsRole(deployer, "keeper");
        bytes32[4] memory roles = [
            bytes32(0),
            keccak256("PROPOSER_ROLE"),
            keccak256("EXECUTOR_ROLE"),
            keccak256("CANCELLER_ROLE")
        ];
        for (uint256 i; i < 4; ++i) {
            if (IAccessControl(owner).hasRole(roles[i], deployer)) revert IVault.DeployerHoldsRole(deployer, roles[i]);
        }
        s.opened = true;
    }

    /* GUARDIAN in the safer direction, OWNER in the other */

    /// @notice See {IVault.setKeeper}.
    function setKeeper(VaultState storage s, address keeper, bool allowed) external {
        s.requireFor(!allowed);
        if (s.keepers[nonZero(keeper, "keeper")].allowed == allowed) revert IVault.Unchanged("keeper");
        s.keepers[keeper].allowed = allowed;
        // The guardian's act has raised it already.
        if (!allowed && msg.sender == s.owner) s.raisePlanEpoch();
        emit IVault.KeeperChanged(keeper, allowed);
    }

    /// @notice See {IVault.setAbsoluteCap}.
    function setAbsoluteCap(VaultState storage s, address adapter, uint256 cap) external {
        Position storage position = known(s, adapter);
        cap = Math.min(cap, type(uint120).max);
        requireChange(s, "absoluteCap", position.absoluteCap, cap, true);
        position.absoluteCap = uint120(cap);
        capsChanged(s, adapter);
    }

    /// @notice See {IVault.setRelativeCap}.
    function setRelativeCap(VaultState storage s, address adapter, uint256 cap) external {
        AdapterSlot storage slot = s.adapters[known(s, adapter).place - 1];
        requireChange(s, "relativeCap", slot.relativeCap, within("relativeCap", cap, WAD), true);
        slot.relativeCap = uint64(cap);
        capsChanged(s, adapter);
    }

    /// @notice See {IVault.setGroupMask}.
    /// @dev Joining more groups is safer; leaving one is not.
    function setGroupMask(VaultState storage s, address adapter, uint256 mask) external {
        Position storage position = known(s, adapter);
        AdapterSlot storage slot = s.adapters[position.place - 1];
        if (mask >> s.groupCount != 0) revert IVault.UnknownGroup(Math.log2(mask));
        uint256 before = slot.groupMask;
        if (mask == before) revert IVault.Unchanged("groupMask");
        s.requireFor(before & ~mask == 0);
        uint256 recorded = position.recorded;
        Accounting.recordValue(s, slot, 0);
        slot.groupMask = uint8(mask);
        Accounting.recordValue(s, slot, recorded);
        capsChanged(s, adapter);
    }

    /// @notice See {IVault.setGroupCap}.
    function setGroupCap(VaultState storage s, uint256 group, uint256 cap) external {
        if (group >= s.groupCount) revert IVault.UnknownGroup(group);
        requireChange(s, "groupCap", s.groups[group].relativeCap, within("groupCap", cap, WAD), true);
        s.groups[group].relativeCap = uint64(cap);
        emit IVault.GroupChanged(group, s.groups[group].name, cap, msg.sender);
    }

    /// @notice See {IVault.setDepositCap}.
    function setDepositCap(VaultState storage s, uint256 cap) external {
        cap = Math.min(cap, type(uint120).max);
        uint256 before = s.depositCap;
        requireChange(s, "depositCap", before, cap, true);
        s.depositCap = uint120(cap);
        changed("depositCap", before, cap);
    }

    /// @notice See {IVault.setMinimumIdle}.
    function setMinimumIdle(VaultState storage s, uint256 share) external {
        uint256 before = s.minimumIdle;
        requireChange(s, "minimumIdle", before, within("minimumIdle", share, WAD), false);
        s.minimumIdle = uint64(share);
        changed("minimumIdle", before, share);
    }

    /// @notice See {IVault.setLossPerCall}.
    function setLossPerCall(VaultState storage s, uint256 share) external {
        uint256 before = s.lossPerCall;
        requireChange(s, "lossPerCall", before, within("lossPerCall", share, WAD), true);
        s.lossPerCall = uint64(share);
        changed("lossPerCall", before, share);
    }

    /// @notice See {IVault.setLossBudget}.
    /// @dev Another window is neither safer nor riskier, so it is the timelock's.
    function setLossBudget(VaultState storage s, uint256 limit, uint256 window) external {
        setBudget(s, s.lossBudget, "lossBudget", limit, window);
    }

    /// @notice See {IVault.setTurnoverBudget}.
    function setTurnoverBudget(VaultState storage s, uint256 limit, uint256 window) external {
        setBudget(s, s.turnoverBudget, "turnoverBudget", limit, window);
    }

    /// @notice See {IVault.setEmergencyBudget}.
    function setEmergencyBudget(VaultState storage s, uint256 limit, uint256 window) external {
        setBudget(s, s.emergencyBudget, "emergencyBudget", limit, window);
    }

    /// @notice See {IVault.setManagementFee}.
    /// @dev The caller has accrued: the old fee holds until now.
    function setManagementFee(VaultState storage s, uint256 fee) external {
        uint256 before = s.managementFee;
        requireChange(s, "managementFee", before, checkedFee(s, "managementFee", fee, MAX_MANAGEMENT_FEE), true);
        s.managementFee = uint64(fee);
        changed("managementFee", before, fee);
    }

    /// @notice See {IVault.setPerformanceFee}.
    /// @dev The caller has accrued. A fee that begins, begins at today's price, or at the price with what is written off:
    /// a write-off that returns is no performance.
    function setPerformanceFee(VaultState storage s, uint256 fee, uint256 supply) external {
        uint256 before = s.performanceFee;
        requireChange(s, "performanceFee", before, checkedFee(s, "performanceFee", fee, MAX_PERFORMANCE_FEE), true);
        s.performanceFee = uint64(fee);
        if (before == 0) {
            uint256 price = Accounting.priceOf(uint256(s.accounted) + s.writtenOff, supply);
            s.highWaterMark = Math.max(s.highWaterMark, price);
        }
        changed("performanceFee", before, fee);
    }

    /* OWNER */

    /// @notice See {IVault.setMaxRate}.
    function setMaxRate(VaultState storage s, uint256 rate) external {
        s.requireOwner();
        uint256 before = s.maxRate;
        if (before == within("maxRate", rate, MAX_RATE)) revert IVault.Unchanged("maxRate");
        s.maxRate = uint64(rate);
        // Seconds of another rate are not carried over.
        s.carry = 0;
        changed("maxRate", before, rate);
    }

    /// @notice See {IVault.setFeeRecipient}.
    function setFeeRecipient(VaultState storage s, address recipient) external {
        s.requireOwner();
        if (recipient == address(0) && (s.managementFee != 0 || s.performanceFee != 0)) {
            revert IVault.ZeroAddress("feeRecipient");
        }
        emit IVault.FeeRecipientChanged(s.feeRecipient, recipient);
        s.feeRecipient = recipient;
    }

    /// @notice See {IVault.setGuardian}.
    function setGuardian(VaultState storage s, address account) external {
        s.requireOwner();
        s.pendingGuardian = nonZero(account, "guardian");
        emit IVault.GuardianOffered(account);
    }

    /// @notice See {IVault.transferOwnership}.
    function transferOwnership(VaultState storage s, address account) external {
        s.requireOwner();
        s.pendingOwner = nonZero(account, "owner");
        emit IVault.OwnershipOffered(account);
    }

    /// @notice See {IVault.addAdapter}.
    function addAdapter(
        VaultState storage s,
        address asset,
        IVault.AdapterConfiguration calldata configuration
    ) external {
        s.requireOwner();
        appendAdapter(s, asset, configuration);
    }

    /// @notice See {IVault.removeAdapter}.
    /// @dev The caller has accrued. What is left in an adapter in quarantine is given up; it can only come back by adding
    /// the adapter again, and then as a gain that drips.
    function removeAdapter(VaultState storage s, address adapter) external {
        s.requireOwner();
        uint256 place = known(s, adapter).place;
        AdapterSlot memory slot = s.adapters[place - 1];
        (bool ok, uint256 value) = Accounting.fairValue(s, slot);
        if (!slot.quarantined && (!ok || value != 0)) revert IVault.AdapterNotEmpty(adapter, value);
        Accounting.recordValue(s, slot, 0);
        uint256 last = s.adapterCount - 1;
        for (uint256 i = place - 1; i < last; ++i) {
            s.adapters[i] = s.adapters[i + 1];
            s.positions[s.adapters[i].adapter].place = uint8(i + 1);
        }
        delete s.adapters[last];
        s.adapterCount = uint8(last);
        if (!slot.exact) --s.inexactCount;
        delete s.positions[adapter];
        delete s.readFailureAt[adapter];
        emit IVault.AdapterRemoved(adapter, value);
    }

    /// @notice See {IVault.setQueue}.
    function setQueue(VaultState storage s, address[] calldata order) external {
        s.requireOwner();
        uint256 count = s.adapterCount;
        if (order.length != count) revert IVault.NotPermutation(order.length, count);
        AdapterSlot[] memory slots = new AdapterSlot[](count);
        uint256 seen;
        for (uint256 i; i < count; ++i) {
            uint256 place = s.positions[order[i]].place;
            if (place == 0 || seen & (1 << place) != 0) revert IVault.NotPermutation(i, count);
            seen |= 1 << place;
            slots[i] = s.adapters[place - 1];
        }
        for (uint256 i; i < count; ++i) {
            s.adapters[i] = slots[i];
            s.positions[order[i]].place = uint8(i + 1);
        }
        emit IVault.QueueChanged(order);
    }

    /// @notice See {IVault.addGroup}.
    function addGroup(VaultState storage s, IVault.GroupConfiguration calldata configuration) external {
        s.requireOwner();
        appendGroup(s, configuration);
    }

    /* SECOND STEPS */

    /// @notice See {IVault.acceptGuardian}.
    function acceptGuardian(VaultState storage s) external {
        address pending = s.pendingGuardian;
        if (msg.sender != pending) revert IVault.NotPending(msg.sender, pending);
        emit IVault.GuardianChanged(s.guardian, pending);
        s.guardian = pending;
        delete s.pendingGuardian;
    }

    /// @notice See {IVault.acceptOwnership}.
    function acceptOwnership(VaultState storage s) external {
        address pending = s.pendingOwner;
        if (msg.sender != pending) revert IVault.NotPending(msg.sender, pending);
        requireTimelock(pending);
        emit IVault.OwnerChanged(s.owner, pending);
        s.owner = pending;
        delete s.pendingOwner;
    }

    /* INTERNALS */

    function setBudget(
        VaultState storage s,
        RateBudget.Bucket storage budget,
        bytes32 field,
        uint256 limit,
        uint256 window
    ) private {
        if (budget.limit == limit && budget.window == window) revert IVault.Unchanged(field);
        s.requireFor(limit <= budget.limit && window == budget.window);
        configureBudget(budget, field, limit, window);
    }

    function configureBudget(RateBudget.Bucket storage budget, bytes32 field, uint256 limit, uint256 window) private {
        // The bucket's arithmetic is in 64 bits; a turnover of sixteen times the vault is no limit any more.
        within(field, limit, 16 * WAD);
        if (window < MIN_WINDOW) revert IVault.OutOfRange(field, window, MIN_WINDOW);
        within(field, window, MAX_WINDOW);
        budget.configure(limit, window);
        emit IVault.BudgetChanged(field, limit, window, msg.sender);
    }

    function appendAdapter(VaultState storage s, address asset, IVault.AdapterConfiguration memory c) private {
        uint256 count = s.adapterCount;
        if (count == MAX_ADAPTERS) revert IVault.TooManyAdapters(count + 1, MAX_ADAPTERS);
        address adapter = nonZero(c.adapter, "adapter");
        if (s.positions[adapter].place != 0) revert IVault.AdapterKnown(adapter);
        if (adapter.code.length == 0) revert IVault.NotContract(adapter);
        address its = IAdapter(adapter).vault();
        if (its != address(this)) revert IVault.AdapterOfOtherVault(adapter, its);
        its = IAdapter(adapter).asset();
        if (its != asset) revert IVault.AdapterOfOtherAsset(adapter, its);
        within("relativeCap", c.relativeCap, WAD);
        if (c.groupMask >> s.groupCount != 0) revert IVault.UnknownGroup(Math.log2(c.groupMask));
        bool exact = IAdapter(adapter).exact();
        s.adapters[count] = AdapterSlot({
            adapter: adapter,
            relativeCap: uint64(c.relativeCap),
            groupMask: uint8(c.groupMask),
            exact: exact,
            quarantined: false,
            claimed: s.claimUnits[adapter].total != 0
        });
        uint256 cap = Math.min(c.absoluteCap, type(uint120).max);
        s.positions[adapter] = Position({absoluteCap: uint120(cap), recorded: 0, place: uint8(count + 1)});
        s.adapterCount = uint8(count + 1);
        if (!exact) ++s.inexactCount;
        emit IVault.AdapterAdded(adapter, exact, cap, c.relativeCap, c.groupMask);
    }

    function appendGroup(VaultState storage s, IVault.GroupConfiguration memory c) private {
        uint256 count = s.groupCount;
        if (count == MAX_GROUPS) revert IVault.TooManyGroups(count + 1, MAX_GROUPS);
        s.groups[count] = Group({
            name: c.name,
            relativeCap: uint64(within("groupCap", c.relativeCap, WAD)),
            allocated: 0
        });
        s.groupCount = uint64(count + 1);
        emit IVault.GroupChanged(count, c.name, c.relativeCap, msg.sender);
    }

    function requireTimelock(address owner) private view {
        if (owner.code.length == 0) revert IVault.OwnerNotTimelock(owner);
        try TimelockController(payable(owner)).getMinDelay() returns (uint256 delay) {
            if (delay < MIN_DELAY) revert IVault.DelayTooShort(delay, MIN_DELAY);
        } catch {
            revert IVault.OwnerNotTimelock(owner);
        }
    }

    function requireChange(
        VaultState storage s,
        bytes32 field,
        uint256 before,
        uint256 value,
        bool lowerIsSafer
    ) private {
        if (value == before) revert IVault.Unchanged(field);
        s.requireFor(lowerIsSafer ? value < before : value > before);
    }

    function checkedFee(VaultState storage s, bytes32 field, uint256 fee, uint256 most) private view returns (uint256) {
        if (fee != 0 && s.feeRecipient == address(0)) revert IVault.ZeroAddress("feeRecipient");
        return within(field, fee, most);
    }

    function within(bytes32 field, uint256 value, uint256 most) private pure returns (uint256) {
        if (value > most) revert IVault.OutOfRange(field, value, most);
        return value;
    }

    function nonZero(address account, bytes32 field) private pure returns (address) {
        if (account == address(0)) revert IVault.ZeroAddress(field);
        return account;
    }

    function known(VaultState storage s, address adapter) private view returns (Position storage position) {
        position = s.positions[adapter];
        if (position.place == 0) revert IVault.UnknownAdapter(adapter);
    }

    function changed(bytes32 field, uint256 previous, uint256 current) private {
        emit IVault.LimitChanged(field, previous, current, msg.sender);
    }

    function capsChanged(VaultState storage s, address adapter) private {
        Position storage position = s.positions[adapter];
        AdapterSlot storage slot = s.adapters[position.place - 1];
        emit IVault.AdapterCapsChanged(adapter, position.absoluteCap, slot.relativeCap, slot.groupMask, msg.sender);
    }
}
