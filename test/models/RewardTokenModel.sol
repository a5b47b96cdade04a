// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A protocol's own token, all of it made at once
/// @notice Stands for COMP and AAVE, which npm does not carry: what they reward with. No votes, no permit.
contract RewardTokenModel is ERC20 {
    constructor(string memory name_, string memory symbol_, uint256 supply) ERC20(name_, symbol_) {
        _mint(msg.sender, supply);
    }
}
