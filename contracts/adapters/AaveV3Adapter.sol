// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IRewardSource} from "../interfaces/IRewardSource.sol";
import {IAaveV3Pool, IAaveV3Rewards, IAaveV3RewardedToken} from "../interfaces/external/IAaveV3.sol";
import {AaveV3Reserve} from "../libraries/AaveV3Reserve.sol";
import {RewardRelease} from "../libraries/RewardRelease.sol";
import {TrustedRead} from "../libraries/TrustedRead.sol";

/// @title A supply position in one reserve of Aave V3
/// @notice
/// TRUST
/// - Aave's governance can change the pool, the aToken and the rate strategy at any time; its guardians can pause. The
///   position is worth what the aToken says: its balance grows by the reserve's index and no transaction of a stranger's
///   moves it. Bad debt shows in it only when Aave writes it off.
/// - Aave's emergency admin can pause the reserve: then this adapter pays nothing, and neither does an exit in kind.
///
/// KNOWN WAYS OF AAVE
/// - An aToken balance may be up to 2 units off what was supplied or withdrawn; no delta of it is assumed to be exact.
/// - Frozen stops supply, not withdrawal. A supply cap cut below the supply leaves no room (and must not underflow).
/// - The position never borrows; it is exempt from the checks of borrowers.
///
/// REWARDS
/// - Aave pays who holds the aToken, and only to where the holder asks for it. So this adapter asks, whoever calls
///   {claimRewards}, for one token at a time: one that Aave cannot pay keeps no other back.
/// - It asks for them to itself. What came of another token goes to the auction by {releaseRewards}; aTokens count where
///   they are, as a gain that drips; the asset goes to the vault with the next deposit. At the auction aTokens would be
///   stuck, for it sells no position.
/// - Whom to ask, the aToken says at each call. Aave may replace its rewards contract, or begin with one later, and this
///   adapter lives as long as its position: an address kept from its birth would be one that Aave has left. It adds no
///   trust: whoever can name another one governs the aToken.
/// - The contract that is asked has no power here: no allowance, no answer of its that is believed, no way to another
///   token, and neither deposits nor withdrawals nor the release ask it. It is called with the caller's gas; where it fails,
///   the caller's call does and no other. (That the aToken itself tells it of every transfer is Aave's own design.)
contract AaveV3Adapter is IAdapter, IRewardSource {
    using SafeERC20 for IERC20;
    using TrustedRead for address;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable asset;
    /// @inheritdoc IAdapter
    address public immutable venue;
    /// @inheritdoc IAdapter
    address public immutable receipt;
    /// @inheritdoc IRewardSource
    address public immutable auction;

    /// @notice So much of a reward token came from Aave's rewards contract.
    event RewardsClaimed(address indexed token, address indexed rewards, uint256 amount);

    /// @notice The pool has no reserve for the asset.
    error NoReserve(address pool, address asset);

    /// @notice The aToken names no rewards contract.
    error NoRewards(address rewards);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param venue_ Aave's pool.
    /// @param auction_ Where rewards are sold for this vault; zero: nowhere.
    constructor(address vault_, address venue_, address asset_, address auction_) {
        vault = vault_;
        venue = venue_;
        asset = asset_;
        auction = auction_;
        receipt = IAaveV3Pool(venue_).getReserveData(asset_).aTokenAddress;
        if (receipt == address(0)) revert NoReserve(venue_, asset_);
        RewardRelease.check(auction_, vault_, asset_);
    }

    /// @inheritdoc IAdapter
    function deposit(uint256 assets, bytes calldata) external onlyVault {
        IERC20(asset).forceApprove(venue, assets);
        IAaveV3Pool(venue).supply(asset, assets, address(this), 0);
        if (IERC20(asset).allowance(address(this), venue) != 0) IERC20(asset).forceApprove(venue, 0);
        // What the venue did not take, and what strangers sent here, is the vault's.
        uint256 rest = asset.balanceOf(address(this));
        if (rest != 0) IERC20(asset).safeTransfer(vault, rest);
    }

    /// @inheritdoc IAdapter
    function withdraw(uint256 assets, bytes calldata) external onlyVault returns (uint256 paid) {
        if (assets == type(uint256).max && IERC20(receipt).balanceOf(address(this)) == 0) return 0;
        uint256 before = asset.balanceOf(vault);
        IAaveV3Pool(venue).withdraw(asset, assets, vault);
        paid = asset.balanceOf(vault) - before;
        if (assets != type(uint256).max && paid != assets) revert Inexact(assets, paid);
    }

    /// @inheritdoc IAdapter
    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external onlyVault returns (uint256 receipts) {
        receipts = Math.mulDiv(IERC20(receipt).balanceOf(address(this)), numerator, denominator);
        if (receipts != 0) IERC20(receipt).safeTransfer(receiver, receipts);
    }

    /// @notice Fetches what Aave owes this adapter of a reward token. Anybody may call it, and names the token.
    /// @return amount What came, in the token's unit.
    function claimRewards(address token) external returns (uint256 amount) {
        if (auction == address(0)) revert NoAuction();
        address rewards = IAaveV3RewardedToken(receipt).getIncentivesController();
        if (rewards.code.length == 0) revert NoRewards(rewards);
        uint256 before = token.balanceOf(address(this));
        (uint256 assets, uint256 receipts) = (asset.balanceOf(address(this)), receipt.balanceOf(address(this)));
        address[] memory held = new address[](1);
        held[0] = receipt;
        IAaveV3Rewards(rewards).claimRewards(held, type(uint256).max, address(this), token);
        RewardRelease.requireKept(asset, assets);
        RewardRelease.requireKept(receipt, receipts);
        RewardRelease.requireKept(token, before);
        amount = token.balanceOf(address(this)) - before;
        emit RewardsClaimed(token, rewards, amount);
    }

    /// @inheritdoc IRewardSource
    function releaseRewards(address token) external returns (uint256) {
        return RewardRelease.release(token, auction, asset, receipt);
    }

    /// @inheritdoc IAdapter
    function kind() external pure returns (bytes32) {
        return "aave-v3";
    }

    /// @inheritdoc IAdapter
    function exact() external pure returns (bool) {
        return true;
    }

    /// @inheritdoc IAdapter
    function fairValue() external view returns (uint256) {
        return receipt.balanceOf(address(this));
    }

    /// @inheritdoc IAdapter
    function exitValue() external view returns (uint256) {
        return withdrawableNow();
    }

    /// @inheritdoc IAdapter
    function maxWithdraw() external view returns (uint256) {
        try this.withdrawableNow() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }

    /// @inheritdoc IAdapter
    function maxDeposit() external view returns (uint256) {
        try this.depositableNow() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }

    /// @notice As {maxWithdraw}, but reverts when the pool cannot be read.
    function withdrawableNow() public view returns (uint256) {
        IAaveV3Pool.ReserveData memory reserve = IAaveV3Pool(venue).getReserveData(asset);
        if (!AaveV3Reserve.isActive(reserve.configuration)) return 0;
        if (AaveV3Reserve.isPaused(reserve.configuration)) return 0;
        uint256 cash = AaveV3Reserve.cash(IAaveV3Pool(venue), asset, reserve);
        return Math.min(cash, IERC20(receipt).balanceOf(address(this)));
    }

    /// @notice As {maxDeposit}, but reverts when the pool cannot be read.
    function depositableNow() external view returns (uint256) {
        IAaveV3Pool.ReserveData memory reserve = IAaveV3Pool(venue).getReserveData(asset);
        uint256 configuration = reserve.configuration;
        if (!AaveV3Reserve.isActive(configuration)) return 0;
        if (AaveV3Reserve.isPaused(configuration) || AaveV3Reserve.isFrozen(configuration)) return 0;
        uint256 cap = AaveV3Reserve.supplyCap(configuration);
        if (cap == 0) return type(uint256).max;
        uint256 supplied = AaveV3Reserve.measuredSupply(IAaveV3Pool(venue), asset, reserve);
        return cap > supplied ? cap - supplied : 0;
    }
}
