// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAdapter} from "../interfaces/IAdapter.sol";
import {IAaveV3Pool} from "../interfaces/external/IAaveV3.sol";
import {VenueIlliquid} from "./VenueIlliquid.sol";

/// @title A reserve of Aave V3 has been lent out to the brim
/// @notice
/// WHAT IT IS
/// - `VenueIlliquid` for a reserve of Aave V3: what holds, who can move it and how it trips is said there. Its index is the
///   reserve's normalised variable debt.
///
/// WHAT IT TRUSTS
/// - Aave's pool, to say what its borrowers owe. Aave sets the rate at the end of every action that moves the reserve, and the
///   index of now was made by the rate that an earlier block left: nothing within a transaction reaches it.
///
/// WHAT CAN GO WRONG
/// - Governance may change the rate strategy: a flatter one than `leastRate` makes this silent, a steeper one makes it easier
///   to hold. It is to be registered anew then.
/// - A pool that cannot be read, or whose index falls, makes the condition revert, which is no proof.
///
/// WHAT IT DOES NOT PROMISE
/// - To find a reserve that is paused while its rate is low, nor bad debt. Stable debt, of which 3.2 and later know none, is not
///   in the index.
contract AaveV3Illiquid is VenueIlliquid {
    /// @param leastRate_ WAD a year. @param share_ WAD of the position. Both as {VenueIlliquid} says.
    constructor(
        IAdapter adapter_,
        uint256 leastRate_,
        uint256 share_
    ) VenueIlliquid(adapter_, "aave-v3", leastRate_, share_) {}

    function debtIndex() internal view override returns (uint256) {
        return IAaveV3Pool(venue).getReserveNormalizedVariableDebt(asset);
    }
}
