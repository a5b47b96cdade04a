// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICondition} from "../interfaces/ICondition.sol";
import {IVault} from "../interfaces/IVault.sol";

/// @title The share price has fallen from the highest that was seen
/// @notice
/// WHAT IT JUDGES
/// - Holds when a sample of an earlier block, at most 15 minutes old, and the vault's last accrual are both below
///   reference × (1 − bound). A sample is the accrued share price; {observe}, open to anyone, accrues and takes one.
/// - The reference is the breaker's own: the highest sample since the condition was registered and the breaker was last
///   reset. It is apart from the high-water mark of the fee.
/// - While an adapter does not count, nothing is sampled and nothing holds: a write-off may return, and has a condition of
///   its own (`VenueReverting`). If it does not return, the price without it is judged once the timelock removed it.
///
/// WHO CAN MOVE IT
/// - Down: losses that the vault has booked, and fees. They stay booked beyond the block, so that one who makes a loss for
///   a moment has made it for all. The vault asks of its venues that their fair value cannot be pushed within a
///   transaction, and this condition is worth no more than that.
/// - Up: gains at the vault's `maxRate`. A donation moves neither sample nor reference faster, in either direction.
/// - Nobody can spoil a sample by accruing or observing first: an observation in each block still leaves that of the block
///   before. Arming and tripping need two samples, for they are at least 30 minutes apart.
///
/// KNOWN LIMITS
/// - It knows what was observed. To trip: {observe}, and in a later block arm or trip.
/// - A reference lasts until a reset. What is observed while not registered clears it; whoever registers a condition
///   again should have it observed before.
/// - The storage of one vault is written by calls that name this vault only; a contract that poses as a vault can spoil
///   its own.
contract SharePriceFall is ICondition {
    /// @param price Highest sample, in the unit of {IVault.sharePrice}. @param since When it began: see {observe}.
    struct Mark {
        uint208 price;
        uint40 since;
    }

    /// @param price In the unit of {IVault.sharePrice}. @param takenAt Unix seconds.
    struct Sample {
        uint208 price;
        uint40 takenAt;
    }

    /// @dev The reference, and the last samples of two blocks.
    struct Observations {
        Mark mark;
        Sample latest;
        Sample previous;
    }

    /// @dev Shorter than the half hour between arming and tripping, so that one sample cannot serve both.
    uint256 private constant FRESH = 15 minutes;
    uint256 private constant WAD = 1e18;

    /// @notice WAD share of the reference that the price must have lost, and more.
    uint256 public immutable bound;

    mapping(address vault => Observations) private seen;

    /// @notice A sample was taken, and what the reference is then, both in the unit of {IVault.sharePrice}.
    event Observed(address indexed vault, uint256 price, uint256 referencePrice);
    /// @notice The condition is not registered with the vault: what was known of it is gone.
    event Forgotten(address indexed vault);

    /// @notice The bound is a share of the price between nothing and all of it (`whole`), neither included.
    error BoundOutOfRange(uint256 bound, uint256 whole);

    /// @param bound_ See {bound}.
    constructor(uint256 bound_) {
        if (bound_ == 0 || bound_ >= WAD) revert BoundOutOfRange(bound_, WAD);
        bound = bound_;
    }

    /// @notice Accrues `vault` and notes its share price. Anyone, in any block. Reverts while a call to the vault is under
    /// way, when its price might be between two states.
    function observe(address vault) external {
        IVault(vault).accrue();
        Observations storage o = seen[vault];
        (bool registered, ) = IVault(vault).condition(address(this));
        if (!registered) {
            delete seen[vault];
            emit Forgotten(vault);
            return;
        }
        (, bool uncounted) = IVault(vault).writtenOff();
        if (uncounted) return;

        uint208 price = uint208(IVault(vault).sharePrice());
        uint40 time = uint40(block.timestamp);
        // In the block of a reset nobody can tell before from after: a reference of that block is of before.
        if (o.mark.since <= IVault(vault).breakerResetAt()) o.mark = Mark(price, time);
        else if (price > o.mark.price) o.mark.price = price;
        if (o.latest.takenAt != time) o.previous = o.latest;
        o.latest = Sample(price, time);
        emit Observed(vault, price, o.mark.price);
    }

    /// @inheritdoc ICondition
    function holds(address vault) external view returns (bool) {
        Observations storage o = seen[vault];
        if (o.mark.since <= IVault(vault).breakerResetAt()) return false;
        Sample memory sample = o.latest.takenAt < block.timestamp ? o.latest : o.previous;
        // No sample at all is one of the year 1970.
        if (block.timestamp > sample.takenAt + FRESH) return false;
        (, bool uncounted) = IVault(vault).writtenOff();
        if (uncounted) return false;
        uint256 lowest = (uint256(o.mark.price) * (WAD - bound)) / WAD;
        // Asked by the vault itself, which is under way then, the share price is that of its last accrual.
        return sample.price < lowest && IVault(vault).sharePrice() < lowest;
    }

    /// @notice What is known of `vault`'s price.
    function observations(address vault) external view returns (Observations memory) {
        return seen[vault];
    }
}
