// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title The vault's owner
/// @notice OpenZeppelin's timelock, administered by itself only, with a delay that never falls below one day, and with a
/// guardian who may cancel every operation but its own replacement.
///
/// THE GUARDIAN'S CANCEL
/// - An operation is a replacement if every call in it is a call of `setGuardian(address)`: of the vault's guardian, of
///   this contract's, or of both. A batch that holds anything else can be cancelled, so nothing can hide behind one.
/// - Proposers may cancel, as in OpenZeppelin's contract.
///
/// WHAT IT TRUSTS
/// - Its proposers, with what they announce: after the delay it is done. Its executors, to do it; an operation that nobody
///   executes waits. OpenZeppelin's contract, unchanged but for the three functions here.
///
/// WHAT CAN GO WRONG
/// - A hostile guardian can cancel everything but its own replacement, so it stops the owner for as long as that takes: a
///   delay. A hostile proposer can announce anything, and the guardian has the delay to see it.
/// - Who is named guardian here and never acts cannot be found out beforehand: there is no acceptance. A replacement of the
///   replacement takes another delay, and proposers can cancel meanwhile.
///
/// WHAT IT DOES NOT PROMISE
/// - That the guardian here and the vault's are one account: each is set on its own.
/// - That an operation which was announced is harmless, or will be executed.
contract VaultTimelock is TimelockController {
    /// @notice Seconds that the delay never falls below.
    uint256 public constant MIN_DELAY = 1 days;

    /// @notice Who may cancel, besides the cancellers.
    address public guardian;

    /// @notice Whether an operation is a guardian's replacement.
    mapping(bytes32 id => bool) public isReplacement;

    /// @notice A delay under {MIN_DELAY}. In seconds.
    error DelayTooShort(uint256 delay, uint256 minimum);
    /// @notice The guardian may not cancel its own replacement. The operation's identifier tells which.
    error ReplacementNotCancellable(bytes32 id);
    /// @notice The zero address would be a guardian that nobody is. There is no number to give.
    error ZeroGuardian();

    /// @notice Another may cancel; first: from zero.
    event GuardianChanged(address indexed previous, address indexed current);

    constructor(
        uint256 minDelay,
        address[] memory proposers,
        address[] memory executors,
        address guardian_
    ) TimelockController(minDelay, proposers, executors, address(0)) {
        if (minDelay < MIN_DELAY) revert DelayTooShort(minDelay, MIN_DELAY);
        _setGuardian(guardian_);
    }

    /// @notice Replaces the guardian, in one step: who is announced could look at it for the whole delay. Only by an operation
    /// of this timelock; {TimelockUnauthorizedCaller} otherwise, {ZeroGuardian} for nobody.
    function setGuardian(address account) external {
        if (msg.sender != address(this)) revert TimelockUnauthorizedCaller(msg.sender);
        _setGuardian(account);
    }

    /// @inheritdoc TimelockController
    /// @dev Notes besides whether the operation is a guardian's replacement.
    function schedule(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        if (_isSetGuardian(data)) isReplacement[hashOperation(target, value, data, predecessor, salt)] = true;
        super.schedule(target, value, data, predecessor, salt, delay);
    }

    /// @inheritdoc TimelockController
    /// @dev Notes besides whether all of the operation is a guardian's replacement.
    function scheduleBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        bool replacement = payloads.length != 0;
        for (uint256 i; i < payloads.length; ++i) replacement = replacement && _isSetGuardian(payloads[i]);
        if (replacement) isReplacement[hashOperationBatch(targets, values, payloads, predecessor, salt)] = true;
        super.scheduleBatch(targets, values, payloads, predecessor, salt, delay);
    }

    /// @notice Cancels an operation that waits: cancellers any, the guardian any but a replacement
    /// ({ReplacementNotCancellable}). Anyone else has no role (`AccessControlUnauthorizedAccount`).
    function cancel(bytes32 id) public override {
        if (msg.sender == guardian) {
            if (isReplacement[id]) revert ReplacementNotCancellable(id);
            // The role is lent for this call only, so that it always goes with the guardian's office.
            if (!hasRole(CANCELLER_ROLE, msg.sender)) {
                _grantRole(CANCELLER_ROLE, msg.sender);
                super.cancel(id);
                _revokeRole(CANCELLER_ROLE, msg.sender);
                return;
            }
        }
        super.cancel(id);
    }

    /// @notice Seconds that operations wait from now on; of those that wait already nothing changes. Only by an operation of this
    /// timelock, and never below one day ({DelayTooShort}).
    function updateDelay(uint256 newDelay) public override {
        if (newDelay < MIN_DELAY) revert DelayTooShort(newDelay, MIN_DELAY);
        super.updateDelay(newDelay);
    }

    function _setGuardian(address account) private {
        if (account == address(0)) revert ZeroGuardian();
        emit GuardianChanged(guardian, account);
        guardian = account;
    }

    function _isSetGuardian(bytes calldata data) private pure returns (bool) {
        return data.length >= 4 && bytes4(data[:4]) == this.setGuardian.selector;
    }
}
