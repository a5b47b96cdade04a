// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IRewardSource} from "../interfaces/IRewardSource.sol";
import {IComet} from "../interfaces/external/IComet.sol";
import {RewardRelease} from "../libraries/RewardRelease.sol";
import {TrustedRead} from "../libraries/TrustedRead.sol";

/// @title A supply position in the base asset of one Comet (Compound V3)
/// @notice
/// TRUST
/// - Compound's governance can change Comet; its pause guardian can stop supply, withdrawal and transfer apart. The
///   position is worth `balanceOf`: principal times an index that only time moves.
///
/// KNOWN WAYS OF COMET
/// - Principal and present value are both rounded down: a balance may be up to 2 units below what was supplied.
/// - A withdrawal above the balance is a borrow where there is collateral. This adapter holds none, and refuses to ask
///   for more than the balance all the same. `type(uint256).max` withdraws the balance.
/// - What Comet can pay is what it holds of the base token.
///
/// REWARDS
/// - Compound's rewards contract pays an account when anybody asks it to (`claim(comet, account, accrue)`). So this adapter
///   claims nothing: it has no address of a contract that Compound may replace, and asks nothing of it. What lies here of
///   another token goes to the auction, whoever calls; of the asset to the vault, with the next deposit.
contract CompoundV3Adapter is IAdapter, IRewardSource {
    using SafeERC20 for IERC20;
    using TrustedRead for address;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable asset;
    /// @inheritdoc IAdapter
    address public immutable venue;
    /// @inheritdoc IRewardSource
    address public immutable auction;

    /// @dev Comet keeps a principal, which is no more than the assets behind it, in a signed number of 104 bits.
    uint256 private constant MOST = 2 ** 103 - 1;

    /// @notice More was asked than the position holds; Comet would lend it.
    error OverWithdrawal(uint256 asked, uint256 balance);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param venue_ Comet. The asset is its base token.
    /// @param auction_ Where rewards are sold for this vault; zero: nowhere.
    constructor(address vault_, address venue_, address auction_) {
        vault = vault_;
        venue = venue_;
        auction = auction_;
        asset = IComet(venue_).baseToken();
        RewardRelease.check(auction_, vault_, asset);
    }

    /// @inheritdoc IAdapter
    function deposit(uint256 assets, bytes calldata) external onlyVault {
        IERC20(asset).forceApprove(venue, assets);
        IComet(venue).supply(asset, assets);
        if (IERC20(asset).allowance(address(this), venue) != 0) IERC20(asset).forceApprove(venue, 0);
        // What the venue did not take, and what strangers sent here, is the vault's.
        uint256 rest = asset.balanceOf(address(this));
        if (rest != 0) IERC20(asset).safeTransfer(vault, rest);
    }

    /// @inheritdoc IAdapter
    function withdraw(uint256 assets, bytes calldata) external onlyVault returns (uint256 paid) {
        uint256 balance = IComet(venue).balanceOf(address(this));
        if (assets == type(uint256).max) {
            if (balance == 0) return 0;
        } else if (assets > balance) {
            revert OverWithdrawal(assets, balance);
        }
        uint256 before = asset.balanceOf(vault);
        IComet(venue).withdrawTo(vault, asset, assets);
        paid = asset.balanceOf(vault) - before;
        if (assets != type(uint256).max && paid != assets) revert Inexact(assets, paid);
    }

    /// @inheritdoc IAdapter
    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external onlyVault returns (uint256 receipts) {
        receipts = Math.mulDiv(IComet(venue).balanceOf(address(this)), numerator, denominator);
        if (receipts != 0) IERC20(venue).safeTransfer(receiver, receipts);
    }

    /// @inheritdoc IRewardSource
    function releaseRewards(address token) external returns (uint256) {
        return RewardRelease.release(token, auction, asset, venue);
    }

    /// @inheritdoc IAdapter
    function kind() external pure returns (bytes32) {
        return "compound-v3";
    }

    /// @inheritdoc IAdapter
    function exact() external pure returns (bool) {
        return true;
    }

    /// @inheritdoc IAdapter
    function receipt() external view returns (address) {
        return venue;
    }

    /// @inheritdoc IAdapter
    function fairValue() external view returns (uint256) {
        return venue.balanceOf(address(this));
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

    /// @notice As {maxWithdraw}, but reverts when Comet cannot be read.
    function withdrawableNow() public view returns (uint256) {
        if (IComet(venue).isWithdrawPaused()) return 0;
        return Math.min(IERC20(asset).balanceOf(venue), IComet(venue).balanceOf(address(this)));
    }

    /// @notice As {maxDeposit}, but reverts when Comet cannot be read.
    function depositableNow() external view returns (uint256) {
        if (IComet(venue).isSupplyPaused()) return 0;
        uint256 supplied = IComet(venue).totalSupply();
        return supplied < MOST ? MOST - supplied : 0;
    }
}
