// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {IVault} from "../interfaces/IVault.sol";

/// @title What the caller hears of an adapter that reverted
/// @dev For calls whose failure ends the transaction. Depositors' exits skip what fails, and say nothing of it
/// ({BoundedRead.tryCall}).
library AdapterFailure {
    /// @notice Reverts with what the adapter, or its venue, said. Where it said nothing: {IVault.AdapterFailed}.
    /// @param reason What the call to the adapter left.
    function raise(address adapter, bytes memory reason) internal view {
        if (reason.length == 0) revert IVault.AdapterFailed(adapter, gasleft());
        LowLevelCall.bubbleRevert(reason);
    }
}
