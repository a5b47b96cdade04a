// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev Not a vault: answers a condition whatever makes it hold, and calls back while it is asked to accrue.
contract PosingVault {
    uint256 public sharePrice = 1e18;
    uint256 public breakerResetAt;
    address private target;
    bytes private data;

    function set(uint256 price, address target_, bytes calldata data_) external {
        (sharePrice, target, data) = (price, target_, data_);
    }

    function accrue() external {
        if (target == address(0)) return;
        (bool ok, ) = target.call(data);
        require(ok, "call back failed");
    }

    function condition(address) external pure returns (bool, uint256) {
        return (true, 0);
    }

    function writtenOff() external pure returns (uint256, bool) {
        return (0, false);
    }
}
