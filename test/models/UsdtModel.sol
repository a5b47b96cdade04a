// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Tether's USDT as the protocols see it
/// @notice Stands for TetherToken, which npm does not carry, with the two habits that break naive integrations:
/// `transfer`, `transferFrom` and `approve` return nothing, and an allowance that is not zero cannot be changed to
/// another that is not zero.
/// @dev Left out: the fee on transfer (zero on mainnet since deployment), pause, blacklist, upgrade.
contract UsdtModel {
    string public constant name = "Tether USD";
    string public constant symbol = "USDT";
    uint8 public constant decimals = 6;

    address public immutable issuer;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error NotIssuer(address caller);
    error AllowanceNotCleared(uint256 current);

    constructor(address issuer_) {
        issuer = issuer_;
    }

    function mint(address to, uint256 value) external {
        if (msg.sender != issuer) revert NotIssuer(msg.sender);
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function approve(address spender, uint256 value) external {
        uint256 current = allowance[msg.sender][spender];
        if (value != 0 && current != 0) revert AllowanceNotCleared(current);
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
    }

    function transfer(address to, uint256 value) external {
        _transfer(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        uint256 current = allowance[from][msg.sender];
        // The genuine token leaves an unlimited allowance as it is, too.
        if (current != type(uint256).max) allowance[from][msg.sender] = current - value;
        _transfer(from, to, value);
    }

    function _transfer(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
