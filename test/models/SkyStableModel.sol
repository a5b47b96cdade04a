// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A stable token of 18 decimals that its protocol's contracts mint and burn
/// @notice Stands for DAI and USDS, which npm does not carry. Who deploys it names the contracts that may mint; there is
/// no debt behind it, no permit, and none of the genuine contracts' ways with special addresses.
contract SkyStableModel is ERC20 {
    address public immutable governance;
    mapping(address contract_ => bool) public isMinter;

    error NotGovernance(address caller);
    error NotMinter(address caller);

    constructor(string memory name_, string memory symbol_) ERC20(name_, symbol_) {
        governance = msg.sender;
        isMinter[msg.sender] = true;
    }

    function rely(address minter) external {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        isMinter[minter] = true;
    }

    function mint(address to, uint256 amount) external {
        if (!isMinter[msg.sender]) revert NotMinter(msg.sender);
        _mint(to, amount);
    }

    /// @notice Of the caller's own.
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }
}
