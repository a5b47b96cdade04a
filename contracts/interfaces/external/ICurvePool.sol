// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

// The names are the pool's.
// solhint-disable func-name-mixedcase

/// @dev The functions of Curve's 3pool that are used here. As in the pool itself, what moves money answers nothing.
interface ICurvePool {
    function coins(uint256 index) external view returns (address);

    /// @dev What the pool counts as its own of a coin; the admin's fees are left out.
    function balances(uint256 index) external view returns (uint256);

    /// @dev The amplification, times n^(n−1) of the whitepaper's.
    function A() external view returns (uint256);

    /// @dev Of a trade, in 1e-10.
    function fee() external view returns (uint256);

    /// @dev The invariant for each receipt, in 1e18.
    function get_virtual_price() external view returns (uint256);

    /// @dev Receipts for a change of balances, before fees.
    function calc_token_amount(uint256[3] calldata amounts, bool deposit) external view returns (uint256);

    /// @dev What `dx` of coin `i` buys of coin `j`, after the fee.
    function get_dy(int128 i, int128 j, uint256 dx) external view returns (uint256);

    /// @dev What `amount` receipts pay in coin `i`, after fees.
    function calc_withdraw_one_coin(uint256 amount, int128 i) external view returns (uint256);

    /// @dev Later pools have it; the 3pool of mainnet has not.
    function is_killed() external view returns (bool);

    function add_liquidity(uint256[3] calldata amounts, uint256 minimum) external;

    function remove_liquidity(uint256 amount, uint256[3] calldata minima) external;

    function remove_liquidity_imbalance(uint256[3] calldata amounts, uint256 maximum) external;

    function remove_liquidity_one_coin(uint256 amount, int128 i, uint256 minimum) external;
}
