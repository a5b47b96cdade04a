// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ThreePoolTokenModel} from "./ThreePoolTokenModel.sol";

/// @title Curve's 3pool
/// @notice Stands for the pool of DAI, USDC and USDT, which npm does not carry; written from the StableSwap whitepaper and
/// the pool's public interface.
///
/// # What it promises
/// Adding, trading and the three ways of removing give the same amounts, balances, fees, receipts and events as the genuine
/// pool, to the wei, and are refused where it refuses.
///
/// # Arithmetic
/// With x the balances scaled to 18 decimals, n = 3 coins, S their sum and P their product, D is the root of
///
///     A·n·S + D = A·n·D + D^(n+1) / (n^n · P)
///
/// (here `A` is the parameter as the pool answers it: the whitepaper's A·n^(n−1)), found by Newton's steps in whole numbers
/// until two of them differ by at most 1. A balance that keeps D when the others are given is found alike. Each division
/// rounds down; where that would favour the trader, 1 is taken off.
/// A change of balances that is not in proportion pays n / (4·(n − 1)) of the trading fee on each coin's distance from
/// proportion. The admin's part of fees leaves `balances` and stays in the pool's tokens.
///
/// # Layout
/// `balances` are slots 0 to 2, so that a test can start it from recorded ones. Slot 3 is the lock.
///
/// # Left out
/// Ramps of A, changes of fees and owners, which the genuine pool delays by days. `is_killed` can be read here; the
/// genuine pool has no getter for it. An allowance of the receipts may be changed from any value to any other.
contract ThreePoolModel {
    using SafeERC20 for IERC20;

    uint256 private constant N = 3;
    uint256 private constant MOST_STEPS = 255;
    uint256 private constant PRECISION = 1e18;
    uint256 private constant FEE_DENOMINATOR = 1e10;
    uint256 private constant KILL_PERIOD = 60 days;

    uint256[3] public balances;
    bool private _locked;
    bool public is_killed;
    address[3] public coins;
    /// @dev What a unit of each coin is in 18 decimals.
    uint256[3] private _scales;

    uint256 public immutable A;
    /// @notice In 1e-10 of what is traded.
    uint256 public immutable fee;
    /// @notice The admin's part of the fee, in 1e-10.
    uint256 public immutable admin_fee;
    address public immutable owner;
    uint256 private immutable _killDeadline;
    ThreePoolTokenModel private immutable _token;

    event TokenExchange(
        address indexed buyer,
        int128 sold_id,
        uint256 tokens_sold,
        int128 bought_id,
        uint256 tokens_bought
    );
    event AddLiquidity(
        address indexed provider,
        uint256[3] token_amounts,
        uint256[3] fees,
        uint256 invariant,
        uint256 token_supply
    );
    event RemoveLiquidity(address indexed provider, uint256[3] token_amounts, uint256[3] fees, uint256 token_supply);
    event RemoveLiquidityOne(address indexed provider, uint256 token_amount, uint256 coin_amount);
    event RemoveLiquidityImbalance(
        address indexed provider,
        uint256[3] token_amounts,
        uint256[3] fees,
        uint256 invariant,
        uint256 token_supply
    );

    /// @dev The genuine pool says nothing where it refuses without a reason of its own.
    error Refused();

    modifier nonReentrant() {
        if (_locked) revert Refused();
        _locked = true;
        _;
        _locked = false;
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert Refused();
        _;
    }

    modifier whileAlive() {
        if (is_killed) revert Refused();
        _;
    }

    constructor(address[3] memory coins_, ThreePoolTokenModel token, uint256 a, uint256 fee_, uint256 adminFee) {
        coins = coins_;
        for (uint256 k; k < N; ++k) _scales[k] = 10 ** (18 - IERC20Metadata(coins_[k]).decimals());
        _token = token;
        A = a;
        fee = fee_;
        admin_fee = adminFee;
        owner = msg.sender;
        _killDeadline = block.timestamp + KILL_PERIOD;
    }

    // ---- owner

    /// @notice Stops all but {remove_liquidity}. Only in the pool's first two months.
    function kill_me() external onlyOwner {
        if (block.timestamp >= _killDeadline) revert Refused();
        is_killed = true;
    }

    function unkill_me() external onlyOwner {
        is_killed = false;
    }

    function withdraw_admin_fees() external onlyOwner {
        for (uint256 k; k < N; ++k) {
            uint256 amount = admin_balances(k);
            if (amount != 0) IERC20(coins[k]).safeTransfer(msg.sender, amount);
        }
    }

    function donate_admin_fees() external onlyOwner {
        for (uint256 k; k < N; ++k) balances[k] = IERC20(coins[k]).balanceOf(address(this));
    }

    // ---- traders

    /// @notice Pays `dx` of coin `i`, receives at least `min_dy` of coin `j`.
    function exchange(int128 i, int128 j, uint256 dx, uint256 min_dy) external nonReentrant whileAlive {
        (uint256 from, uint256 to) = pair(i, j);
        uint256 received = take(from, dx);
        uint256[3] memory x = scaled(balances);
        uint256 y = balanceFor(from, to, x[from] + received * _scales[from], x);
        uint256 out = x[to] - y - 1;
        uint256 charged = (out * fee) / FEE_DENOMINATOR;
        uint256 dy = (out - charged) / _scales[to];
        require(dy >= min_dy, "Exchange resulted in fewer coins than expected");
        uint256 admins = (charged * admin_fee) / FEE_DENOMINATOR / _scales[to];
        balances[from] += received;
        balances[to] -= dy + admins;
        IERC20(coins[to]).safeTransfer(msg.sender, dy);
        emit TokenExchange(msg.sender, i, dx, j, dy);
    }

    // ---- providers

    /// @notice Pays `amounts`, receives at least `min_mint_amount` receipts. The first provider gives of every coin.
    function add_liquidity(uint256[3] calldata amounts, uint256 min_mint_amount) external nonReentrant whileAlive {
        uint256 supply = _token.totalSupply();
        uint256[3] memory old = balances;
        uint256 d0 = supply == 0 ? 0 : invariant(scaled(old));
        uint256[3] memory current = balances;
        for (uint256 k; k < N; ++k) {
            if (supply == 0 && amounts[k] == 0) revert Refused();
            if (amounts[k] != 0) current[k] = old[k] + take(k, amounts[k]);
        }
        uint256 d1 = invariant(scaled(current));
        if (d1 <= d0) revert Refused();
        uint256[3] memory fees;
        uint256 minted = d1;
        if (supply == 0) {
            balances = current;
        } else {
            uint256 d2;
            (fees, d2) = chargeImbalance(old, current, d0, d1);
            minted = (supply * (d2 - d0)) / d0;
        }
        require(minted >= min_mint_amount, "Slippage screwed you");
        _token.mint(msg.sender, minted);
        emit AddLiquidity(msg.sender, amounts, fees, d1, supply + minted);
    }

    /// @notice Receives a part of every coin. Works when killed.
    function remove_liquidity(uint256 amount, uint256[3] calldata min_amounts) external nonReentrant {
        uint256 supply = _token.totalSupply();
        uint256[3] memory amounts;
        uint256[3] memory fees;
        for (uint256 k; k < N; ++k) {
            amounts[k] = (balances[k] * amount) / supply;
            require(amounts[k] >= min_amounts[k], "Withdrawal resulted in fewer coins than expected");
            balances[k] -= amounts[k];
            IERC20(coins[k]).safeTransfer(msg.sender, amounts[k]);
        }
        _token.burnFrom(msg.sender, amount);
        emit RemoveLiquidity(msg.sender, amounts, fees, supply - amount);
    }

    /// @notice Receives exactly `amounts`, burns at most `max_burn_amount` receipts.
    function remove_liquidity_imbalance(
        uint256[3] calldata amounts,
        uint256 max_burn_amount
    ) external nonReentrant whileAlive {
        uint256 supply = _token.totalSupply();
        if (supply == 0) revert Refused();
        uint256[3] memory old = balances;
        uint256 d0 = invariant(scaled(old));
        uint256[3] memory current;
        for (uint256 k; k < N; ++k) current[k] = old[k] - amounts[k];
        uint256 d1 = invariant(scaled(current));
        (uint256[3] memory fees, uint256 d2) = chargeImbalance(old, current, d0, d1);
        uint256 burned = ((d0 - d2) * supply) / d0;
        if (burned == 0) revert Refused();
        burned += 1;
        require(burned <= max_burn_amount, "Slippage screwed you");
        _token.burnFrom(msg.sender, burned);
        for (uint256 k; k < N; ++k) {
            if (amounts[k] != 0) IERC20(coins[k]).safeTransfer(msg.sender, amounts[k]);
        }
        emit RemoveLiquidityImbalance(msg.sender, amounts, fees, d1, supply - burned);
    }

    /// @notice Burns `token_amount` receipts, receives at least `min_amount` of coin `i`.
    function remove_liquidity_one_coin(
        uint256 token_amount,
        int128 i,
        uint256 min_amount
    ) external nonReentrant whileAlive {
        (uint256 dy, uint256 charged) = oneCoin(token_amount, index(i));
        require(dy >= min_amount, "Not enough coins removed");
        balances[index(i)] -= dy + (charged * admin_fee) / FEE_DENOMINATOR;
        _token.burnFrom(msg.sender, token_amount);
        IERC20(coins[index(i)]).safeTransfer(msg.sender, dy);
        emit RemoveLiquidityOne(msg.sender, token_amount, dy);
    }

    // ---- views

    /// @notice D for each receipt, in 1e18.
    function get_virtual_price() external view returns (uint256) {
        return (invariant(scaled(balances)) * PRECISION) / _token.totalSupply();
    }

    /// @notice Receipts for a change of balances, before fees.
    function calc_token_amount(uint256[3] calldata amounts, bool deposit) external view returns (uint256) {
        uint256[3] memory current = balances;
        uint256 d0 = invariant(scaled(current));
        for (uint256 k; k < N; ++k) {
            current[k] = deposit ? current[k] + amounts[k] : current[k] - amounts[k];
        }
        uint256 d1 = invariant(scaled(current));
        return ((deposit ? d1 - d0 : d0 - d1) * _token.totalSupply()) / d0;
    }

    function get_dy(int128 i, int128 j, uint256 dx) external view returns (uint256) {
        (uint256 from, uint256 to) = pair(i, j);
        uint256[3] memory x = scaled(balances);
        uint256 y = balanceFor(from, to, x[from] + dx * _scales[from], x);
        uint256 dy = (x[to] - y - 1) / _scales[to];
        return dy - (fee * dy) / FEE_DENOMINATOR;
    }

    function calc_withdraw_one_coin(uint256 token_amount, int128 i) external view returns (uint256 dy) {
        (dy, ) = oneCoin(token_amount, index(i));
    }

    /// @notice What of the pool's tokens is the admin's.
    function admin_balances(uint256 k) public view returns (uint256) {
        return IERC20(coins[k]).balanceOf(address(this)) - balances[k];
    }

    // ---- internals

    function index(int128 i) private pure returns (uint256) {
        if (i < 0 || i >= int128(uint128(N))) revert Refused();
        return uint256(uint128(i));
    }

    function pair(int128 i, int128 j) private pure returns (uint256, uint256) {
        if (i == j) revert Refused();
        return (index(i), index(j));
    }

    /// @dev Measured, for the third coin may charge on transfer.
    function take(uint256 k, uint256 amount) private returns (uint256) {
        IERC20 coin = IERC20(coins[k]);
        uint256 before = k == N - 1 ? coin.balanceOf(address(this)) : 0;
        coin.safeTransferFrom(msg.sender, address(this), amount);
        return k == N - 1 ? coin.balanceOf(address(this)) - before : amount;
    }

    function scaled(uint256[3] memory amounts) private view returns (uint256[3] memory x) {
        for (uint256 k; k < N; ++k) x[k] = amounts[k] * _scales[k];
    }

    /// @dev The fee of a change that is not in proportion, per coin.
    function imbalanceFee() private view returns (uint256) {
        return (fee * N) / (4 * (N - 1));
    }

    /// @dev Writes the balances after the admin's part of the fees.
    /// @return fees Of each coin.
    /// @return d2 D of what is left after all fees.
    function chargeImbalance(
        uint256[3] memory old,
        uint256[3] memory current,
        uint256 d0,
        uint256 d1
    ) private returns (uint256[3] memory fees, uint256 d2) {
        uint256 rate = imbalanceFee();
        for (uint256 k; k < N; ++k) {
            uint256 proportional = (d1 * old[k]) / d0;
            fees[k] = (rate * distance(proportional, current[k])) / FEE_DENOMINATOR;
            balances[k] = current[k] - (fees[k] * admin_fee) / FEE_DENOMINATOR;
            current[k] -= fees[k];
        }
        d2 = invariant(scaled(current));
    }

    /// @return dy What the provider receives.
    /// @return charged What the same would be without fees, less `dy`.
    function oneCoin(uint256 amount, uint256 out) private view returns (uint256 dy, uint256 charged) {
        uint256[3] memory x = scaled(balances);
        uint256 d0 = invariant(x);
        uint256 d1 = d0 - (amount * d0) / _token.totalSupply();
        uint256 y = solve(out, x, d1);
        uint256 rate = imbalanceFee();
        uint256[3] memory reduced;
        for (uint256 k; k < N; ++k) {
            uint256 proportional = (x[k] * d1) / d0;
            uint256 moved = k == out ? proportional - y : x[k] - proportional;
            reduced[k] = x[k] - (rate * moved) / FEE_DENOMINATOR;
        }
        dy = (reduced[out] - solve(out, reduced, d1) - 1) / _scales[out];
        charged = (x[out] - y) / _scales[out] - dy;
    }

    /// @dev D of balances in 18 decimals.
    function invariant(uint256[3] memory x) private view returns (uint256 d) {
        uint256 sum = x[0] + x[1] + x[2];
        if (sum == 0) return 0;
        uint256 an = A * N;
        d = sum;
        for (uint256 step; step < MOST_STEPS; ++step) {
            uint256 dp = d;
            for (uint256 k; k < N; ++k) dp = (dp * d) / (x[k] * N);
            uint256 last = d;
            d = ((an * sum + dp * N) * d) / ((an - 1) * d + (N + 1) * dp);
            if (distance(d, last) <= 1) break;
        }
    }

    /// @dev The balance of `to` that keeps D when `from` has `balance`.
    function balanceFor(uint256 from, uint256 to, uint256 balance, uint256[3] memory x) private view returns (uint256) {
        uint256 d = invariant(x);
        uint256 before = x[from];
        x[from] = balance;
        uint256 y = solve(to, x, d);
        x[from] = before;
        return y;
    }

    /// @dev The balance of `unknown` that makes `d` with the others of `x`: y² + (b − d)·y = c.
    function solve(uint256 unknown, uint256[3] memory x, uint256 d) private view returns (uint256 y) {
        uint256 an = A * N;
        uint256 c = d;
        uint256 sum;
        for (uint256 k; k < N; ++k) {
            if (k == unknown) continue;
            sum += x[k];
            c = (c * d) / (x[k] * N);
        }
        c = (c * d) / (an * N);
        uint256 b = sum + d / an;
        y = d;
        for (uint256 step; step < MOST_STEPS; ++step) {
            uint256 last = y;
            y = (y * y + c) / (2 * y + b - d);
            if (distance(y, last) <= 1) break;
        }
    }

    function distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
