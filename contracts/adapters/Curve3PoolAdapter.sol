// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {ILiquidityAdapter} from "../interfaces/ILiquidityAdapter.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IAggregatorV3Metadata} from "../interfaces/external/IAggregatorV3Metadata.sol";
import {ICurvePool} from "../interfaces/external/ICurvePool.sol";
import {BoundedRead} from "../libraries/BoundedRead.sol";
import {FreshPrice} from "../libraries/FreshPrice.sol";
import {MoveData} from "../libraries/MoveData.sol";
import {TrustedRead} from "../libraries/TrustedRead.sol";

/// @title A position in Curve's 3pool, entered and left in one of its coins
/// @notice
/// VALUE
/// - Receipts × virtual price × the worst of the coins: the least of 1 and each coin's dollar price over the asset's. That is
///   what the receipts come to in assets once arbitrage has left the pool with nothing but its worst coin. An asset that is
///   itself below its peg is worth 1 of itself; the better coins that the pool still has are not counted as a gain.
/// - A trade moves the virtual price up only, by the fees that it pays to the pool. So nobody lowers the value within a
///   transaction, and who raises it has given the pool's providers as much.
/// - What the pool pays on the way out, or credits on the way in, depends on its balances: the way is a trade. The difference
///   to the value is a loss of the plan that moved, and bounded by `slippage`.
/// - What lies here of the asset counts as itself. It leaves first with a withdrawal, in its part with an exit in kind, and
///   with a deposit as much of it as the deposit brought.
///
/// STEADY
/// - The pool's price of the asset in each other coin, before the fee, is within `steadiness` of what the feeds say. A move that
/// is refused for it (`Unsteady`) says the price of one coin that is not, in WAD.
/// - Nothing goes in or out otherwise. In kind is always open.
///
/// TRUST
/// - Curve's owner can ramp A by a factor of ten a day and set the fee, within the pool's own bounds and after delays of days.
///   A ramp while the pool is out of balance changes the virtual price. The pool has no upgrade.
/// - The owner could kill the pool in the two months after its deployment of 2020. The pool has no getter for that: where one
///   answers it is asked, otherwise a killed pool shows only in moves that revert. Receipts can be redeemed in every coin
///   from a killed pool, and leave this adapter in kind.
/// - Read-only reentrancy: while `remove_liquidity` pays, balances are lower and receipts are not burned yet. None of DAI, USDC
///   and USDT calls anybody, and there is no native coin. USDC and USDT can be changed by their issuers, so it is not
///   relied upon: value and steadiness are read only while the pool's lock is free, which {requireUnlocked} finds out
///   without writing. Relied upon there: that the pool writes its lock right after checking it, that a write within a
///   static call uses up all gas, and that finding the lock taken costs less than `PROBE_GAS`.
/// - Chainlink's feeds, each fresher than its heartbeat. They follow the market by their deviation thresholds (0.25 %), so
///   `steadiness` must be wider than two of those.
///
/// KNOWN WAYS OF CURVE
/// - A deposit or withdrawal in one coin pays about half of the trading fee, and the curve's slippage.
/// - `calc_token_amount` leaves the fee out; `calc_withdraw_one_coin` has it in. No amount is taken from either where money
///   moves: balances are measured.
/// - The pool burns receipts without an allowance.
/// - Whoever gives the pool a price off the feeds' stops the moves until somebody trades it back. That costs fees.
contract Curve3PoolAdapter is ILiquidityAdapter {
    using SafeERC20 for IERC20;
    using TrustedRead for address;

    uint256 private constant WAD = 1e18;
    uint256 private constant COINS = 3;
    uint256 private constant FEE_DENOMINATOR = 1e10;

    /// @dev A bound above this is none.
    uint256 private constant WIDEST_BOUND = WAD / 10;
    uint256 private constant FEED_DECIMALS = 8;

    /// @dev A pool of stable coins; the upper bound is the pool's own.
    uint256 private constant LEAST_A = 10;
    uint256 private constant MOST_A = 1e6;
    /// @dev Virtual prices begin at 1 and grow by a few percent a year at the most.
    uint256 private constant MOST_VIRTUAL_PRICE = 2 * WAD;
    /// @dev What Newton's steps, and divisions after them, may be off: in units of a coin, a receipt or the invariant.
    uint256 private constant ROUNDING = 1_000;

    /// @dev Finding the lock taken costs about 3,000; trying to take a free one within a static call uses all of it.
    uint256 private constant PROBE_GAS = 12_000;
    uint256 private constant KILLED_GAS = 30_000;

    /// @dev How often an amount that the floor does not let through is halved.
    uint256 private constant HALVINGS = 8;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable asset;
    /// @inheritdoc IAdapter
    address public immutable venue;
    /// @inheritdoc IAdapter
    address public immutable receipt;

    /// @notice Share of fair value that a move may lose, in WAD.
    uint256 public immutable slippage;
    /// @notice Share of the feeds' price that the pool's may be off, in WAD.
    uint256 public immutable steadiness;

    /// @notice Place of the asset among the pool's coins.
    uint256 public immutable index;
    /// @dev 10^(18 − decimals) of the asset.
    uint256 private immutable SCALE;
    uint256 private immutable SCALE_0;
    uint256 private immutable SCALE_1;
    uint256 private immutable SCALE_2;
    address private immutable FEED_0;
    address private immutable FEED_1;
    address private immutable FEED_2;
    uint256 private immutable HEARTBEAT_0;
    uint256 private immutable HEARTBEAT_1;
    uint256 private immutable HEARTBEAT_2;

    /// @notice The pool has another number of coins than three.
    error NotThreeCoins(address pool);
    /// @notice The asset is none of the pool's coins.
    error NotACoin(address asset);
    /// @notice A coin is no contract: the native one.
    error NotAToken(uint256 index, address coin);
    /// @notice A coin has more than 18 decimals.
    error UnsupportedDecimals(uint256 index, uint256 decimals);
    /// @notice The amplification is none of a pool of stable coins.
    error ImplausibleA(uint256 a);
    /// @notice A receipt stands for less than 1 or more than 2 of the invariant.
    error ImplausibleVirtualPrice(uint256 virtualPrice);
    /// @notice Balances by the coins' decimals and the invariant by the receipts do not fit, both in 1e18.
    error ImplausibleBalances(uint256 sum, uint256 invariant);
    /// @notice The pool counts with another number of receipts than the token has.
    error NotTheReceipt(address token, uint256 supply, uint256 expected);
    /// @notice The feed is another coin's, or not in dollars.
    error WrongFeed(uint256 index, string description, string symbol);
    /// @notice The feed does not answer with 8 decimals.
    error WrongFeedDecimals(uint256 index, uint256 decimals);
    /// @notice A heartbeat of zero, of the coin at `index`: no answer would ever be fresh.
    error NoHeartbeat(uint256 index);
    /// @notice A bound is zero or too wide to be one, in WAD.
    error BoundOutOfRange(uint256 bound, uint256 widest);
    /// @notice The pool names no virtual price. With `receipts`, all of its, at zero it is empty, and there is none.
    error NoVirtualPrice(address pool, uint256 receipts);
    /// @notice Its owner has killed the pool: receipts leave it in every coin, and this adapter in kind. There is no number.
    error PoolKilled(address pool);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param venue_ The pool. It must hold coins, or there is nothing to check it by.
    /// @param receipt_ Its token, which it does not name itself.
    /// @param feeds_ Dollar prices of the coins, in the pool's order.
    /// @param heartbeats_ Seconds after which an answer of each is stale.
    /// @param slippage_ In WAD, see {slippage}.
    /// @param steadiness_ In WAD, see {steadiness}.
    constructor(
        address vault_,
        address venue_,
        address receipt_,
        address asset_,
        IAggregatorV3Metadata[3] memory feeds_,
        uint256[3] memory heartbeats_,
        uint256 slippage_,
        uint256 steadiness_
    ) {
        if (slippage_ == 0 || slippage_ > WIDEST_BOUND) revert BoundOutOfRange(slippage_, WIDEST_BOUND);
        if (steadiness_ == 0 || steadiness_ > WIDEST_BOUND) revert BoundOutOfRange(steadiness_, WIDEST_BOUND);
        vault = vault_;
        venue = venue_;
        receipt = receipt_;
        asset = asset_;
        slippage = slippage_;
        steadiness = steadiness_;

        ICurvePool pool = ICurvePool(venue_);
        (bool fourth, ) = BoundedRead.tryUint(venue_, KILLED_GAS, abi.encodeCall(ICurvePool.coins, (COINS)));
        if (fourth) revert NotThreeCoins(venue_);
        uint256[3] memory scales;
        uint256 place = COINS;
        for (uint256 k; k < COINS; ++k) {
            address coin = pool.coins(k);
            if (coin.code.length == 0) revert NotAToken(k, coin);
            if (coin == asset_) place = k;
            uint256 decimals = IERC20Metadata(coin).decimals();
            if (decimals > 18) revert UnsupportedDecimals(k, decimals);
            scales[k] = 10 ** (18 - decimals);
            checkFeed(k, coin, feeds_[k], heartbeats_[k]);
        }
        if (place == COINS) revert NotACoin(asset_);
        checkPool(pool, receipt_, scales);
        index = place;
        SCALE = scales[place];
        (SCALE_0, SCALE_1, SCALE_2) = (scales[0], scales[1], scales[2]);
        (FEED_0, FEED_1, FEED_2) = (address(feeds_[0]), address(feeds_[1]), address(feeds_[2]));
        (HEARTBEAT_0, HEARTBEAT_1, HEARTBEAT_2) = (heartbeats_[0], heartbeats_[1], heartbeats_[2]);
        if (!isUnlocked(venue_)) revert PoolLocked(venue_);
    }

    function checkFeed(uint256 k, address coin, IAggregatorV3Metadata feed_, uint256 heartbeat_) private view {
        if (heartbeat_ == 0) revert NoHeartbeat(k);
        string memory description = feed_.description();
        string memory symbol = IERC20Metadata(coin).symbol();
        if (keccak256(bytes(description)) != keccak256(bytes.concat(bytes(symbol), " / USD"))) {
            revert WrongFeed(k, description, symbol);
        }
        uint256 decimals = feed_.decimals();
        if (decimals != FEED_DECIMALS) revert WrongFeedDecimals(k, decimals);
    }

    /// @dev The pool names neither its receipts nor its scales. Asked what a second pool of its own balances would be worth
    /// in receipts, it answers with their number; and the invariant lies under the sum of balances and not far.
    function checkPool(ICurvePool pool, address token, uint256[3] memory scales) private view {
        uint256 a = pool.A();
        if (a < LEAST_A || a > MOST_A) revert ImplausibleA(a);
        uint256 virtualPrice = virtualPriceOf(address(pool), token);
        if (virtualPrice < WAD || virtualPrice > MOST_VIRTUAL_PRICE) revert ImplausibleVirtualPrice(virtualPrice);
        uint256[3] memory balances;
        uint256 sum;
        for (uint256 k; k < COINS; ++k) {
            balances[k] = pool.balances(k);
            sum += balances[k] * scales[k];
        }
        uint256 supply = IERC20(token).totalSupply();
        uint256 expected = pool.calc_token_amount(balances, true);
        uint256 off = supply > expected ? supply - expected : expected - supply;
        if (off > ROUNDING || IERC20Metadata(token).decimals() != 18) {
            revert NotTheReceipt(token, supply, expected);
        }
        uint256 invariant = Math.mulDiv(supply, virtualPrice, WAD);
        if (invariant > sum + ROUNDING || invariant < sum / 2) revert ImplausibleBalances(sum, invariant);
    }

    /// @inheritdoc IAdapter
    /// @dev `data`: empty, or `abi.encode(uint256)` of the least receipts that must come.
    function deposit(uint256 assets, bytes calldata data) external onlyVault {
        uint256 floor = Math.max(leastReceipts(assets, steadyPrice()), MoveData.floorOf(data));
        uint256 before = receipt.balanceOf(address(this));
        IERC20(asset).forceApprove(venue, assets);
        try ICurvePool(venue).add_liquidity(oneSided(assets), 0) {} catch (bytes memory reason) {
            refuse(reason);
        }
        if (IERC20(asset).allowance(address(this), venue) != 0) IERC20(asset).forceApprove(venue, 0);
        uint256 received = receipt.balanceOf(address(this)) - before;
        if (received < floor) revert FloorMissed(received, floor);
        // What lay here is the vault's. No more of it at once than it brought: else it would have paid in less than nothing.
        uint256 rest = Math.min(asset.balanceOf(address(this)), assets);
        if (rest != 0) IERC20(asset).safeTransfer(vault, rest);
    }

    /// @inheritdoc IAdapter
    /// @dev What lies here is paid first. `data`: empty, or `abi.encode(uint256)`: of a withdrawal of everything the least assets
    /// that must come, of a withdrawal of an amount the least receipts that must be left.
    function withdraw(uint256 assets, bytes calldata data) external onlyVault returns (uint256 paid) {
        uint256 left = receipt.balanceOf(address(this));
        uint256 strays = asset.balanceOf(address(this));
        bool all = assets == type(uint256).max;
        if (left != 0) left = removeFromPool(all, Math.saturatingSub(assets, strays), left, strays);
        paid = all ? asset.balanceOf(address(this)) : assets;
        (uint256 reached, uint256 minimum) = (all ? paid : left, MoveData.floorOf(data));
        if (reached < minimum) revert FloorMissed(reached, minimum);
        if (paid != 0) IERC20(asset).safeTransfer(vault, paid);
    }

    /// @param assets Of an amount: what the pool is to pay.
    /// @return left Receipts.
    function removeFromPool(bool all, uint256 assets, uint256 held, uint256 strays) private returns (uint256 left) {
        uint256 price = steadyPrice();
        if (all) {
            try ICurvePool(venue).remove_liquidity_one_coin(held, int128(uint128(index)), 0) {} catch (
                bytes memory reason
            ) {
                refuse(reason);
            }
        } else if (assets != 0) {
            try ICurvePool(venue).remove_liquidity_imbalance(oneSided(assets), held) {} catch (bytes memory reason) {
                refuse(reason);
            }
        }
        left = receipt.balanceOf(address(this));
        uint256 received = asset.balanceOf(address(this)) - strays;
        if (!all && received != assets) revert Inexact(assets, received);
        uint256 floor = leastAssets(held - left, price);
        if (received < floor) revert FloorMissed(received, floor);
    }

    /// @inheritdoc IAdapter
    /// @dev The part of what lies here of the asset is paid beside that of the receipts.
    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external onlyVault returns (uint256 receipts) {
        receipts = Math.mulDiv(receipt.balanceOf(address(this)), numerator, denominator);
        uint256 strays = Math.mulDiv(asset.balanceOf(address(this)), numerator, denominator);
        if (receipts != 0) IERC20(receipt).safeTransfer(receiver, receipts);
        if (strays != 0) IERC20(asset).safeTransfer(receiver, strays);
    }

    /// @inheritdoc IAdapter
    function kind() external pure returns (bytes32) {
        return "curve-3pool";
    }

    /// @inheritdoc IAdapter
    function exact() external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IAdapter
    /// @dev An empty position is worth nothing whatever the feeds say.
    function fairValue() external view returns (uint256) {
        uint256 held = receipt.balanceOf(address(this));
        return asset.balanceOf(address(this)) + (held == 0 ? 0 : worth(held, receiptPrice(answers())));
    }

    /// @inheritdoc IAdapter
    function exitValue() external view returns (uint256) {
        uint256 held = receipt.balanceOf(address(this));
        uint256 strays = asset.balanceOf(address(this));
        if (held == 0) return strays;
        if (isKilled()) return 0;
        uint256 pays = ICurvePool(venue).calc_withdraw_one_coin(held, int128(uint128(index)));
        return strays + Math.min(pays, worth(held, receiptPrice(answers())));
    }

    /// @inheritdoc IAdapter
    function maxWithdraw() external view returns (uint256) {
        try this.withdrawableNow() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }

    /// @inheritdoc IAdapter
    function maxDeposit() external view returns (uint256) {
        try this.depositableNow() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }

    /// @inheritdoc ILiquidityAdapter
    function steady() external view returns (bool) {
        try this.steadyNow() returns (bool yes) {
            return yes;
        } catch {
            return false;
        }
    }

    /// @notice As {maxWithdraw}, but reverts when pool or feeds cannot be read. What lies here, and the whole position, or of its
    /// halves, quarters and so on the first that the floor lets out.
    function withdrawableNow() external view returns (uint256) {
        uint256 part = receipt.balanceOf(address(this));
        uint256 strays = asset.balanceOf(address(this));
        if (part == 0) return strays;
        if (isKilled()) return 0;
        uint256[3] memory dollars = answers();
        uint256 price = receiptPrice(dollars);
        if (!isSteady(dollars)) return 0;
        for (uint256 i; i <= HALVINGS && part != 0; (++i, part /= 2)) {
            // As an exact amount this costs no more receipts, for its fee is on less, but for rounding.
            uint256 pays = ICurvePool(venue).calc_withdraw_one_coin(part, int128(uint128(index)));
            if (pays > ROUNDING && pays - ROUNDING >= leastAssets(part, price)) return strays + pays - ROUNDING;
        }
        return strays;
    }

    /// @notice As {maxDeposit}, but reverts when pool or feeds cannot be read. As much as is in the pool, or of its half, quarter
    /// and so on the first that the floor lets in.
    function depositableNow() external view returns (uint256) {
        if (isKilled()) return 0;
        uint256[3] memory dollars = answers();
        uint256 price = receiptPrice(dollars);
        if (!isSteady(dollars)) return 0;
        uint256 fee = ICurvePool(venue).fee();
        uint256 assets = worth(IERC20(receipt).totalSupply(), price);
        for (uint256 i; i <= HALVINGS && assets != 0; (++i, assets /= 2)) {
            uint256 minted = ICurvePool(venue).calc_token_amount(oneSided(assets), true);
            // The fee that is not in it is three quarters of this at the most.
            uint256 margin = Math.mulDiv(minted, fee, FEE_DENOMINATOR, Math.Rounding.Ceil);
            if (minted - margin >= leastReceipts(assets, price)) return assets;
        }
        return 0;
    }

    /// @notice As {steady}, but reverts when pool or feeds cannot be read.
    function steadyNow() external view returns (bool) {
        requireUnlocked();
        return isSteady(answers());
    }

    /// @notice Dollar feed of the pool's coin `k`.
    function feed(uint256 k) public view returns (address) {
        return
            k == 0
                ? FEED_0
                : k == 1
                    ? FEED_1
                    : FEED_2;
    }

    /// @notice Seconds after which an answer of feed `k` is stale.
    function heartbeat(uint256 k) public view returns (uint256) {
        return
            k == 0
                ? HEARTBEAT_0
                : k == 1
                    ? HEARTBEAT_1
                    : HEARTBEAT_2;
    }

    function steadyPrice() private view returns (uint256 price) {
        uint256[3] memory dollars = answers();
        price = receiptPrice(dollars);
        (uint256 spot, uint256 least, uint256 most) = spotPrice(dollars);
        if (spot < least || spot > most) revert Unsteady(int256(spot), int256(least), int256(most));
    }

    /// @return dollars Of each coin, in the pool's order, 8 decimals.
    function answers() private view returns (uint256[3] memory dollars) {
        for (uint256 k; k < COINS; ++k) {
            dollars[k] = FreshPrice.read(IAggregatorV3(feed(k)), heartbeat(k));
        }
    }

    /// @return The value of 1e18 receipts in assets, in 1e18.
    function receiptPrice(uint256[3] memory dollars) private view returns (uint256) {
        requireUnlocked();
        uint256 worst = Math.min(dollars[0], Math.min(dollars[1], dollars[2]));
        // The asset is among them, so this is 1 at the most.
        return Math.mulDiv(virtualPriceOf(venue, receipt), worst, dollars[index]);
    }

    /// @dev A pool without receipts divides by their number, and says nothing.
    function virtualPriceOf(address pool, address token) private view returns (uint256 virtualPrice) {
        bool ok;
        (ok, virtualPrice) = BoundedRead.tryGet(pool, gasleft(), ICurvePool.get_virtual_price.selector);
        if (!ok || virtualPrice == 0) revert NoVirtualPrice(pool, IERC20(token).totalSupply());
    }

    function isSteady(uint256[3] memory dollars) private view returns (bool) {
        (uint256 spot, uint256 least, uint256 most) = spotPrice(dollars);
        return spot >= least && spot <= most;
    }

    /// @dev What one asset buys of another coin, the fee given back, and from what to what it may by the feeds, in WAD: of the
    /// first coin where it is out of that, or of the last.
    function spotPrice(uint256[3] memory dollars) private view returns (uint256 spot, uint256 least, uint256 most) {
        uint256 place = index;
        uint256 one = WAD / SCALE;
        uint256 kept = FEE_DENOMINATOR - ICurvePool(venue).fee();
        for (uint256 k; k < COINS; ++k) {
            if (k == place) continue;
            uint256 bought = ICurvePool(venue).get_dy(int128(uint128(place)), int128(uint128(k)), one) * scale(k);
            spot = (bought * FEE_DENOMINATOR) / kept;
            uint256 fair = (dollars[place] * WAD) / dollars[k];
            uint256 bound = Math.mulDiv(fair, steadiness, WAD);
            (least, most) = (fair - bound, fair + bound);
            if (spot < least || spot > most) break;
        }
    }

    function isKilled() private view returns (bool) {
        (bool known, uint256 killed) = BoundedRead.tryGet(venue, KILLED_GAS, ICurvePool.is_killed.selector);
        return known && killed != 0;
    }

    /// @dev Says why the pool refused a move: a killed one gives no reason.
    function refuse(bytes memory reason) private view {
        if (isKilled()) revert PoolKilled(venue);
        LowLevelCall.bubbleRevert(reason);
    }

    function requireUnlocked() private view {
        if (!isUnlocked(venue)) revert PoolLocked(venue);
    }

    /// @dev Tries to remove nothing, which takes the lock, where nothing may be written. A taken lock is refused with gas to
    /// spare; taking a free one is the forbidden write, which uses up all that was given. With less gas than that left the
    /// lock reads as taken: in doubt, no value.
    function isUnlocked(address pool) private view returns (bool) {
        uint256[3] memory nothing;
        bytes memory data = abi.encodeCall(ICurvePool.remove_liquidity, (0, nothing));
        uint256 before = gasleft();
        BoundedRead.tryUint(pool, PROBE_GAS, data);
        return before - gasleft() >= PROBE_GAS;
    }

    function scale(uint256 k) private view returns (uint256) {
        return
            k == 0
                ? SCALE_0
                : k == 1
                    ? SCALE_1
                    : SCALE_2;
    }

    function oneSided(uint256 assets) private view returns (uint256[3] memory amounts) {
        amounts[index] = assets;
    }

    function worth(uint256 receipts, uint256 price) private view returns (uint256) {
        return Math.mulDiv(receipts, price, WAD * SCALE);
    }

    function leastAssets(uint256 receipts, uint256 price) private view returns (uint256) {
        return Math.mulDiv(worth(receipts, price), WAD - slippage, WAD, Math.Rounding.Ceil);
    }

    function leastReceipts(uint256 assets, uint256 price) private view returns (uint256) {
        return Math.mulDiv(assets * SCALE, WAD - slippage, price, Math.Rounding.Ceil);
    }
}
