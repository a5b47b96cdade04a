// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

interface IScaledToken {
    function scaledTotalSupply() external view returns (uint256);
    function getScaledUserBalanceAndSupply(address user) external view returns (uint256 balance, uint256 supply);
}

/// @title Rewards for holding aTokens
/// @notice Stands for Aave's RewardsController (aave-v3-periphery), which no package here carries; written from its public
/// interface and documentation. What it owes and pays is compared with the genuine code where recorded state holds that. The
/// aTokens that call it may be genuine.
///
/// A reward is so much a second for all holders of an aToken, shared by scaled balance, until its end. An index counts what
/// one unit has earned. The aToken tells of a holder's balance before it changes; who claims is counted up to now.
///
/// # Left out
/// Strategies of payment (rewards are paid from what lies here; a reward that has run dry is refused, as by a strategy that
/// fails), rewards' oracles, claimers for others, rewards over several aTokens at once but in {claimAllRewards}.
contract AaveRewardsModel {
    using SafeERC20 for IERC20;

    struct User {
        uint256 index;
        uint256 accrued;
    }

    struct Reward {
        uint256 index;
        uint256 emissionPerSecond;
        uint256 lastUpdate;
        uint256 end;
        mapping(address user => User) users;
    }

    address public immutable emissionManager;
    mapping(address aToken => mapping(address reward => Reward)) private _rewards;
    mapping(address aToken => address[] rewards) private _rewardsOf;

    event Accrued(
        address indexed asset,
        address indexed reward,
        address indexed user,
        uint256 assetIndex,
        uint256 userIndex,
        uint256 rewardsAccrued
    );
    event RewardsClaimed(
        address indexed user,
        address indexed reward,
        address indexed to,
        address claimer,
        uint256 amount
    );

    constructor(address emissionManager_) {
        emissionManager = emissionManager_;
    }

    /// @notice From now on, until `end`, holders of `asset` earn so much of `reward` a second together.
    function configure(address asset, address reward, uint256 emissionPerSecond, uint256 end) external {
        require(msg.sender == emissionManager, "ONLY_EMISSION_MANAGER");
        Reward storage r = _rewards[asset][reward];
        if (r.lastUpdate == 0) _rewardsOf[asset].push(reward);
        r.index = _indexNow(r, asset, IScaledToken(asset).scaledTotalSupply());
        (r.lastUpdate, r.emissionPerSecond, r.end) = (block.timestamp, emissionPerSecond, end);
    }

    /// @notice An aToken says what somebody held before it changes.
    function handleAction(address user, uint256 totalSupply, uint256 userBalance) external {
        _update(msg.sender, user, userBalance, totalSupply);
    }

    function claimRewards(
        address[] calldata assets,
        uint256 amount,
        address to,
        address reward
    ) external returns (uint256) {
        require(to != address(0), "INVALID_TO_ADDRESS");
        return _claim(assets, amount, to, reward);
    }

    function claimAllRewards(
        address[] calldata assets,
        address to
    ) external returns (address[] memory rewards, uint256[] memory amounts) {
        require(to != address(0), "INVALID_TO_ADDRESS");
        rewards = _rewardsOf[assets[0]];
        amounts = new uint256[](rewards.length);
        for (uint256 i; i < rewards.length; ++i) amounts[i] = _claim(assets, type(uint256).max, to, rewards[i]);
    }

    function getRewardsByAsset(address asset) external view returns (address[] memory) {
        return _rewardsOf[asset];
    }

    /// @notice What has been earned and not claimed.
    function getUserRewards(
        address[] calldata assets,
        address user,
        address reward
    ) external view returns (uint256 owed) {
        for (uint256 i; i < assets.length; ++i) {
            Reward storage r = _rewards[assets[i]][reward];
            (uint256 balance, uint256 supply) = IScaledToken(assets[i]).getScaledUserBalanceAndSupply(user);
            owed += r.users[user].accrued + _earned(r, assets[i], user, balance, _indexNow(r, assets[i], supply));
        }
    }

    function _claim(
        address[] calldata assets,
        uint256 amount,
        address to,
        address reward
    ) private returns (uint256 owed) {
        for (uint256 i; i < assets.length; ++i) {
            (uint256 balance, uint256 supply) = IScaledToken(assets[i]).getScaledUserBalanceAndSupply(msg.sender);
            _update(assets[i], msg.sender, balance, supply);
            User storage user = _rewards[assets[i]][reward].users[msg.sender];
            uint256 part = Math.min(user.accrued, amount - owed);
            user.accrued -= part;
            owed += part;
        }
        if (owed == 0) return 0;
        IERC20(reward).safeTransfer(to, owed);
        emit RewardsClaimed(msg.sender, reward, to, msg.sender, owed);
    }

    function _update(address asset, address user, uint256 balance, uint256 supply) private {
        address[] storage rewards = _rewardsOf[asset];
        for (uint256 i; i < rewards.length; ++i) {
            Reward storage r = _rewards[asset][rewards[i]];
            uint256 index = _indexNow(r, asset, supply);
            uint256 earned = _earned(r, asset, user, balance, index);
            (r.index, r.lastUpdate) = (index, block.timestamp);
            r.users[user] = User(index, r.users[user].accrued + earned);
            emit Accrued(asset, rewards[i], user, index, index, earned);
        }
    }

    function _indexNow(Reward storage r, address asset, uint256 supply) private view returns (uint256) {
        uint256 until = Math.min(block.timestamp, r.end);
        if (supply == 0 || until <= r.lastUpdate) return r.index;
        return r.index + (r.emissionPerSecond * (until - r.lastUpdate) * _unitOf(asset)) / supply;
    }

    function _earned(
        Reward storage r,
        address asset,
        address user,
        uint256 balance,
        uint256 index
    ) private view returns (uint256) {
        return (balance * (index - r.users[user].index)) / _unitOf(asset);
    }

    function _unitOf(address asset) private view returns (uint256) {
        return 10 ** IERC20Metadata(asset).decimals();
    }
}
