// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IRewardAuction} from "../interfaces/IRewardAuction.sol";
import {IRewardSource} from "../interfaces/IRewardSource.sol";
import {TrustedRead} from "./TrustedRead.sol";

/// @title What an adapter lets go of: anything but its asset and its position
/// @dev The token is whatever a stranger names. Some tokens answer at two addresses, and under another one than the adapter
/// knows: so what may not leave is counted before and after.
/// Trusted: the auction that the adapter was built with, which sells for the vault and sells no position. A token may call
/// back, charge or refuse on its transfer: then the release fails or the auction has less, and the adapter's money is where it
/// was. Not promised: that a token has a market, or is listed; what lies at the auction unlisted stays there.
library RewardRelease {
    using SafeERC20 for IERC20;
    using TrustedRead for address;

    /// @notice For constructors. An auction is built for a vault and its asset, before the vault is.
    function check(address auction, address vault, address asset) internal view {
        if (auction == address(0)) return;
        (address paid, address unit) = (IRewardAuction(auction).vault(), IRewardAuction(auction).asset());
        if (paid != vault || unit != asset) revert IRewardSource.WrongAuction(auction, paid, unit);
    }

    /// @notice See {IRewardSource.releaseRewards}.
    /// @param receipt What proves the adapter's position.
    function release(address token, address auction, address asset, address receipt) internal returns (uint256 amount) {
        if (auction == address(0)) revert IRewardSource.NoAuction();
        if (token == asset || token == receipt) revert IRewardSource.NotAReward(token);
        amount = token.balanceOf(address(this));
        if (amount == 0) return 0;
        (uint256 assets, uint256 receipts) = (asset.balanceOf(address(this)), receipt.balanceOf(address(this)));
        IERC20(token).safeTransfer(auction, amount);
        requireKept(asset, assets);
        requireKept(receipt, receipts);
        emit IRewardSource.RewardsReleased(token, amount);
    }

    /// @notice For whoever hands the call to others: nothing of a token has left.
    function requireKept(address token, uint256 before) internal view {
        uint256 left = token.balanceOf(address(this));
        if (left < before) revert IRewardSource.PositionTouched(token, before, left);
    }
}
