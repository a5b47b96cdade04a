// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../interfaces/IVault.sol";
import {VaultState} from "./VaultState.sol";

/// @title Who may do what: riskier is the owner's, safer is the guardian's too
library Authority {
    function requireOwner(VaultState storage s) internal view {
        if (msg.sender != s.owner) revert IVault.NotOwner(msg.sender);
    }

    /// @notice Lets the guardian pass if `safer`, the owner always. An act of the guardian ends all outstanding plans.
    function requireFor(VaultState storage s, bool safer) internal {
        if (msg.sender == s.owner) return;
        if (!safer) revert IVault.NotOwner(msg.sender);
        if (msg.sender != s.guardian) revert IVault.NotGuardianOrOwner(msg.sender);
        raisePlanEpoch(s);
    }

    function requireGuardian(VaultState storage s) internal {
        if (msg.sender != s.guardian) revert IVault.NotGuardian(msg.sender);
        raisePlanEpoch(s);
    }

    function raisePlanEpoch(VaultState storage s) internal {
        emit IVault.PlanEpochRaised(++s.planEpoch);
    }
}
