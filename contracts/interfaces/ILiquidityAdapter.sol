// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAdapter} from "./IAdapter.sol";

/// @title A venue whose price a trade moves: a pool of several tokens
/// @notice Never {IAdapter-exact}: what a withdrawal pays depends on the pool. Depositors' exits do not use it; it is left by
/// the keeper's plans, by the guardian's exit, or in kind. What lies here of the asset is part of fair value, of the parts that
/// are withdrawn or paid in kind, and comes back whole with a deposit.
interface ILiquidityAdapter is IAdapter {
    /// @notice The pool's price is away from fair value by more than this adapter allows: not from `least` to `most`. The unit
    /// is the adapter's; each says which prices it compares.
    error Unsteady(int256 price, int256 least, int256 most);

    /// @notice A call of the pool is under way, or its lock cannot be read: its price cannot be judged. There is no number.
    error PoolLocked(address pool);

    /// @notice The data of a move are neither empty nor one word: `length` bytes are not `expected`.
    error MalformedData(uint256 length, uint256 expected);

    /// @notice What came of a move is under the floor derived from fair value, or under the caller's own.
    error FloorMissed(uint256 received, uint256 floor);

    /// @notice True if the pool's price is within this adapter's bound of fair value. Never reverts; false when in doubt.
    /// The vault takes no deposits while it is false.
    /// @dev - MUST judge spot by what one transaction cannot move: a mean over time, or feeds.
    /// - MUST take 400,000 gas at most; what fails is false.
    function steady() external view returns (bool);
}
