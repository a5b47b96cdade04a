// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Settings} from "./Settings.sol";

/// @title The guardian, who tries everything: only what is safer may come of it
contract Guardian is Settings {
    constructor(World w_, Ledger l_) Settings(w_, l_) {}

    function set(uint256 word) external harmless {
        send(anySetter(word));
    }

    function trip(uint256 word) external harmless {
        send(abi.encodeCall(IVault.guardianTrip, (within(word, 0, word % 8 == 0 ? 8 days : 2 hours))));
    }

    /// @dev What is written off is a loss that counts at once, so the share price may fall.
    function quarantine(uint256 which) external {
        send(abi.encodeCall(IVault.quarantine, (address(w.adapters(which % ADAPTERS)))));
        checkTotal();
    }

    function removeKeeper(uint256 which) external harmless {
        if (which % 4 < 2) send(abi.encodeCall(IVault.setKeeper, (w.attackers(which % 2), false)));
    }

    /// @notice What is the owner's alone.
    function overreach(uint256 word) external harmless {
        address adapter = address(w.adapters(word % ADAPTERS));
        uint256 kind = (word >> 8) % 6;
        if (kind == 0) send(abi.encodeCall(IVault.setMaxRate, (next(word, 1) % (2 * WAD))));
        else if (kind == 1) send(abi.encodeCall(IVault.liftQuarantine, (adapter)));
        else if (kind == 2) send(abi.encodeCall(IVault.resetBreaker, ()));
        else if (kind == 3) send(abi.encodeCall(IVault.removeAdapter, (adapter)));
        else if (kind == 4) send(abi.encodeCall(IVault.setKeeper, (w.attackers(word % 2), true)));
        else send(abi.encodeCall(IVault.setCondition, (address(w.conditions(word % 2)), false)));
    }

    function send(bytes memory data) private {
        uint256[] memory before = risks();
        uint256 epoch = vault.planEpoch();
        uint256 window = windows();
        vm.prank(w.GUARDIAN());
        (bool done, ) = address(vault).call(data);
        noteTerms();
        if (!done) return;
        if (bytes4(data) == IVault.guardianTrip.selector) l.reach("guardian's trip");
        if (bytes4(data) == IVault.quarantine.selector) l.reach("quarantine by the guardian");
        string memory law = "invariant_guardianAloneNeverIncreasesRisk";
        uint256[] memory risk = risks();
        for (uint256 i; i < risk.length; ++i) if (risk[i] > before[i]) l.breach(law, "risk", risk[i], before[i]);
        if (windows() != window) l.breach(law, "windows", windows(), window);
        if (vault.planEpoch() <= epoch) {
            l.breach("invariant_guardiansActsEndOutstandingPlans", "plan epoch", vault.planEpoch(), epoch);
        }
    }

    function windows() private view returns (uint256) {
        (, uint256 loss, ) = vault.lossBudget();
        (, uint256 turnover, ) = vault.turnoverBudget();
        return (loss << 128) | turnover;
    }
}
