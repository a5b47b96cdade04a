// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../interfaces/IVault.sol";
import {RateBudget} from "./RateBudget.sol";

/// @dev Most adapters a vault may have: every loop over them is bounded by this.
uint256 constant MAX_ADAPTERS = 10;
uint256 constant MAX_GROUPS = 8;
uint256 constant WAD = 1e18;
uint256 constant YEAR = 365 days;

/// @dev One slot an adapter in the order of the withdrawal queue: all that an accrual needs of it. {Accounting} relies on
/// the address being lowest and `quarantined` and `claimed` being the two topmost bytes.
/// @param claimed Some of the position belongs to holders of claims: see {ClaimUnits}.
struct AdapterSlot {
    address adapter;
    uint64 relativeCap;
    uint8 groupMask;
    bool exact;
    bool quarantined;
    bool claimed;
}

/// @param recorded Value when a move or an exit last touched the adapter.
/// @param place Position in the queue plus one; zero: unknown adapter.
struct Position {
    uint120 absoluteCap;
    uint120 recorded;
    uint8 place;
}

/// @dev While `total` is zero nothing is claimed and the whole position is the vault's. Otherwise the vault owns
/// `total - claimed` units of it.
struct ClaimUnits {
    uint256 total;
    uint256 claimed;
}

/// @param relativeCap WAD share of total assets. @param allocated Sum of its members' recorded values.
struct Group {
    bytes32 name;
    uint64 relativeCap;
    uint128 allocated;
}

/// @param count Plans carried out: the lower part of the next nonce.
struct Keeper {
    bool allowed;
    uint64 count;
}

/// @param armedAt Unix seconds; zero: not armed.
struct ConditionState {
    bool registered;
    uint40 armedAt;
}

/// @title All of the vault's storage but its shares
/// @dev Slots are packed by who reads them: the first three are what a deposit needs.
struct VaultState {
    // Slot 0: totals. `earlier` is `accounted` at the end of the last block before that of `updatedAt`. `carry` keeps
    // seconds whose gain was below one unit, so that frequent accruals of a small total do not stop its gain.
    uint104 accounted;
    uint104 earlier;
    uint32 updatedAt;
    uint16 carry;
    // Slot 1: terms of an accrual.
    uint64 maxRate;
    uint64 managementFee;
    uint64 performanceFee;
    IVault.Breaker breaker;
    uint40 breakerUntil;
    bool opened;
    uint8 adapterCount;
    // Slot 2: entry. `revalue` asks the next call of the same block to accrue again, after an
    // adapter went into quarantine or came out of it. `inexactCount`: how many adapters are of venues whose price a trade
    // moves, so that a vault without one reads none before a deposit.
    uint120 depositCap;
    uint104 writtenOff;
    bool uncounted;
    bool revalue;
    uint8 inexactCount;
    // Slots 3 to 5: the keeper's limits.
    RateBudget.Bucket lossBudget;
    RateBudget.Bucket turnoverBudget;
    uint64 minimumIdle;
    uint64 lossPerCall;
    uint64 planEpoch;
    uint64 groupCount;
    // Roles.
    address owner;
    address pendingOwner;
    address guardian;
    address pendingGuardian;
    address feeRecipient;
    uint256 highWaterMark;
    uint40 guardianTripFrom;
    uint40 breakerResetAt;
    AdapterSlot[MAX_ADAPTERS] adapters;
    Group[MAX_GROUPS] groups;
    mapping(address adapter => Position) positions;
    mapping(address adapter => ClaimUnits) claimUnits;
    mapping(address adapter => uint256 blockNumber) readFailureAt;
    mapping(address keeper => Keeper) keepers;
    mapping(address condition => ConditionState) conditions;
    // What the guardian may lose when it takes money out of inexact adapters.
    RateBudget.Bucket emergencyBudget;
}
