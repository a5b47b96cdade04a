// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../interfaces/IVault.sol";
import {VaultState} from "./VaultState.sol";

/// @title Who may do what: riskier is the owner's, safer is the guardian's too
/// @notice The owner may do all that a setter does, the guardian only what its setter calls the safer direction, and nobody
/// else anything. Every act of the guardian ends outstanding plans, for they were made for what it changes. Which direction
/// is the safer one is each setter's own knowledge (`Settings`), and is not checked here. A guardian who is hostile in the
/// safer direction can stop the vault's work, and move nothing.
library Authority {
    /// @notice Lets the owner pass; {IVault.NotOwner} for anyone else.
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

    /// @notice Lets the guardian pass, not even the owner; an act of the guardian ends all outstanding plans.
    function requireGuardian(VaultState storage s) internal {
        if (msg.sender != s.guardian) revert IVault.NotGuardian(msg.sender);
        raisePlanEpoch(s);
    }

    /// @notice No plan that was made before runs after it.
    function raisePlanEpoch(VaultState storage s) internal {
        emit IVault.PlanEpochRaised(++s.planEpoch);
    }
}
