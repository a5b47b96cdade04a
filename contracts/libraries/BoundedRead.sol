// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Calls to contracts that may be broken or hostile
/// @dev Bounded in gas, and at most five words of the answer are copied, so neither an endless loop nor a huge answer
/// reaches the caller. What comes back is not judged here: a number may be any number, and a bound of gas is only had by who
/// has that much left ({Accounting.read} sees to it where it matters). A target without code has answered nothing.
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

    /// @notice A round of a Chainlink feed, by whichever of its functions `data` calls.
    /// @return ok The call succeeded and answered with at least five words.
    /// @return words Round, answer, and when it began, was updated, and in which round it was answered; none is checked.
    function tryRound(
        address target,
        uint256 gasLimit,
        bytes memory data
    ) internal view returns (bool ok, uint256[5] memory words) {
        assembly ("memory-safe") {
            ok := staticcall(gasLimit, target, add(data, 0x20), mload(data), words, 0xa0)
            ok := and(ok, gt(returndatasize(), 0x9f))
        }
    }

    /// @return ok The call did not revert and the target has code.
    function tryCall(address target, uint256 gasLimit, bytes memory data) internal returns (bool ok) {
        assembly ("memory-safe") {
            ok := and(gt(extcodesize(target), 0), call(gasLimit, target, 0, add(data, 0x20), mload(data), 0x00, 0x00))
        }
    }
}
