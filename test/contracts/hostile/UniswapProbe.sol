// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IUniswapV3Pool} from "../../../contracts/interfaces/external/IUniswapV3.sol";
import {RangeAmounts} from "../../../contracts/libraries/RangeAmounts.sol";
import {TickPrice} from "../../../contracts/libraries/TickPrice.sol";

/// @dev Asks our arithmetic of ticks and ranges, and a genuine pool that has no price yet, the same.
contract UniswapProbe {
    error Answer(int24 tick);
    error PriceRefused(uint160 price);

    function sqrtAt(int24 tick) public pure returns (uint160) {
        return TickPrice.sqrtAt(tick);
    }

    function bounds() external pure returns (int24, uint160, uint160) {
        return (TickPrice.MAX_TICK, TickPrice.MIN_SQRT, TickPrice.MAX_SQRT);
    }

    /// @notice The ticks that the pool finds at prices of ours: `offset` is added to the price of each tick.
    function poolsTicks(address pool, int24[] calldata ticks, int256 offset) external returns (int24[] memory found) {
        found = new int24[](ticks.length);
        for (uint256 i; i < ticks.length; ++i) {
            uint160 price = uint160(uint256(int256(uint256(sqrtAt(ticks[i]))) + offset));
            try this.initialize(pool, price) {} catch (bytes memory data) {
                if (bytes4(data) != Answer.selector) revert PriceRefused(price);
                assembly {
                    mstore(add(found, mul(0x20, add(i, 1))), mload(add(data, 0x24)))
                }
            }
        }
    }

    /// @dev Reverts with the answer, so that the pool stays without a price.
    function initialize(address pool, uint160 price) external {
        (bool ok, ) = pool.call(abi.encodeWithSignature("initialize(uint160)", price));
        if (!ok) revert PriceRefused(price);
        (, int24 tick, , , , , ) = IUniswapV3Pool(pool).slot0();
        revert Answer(tick);
    }

    function amounts(
        uint128 liquidity,
        int24 lower,
        int24 upper,
        uint160 price
    ) external pure returns (uint256, uint256) {
        return RangeAmounts.amounts(liquidity, RangeAmounts.Range(sqrtAt(lower), sqrtAt(upper)), price);
    }

    function liquidityFor(
        uint256 amount0,
        uint256 amount1,
        int24 lower,
        int24 upper,
        uint160 price
    ) external pure returns (uint128) {
        return RangeAmounts.liquidityFor(amount0, amount1, RangeAmounts.Range(sqrtAt(lower), sqrtAt(upper)), price);
    }
}
