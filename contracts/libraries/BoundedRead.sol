// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Calls to contracts that may be broken or hostile
/// @dev Bounded in gas, and at most one word of the answer is copied, so neither an endless loop nor a huge answer
/// reaches the caller.
library BoundedRead {
    /// @return ok The call succeeded and answered with at least one word.
    /// @return value That word.
    function tryUint(
        address target,
        uint256 gasLimit,
        bytes memory data
    ) internal view returns (bool ok, uint256 value) {
        assembly ("memory-safe") {
            ok := staticcall(gasLimit, target, add(data, 0x20), mload(data), 0x00, 0x20)
            ok := and(ok, gt(returndatasize(), 0x1f))
            if ok {
                value := mload(0x00)
            }
        }
    }

    /// @notice As {tryUint}, for a function without arguments.
    function tryGet(address target, uint256 gasLimit, bytes4 selector) internal view returns (bool ok, uint256 value) {
        assembly ("memory-safe") {
            mstore(0x00, selector)
            ok := staticcall(gasLimit, target, 0x00, 0x04, 0x00, 0x20)
            ok := and(ok, gt(returndatasize(), 0x1f))
            if ok {
                value := mload(0x00)
            }
        }
    }

    /// @return ok The call did not revert and the target has code.
    function tryCall(address target, uint256 gasLimit, bytes memory data) internal returns (bool ok) {
        assembly ("memory-safe") {
            ok := and(gt(extcodesize(target), 0), call(gasLimit, target, 0, add(data, 0x20), mload(data), 0x00, 0x00))
        }
    }
}
