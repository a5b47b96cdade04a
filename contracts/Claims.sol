// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC6909} from "@openzeppelin/contracts/token/ERC6909/ERC6909.sol";

/// @title Claims on positions that could not be paid in kind
/// @notice An adapter's id is its address as a number. One claim is one unit of that adapter's position in the vault that
/// deployed this token: what a unit is worth is the vault's business ({IVault.adapter}: `claimUnits`, `totalUnits`).
/// Transferable as ERC-6909 says. Only the vault creates and destroys claims.
contract Claims is ERC6909 {
    address public immutable vault = msg.sender;

    error NotVault(address caller);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    function mint(address to, address adapter, uint256 units) external onlyVault {
        _mint(to, uint160(adapter), units);
    }

    function burn(address from, address adapter, uint256 units) external onlyVault {
        _burn(from, uint160(adapter), units);
    }
}
