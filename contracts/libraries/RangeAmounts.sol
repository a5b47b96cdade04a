// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title The coins behind liquidity between two prices of Uniswap V3
/// @notice Of liquidity L between the square roots of prices a and b, at s between them, L·(1/s − 1/b) is token0 and
/// L·(s − a) token1 (Uniswap V3 Core, 2021, 6.29 and 6.30). Square roots are times 2^96.
/// @dev Amounts are those that a pool pays for the liquidity, to the unit: rounded down where the pool rounds down.
library RangeAmounts {
    uint256 private constant Q96 = 2 ** 96;

    /// @dev From `low` to `high`; at prices out of the range all is one coin.
    struct Range {
        uint160 low;
        uint160 high;
    }

    /// @return amount0 What the pool would pay at this price for the liquidity.
    /// @return amount1 What the pool would pay at this price for the liquidity.
    function amounts(
        uint128 liquidity,
        Range memory range,
        uint160 sqrtPrice
    ) internal pure returns (uint256 amount0, uint256 amount1) {
        uint256 at = Math.max(Math.min(sqrtPrice, range.high), range.low);
        amount0 = Math.mulDiv(uint256(liquidity) << 96, range.high - at, range.high) / at;
        amount1 = Math.mulDiv(liquidity, at - range.low, Q96);
    }

    /// @return The most liquidity that the pool would give at this price for no more than these amounts, or a little less.
    function liquidityFor(
        uint256 amount0,
        uint256 amount1,
        Range memory range,
        uint160 sqrtPrice
    ) internal pure returns (uint128) {
        uint256 at = Math.max(Math.min(sqrtPrice, range.high), range.low);
        uint256 most = type(uint256).max;
        if (at < range.high) {
            most = Math.mulDiv(amount0, Math.mulDiv(at, range.high, Q96), range.high - at);
        }
        if (at > range.low) most = Math.min(most, Math.mulDiv(amount1, Q96, at - range.low));
        return SafeCast.toUint128(most);
    }

    /// @return Where a trade of `amountIn`, after its fee, moves a price if the liquidity stays what it is: an estimate, whose
    /// rounding is not the pool's. Without liquidity, an end of all prices.
    function priceAfter(
        uint128 liquidity,
        uint160 sqrtPrice,
        uint256 amountIn,
        bool zeroForOne
    ) internal pure returns (uint256) {
        if (liquidity == 0) return zeroForOne ? 0 : type(uint256).max;
        if (zeroForOne) return Math.mulDiv(liquidity, sqrtPrice, liquidity + Math.mulDiv(amountIn, sqrtPrice, Q96));
        return sqrtPrice + Math.mulDiv(amountIn, Q96, liquidity);
    }
}
