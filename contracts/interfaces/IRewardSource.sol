// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title An adapter whose venue pays rewards in other tokens
/// @notice Rewards are no part of its fair value until an auction has made assets of them.
interface IRewardSource {
    /// @notice So much of a reward token went to the auction.
    event RewardsReleased(address indexed token, uint256 amount);

    /// @notice This adapter was built without an auction. There is no number to give.
    error NoAuction();

    /// @notice The auction pays another vault, or sells for another asset.
    error WrongAuction(address auction, address vault, address asset);

    /// @notice The asset, or what proves the position: no reward.
    error NotAReward(address token);

    /// @notice A transfer of the reward token took of what is no reward.
    error PositionTouched(address token, uint256 before, uint256 left);

    /// @notice Where rewards go. Immutable; the zero address: nowhere, they stay.
    function auction() external view returns (address);

    /// @notice Sends all that lies here of a reward token to the auction. Anybody may call it, and names the token. How the
    /// token comes here, the adapter says.
    /// @return amount What left, in the token's unit.
    function releaseRewards(address token) external returns (uint256 amount);
}
