// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICondition} from "../interfaces/ICondition.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Accounting} from "../libraries/Accounting.sol";

/// @title An adapter of the vault cannot be read, and that not only now
/// @notice
/// WHAT IT JUDGES
/// - Holds when some adapter cannot be read now (by the vault's own rule: bounded in gas, a value that can be) and was
///   found so before: it is in quarantine, or a failed read was reported to the vault in an earlier block
///   ({IVault.reportUnreadable}), not yet a day ago, and no working read since.
/// - Quarantine counts besides the report, because the second report, ten minutes after the first, turns one into the
///   other: otherwise whoever made it would take the proof away.
///
/// WHO CAN MOVE IT
/// - Whoever can make a sound adapter's read fail or work within a transaction. The vault asks that there be no such venue:
///   of one whose views are locked during callbacks anybody could have it quarantined just as well.
/// - A caller who brings little gas cannot: the vault demands what this may use, and a read that is short of gas reverts.
/// - It stores nothing and serves any vault; what a vault says of itself matters to that vault only.
///
/// KNOWN LIMITS
/// - An adapter that stays in quarantine and cannot be read lets the breaker be tripped again after each reset, until the
///   timelock lifts the quarantine or removes the adapter. Entry is closed as long anyway.
/// - How much is in the adapter is not asked: of one that cannot be read nobody knows.
contract VenueReverting is ICondition {
    /// @dev Blocks after which the vault takes the first report for too old (about a day).
    uint256 private constant REPORT_UNTIL = 7_200;

    /// @inheritdoc ICondition
    function holds(address vault) external view returns (bool) {
        address[] memory adapters = IVault(vault).adapters();
        for (uint256 i; i < adapters.length; ++i) {
            if (!foundBefore(IVault(vault), adapters[i])) continue;
            (bool ok, ) = Accounting.positionValue(adapters[i]);
            if (!ok) return true;
        }
        return false;
    }

    function foundBefore(IVault vault, address adapter) private view returns (bool) {
        uint256 reportedAt = vault.readFailureAt(adapter);
        if (reportedAt != 0 && reportedAt < block.number && block.number <= reportedAt + REPORT_UNTIL) return true;
        return vault.adapter(adapter).quarantined;
    }
}
