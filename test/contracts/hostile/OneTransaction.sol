// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev Makes any calls in one transaction: what an attacker's contract around a flash loan does.
contract OneTransaction {
    struct Call {
        address target;
        bytes data;
    }

    function run(Call[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool ok, bytes memory answer) = calls[i].target.call(calls[i].data);
            if (ok) continue;
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}
