// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title One word of a contract that was vetted
/// @dev As a call by its interface, but that a target which says nothing is named. Done by hand because every deposit pays
/// for it once or twice a venue.
library TrustedRead {
    /// @notice A contract that should answer is gone, reverts without a reason, or answers with less than a word. There is no
    /// number: it says none.
    error NoAnswer(address target, bytes4 selector);

    function get(address target, bytes4 selector) internal view returns (uint256 value) {
        bool ok;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            ok := staticcall(gas(), target, 0x00, 0x04, 0x00, 0x20)
            ok := and(ok, gt(returndatasize(), 0x1f))
            value := mload(0x00)
        }
        if (!ok) refuse(target, selector);
    }

    function get(address target, bytes4 selector, uint256 argument) internal view returns (uint256 value) {
        bool ok;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, argument)
            ok := staticcall(gas(), target, 0x00, 0x24, 0x00, 0x20)
            ok := and(ok, gt(returndatasize(), 0x1f))
            value := mload(0x00)
        }
        if (!ok) refuse(target, selector);
    }

    /// @dev Passes on what the target said, if that can be a reason. (A short answer without a revert looks alike, and is none
    /// either way.)
    function refuse(address target, bytes4 selector) private pure {
        assembly ("memory-safe") {
            if gt(returndatasize(), 0x03) {
                let free := mload(0x40)
                returndatacopy(free, 0x00, returndatasize())
                revert(free, returndatasize())
            }
        }
        revert NoAnswer(target, selector);
    }

    function balanceOf(address token, address account) internal view returns (uint256) {
        return get(token, IERC20.balanceOf.selector, uint256(uint160(account)));
    }
}
