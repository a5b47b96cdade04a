// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {TrustedRead} from "../libraries/TrustedRead.sol";

/// @title A position in one ERC-4626 vault of the same asset
/// @notice
/// TRUST
/// - The venue's share price is believed: a venue whose price can be pushed within one transaction (an empty one, one that
///   counts its plain token balance over a tiny supply) must not be added. Whoever adds one checks that its first
///   shares are burned.
/// - Valued by `previewRedeem`, so that an exit fee of the venue is already taken off.
///
/// KNOWN WAYS OF ERC-4626 VAULTS
/// - `maxWithdraw` and `maxRedeem` may differ by fees and rounding: each is used only with its own function.
/// - Some answer zero to every `max*` (Morpho Vault V2): for those, this adapter sees no liquidity and depositors leave
///   in kind.
contract ERC4626Adapter is IAdapter {
    using SafeERC20 for IERC20;
    using TrustedRead for address;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable asset;
    /// @inheritdoc IAdapter
    address public immutable venue;

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param venue_ The ERC-4626 vault. The asset is its asset.
    constructor(address vault_, address venue_) {
        vault = vault_;
        venue = venue_;
        asset = IERC4626(venue_).asset();
    }

    /// @inheritdoc IAdapter
    function deposit(uint256 assets, bytes calldata) external onlyVault {
        IERC20(asset).forceApprove(venue, assets);
        IERC4626(venue).deposit(assets, address(this));
        if (IERC20(asset).allowance(address(this), venue) != 0) IERC20(asset).forceApprove(venue, 0);
        // What the venue did not take, and what strangers sent here, is the vault's.
        uint256 rest = asset.balanceOf(address(this));
        if (rest != 0) IERC20(asset).safeTransfer(vault, rest);
    }

    /// @inheritdoc IAdapter
    function withdraw(uint256 assets, bytes calldata) external onlyVault returns (uint256 paid) {
        uint256 before = asset.balanceOf(vault);
        if (assets == type(uint256).max) {
            uint256 shares = Math.min(
                IERC4626(venue).balanceOf(address(this)),
                IERC4626(venue).maxRedeem(address(this))
            );
            if (shares != 0) IERC4626(venue).redeem(shares, vault, address(this));
        } else {
            IERC4626(venue).withdraw(assets, vault, address(this));
        }
        paid = asset.balanceOf(vault) - before;
        if (assets != type(uint256).max && paid != assets) revert Inexact(assets, paid);
    }

    /// @inheritdoc IAdapter
    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external onlyVault returns (uint256 receipts) {
        receipts = Math.mulDiv(IERC4626(venue).balanceOf(address(this)), numerator, denominator);
        if (receipts != 0) IERC20(venue).safeTransfer(receiver, receipts);
    }

    /// @inheritdoc IAdapter
    function kind() external pure returns (bytes32) {
        return "erc4626";
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
    function fairValue() public view returns (uint256) {
        return venue.get(IERC4626.previewRedeem.selector, venue.balanceOf(address(this)));
    }

    /// @inheritdoc IAdapter
    function exitValue() external view returns (uint256) {
        return Math.min(withdrawableNow(), fairValue());
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

    /// @notice As {maxWithdraw}, but reverts when the venue cannot be read.
    function withdrawableNow() public view returns (uint256) {
        return IERC4626(venue).maxWithdraw(address(this));
    }

    /// @notice As {maxDeposit}, but reverts when the venue cannot be read.
    function depositableNow() external view returns (uint256) {
        return IERC4626(venue).maxDeposit(address(this));
    }
}
