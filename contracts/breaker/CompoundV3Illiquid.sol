// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAdapter} from "../interfaces/IAdapter.sol";
import {IComet} from "../interfaces/external/IComet.sol";
import {VenueIlliquid} from "./VenueIlliquid.sol";

/// @title A Comet (Compound V3) has been lent out to the brim
/// @notice
/// WHAT IT IS
/// - `VenueIlliquid` for a Comet: what holds, who can move it and how it trips is said there. Its index is the base borrow
///   index, brought up to date as Comet itself does it: by the rate at today's utilisation for the time since its last accrual.
///
/// WHAT IT TRUSTS
/// - Comet, to accrue before whatever moves its utilisation: so within a transaction that did, there is no time left for the
///   moved rate to count.
///
/// WHAT CAN GO WRONG
/// - Governance may change the curve of rates, as with Aave: then this is to be registered anew.
/// - A Comet that cannot be read makes the condition revert, which is no proof.
///
/// WHAT IT DOES NOT PROMISE
/// - To find a Comet whose withdrawals are paused, or one that lacks cash for another reason than being lent out, as after
///   its reserves were spent.
contract CompoundV3Illiquid is VenueIlliquid {
    uint256 private constant FACTOR_SCALE = 1e18;

    /// @param leastRate_ WAD a year. @param share_ WAD of the position. Both as {VenueIlliquid} says.
    constructor(
        IAdapter adapter_,
        uint256 leastRate_,
        uint256 share_
    ) VenueIlliquid(adapter_, "compound-v3", leastRate_, share_) {}

    function debtIndex() internal view override returns (uint256) {
        IComet comet = IComet(venue);
        IComet.TotalsBasic memory totals = comet.totalsBasic();
        uint256 elapsed = block.timestamp - totals.lastAccrualTime;
        if (elapsed == 0) return totals.baseBorrowIndex;
        uint256 growth = comet.getBorrowRate(comet.getUtilization()) * elapsed;
        return totals.baseBorrowIndex + (totals.baseBorrowIndex * growth) / FACTOR_SCALE;
    }
}
