// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IUniswapV3Callbacks, IUniswapV3Pool} from "../../../contracts/interfaces/external/IUniswapV3.sol";

/// @dev Trades in a Uniswap V3 pool and lends to it out of what it holds: the market, or a stranger with all the capital in
/// the world who does several things in one transaction.
contract PoolTrader is IUniswapV3Callbacks {
    using SafeERC20 for IERC20;

    IUniswapV3Pool public immutable pool;
    IERC20 private immutable token0;
    IERC20 private immutable token1;

    constructor(IUniswapV3Pool pool_) {
        pool = pool_;
        (token0, token1) = (IERC20(pool_.token0()), IERC20(pool_.token1()));
    }

    function swap(bool zeroForOne, int256 amount, uint160 limit) public returns (int256, int256) {
        return pool.swap(address(this), zeroForOne, amount, limit, "");
    }

    /// @notice Moves spot to a price, whatever it costs.
    function push(uint160 price) public returns (int256, int256) {
        (uint160 spot, , , , , , ) = pool.slot0();
        if (spot == price) return (0, 0);
        return swap(price < spot, type(int128).max, price);
    }

    /// @notice In one transaction: pushes spot, calls, pushes it back. What the call answers, and what all cost.
    function pushAndCall(
        uint160 price,
        address target,
        bytes calldata data
    ) external returns (bool ok, bytes memory answer, int256 paid0, int256 paid1) {
        (uint160 spot, , , , , , ) = pool.slot0();
        (paid0, paid1) = push(price);
        (ok, answer) = target.call(data);
        (int256 back0, int256 back1) = push(spot);
        (paid0, paid1) = (paid0 + back0, paid1 + back1);
    }

    function mint(
        address recipient,
        int24 lower,
        int24 upper,
        uint128 liquidity
    ) external returns (uint256 amount0, uint256 amount1) {
        return pool.mint(recipient, lower, upper, liquidity, "");
    }

    function burn(int24 lower, int24 upper, uint128 liquidity) external returns (uint256 amount0, uint256 amount1) {
        (amount0, amount1) = pool.burn(lower, upper, liquidity);
        pool.collect(address(this), lower, upper, type(uint128).max, type(uint128).max);
    }

    function send(IERC20 token, address to, uint256 amount) external {
        token.safeTransfer(to, amount);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        token0.safeTransfer(msg.sender, amount0);
        token1.safeTransfer(msg.sender, amount1);
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        if (amount0 > 0) token0.safeTransfer(msg.sender, uint256(amount0));
        if (amount1 > 0) token1.safeTransfer(msg.sender, uint256(amount1));
    }
}
