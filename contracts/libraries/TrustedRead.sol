// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title One word of a contract that was vetted
/// @dev As a call by its interface, but that a target which says nothing is named. Done by hand because every deposit pays
/// for it once or twice a venue. Vetted means: by the timelock, not to burn gas or lie. The gas is not bounded here, so what may
/// be broken is read by {BoundedRead}, or behind the vault's bound on the whole adapter.
library TrustedRead {
    /// @notice A contract that should answer is gone, reverts without a reason, or answers with less than a word. There is no
    /// number: it says none.
    error NoAnswer(address target, bytes4 selector);

    /// @dev Its selector, for assembly.
    bytes32 private constant NO_ANSWER = 0xd4fa55e600000000000000000000000000000000000000000000000000000000;

    /// @notice The answer to a function without arguments.
    /// @dev Passes on what the target said, if that is long enough to be a reason; otherwise {NoAnswer}.
    function get(address target, bytes4 selector) internal view returns (uint256 value) {
        assembly ("memory-safe") {
            mstore(0x00, selector)
            let ok := staticcall(gas(), target, 0x00, 0x04, 0x00, 0x20)
            if iszero(and(ok, gt(returndatasize(), 0x1f))) {
                let free := mload(0x40)
                if gt(returndatasize(), 0x03) {
                    returndatacopy(free, 0x00, returndatasize())
                    revert(free, returndatasize())
                }
                mstore(free, NO_ANSWER)
                mstore(add(free, 0x04), target)
                mstore(add(free, 0x24), selector)
                revert(free, 0x44)
            }
            value := mload(0x00)
        }
    }

    /// @notice The answer to a function of one argument.
    function get(address target, bytes4 selector, uint256 argument) internal view returns (uint256 value) {
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, argument)
            let ok := staticcall(gas(), target, 0x00, 0x24, 0x00, 0x20)
            if iszero(and(ok, gt(returndatasize(), 0x1f))) {
                let free := mload(0x40)
                if gt(returndatasize(), 0x03) {
                    returndatacopy(free, 0x00, returndatasize())
                    revert(free, returndatasize())
                }
                mstore(free, NO_ANSWER)
                mstore(add(free, 0x04), target)
                mstore(add(free, 0x24), selector)
                revert(free, 0x44)
            }
            value := mload(0x00)
        }
    }

    /// @notice The token's balance of an account, in its smallest unit.
    function balanceOf(address token, address account) internal view returns (uint256) {
        return get(token, IERC20.balanceOf.selector, uint256(uint160(account)));
    }
}
