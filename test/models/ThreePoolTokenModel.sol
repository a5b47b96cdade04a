// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Receipts of {ThreePoolModel}
/// @notice Stands for 3CRV: an ERC-20 of 18 decimals that one minter, the pool, mints and burns without an allowance. As the
/// genuine one, it has no getter for its minter.
contract ThreePoolTokenModel is ERC20 {
    address private _minter;

    error NotMinter(address caller);

    constructor() ERC20("Curve.fi DAI/USDC/USDT Model", "3Crv") {
        _minter = msg.sender;
    }

    /// @notice Handed from the deployer to the pool.
    function set_minter(address minter) external {
        if (msg.sender != _minter) revert NotMinter(msg.sender);
        _minter = minter;
    }

    function mint(address to, uint256 value) external returns (bool) {
        if (msg.sender != _minter) revert NotMinter(msg.sender);
        _mint(to, value);
        return true;
    }

    function burnFrom(address from, uint256 value) external returns (bool) {
        if (msg.sender != _minter) revert NotMinter(msg.sender);
        _burn(from, value);
        return true;
    }
}
