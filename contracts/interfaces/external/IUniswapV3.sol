// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev The functions of Uniswap V3's factory that are used here.
interface IUniswapV3Factory {
    /// @return The pool of two tokens in either order and a fee in millionths; zero if there is none.
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address);
}

/// @dev The functions of a Uniswap V3 pool that are used here. Prices are square roots of token1 for one token0, both in
/// their smallest units, times 2^96; growths of fees are for one unit of liquidity, times 2^128, and wrap around.
interface IUniswapV3Pool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function fee() external view returns (uint24);
    function tickSpacing() external view returns (int24);

    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );

    /// @notice Liquidity of all ranges that the price is in.
    function liquidity() external view returns (uint128);

    function feeGrowthGlobal0X128() external view returns (uint256);
    function feeGrowthGlobal1X128() external view returns (uint256);

    function ticks(
        int24 tick
    )
        external
        view
        returns (
            uint128 liquidityGross,
            int128 liquidityNet,
            uint256 feeGrowthOutside0X128,
            uint256 feeGrowthOutside1X128,
            int56 tickCumulativeOutside,
            uint160 secondsPerLiquidityOutsideX128,
            uint32 secondsOutside,
            bool initialized
        );

    /// @param key Hash of owner, lower and upper tick, packed.
    function positions(
        bytes32 key
    )
        external
        view
        returns (
            uint128 liquidity,
            uint256 feeGrowthInside0LastX128,
            uint256 feeGrowthInside1LastX128,
            uint128 tokensOwed0,
            uint128 tokensOwed1
        );

    /// @notice Reverts when the oldest observation is younger than the oldest moment asked for.
    function observe(
        uint32[] calldata secondsAgos
    ) external view returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);

    /// @notice Adds liquidity to the position of anyone, and calls back for what it costs.
    function mint(
        address recipient,
        int24 tickLower,
        int24 tickUpper,
        uint128 amount,
        bytes calldata data
    ) external returns (uint256 amount0, uint256 amount1);

    /// @notice Takes liquidity off the caller's position; the coins are then owed, as its fees are. Zero only counts the fees.
    function burn(int24 tickLower, int24 tickUpper, uint128 amount) external returns (uint256 amount0, uint256 amount1);

    function collect(
        address recipient,
        int24 tickLower,
        int24 tickUpper,
        uint128 amount0Requested,
        uint128 amount1Requested
    ) external returns (uint128 amount0, uint128 amount1);

    /// @param amountSpecified Positive: what is put in.
    /// @return amount0 What the pool received, negative for what it paid.
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @dev What a pool calls in the middle of `mint` and `swap`, to be paid.
interface IUniswapV3Callbacks {
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata data) external;

    /// @param amount0Delta Positive: what the pool is owed. Negative: what it has paid.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}
