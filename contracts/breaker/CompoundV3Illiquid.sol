// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAdapter} from "../interfaces/IAdapter.sol";
import {IComet} from "../interfaces/external/IComet.sol";
import {VenueIlliquid} from "./VenueIlliquid.sol";

/// @title A Comet (Compound V3) has been lent out to the brim
/// @notice See `VenueIlliquid`. The index is the base borrow index, brought up to date as Comet itself does it: by the rate
/// at today's utilisation for the time since its last accrual. Whatever moves the utilisation accrues first, so within a
/// transaction that did there is no such time left.
contract CompoundV3Illiquid is VenueIlliquid {
    uint256 private constant FACTOR_SCALE = 1e18;

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
