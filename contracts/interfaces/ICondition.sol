// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Something that, when true of a vault, justifies stopping its keeper
/// @notice A condition MUST judge by values of earlier blocks, so that no single transaction can make it true.
interface ICondition {
    /// @notice Whether the condition holds for `vault` now. A revert counts as "does not hold".
    /// @dev - MUST NOT believe the caller, nor let what one vault makes it store be seen by another.
    /// - MUST take 1,000,000 gas at most.
    /// - SHOULD be refutable by what is true: anyone disarms it while it does not hold.
    function holds(address vault) external view returns (bool);
}
