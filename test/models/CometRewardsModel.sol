// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface IRewardedComet {
    function accrueAccount(address account) external;
    function baseTrackingAccrued(address account) external view returns (uint64);
}

/// @title Pays what accounts have earned of rewards in a Comet
/// @notice Stands for Compound's CometRewards, which npm does not carry; written from its public interface, and compared with
/// no genuine code. Anybody may claim for anybody: an account's rewards go to the account. What Comet counts in 6 decimals is
/// paid in a token of 18.
///
/// Left out: claims to another account, more than one token's decimals, multipliers, governance of what lies here.
contract CometRewardsModel {
    using SafeERC20 for IERC20;

    uint256 private constant RESCALE = 1e12;

    address public immutable governor;
    mapping(address comet => address) public tokenOf;
    mapping(address comet => mapping(address account => uint256)) public rewardsClaimed;

    event RewardClaimed(address indexed src, address indexed recipient, address indexed token, uint256 amount);

    error NotPermitted(address caller);
    error NotSupported(address comet);

    constructor(address governor_) {
        governor = governor_;
    }

    function setRewardConfig(address comet, address token) external {
        if (msg.sender != governor) revert NotPermitted(msg.sender);
        tokenOf[comet] = token;
    }

    /// @param shouldAccrue Whether to count up to now first.
    function claim(address comet, address src, bool shouldAccrue) external {
        address token = tokenOf[comet];
        if (token == address(0)) revert NotSupported(comet);
        if (shouldAccrue) IRewardedComet(comet).accrueAccount(src);
        uint256 earned = IRewardedComet(comet).baseTrackingAccrued(src) * RESCALE;
        uint256 owed = earned - rewardsClaimed[comet][src];
        if (owed == 0) return;
        rewardsClaimed[comet][src] = earned;
        IERC20(token).safeTransfer(src, owed);
        emit RewardClaimed(src, src, token, owed);
    }
}
