// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Charges on transfer when told to, and calls back the accounts that asked for it: sender before, receiver after.
contract HostileToken is ERC20 {
    uint256 public feeBps;
    mapping(address account => bytes) public hookData;
    mapping(address account => address) public hookTarget;
    bytes public lastAnswer;
    bool public lastSuccess;

    constructor() ERC20("Hostile", "HOST") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFeeBps(uint256 bps) external {
        feeBps = bps;
    }

    /// @dev When `account` sends or receives, `target` is called with `data`.
    function setHook(address account, address target, bytes calldata data) external {
        hookTarget[account] = target;
        hookData[account] = data;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        callBack(from);
        uint256 fee = from == address(0) ? 0 : (value * feeBps) / 10_000;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, address(0xfee), fee);
        callBack(to);
    }

    function callBack(address account) private {
        address target = hookTarget[account];
        if (target == address(0)) return;
        (lastSuccess, lastAnswer) = target.call(hookData[account]);
    }
}
