// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {PlainToken} from "./PlainToken.sol";

/// @dev Poses as Aave's rewards contract and does as told when somebody claims: pays or says that it did, reverts, burns all
/// gas, or calls others with what it was given.
contract HostileRewards {
    enum Mode {
        Pays,
        Lies,
        Reverts,
        BurnsGas,
        AnswersAtLength
    }

    Mode public mode;
    uint256 public pays;
    address public calledTarget;
    bytes public calledData;
    bool public callSucceeded;
    bytes public callAnswer;
    address public lastCaller;
    address public lastReceiver;

    function set(Mode mode_, uint256 pays_) external {
        (mode, pays) = (mode_, pays_);
    }

    /// @dev `target` is called with `data` during every claim.
    function setCall(address target, bytes calldata data) external {
        (calledTarget, calledData) = (target, data);
    }

    function claimRewards(address[] calldata, uint256, address to, address reward) external returns (uint256) {
        (lastCaller, lastReceiver) = (msg.sender, to);
        if (calledTarget != address(0)) (callSucceeded, callAnswer) = calledTarget.call(calledData);
        if (mode == Mode.Reverts) revert("TRANSFER_ERROR");
        if (mode == Mode.BurnsGas) while (gasleft() > 0) {}
        if (mode == Mode.AnswersAtLength) {
            assembly {
                return(0, 100000)
            }
        }
        if (mode == Mode.Pays) PlainToken(reward).mint(to, pays);
        return pays;
    }
}
