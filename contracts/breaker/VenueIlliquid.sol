// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAdapter} from "../interfaces/IAdapter.sol";
import {ICondition} from "../interfaces/ICondition.sol";

/// @title A lending venue has been lent out to the brim, and was short of cash for the vault's position
/// @notice
/// WHAT IT JUDGES
/// - The venue's cash is no proof: a flash loan takes it out, or puts it in, for one transaction. What a lending venue's
///   borrowers have been charged is: its debt index grows by rate × time and by nothing else, and the rate is at the top of
///   the curve only while all is lent out.
/// - Holds when the growth of the index since a checkpoint of 30 to 90 minutes ago comes to `leastRate` a year or more,
///   and a shortage (the venue could not pay `share` of the position) was seen in an earlier block within 90 minutes.
/// - {observe}, open to anyone, keeps the checkpoints and looks for a shortage. To trip: observe, half an hour later arm,
///   half an hour after that trip.
///
/// WHO CAN MOVE IT
/// - The rate: who borrows, or lends, real money for real minutes, paying for it. Within one transaction nobody: the index
///   of now was decided before its block. It alone keeps a false trip away; choose `leastRate` accordingly.
/// - The shortage: anyone can feign one within a transaction, nobody can undo one that was seen. It keeps honest callers
///   from tripping over a venue that is dear but can pay, and gives an attacker no way to refute what is true.
/// - Checkpoints: a new one is taken only when the last is 30 minutes old, and the one before is kept, so that spam leaves
///   one of 30 minutes or more. The keeper can end a shortage by withdrawing, which is what is wanted of it.
///
/// KNOWN LIMITS
/// - An average knows recovery late: a checkpoint taken by anyone when it begins ends the proof half an hour after.
/// - A venue that is paused, or whose governance flattened its curve below `leastRate`, is not found.
/// - An ERC-4626 venue has no such index, and no such condition.
/// - One adapter, of one vault: for any other vault it does not hold, and no other vault reaches its storage.
abstract contract VenueIlliquid is ICondition {
    /// @param index What {debtIndex} was, in the venue's unit. @param takenAt Unix seconds.
    struct Checkpoint {
        uint216 index;
        uint40 takenAt;
    }

    /// @dev As long as an arming must stand.
    uint256 private constant WINDOW = 30 minutes;
    /// @dev What was true before says little of now. Long enough that a checkpoint taken late leaves the one before of use.
    uint256 private constant OLDEST = 90 minutes;
    uint256 private constant WAD = 1e18;
    uint256 private constant YEAR = 365 days;

    /// @notice The adapter whose position is watched.
    IAdapter public immutable adapter;
    /// @notice The only vault that it can hold for: the adapter's.
    address public immutable vault;
    /// @notice The lending venue: {IAdapter.venue}.
    address public immutable venue;
    /// @notice What is lent: {IAdapter.asset}.
    address public immutable asset;
    /// @notice WAD a year: average borrow rate from which the venue counts as lent out.
    uint256 public immutable leastRate;
    /// @notice WAD share of the position that the venue must be able to pay.
    uint256 public immutable share;

    /// @notice The two last checkpoints, at least 30 minutes apart.
    Checkpoint public older;
    /// @notice See {older}.
    Checkpoint public newer;
    /// @notice When a shortage was seen; noted again after 30 minutes at the earliest.
    uint40 public shortAt;

    /// @notice A checkpoint of the debt index was taken, in the venue's unit.
    event CheckpointTaken(uint256 index);
    /// @notice The venue could pay `payableNow` of `position`, both in assets.
    event ShortageSeen(uint256 payableNow, uint256 position);

    /// @notice The adapter is of another venue than this condition reads.
    error AdapterOfOtherKind(address adapter, bytes32 kind, bytes32 expected);
    /// @notice A least rate of zero: any venue would count as lent out. The number is the zero.
    error NoLeastRate();
    /// @notice The share is nothing, or more than all of the position (`whole`).
    error ShareOutOfRange(uint256 share, uint256 whole);

    /// @param kind What the adapter must say it is. @param leastRate_ See {leastRate}; not zero. @param share_ See {share}: more
    /// than nothing, at most 1.
    constructor(IAdapter adapter_, bytes32 kind, uint256 leastRate_, uint256 share_) {
        bytes32 its = adapter_.kind();
        if (its != kind) revert AdapterOfOtherKind(address(adapter_), its, kind);
        if (leastRate_ == 0) revert NoLeastRate();
        if (share_ == 0 || share_ > WAD) revert ShareOutOfRange(share_, WAD);
        adapter = adapter_;
        vault = adapter_.vault();
        venue = adapter_.venue();
        asset = adapter_.asset();
        leastRate = leastRate_;
        share = share_;
    }

    /// @notice Takes a checkpoint if the last is 30 minutes old, and looks whether the venue is short of cash. Anyone.
    function observe() external {
        if (block.timestamp >= newer.takenAt + WINDOW) {
            older = newer;
            newer = Checkpoint(uint216(debtIndex()), uint40(block.timestamp));
            emit CheckpointTaken(newer.index);
        }
        // Not at each call: one that sees a shortage in every block would leave none of an earlier block.
        if (block.timestamp < shortAt + WINDOW) return;
        (uint256 payableNow, uint256 position) = (adapter.maxWithdraw(), adapter.fairValue());
        if (payableNow * WAD >= position * share) return;
        shortAt = uint40(block.timestamp);
        emit ShortageSeen(payableNow, position);
    }

    /// @inheritdoc ICondition
    function holds(address vault_) external view returns (bool) {
        if (vault_ != vault || shortAt == block.timestamp || block.timestamp > shortAt + OLDEST) return false;
        (bool ok, uint256 rate) = averageRate();
        return ok && rate >= leastRate;
    }

    /// @notice Average borrow rate since the younger of the checkpoints that are 30 minutes old, WAD a year.
    /// @return ok False: there is no checkpoint of 30 to 90 minutes ago.
    function averageRate() public view returns (bool ok, uint256 rate) {
        Checkpoint memory from = block.timestamp >= newer.takenAt + WINDOW ? newer : older;
        if (from.takenAt == 0 || block.timestamp > from.takenAt + OLDEST) return (false, 0);
        uint256 elapsed = block.timestamp - from.takenAt;
        return (true, ((debtIndex() - from.index) * WAD * YEAR) / (from.index * elapsed));
    }

    /// @dev Index of what borrowers owe as of now, interest since the venue's last accrual included.
    function debtIndex() internal view virtual returns (uint256);
}
