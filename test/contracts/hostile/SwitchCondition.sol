// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICondition} from "../../../contracts/interfaces/ICondition.sol";

/// @dev A condition that holds when told to.
contract SwitchCondition is ICondition {
    bool public on;
    bool public reverts;

    function set(bool on_, bool reverts_) external {
        (on, reverts) = (on_, reverts_);
    }

    function holds(address) external view returns (bool) {
        require(!reverts, "no");
        return on;
    }
}
