// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICondition} from "../../../contracts/interfaces/ICondition.sol";

/// @dev A condition that holds when told to.
contract SwitchCondition is ICondition {
    bool public active;
    bool public reverts;

    function set(bool active_, bool reverts_) external {
        (active, reverts) = (active_, reverts_);
    }

    function holds(address) external view returns (bool) {
        require(!reverts, "no");
        return active;
    }
}
