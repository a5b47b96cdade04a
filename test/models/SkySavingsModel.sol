// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SkyStableModel} from "./SkyStableModel.sol";

/// @title An index that grows by a rate a second
/// @notice What sUSDS is to USDS and the pot to DAI: rate, index and time of the last accrual, by the genuine names.
abstract contract SkyIndexModel {
    uint256 internal constant RAY = 1e27;

    address public immutable governance;
    /// @notice The index at {rho}, RAY.
    uint256 public chi = RAY;
    /// @notice When the index was brought up to date.
    uint256 public rho;
    /// @dev Growth a second, RAY: 1e27 is no interest.
    uint256 internal rate;

    error NotGovernance(address caller);
    error RateBelowOne(uint256 ratePerSecond);

    constructor(uint256 ratePerSecond) {
        governance = msg.sender;
        rho = block.timestamp;
        setRate(ratePerSecond);
    }

    /// @notice Brings the index up to date.
    function drip() public virtual returns (uint256 now_) {
        now_ = indexNow();
        (chi, rho) = (now_, block.timestamp);
    }

    function indexNow() public view returns (uint256) {
        return Math.mulDiv(power(rate, block.timestamp - rho), chi, RAY);
    }

    /// @dev What was earned until now was earned by the rate until now.
    function changeRate(uint256 ratePerSecond) internal {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        drip();
        setRate(ratePerSecond);
    }

    function setRate(uint256 ratePerSecond) private {
        if (ratePerSecond < RAY) revert RateBelowOne(ratePerSecond);
        rate = ratePerSecond;
    }

    /// @dev base^exponent in RAY by squaring, each product rounded to the nearest.
    function power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = RAY;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = (result * base + RAY / 2) / RAY;
            base = (base * base + RAY / 2) / RAY;
        }
    }
}

/// @title A savings vault whose shares are worth an index
/// @dev Neither virtual shares nor decimals of its own: an asset is a share divided by the index, rounded against
/// whoever calls, and what lies in the contract does not matter to the price.
abstract contract SkyShareModel is ERC4626 {
    function totalAssets() public view override returns (uint256) {
        return convertToAssets(totalSupply());
    }

    function index() internal view virtual returns (uint256);

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        return Math.mulDiv(assets, 1e27, index(), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return Math.mulDiv(shares, index(), 1e27, rounding);
    }
}

/// @title Savings USDS
/// @notice Stands for sUSDS: an ERC-4626 vault of USDS that keeps the USDS and mints the interest on it. Its own design,
/// untested against the genuine code: no referrals, no permit, no proxy, and mint and burn events of its base.
contract SavingsUsdsModel is SkyIndexModel, SkyShareModel {
    constructor(
        IERC20 usds,
        uint256 ratePerSecond
    ) SkyIndexModel(ratePerSecond) ERC20("Savings USDS Model", "sUSDS") ERC4626(usds) {}

    /// @notice Growth a second, RAY.
    function ssr() external view returns (uint256) {
        return rate;
    }

    function setSsr(uint256 ratePerSecond) external {
        changeRate(ratePerSecond);
    }

    function drip() public override returns (uint256 now_) {
        uint256 before = chi;
        now_ = super.drip();
        uint256 interest = (totalSupply() * now_) / RAY - (totalSupply() * before) / RAY;
        if (interest != 0) SkyStableModel(asset()).mint(address(this), interest);
    }

    function index() internal view override returns (uint256) {
        return indexNow();
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        drip();
        super._deposit(caller, receiver, assets, shares);
    }

    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override {
        drip();
        super._withdraw(caller, receiver, owner, assets, shares);
    }
}

/// @title Where DAI earns
/// @notice Stands for Maker's pot: the rate and the index, and none of the accounts.
contract PotModel is SkyIndexModel {
    constructor(uint256 ratePerSecond) SkyIndexModel(ratePerSecond) {}

    /// @notice Growth a second, RAY.
    function dsr() external view returns (uint256) {
        return rate;
    }

    function setDsr(uint256 ratePerSecond) external {
        changeRate(ratePerSecond);
    }
}

/// @title Savings DAI
/// @notice Stands for sDAI: an ERC-4626 vault of DAI by the pot's index. As with the genuine one no DAI lies here: what
/// comes in is burned and what leaves is minted. Its own design, untested against the genuine code.
contract SavingsDaiModel is SkyShareModel {
    PotModel public immutable pot;

    constructor(IERC20 dai, PotModel pot_) ERC20("Savings DAI Model", "sDAI") ERC4626(dai) {
        pot = pot_;
    }

    function index() internal view override returns (uint256) {
        return pot.indexNow();
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        pot.drip();
        super._deposit(caller, receiver, assets, shares);
        SkyStableModel(asset()).burn(assets);
    }

    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override {
        pot.drip();
        SkyStableModel(asset()).mint(address(this), assets);
        super._withdraw(caller, receiver, owner, assets, shares);
    }
}
