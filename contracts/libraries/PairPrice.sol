// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {TickPrice} from "./TickPrice.sol";

/// @title Prices of a pair in the form of a Uniswap V3 pool
/// @notice Square roots of token1 for one token0, both in their smallest units, times 2^96. One of the two is the asset that
/// everything is counted in, the other the paired coin. Arithmetic only: which prices are asked and believed is the adapter's.
/// A ratio whose square root does not fit in 160 bits reverts, so no price is cut to a wrong one; what is worth next to nothing
/// rounds down to it.
library PairPrice {
    uint256 private constant Q96 = 2 ** 96;

    /// @notice The price at which `first` of anything for token0 is `second` of it for token1.
    function ofRatio(uint256 first, uint256 second) internal pure returns (uint160) {
        return SafeCast.toUint160(Math.sqrt(Math.mulDiv(first, Q96 * Q96, second)));
    }

    /// @notice The price so many ticks away.
    function shifted(uint160 price, int24 ticks) internal pure returns (uint160) {
        return SafeCast.toUint160(Math.mulDiv(price, TickPrice.sqrtAt(ticks), Q96));
    }

    /// @notice The one of two prices at which the paired coin is worth less, the second believed no further than `bound`
    /// ticks from the first. The lower price of the paired coin is the higher one of the asset.
    function lower(uint160 first, uint160 second, int24 bound, bool assetFirst) internal pure returns (uint160) {
        return
            uint160(
                assetFirst
                    ? Math.max(first, Math.min(second, shifted(first, bound)))
                    : Math.min(first, Math.max(second, shifted(first, -bound)))
            );
    }

    /// @notice What so much of the paired coin is worth in the asset, rounded down.
    function toAssets(uint256 paired, uint160 price, bool assetFirst) internal pure returns (uint256) {
        return
            assetFirst
                ? Math.mulDiv(Math.mulDiv(paired, Q96, price), Q96, price)
                : Math.mulDiv(Math.mulDiv(paired, price, Q96), price, Q96);
    }
}
