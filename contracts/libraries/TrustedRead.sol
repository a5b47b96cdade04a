// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title One word of a contract that was vetted
/// @dev As a call by its interface: a revert is passed on, an answer shorter than a word reverts. Done by hand because
/// every deposit pays for it once or twice a venue.
library TrustedRead {
    function get(address target, bytes4 selector) internal view returns (uint256 value) {
        assembly ("memory-safe") {
            mstore(0x00, selector)
            let ok := staticcall(gas(), target, 0x00, 0x04, 0x00, 0x20)
            if iszero(and(ok, gt(returndatasize(), 0x1f))) {
                let free := mload(0x40)
                returndatacopy(free, 0x00, returndatasize())
                revert(free, returndatasize())
            }
            value := mload(0x00)
        }
    }

    function get(address target, bytes4 selector, uint256 argument) internal view returns (uint256 value) {
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, argument)
            let ok := staticcall(gas(), target, 0x00, 0x24, 0x00, 0x20)
            if iszero(and(ok, gt(returndatasize(), 0x1f))) {
                let free := mload(0x40)
                returndatacopy(free, 0x00, returndatasize())
                revert(free, returndatasize())
            }
            value := mload(0x00)
        }
    }

    function balanceOf(address token, address account) internal view returns (uint256) {
        return get(token, IERC20.balanceOf.selector, uint256(uint160(account)));
    }
}
