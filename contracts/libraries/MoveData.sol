// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ILiquidityAdapter} from "../interfaces/ILiquidityAdapter.sol";

/// @title What a move may say beside its amount
/// @dev Of every venue that a trade moves it is the same: nothing, or the least that must come of it or be left. What that is
/// counted in says the adapter.
library MoveData {
    /// @return floor Zero where the data are empty. Anything but empty or one word is {ILiquidityAdapter.MalformedData}.
    function floorOf(bytes calldata data) internal pure returns (uint256 floor) {
        if (data.length == 0) return 0;
        if (data.length != 32) revert ILiquidityAdapter.MalformedData(data.length, 32);
        floor = uint256(bytes32(data));
    }
}
