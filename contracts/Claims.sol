// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC6909} from "@openzeppelin/contracts/token/ERC6909/ERC6909.sol";

/// @title Claims on positions that could not be paid in kind
/// @notice
/// WHAT IT IS
/// - One ERC-6909 token for each vault. An adapter's id is its address as a number. One claim is one unit of that adapter's
///   position: what a unit is worth is the vault's business ({IVault.adapter}: `claimUnits` of `totalUnits`).
/// - Only the vault that deployed this token creates claims, in an exit in kind, and destroys them, when one is redeemed
///   ({IVault.redeemClaim}). Between the two they are the holder's, and transferable as ERC-6909 says.
///
/// WHAT IT TRUSTS
/// - The vault, entirely: it mints and burns without an allowance. The vault can be neither replaced nor upgraded, and burns
///   of its own caller only.
///
/// WHAT CAN GO WRONG
/// - A venue that never pays leaves a claim that is never paid. A loss of the venue is the claim's in its part; what the
///   vault's own moves cost is not (`Accounting.resizeUnits`).
/// - Who approves an operator here gives away the claims on every adapter, as ERC-6909 has it.
///
/// WHAT IT DOES NOT PROMISE
/// - A price, or a unit that is worth the same from one adapter to another. Names, symbols and decimals for an id.
/// - That a claim earns what shares earn: it follows its position and nothing else, and bears no fee.
contract Claims is ERC6909 {
    /// @notice The vault that deployed this token.
    address public immutable vault = msg.sender;

    /// @notice Only the vault creates and destroys claims.
    error NotVault(address caller);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @notice Creates claims on an adapter's position. The vault only ({NotVault}).
    /// @param to Whoever left in kind named: never zero. @param units Of the position, see {IVault.adapter}.
    function mint(address to, address adapter, uint256 units) external onlyVault {
        _mint(to, uint160(adapter), units);
    }

    /// @notice Destroys claims that are being redeemed. The vault only ({NotVault}), of whoever called it.
    /// @param units Of the position, no more than are held (ERC-6909's `ERC6909InsufficientBalance` otherwise).
    function burn(address from, address adapter, uint256 units) external onlyVault {
        _burn(from, uint160(adapter), units);
    }
}
