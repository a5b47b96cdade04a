// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title A savings vault that pays a fixed rate
/// @notice Stands for the ERC-4626 savings vaults that npm does not carry. Its rate compounds by the second as the Sky
/// savings rate does, but it is its own design and is untested against any genuine code: sUSDS has another asset, no
/// virtual shares, and interest that the protocol mints.
///
/// Interest is paid from a reserve that somebody must {fund}, never promised beyond it: when the reserve is used up
/// the shares stop growing, and everything that `totalAssets` counts is in the contract. Assets sent here without
/// {fund} or `deposit` also only add to the reserve, so a donation does not move the share price.
contract SavingsModel is ERC4626 {
    using SafeERC20 for IERC20;

    uint256 private constant RAY = 1e27;

    /// @notice Growth a second, RAY: 1e27 is no interest.
    uint256 public immutable ratePerSecond;
    uint256 public lastAccrual;
    /// @dev Depositors' money as of `lastAccrual`.
    uint256 private _owed;

    event Funded(address indexed from, uint256 assets);
    event Accrued(uint256 interest, uint256 totalAssets);

    error RateBelowOne(uint256 ratePerSecond);

    constructor(IERC20 asset_, uint256 ratePerSecond_) ERC20("Savings USDC Model", "svUSDC") ERC4626(asset_) {
        if (ratePerSecond_ < RAY) revert RateBelowOne(ratePerSecond_);
        ratePerSecond = ratePerSecond_;
        lastAccrual = block.timestamp;
    }

    /// @notice Pays future interest.
    function fund(uint256 assets) external {
        IERC20(asset()).safeTransferFrom(msg.sender, address(this), assets);
        emit Funded(msg.sender, assets);
    }

    function totalAssets() public view override returns (uint256) {
        return _owed + _interest();
    }

    /// @notice What is left to pay interest with, that already accrued excluded.
    function reserve() external view returns (uint256) {
        return IERC20(asset()).balanceOf(address(this)) - totalAssets();
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        _accrue();
        super._deposit(caller, receiver, assets, shares);
        _owed += assets;
    }

    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override {
        _accrue();
        _owed -= assets;
        super._withdraw(caller, receiver, owner, assets, shares);
    }

    /// @dev Shares have 18 decimals, as MetaMorpho's for USDC, and an inflation attack costs 1e12 times its gain.
    function _decimalsOffset() internal pure override returns (uint8) {
        return 12;
    }

    function _accrue() private {
        uint256 interest = _interest();
        _owed += interest;
        lastAccrual = block.timestamp;
        emit Accrued(interest, _owed);
    }

    function _interest() private view returns (uint256) {
        uint256 growth = _power(ratePerSecond, block.timestamp - lastAccrual) - RAY;
        uint256 funded = IERC20(asset()).balanceOf(address(this)) - _owed;
        return Math.min(Math.mulDiv(_owed, growth, RAY), funded);
    }

    /// @dev base^exponent in RAY by squaring, each product rounded down.
    function _power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = RAY;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = Math.mulDiv(result, base, RAY);
            base = Math.mulDiv(base, base, RAY);
        }
    }
}
