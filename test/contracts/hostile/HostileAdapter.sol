// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAdapter} from "../../../contracts/interfaces/IAdapter.sol";

/// @dev An adapter that answers what it is told to, holds the money itself, and may lose some of it on the way out.
contract HostileAdapter is IAdapter {
    enum Read {
        Honest,
        Reverts,
        BurnsGas,
        Nothing,
        Bomb,
        Huge
    }

    address public vault;
    address public asset;
    bool public exact = true;
    Read public reads;
    Read public limits;
    uint256 public underpays;
    uint256 public charges;
    uint256 public overpays;
    bool public burnsGasOnExit;
    bool public silent;
    int256 public valueOffset;
    Read public steadiness;
    bool public unsteady;

    modifier speaking() {
        if (silent) revert();
        _;
    }

    constructor(address vault_, address asset_) {
        vault = vault_;
        asset = asset_;
    }

    function setExact(bool value) external {
        exact = value;
    }

    function setReads(Read value) external {
        reads = value;
    }

    /// @dev How {maxWithdraw} answers.
    function setLimits(Read value) external {
        limits = value;
    }

    /// @dev How {steady} answers; `Huge` is a word that is no bool.
    function setSteady(bool value, Read how) external {
        (unsteady, steadiness) = (!value, how);
    }

    function steady() external view returns (uint256) {
        return answer(steadiness, unsteady ? 0 : 1);
    }

    function setUnderpays(uint256 amount) external {
        underpays = amount;
    }

    /// @dev Lost at each withdrawal besides what is paid.
    function setCharges(uint256 amount) external {
        charges = amount;
    }

    function setOverpays(uint256 amount) external {
        overpays = amount;
    }

    function setBurnsGasOnExit(bool value) external {
        burnsGasOnExit = value;
    }

    /// @dev Whatever it is told to do with money, it reverts without a reason.
    function setSilent(bool value) external {
        silent = value;
    }

    function setValueOffset(int256 value) external {
        valueOffset = value;
    }

    function kind() external pure returns (bytes32) {
        return "hostile";
    }

    function venue() external view returns (address) {
        return address(this);
    }

    function receipt() external view returns (address) {
        return asset;
    }

    function fairValue() public view returns (uint256) {
        return answer(reads, uint256(int256(IERC20(asset).balanceOf(address(this))) + valueOffset));
    }

    function exitValue() external view returns (uint256) {
        return fairValue();
    }

    function maxDeposit() external pure returns (uint256) {
        return type(uint256).max;
    }

    function maxWithdraw() external view returns (uint256) {
        return answer(limits, IERC20(asset).balanceOf(address(this)));
    }

    function deposit(uint256, bytes calldata) external view speaking {}

    function withdraw(uint256 assets, bytes calldata) external speaking returns (uint256) {
        if (burnsGasOnExit) while (gasleft() > 0) {}
        uint256 held = IERC20(asset).balanceOf(address(this));
        if (assets > held) assets = held;
        IERC20(asset).transfer(vault, assets + overpays - underpays);
        if (underpays != 0) IERC20(asset).transfer(address(0xbad), underpays);
        if (charges != 0) IERC20(asset).transfer(address(0xbad), charges);
        return assets;
    }

    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external speaking returns (uint256 paid) {
        paid = (IERC20(asset).balanceOf(address(this)) * numerator) / denominator;
        IERC20(asset).transfer(receiver, paid);
    }

    function answer(Read how, uint256 honest) private view returns (uint256) {
        if (how == Read.Reverts) revert("no");
        if (how == Read.BurnsGas) while (gasleft() > 0) {}
        if (how == Read.Huge) return type(uint256).max;
        if (how == Read.Nothing) {
            assembly {
                return(0, 0)
            }
        }
        if (how == Read.Bomb) {
            assembly {
                revert(0, 1000000)
            }
        }
        return honest;
    }
}
