// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAdapter} from "../interfaces/IAdapter.sol";
import {IAaveV3Pool} from "../interfaces/external/IAaveV3.sol";
import {VenueIlliquid} from "./VenueIlliquid.sol";

/// @title A reserve of Aave V3 has been lent out to the brim
/// @notice See `VenueIlliquid`. The index is the reserve's normalised variable debt. Aave sets its rate at the end of every
/// action, and the index of now was made by the rate that an earlier block left.
contract AaveV3Illiquid is VenueIlliquid {
    constructor(
        IAdapter adapter_,
        uint256 leastRate_,
        uint256 share_
    ) VenueIlliquid(adapter_, "aave-v3", leastRate_, share_) {}

    function debtIndex() internal view override returns (uint256) {
        return IAaveV3Pool(venue).getReserveNormalizedVariableDebt(asset);
    }
}
