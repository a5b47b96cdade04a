// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Handler} from "./Handler.sol";

/// @title Conditions that come and go, reads that fail and work again, and strangers who make what they can of it
/// @dev The vault samples a condition when it is armed and when it trips. In between it is the watcher's: while awake, it
/// disarms what does not hold any more, and a trip proves thirty minutes without a break.
contract Trips is Handler {
    uint256 private constant TRIP_AFTER = 30 minutes;
    uint256 private constant TRIP_UNTIL = 1 days;
    uint256 private constant REPORT_AFTER = 50;

    uint256[2] private holdsSince;
    uint256[2] private armedAt;
    bool[2] private slept;
    uint256[ADAPTERS] private failedAt;

    constructor(World w_, Ledger l_) Handler(w_, l_) {}

    /// @notice A condition becomes true or false.
    function setCondition(uint256 which, uint256 word) external {
        uint256 k = which % 2;
        bool holds = word % 3 == 0;
        w.conditions(k).set(holds, word % 32 == 16);
        if (holds && word % 32 != 16) {
            if (holdsSince[k] == 0) holdsSince[k] = block.timestamp;
            return;
        }
        holdsSince[k] = 0;
        slept[k] = word % 8 == 1;
        if (slept[k]) return;
        try vault.disarm(address(w.conditions(k))) {} catch {}
    }

    function arm(uint256 which) external harmless {
        uint256 k = which % 2;
        try vault.arm(address(w.conditions(k))) {
            (armedAt[k], slept[k]) = (block.timestamp, false);
            if (holdsSince[k] == 0) l.breach("invariant_strangersTripOnlyWhatHoldsFor30Minutes", "armed", 0, 1);
        } catch {}
    }

    function trip(uint256 which) external harmless {
        uint256 k = which % 2;
        string memory law = "invariant_strangersTripOnlyWhatHoldsFor30Minutes";
        try vault.trip(address(w.conditions(k))) {
            l.reach("proven trip");
            uint256 armed = block.timestamp - armedAt[k];
            if (armedAt[k] == 0 || armed < TRIP_AFTER) l.breach(law, "seconds armed", armed, TRIP_AFTER);
            if (armed > TRIP_UNTIL) l.breach(law, "armed too long ago", armed, TRIP_UNTIL);
            if (holdsSince[k] == 0) l.breach(law, "does not hold", 0, 1);
            uint256 held = block.timestamp - holdsSince[k];
            if (!slept[k] && held < TRIP_AFTER) l.breach(law, "seconds held", held, TRIP_AFTER);
            armedAt[k] = 0;
        } catch {}
    }

    function disarm(uint256 which) external harmless {
        uint256 k = which % 2;
        try vault.disarm(address(w.conditions(k))) {
            if (holdsSince[k] != 0) l.breach("invariant_strangersStopNoClockOfWhatHolds", "disarmed", 1, 0);
            armedAt[k] = 0;
        } catch {}
    }

    function reportUnreadable(uint256 which) external harmless {
        string memory law = "invariant_strangersQuarantineOnlyWhatFailedTwice";
        uint256 i = which % ADAPTERS;
        address adapter = address(w.adapters(i));
        bool before = vault.adapter(adapter).quarantined;
        bool reads = w.reads(i);
        try vault.reportUnreadable(adapter) {
            bool quarantined = vault.adapter(adapter).quarantined;
            if (quarantined && !before) {
                l.reach("quarantine by strangers");
                if (reads) l.breach(law, "could be read", 1, 0);
                uint256 passed = block.number - failedAt[i];
                if (failedAt[i] == 0 || passed < REPORT_AFTER) l.breach(law, "blocks", passed, REPORT_AFTER);
            }
            failedAt[i] = reads || quarantined ? 0 : block.number;
        } catch {}
    }

    function emergencyExit(uint256 which) external harmless {
        (IVault.Breaker state, ) = vault.breaker();
        try vault.emergencyExit{gas: 2e7}(address(w.adapters(which % ADAPTERS))) {
            l.reach("emergency exit");
            if (state != IVault.Breaker.Tripped) {
                l.breach("invariant_strangersEmptyVenuesOnlyAfterAProvenTrip", "state", uint256(state), 2);
            }
        } catch {}
    }
}
