// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3.sol";

/// @title What a pool of Uniswap V3 says of its past price and of one position's fees
/// @notice
/// WHAT IT TRUSTS
/// - That the pool is Uniswap's code, which the factory vouches for. Then the mean over a window is what was there at the end of
///   each block of it, and a position's fees are those that `burn` would count now, to the unit.
///
/// WHAT CAN GO WRONG
/// - Who holds the price away over blocks moves the mean, by the part of the window that he pays for. The adapter bounds what is
///   believed of it.
/// - A pool forgets: one with too few observations for its blocks does not reach over the window, and there is no mean then
///   ({WindowNotCovered}). Their number is looked at once, at construction, and never falls.
///
/// WHAT IT DOES NOT PROMISE
/// - A price of this second: what happened in it is not in the mean.
library PoolReads {
    uint256 private constant Q128 = 2 ** 128;

    /// @dev A position of this contract's.
    struct Position {
        int24 lower;
        int24 upper;
        uint128 liquidity;
        uint256 fees0;
        uint256 fees1;
    }

    /// @notice The pool keeps fewer observations than the timelock asked for.
    error TooFewObservations(uint16 cardinality, uint16 minimum);
    /// @notice The pool does not remember the price of `window` seconds ago.
    error WindowNotCovered(uint32 window);

    /// @notice For constructors: the pool keeps enough observations, and they reach over the window now.
    function checkMemory(IUniswapV3Pool pool, uint32 window, uint16 minimumCardinality) internal view {
        (, , , uint16 cardinality, , , ) = pool.slot0();
        if (cardinality < minimumCardinality) revert TooFewObservations(cardinality, minimumCardinality);
        uint32[] memory moments = new uint32[](1);
        moments[0] = window;
        try pool.observe(moments) {
            if (window == 0) revert WindowNotCovered(0);
        } catch {
            revert WindowNotCovered(window);
        }
    }

    /// @notice Mean of the tick over the last `window` seconds, rounded down. What happened in this second is not in it.
    function meanTick(IUniswapV3Pool pool, uint32 window) internal view returns (int24) {
        uint32[] memory moments = new uint32[](2);
        moments[0] = window;
        int56 sum;
        try pool.observe(moments) returns (int56[] memory sums, uint160[] memory) {
            unchecked {
                // As the pool's own sum, which may wrap around.
                sum = sums[1] - sums[0];
            }
        } catch {
            revert WindowNotCovered(window);
        }
        int56 length = int56(uint56(window));
        int56 mean = sum / length;
        if (sum < 0 && sum % length != 0) --mean;
        return int24(mean);
    }

    /// @notice Liquidity of the position, and fees owed to it as `burn` would count them now, to the unit.
    function positionOf(
        IUniswapV3Pool pool,
        address owner,
        int24 lower,
        int24 upper
    ) internal view returns (Position memory p) {
        (p.lower, p.upper) = (lower, upper);
        if (lower == upper) return p;
        uint256 last0;
        uint256 last1;
        (p.liquidity, last0, last1, p.fees0, p.fees1) = pool.positions(
            keccak256(abi.encodePacked(owner, lower, upper))
        );
        (uint256 inside0, uint256 inside1) = growthInside(pool, lower, upper);
        unchecked {
            // Growths wrap around, and so does what is owed.
            p.fees0 = uint128(p.fees0 + uint128(Math.mulDiv(inside0 - last0, p.liquidity, Q128)));
            p.fees1 = uint128(p.fees1 + uint128(Math.mulDiv(inside1 - last1, p.liquidity, Q128)));
        }
    }

    /// @dev A tick keeps the growth on its side away from the pool's tick. At the upper tick the range is left, at the lower
    /// one it is not.
    function growthInside(
        IUniswapV3Pool pool,
        int24 lower,
        int24 upper
    ) private view returns (uint256 inside0, uint256 inside1) {
        (, int24 tick, , , , , ) = pool.slot0();
        (, , uint256 lower0, uint256 lower1, , , , ) = pool.ticks(lower);
        (, , uint256 upper0, uint256 upper1, , , , ) = pool.ticks(upper);
        unchecked {
            if (tick < lower) return (lower0 - upper0, lower1 - upper1);
            if (tick >= upper) return (upper0 - lower0, upper1 - lower1);
            inside0 = pool.feeGrowthGlobal0X128() - lower0 - upper0;
            inside1 = pool.feeGrowthGlobal1X128() - lower1 - upper1;
        }
    }
}
