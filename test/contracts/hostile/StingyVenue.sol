// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @dev An ERC-4626 vault that takes less than it is given leave to, and pays less than it is asked for.
contract StingyVenue is ERC4626 {
    uint256 public leaves;
    uint256 public keeps;

    constructor(IERC20 asset_) ERC4626(asset_) ERC20("Stingy venue", "SV") {}

    function set(uint256 leaves_, uint256 keeps_) external {
        (leaves, keeps) = (leaves_, keeps_);
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        super._deposit(caller, receiver, assets - leaves, shares);
    }

    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override {
        super._withdraw(caller, receiver, owner, assets - keeps, shares);
    }
}
