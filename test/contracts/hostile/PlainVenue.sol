// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @dev OpenZeppelin's ERC-4626 vault and nothing else: what gas is measured against.
contract PlainVenue is ERC4626 {
    constructor(IERC20 asset_) ERC4626(asset_) ERC20("Plain venue", "PV") {}
}
