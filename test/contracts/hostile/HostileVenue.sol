// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @dev An ERC-4626 vault that misbehaves as told: takes part of what comes in or goes out, loses money, is illiquid,
/// refuses, burns gas, or calls somebody in the middle.
contract HostileVenue is ERC4626 {
    uint256 public entryFeeBps;
    uint256 public exitFeeBps;
    uint256 public liquidity = type(uint256).max;
    uint256 public depositLimit = type(uint256).max;
    bool public broken;
    bool public withdrawalsBroken;
    bool public transfersBroken;
    bool public burnsGas;
    address public calledTarget;
    bytes public calledData;
    bool public callSucceeded;
    bytes public callAnswer;

    error Broken();

    constructor(IERC20 asset_) ERC4626(asset_) ERC20("Hostile venue", "HV") {}

    function setFees(uint256 entryBps, uint256 exitBps) external {
        entryFeeBps = entryBps;
        exitFeeBps = exitBps;
    }

    function setLiquidity(uint256 amount) external {
        liquidity = amount;
    }

    function setDepositLimit(uint256 amount) external {
        depositLimit = amount;
    }

    /// @dev Every read of the position reverts.
    function setBroken(bool value) external {
        broken = value;
    }

    function setWithdrawalsBroken(bool value) external {
        withdrawalsBroken = value;
    }

    function setTransfersBroken(bool value) external {
        transfersBroken = value;
    }

    /// @dev Reads use all the gas they are given.
    function setBurnsGas(bool value) external {
        burnsGas = value;
    }

    /// @dev `target` is called during every deposit, withdrawal and transfer of shares.
    function setCall(address target, bytes calldata data) external {
        calledTarget = target;
        calledData = data;
    }

    function lose(uint256 amount) external {
        IERC20(asset()).transfer(address(0xbad), amount);
    }

    function previewRedeem(uint256 shares) public view override returns (uint256) {
        if (broken) revert Broken();
        if (burnsGas) while (gasleft() > 0) {}
        uint256 assets = super.previewRedeem(shares);
        return assets - (assets * exitFeeBps) / 10_000;
    }

    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        return super.previewWithdraw((assets * 10_000) / (10_000 - exitFeeBps));
    }

    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return super.previewDeposit(assets - (assets * entryFeeBps) / 10_000);
    }

    function maxWithdraw(address holder) public view override returns (uint256) {
        uint256 all = super.maxWithdraw(holder);
        return all < liquidity ? all : liquidity;
    }

    function maxRedeem(address holder) public view override returns (uint256) {
        uint256 all = balanceOf(holder);
        uint256 most = liquidity == type(uint256).max ? all : convertToShares(liquidity);
        return all < most ? all : most;
    }

    function maxDeposit(address) public view override returns (uint256) {
        return depositLimit;
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        callBack();
        super._deposit(caller, receiver, assets, shares);
        uint256 fee = (assets * entryFeeBps) / 10_000;
        if (fee != 0) IERC20(asset()).transfer(address(0xfee), fee);
    }

    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override {
        if (withdrawalsBroken) revert Broken();
        callBack();
        super._withdraw(caller, receiver, owner, assets, shares);
    }

    function _update(address from, address to, uint256 value) internal override {
        bool moved = from != address(0) && to != address(0);
        if (transfersBroken && moved) revert Broken();
        super._update(from, to, value);
        if (moved) callBack();
    }

    function callBack() private {
        if (calledTarget == address(0)) return;
        (callSucceeded, callAnswer) = calledTarget.call(calledData);
    }
}
