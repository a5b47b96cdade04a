// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title The price at a tick of Uniswap V3
/// @notice A tick t stands for the price 1.0001^t of token0 in token1; pools keep the square root of it, times 2^96.
/// @dev Equal to the pool's own numbers to the unit, or positions would not be valued as the pool pays them: so factors,
/// order of multiplication and rounding are the protocol's, and the test asks genuine pools.
library TickPrice {
    /// @dev The largest tick that the protocol knows, either way.
    int24 internal constant MAX_TICK = 887_272;
    /// @dev The square root of the price at −MAX_TICK; pools hold no lower price.
    uint160 internal constant MIN_SQRT = 4_295_128_739;
    /// @dev The square root of the price at MAX_TICK; the price of a pool stays under it.
    uint160 internal constant MAX_SQRT = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342;

    /// @dev For i from 0 to 19, 2^128 / √(1.0001^(2^i)) to the nearest integer, 16 bytes each.
    bytes private constant ROOTS =
        hex"fffcb933bd6fad37aa2d162d1a594001"
        hex"fff97272373d413259a46990580e213a"
        hex"fff2e50f5f656932ef12357cf3c7fdcc"
        hex"ffe5caca7e10e4e61c3624eaa0941cd0"
        hex"ffcb9843d60f6159c9db58835c926644"
        hex"ff973b41fa98c081472e6896dfb254c0"
        hex"ff2ea16466c96a3843ec78b326b52861"
        hex"fe5dee046a99a2a811c461f1969c3053"
        hex"fcbe86c7900a88aedcffc83b479aa3a4"
        hex"f987a7253ac413176f2b074cf7815e54"
        hex"f3392b0822b70005940c7a398e4b70f3"
        hex"e7159475a2c29b7443b29c7fa6e889d9"
        hex"d097f3bdfd2022b8845ad8f792aa5825"
        hex"a9f746462d870fdf8a65dc1f90e061e5"
        hex"70d869a156d2a1b890bb3df62baf32f7"
        hex"31be135f97d08fd981231505542fcfa6"
        hex"09aa508b5b7a84e1c677de54f3e99bc9"
        hex"005d6af8dedb81196699c329225ee604"
        hex"00002216e584f5fa1ea926041bedfe98"
        hex"00000000048a170391f7dc42444e8fa2";

    /// @notice Beyond what the protocol knows, {MAX_TICK} either way.
    error TickOutOfRange(int24 tick);

    /// @return The square root of the price at `tick`, times 2^96, rounded up.
    function sqrtAt(int24 tick) internal pure returns (uint160) {
        uint256 steps = uint256(tick < 0 ? -int256(tick) : int256(tick));
        if (steps > uint256(int256(MAX_TICK))) revert TickOutOfRange(tick);
        bytes memory roots = ROOTS;
        uint256 ratio = 1 << 128;
        for (uint256 place = 16; steps != 0; (steps >>= 1, place += 16)) {
            if (steps & 1 == 0) continue;
            uint256 root;
            // The word that ends with this root: the length of `roots`, and roots, stand before it.
            assembly ("memory-safe") {
                root := and(mload(add(roots, place)), 0xffffffffffffffffffffffffffffffff)
            }
            ratio = (ratio * root) >> 128;
        }
        if (tick > 0) ratio = type(uint256).max / ratio;
        return uint160((ratio + type(uint32).max) >> 32);
    }
}
