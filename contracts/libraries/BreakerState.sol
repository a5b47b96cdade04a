// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../interfaces/IVault.sol";
import {VaultState} from "./VaultState.sol";

/// @title The breaker's state as of now
library BreakerState {
    /// @notice A guardian's trip ends by itself; a proven one does not.
    function get(VaultState storage s) internal view returns (IVault.Breaker state, uint256 until) {
        state = s.breaker;
        if (state != IVault.Breaker.GuardianTripped) return (state, 0);
        until = s.breakerUntil;
        if (block.timestamp >= until) return (IVault.Breaker.Closed, 0);
    }
}
