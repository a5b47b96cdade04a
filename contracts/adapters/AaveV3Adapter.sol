// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IAaveV3Pool} from "../interfaces/external/IAaveV3.sol";
import {AaveV3Reserve} from "../libraries/AaveV3Reserve.sol";
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
contract AaveV3Adapter is IAdapter {
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

    /// @notice The pool has no reserve for the asset.
    error NoReserve(address pool, address asset);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param venue_ Aave's pool.
    constructor(address vault_, address venue_, address asset_) {
        vault = vault_;
        venue = venue_;
        asset = asset_;
        receipt = IAaveV3Pool(venue_).getReserveData(asset_).aTokenAddress;
        if (receipt == address(0)) revert NoReserve(venue_, asset_);
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
