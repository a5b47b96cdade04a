// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title An ERC-4626 venue that the market handler moves and that the keeper may be friends with
/// @dev Two kinds of cost. The visible exit fee is known to `previewRedeem`, falls due to whoever leaves, and leaves the
/// system. The friend's take is known to nobody before: it is switched on for one plan, comes off what the vault moves
/// only, goes to the attacker, and `taken` counts it, which is what losses are measured by independently of the vault; what stays inside for other holders counts as `left`.
contract MarketVenue is ERC4626 {
    using Math for uint256;

    address private constant SINK = address(0xfee);

    bool public broken;
    bool public burnsGas;
    bool public refuses;
    bool public transfersBroken;
    uint256 public liquidity = type(uint256).max;
    uint256 public exitFeeBps;

    address public friend;
    uint256 public take;
    bool public takeStaysInside;
    uint256 public taken;
    uint256 public left;

    /// @dev Called in the middle of every deposit and withdrawal.
    address public listener;

    error Refused();

    constructor(IERC20 asset_) ERC4626(asset_) ERC20("Market venue", "MV") {}

    /* THE MARKET */

    function setReads(bool broken_, bool burnsGas_) external {
        (broken, burnsGas) = (broken_, burnsGas_);
    }

    /// @param refuses_ Withdrawals revert although `maxWithdraw` says they would not.
    function setPayments(bool refuses_, bool transfersBroken_, uint256 liquidity_) external {
        (refuses, transfersBroken, liquidity) = (refuses_, transfersBroken_, liquidity_);
    }

    function setExitFee(uint256 bps) external {
        exitFeeBps = bps;
    }

    function setListener(address account) external {
        listener = account;
    }

    function lose(uint256 amount) external {
        IERC20(asset()).transfer(SINK, amount);
    }

    /* THE FRIEND */

    /// @param take_ Assets taken off each deposit or withdrawal of the vault's until it is set to zero.
    /// @param staysInside The take is left to the venue's other holders.
    function setTake(address friend_, uint256 take_, bool staysInside) external {
        (friend, take, takeStaysInside) = (friend_, take_, staysInside);
    }

    /* VIEWS */

    /// @notice What `shares` are worth after the exit fee, also while reads of the position revert.
    function valueOf(uint256 shares) public view returns (uint256) {
        uint256 gross = convertToAssets(shares);
        return gross - (gross * exitFeeBps) / 10_000;
    }

    function previewRedeem(uint256 shares) public view override returns (uint256) {
        if (broken) revert Refused();
        if (burnsGas) {
            assembly {
                invalid()
            }
        }
        return valueOf(shares);
    }

    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        return super.previewWithdraw(assets.mulDiv(10_000, 10_000 - exitFeeBps, Math.Rounding.Ceil));
    }

    function maxWithdraw(address holder) public view override returns (uint256) {
        return Math.min(previewRedeem(balanceOf(holder)), liquidity);
    }

    function maxRedeem(address holder) public view override returns (uint256) {
        return
            liquidity == type(uint256).max
                ? balanceOf(holder)
                : Math.min(balanceOf(holder), convertToShares(liquidity));
    }

    /* INTERNALS */

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        notify();
        uint256 cost = Math.min(take, assets);
        if (cost != 0) shares = convertToShares(assets - cost);
        super._deposit(caller, receiver, assets, shares);
        if (cost != 0) payFriend(cost);
    }

    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override {
        if (refuses) revert Refused();
        notify();
        uint256 fee = convertToAssets(shares);
        fee -= Math.min(fee, assets);
        uint256 cost = take;
        if (cost != 0) {
            uint256 more = convertToShares(cost) + 1;
            if (shares + more <= balanceOf(owner)) {
                shares += more;
            } else {
                cost = Math.min(cost, assets);
                assets -= cost;
            }
        }
        super._withdraw(caller, receiver, owner, assets, shares);
        if (liquidity != type(uint256).max) liquidity -= Math.min(liquidity, assets);
        if (exitFeeBps != 0 && fee != 0) IERC20(asset()).transfer(SINK, fee);
        if (cost != 0) payFriend(cost);
    }

    function payFriend(uint256 cost) private {
        if (takeStaysInside) {
            left += cost;
        } else {
            taken += cost;
            IERC20(asset()).transfer(friend, cost);
        }
    }

    function notify() private {
        // What a listener answers is its own affair.
        if (listener == address(0)) return;
        (bool heard, ) = listener.call("");
        heard;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (transfersBroken && from != address(0) && to != address(0)) revert Refused();
        super._update(from, to, value);
    }
}
