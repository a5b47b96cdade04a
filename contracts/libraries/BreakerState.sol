// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../interfaces/IVault.sol";
import {VaultState} from "./VaultState.sol";

/// @title The breaker's state as of now
/// @notice What is stored says how the breaker was left; a guardian's trip ends by the clock, without a transaction. Everything
/// that asks whether the vault is tripped asks here. The clock is the block's: a proposer who shifts it by seconds shifts the
/// end of a pause by as much.
library BreakerState {
    /// @notice A guardian's trip ends by itself; a proven one does not.
    function get(VaultState storage s) internal view returns (IVault.Breaker state, uint256 until) {
        state = s.breaker;
        if (state != IVault.Breaker.GuardianTripped) return (state, 0);
        until = s.breakerUntil;
        if (block.timestamp >= until) return (IVault.Breaker.Closed, 0);
    }
}
