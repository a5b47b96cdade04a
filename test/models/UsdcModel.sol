// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Circle's USDC as the vault and the protocols see it
/// @notice Stands for FiatTokenV2_2, which npm does not carry: 6 decimals, minters, a blacklist that stops transfers
/// and approvals, ERC-2612 permit under the domain that mainnet's USDC signs with ("USD Coin", version "2").
/// @dev Left out: proxy, pause, minter allowances, EIP-3009, ERC-1271 signatures.
contract UsdcModel is ERC20, EIP712, Nonces {
    bytes32 public constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    /// @notice Names minters and blacklists holders: FiatToken's master minter and blacklister in one.
    address public immutable issuer;
    mapping(address account => bool) public isMinter;
    mapping(address account => bool) public isBlacklisted;

    error NotIssuer(address caller);
    error NotMinter(address caller);
    error Blacklisted(address account);
    error PermitExpired(uint256 deadline);
    error InvalidSigner(address signer, address owner);

    constructor(address issuer_) ERC20("USD Coin", "USDC") EIP712("USD Coin", "2") {
        issuer = issuer_;
    }

    function configureMinter(address account, bool allowed) external {
        if (msg.sender != issuer) revert NotIssuer(msg.sender);
        isMinter[account] = allowed;
    }

    function setBlacklisted(address account, bool blacklisted) external {
        if (msg.sender != issuer) revert NotIssuer(msg.sender);
        isBlacklisted[account] = blacklisted;
    }

    function mint(address to, uint256 amount) external {
        if (!isMinter[msg.sender]) revert NotMinter(msg.sender);
        _mint(to, amount);
    }

    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        // FiatToken takes type(uint256).max and any other future time alike.
        if (block.timestamp > deadline) revert PermitExpired(deadline);
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline));
        address signer = ECDSA.recover(_hashTypedDataV4(structHash), v, r, s);
        if (signer != owner) revert InvalidSigner(signer, owner);
        _approve(owner, spender, value);
    }

    function version() external pure returns (string memory) {
        return "2";
    }

    // solhint-disable-next-line func-name-mixedcase -- the name is ERC-2612's
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        if (isBlacklisted[msg.sender]) revert Blacklisted(msg.sender);
        return super.transferFrom(from, to, value);
    }

    /// @dev FiatToken knows no unlimited allowance: every transfer uses some of it up.
    function _spendAllowance(address owner, address spender, uint256 value) internal override {
        uint256 current = allowance(owner, spender);
        if (current < value) revert ERC20InsufficientAllowance(spender, current, value);
        _approve(owner, spender, current - value, false);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlacklisted[from]) revert Blacklisted(from);
        if (isBlacklisted[to]) revert Blacklisted(to);
        super._update(from, to, value);
    }

    function _approve(address owner, address spender, uint256 value, bool emitEvent) internal override {
        if (isBlacklisted[owner]) revert Blacklisted(owner);
        if (isBlacklisted[spender]) revert Blacklisted(spender);
        super._approve(owner, spender, value, emitEvent);
    }
}
