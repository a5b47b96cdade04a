// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {ILiquidityAdapter} from "../interfaces/ILiquidityAdapter.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IUniswapV3Callbacks, IUniswapV3Factory, IUniswapV3Pool} from "../interfaces/external/IUniswapV3.sol";
import {FreshPrice} from "../libraries/FreshPrice.sol";
import {MoveData} from "../libraries/MoveData.sol";
import {PairPrice} from "../libraries/PairPrice.sol";
import {PoolReads} from "../libraries/PoolReads.sol";
import {RangeAmounts} from "../libraries/RangeAmounts.sol";
import {TickPrice} from "../libraries/TickPrice.sol";
import {TrustedRead} from "../libraries/TrustedRead.sol";

/// @title A position in one range of one Uniswap V3 pool of the asset and a stablecoin
/// @notice
/// TRUST
/// - The pool is Uniswap's code: the factory vouches for it, nobody can change or pause it. Its owner can take a part of
///   later fees.
/// - Both coins' issuers, who can freeze the pool or this contract, and Chainlink's reporters on both coins.
///
/// VALUE
/// - Fair value is that of the coins which the range would hold if the pool stood at the fair price, valued at that price. At a
///   given price no other mix of coins that the range passes through is worth less: wherever spot is, and by however much
///   capital it was pushed there, the coins that are really behind the position are worth no less than this.
/// - The fair price is the lower one of the paired coin: Chainlink's, or the pool's mean over the window where that is lower.
///   The mean is believed no further from Chainlink than `oracleBound`: who holds the pool off for some blocks moves fair
///   value down by that much and never over Chainlink's price. It is not capped at par: in an asset that has lost its peg
///   itself the other coin is worth more, and to count it at one would sell it to whoever enters.
/// - Fees that the position is owed are counted as the pool counts them, to the unit, as are coins that lie here. A stranger
///   raises them by what he pays for a trade or gives away, and lowers nothing.
///
/// KNOWN WAYS OF UNISWAP V3
/// - `mint` adds to anybody's position: what the position holds is read from the pool. A range that was left is forgotten, so
///   that what strangers put into it ties the next entry to nothing.
/// - The pool asks to be paid by calling back. Only the pool is answered, and only during this contract's own call.
/// - The pool forgets prices: the observations must reach over the window also when one is written in every block. Their
///   number never falls, and anyone may raise it.
/// - A price that has left the range leaves one coin, and no fees. The range moves by a full exit and a new entry only.
/// - What a trade leaves over of the paired coin stays here, counts, and is used by the next entry or sold by the exit.
contract UniswapV3Adapter is ILiquidityAdapter, IUniswapV3Callbacks {
    using SafeERC20 for IERC20;
    using TrustedRead for address;
    using TransientSlot for *;

    /// @dev What the timelock chooses.
    struct Choice {
        /// @dev Ticks from the middle of the range to its edges; a multiple of the pool's spacing.
        int24 halfWidth;
        /// @dev Seconds over which the pool's price is averaged.
        uint32 window;
        /// @dev Observations that the pool must keep; at least the window divided by the chain's block time.
        uint16 minimumCardinality;
        /// @dev Ticks that spot may be away from the mean.
        int24 spotBound;
        /// @dev Ticks that the mean may be away from Chainlink's price.
        int24 oracleBound;
        /// @dev Share of fair value, in WAD, that a move may lose.
        uint256 slippage;
        /// @dev Chainlink's price of the asset, and seconds after which it is stale.
        IAggregatorV3 assetFeed;
        uint256 assetHeartbeat;
        /// @dev Chainlink's price of the paired coin in the same currency.
        IAggregatorV3 pairedFeed;
        uint256 pairedHeartbeat;
    }

    /// @dev Prices as square roots times 2^96. `fair` values everything.
    struct Market {
        uint160 spot;
        uint160 oracle;
        uint160 fair;
        int24 spotTick;
        int24 meanTick;
        bool unlocked;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant MILLION = 1e6;
    /// @dev A tenth: nobody would call more a bound.
    uint256 private constant MOST_SLIPPAGE = 0.1e18;
    /// @dev About a tenth of the price.
    int24 private constant MOST_BOUND = 1_000;
    /// @dev Ticks that the sale of an exit may move spot: a fifth of the price, more than any slippage bears.
    int24 private constant MOST_TRAVEL = 2_000;
    /// @dev Units of each coin that rounding may take from one move: down in what the pool pays for liquidity and for a trade,
    /// up in what it asks and in its fee.
    uint256 private constant ROUNDING = 4;

    /// @dev Which call of the pool's is expected.
    bytes32 private constant DUE_SLOT = keccak256("tiller.UniswapV3Adapter.due");
    uint256 private constant MINT = 1;
    uint256 private constant SWAP = 2;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable asset;
    /// @inheritdoc IAdapter
    address public immutable venue;
    /// @notice The paired coin, which an exit in kind pays beside the asset: a position here has no token of its own.
    address public immutable receipt;

    /// @notice Ticks from the middle of the range to its edges.
    int24 public immutable halfWidth;
    /// @notice Seconds over which the pool's price is averaged.
    uint32 public immutable window;
    /// @notice Ticks that spot may be away from the mean.
    int24 public immutable spotBound;
    /// @notice Ticks that the mean may be away from Chainlink's price.
    int24 public immutable oracleBound;
    /// @notice Share of fair value, in WAD, that a move may lose.
    uint256 public immutable slippage;
    /// @notice Chainlink's price of the asset.
    IAggregatorV3 public immutable assetFeed;
    /// @notice Seconds after which an answer of {assetFeed} is stale.
    uint256 public immutable assetHeartbeat;
    /// @notice Chainlink's price of the paired coin in the same currency.
    IAggregatorV3 public immutable pairedFeed;
    /// @notice Seconds after which an answer of {pairedFeed} is stale.
    uint256 public immutable pairedHeartbeat;

    /// @dev Whether the asset is the pool's token0.
    bool private immutable ASSET_FIRST;
    int24 private immutable SPACING;
    uint256 private immutable FEE;
    /// @dev What a feed's answer is multiplied with, so that the answers' ratio is the price of smallest units.
    uint256 private immutable ASSET_SCALE;
    uint256 private immutable PAIRED_SCALE;

    /// @notice Lower tick of the range; both ticks are zero while there is none.
    int24 public tickLower;
    /// @notice Upper tick of the range.
    int24 public tickUpper;

    /// @notice A new range was chosen, around the pool's mean tick.
    event RangeChosen(int24 tickLower, int24 tickUpper, int24 meanTick);

    /// @notice The factory knows another pool of these tokens and this fee, or none.
    error NotFactorysPool(address pool, address known);
    /// @notice The pool does not trade the asset.
    error AssetNotInPool(address asset, address token0, address token1);
    /// @notice The half-width is not a positive multiple of the spacing.
    error HalfWidthOffSpacing(int24 halfWidth, int24 spacing);
    /// @notice The slippage, in WAD, is more than anybody would call a bound.
    error SlippageOutOfBounds(uint256 slippage, uint256 most);
    /// @notice A bound, in ticks, is not positive, or too wide to be one.
    error BoundOutOfBounds(int24 bound, int24 most);
    /// @notice The amounts are too small for any liquidity.
    error NoLiquidity(uint256 amount0, uint256 amount1);
    /// @notice Called back by another than the pool, or while this contract asked the pool for nothing of the kind.
    error UnexpectedCallback(address caller);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param venue_ The pool.
    constructor(
        address vault_,
        IUniswapV3Factory factory,
        IUniswapV3Pool venue_,
        address asset_,
        Choice memory choice
    ) {
        vault = vault_;
        venue = address(venue_);
        asset = asset_;
        (address token0, address token1) = (venue_.token0(), venue_.token1());
        if (asset_ != token0 && asset_ != token1) revert AssetNotInPool(asset_, token0, token1);
        ASSET_FIRST = asset_ == token0;
        receipt = ASSET_FIRST ? token1 : token0;
        FEE = venue_.fee();
        address known = factory.getPool(token0, token1, venue_.fee());
        if (known != address(venue_)) revert NotFactorysPool(address(venue_), known);
        SPACING = venue_.tickSpacing();
        checkChoice(venue_, choice);

        halfWidth = choice.halfWidth;
        window = choice.window;
        spotBound = choice.spotBound;
        oracleBound = choice.oracleBound;
        slippage = choice.slippage;
        (assetFeed, assetHeartbeat) = (choice.assetFeed, choice.assetHeartbeat);
        (pairedFeed, pairedHeartbeat) = (choice.pairedFeed, choice.pairedHeartbeat);
        // A coin's smallest unit is worth answer / 10^(its feed's decimals + its own); both sides are brought to one
        // denominator.
        ASSET_SCALE = 10 ** (choice.pairedFeed.decimals() + uint256(IERC20Metadata(receipt).decimals()));
        PAIRED_SCALE = 10 ** (choice.assetFeed.decimals() + uint256(IERC20Metadata(asset_).decimals()));
    }

    /// @inheritdoc IAdapter
    function deposit(uint256 assets, bytes calldata data) external onlyVault {
        Market memory m = steadyMarket();
        uint256 before = heldValue(m.fair) - assets;
        take(0, 1);
        if (tickLower == tickUpper) chooseRange(m.meanTick);
        uint256 moved = asset.balanceOf(address(this));
        balance(m);
        addLiquidity();
        // What was not needed, and what strangers sent here of the asset, is the vault's.
        uint256 rest = asset.balanceOf(address(this));
        if (rest != 0) IERC20(asset).safeTransfer(vault, rest);
        checkFloor(Math.saturatingSub(heldValue(m.fair) + rest, before), assets, moved - rest, m.fair, data);
    }

    /// @inheritdoc IAdapter
    /// @dev Takes the part of everything that `assets` is of fair value, and pays what comes of it, more or less than was asked:
    /// {exact} is false. More than fair value is everything.
    function withdraw(uint256 assets, bytes calldata data) external onlyVault returns (uint256 paid) {
        if (isEmpty()) return 0;
        Market memory m = steadyMarket();
        uint256 value = heldValue(m.fair);
        if (assets > value) assets = value;
        (, uint256 amount, uint256 paired) = value == 0 ? take(1, 1) : take(assets, value);
        // Not through an empty pool to the end of all prices, which would take all gas.
        uint256 limit = PairPrice.shifted(m.spot, ASSET_FIRST ? MOST_TRAVEL : -MOST_TRAVEL);
        paid = amount + (paired == 0 ? 0 : trade(!ASSET_FIRST, paired, limit));
        checkFloor(paid, assets, assets, m.fair, data);
        if (paid != 0) IERC20(asset).safeTransfer(vault, paid);
    }

    /// @inheritdoc IAdapter
    /// @dev Both coins go to the receiver: of the liquidity, of the fees and of what lies here. No price is asked for.
    /// @return receipts Liquidity that was removed.
    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external onlyVault returns (uint256 receipts) {
        uint256 amount;
        uint256 paired;
        (receipts, amount, paired) = take(numerator, denominator);
        if (amount != 0) IERC20(asset).safeTransfer(receiver, amount);
        if (paired != 0) IERC20(receipt).safeTransfer(receiver, paired);
    }

    /// @inheritdoc IUniswapV3Callbacks
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata) external {
        expectCallback(MINT);
        (address token0, address token1) = ASSET_FIRST ? (asset, receipt) : (receipt, asset);
        if (amount0Owed != 0) IERC20(token0).safeTransfer(venue, amount0Owed);
        if (amount1Owed != 0) IERC20(token1).safeTransfer(venue, amount1Owed);
    }

    /// @inheritdoc IUniswapV3Callbacks
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        expectCallback(SWAP);
        (int256 assetDelta, int256 pairedDelta) = ASSET_FIRST
            ? (amount0Delta, amount1Delta)
            : (amount1Delta, amount0Delta);
        if (assetDelta > 0) IERC20(asset).safeTransfer(venue, uint256(assetDelta));
        else if (pairedDelta > 0) IERC20(receipt).safeTransfer(venue, uint256(pairedDelta));
    }

    /// @inheritdoc IAdapter
    function kind() external pure returns (bytes32) {
        return "uniswap-v3";
    }

    /// @inheritdoc IAdapter
    function exact() external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IAdapter
    /// @dev Reverts when a feed is stale or the pool does not remember the window; not while there is nothing to value.
    function fairValue() external view returns (uint256) {
        return isEmpty() ? 0 : heldValue(market().fair);
    }

    /// @inheritdoc IAdapter
    /// @dev At spot less the pool's fee, without the trade's own effect on the price. Reverts as {fairValue} does.
    function exitValue() external view returns (uint256) {
        return leavingValue(market());
    }

    /// @inheritdoc ILiquidityAdapter
    function steady() public view returns (bool) {
        try this.steadyNow() returns (bool answer) {
            return answer;
        } catch {
            return false;
        }
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
    /// @dev The pool takes more than there is of any coin; while it is not steady, nothing.
    function maxDeposit() external view returns (uint256) {
        return steady() ? type(uint128).max : 0;
    }

    /// @notice As {steady}, but reverts when a price cannot be read.
    function steadyNow() external view returns (bool) {
        return isSteady(market());
    }

    /// @notice As {maxWithdraw}, but reverts when a price cannot be read.
    function withdrawableNow() external view returns (uint256) {
        Market memory m = market();
        return isSteady(m) ? leavingValue(m) : 0;
    }

    /// @notice The range, its liquidity, and the fees owed to it now of the pool's token0 and token1.
    function position() public view returns (PoolReads.Position memory) {
        return PoolReads.positionOf(IUniswapV3Pool(venue), address(this), tickLower, tickUpper);
    }

    /// @dev `numerator / denominator` of the liquidity, the fees and what lies here, rounded down; all fees are collected, and
    /// stay here but for that part. Nothing to take counts the fees. A range is kept only as long as it has liquidity, so the
    /// pool refuses neither call.
    function take(
        uint256 numerator,
        uint256 denominator
    ) private returns (uint256 removed, uint256 amount, uint256 paired) {
        (int24 lower, int24 upper) = (tickLower, tickUpper);
        if (lower != upper) {
            uint256 liquidity = liquidityOf(lower, upper);
            removed = Math.mulDiv(liquidity, numerator, denominator);
            (uint256 burned0, uint256 burned1) = IUniswapV3Pool(venue).burn(lower, upper, uint128(removed));
            (amount, paired) = ASSET_FIRST ? (burned0, burned1) : (burned1, burned0);
            IUniswapV3Pool(venue).collect(address(this), lower, upper, type(uint128).max, type(uint128).max);
            if (removed == liquidity) (tickLower, tickUpper) = (0, 0);
        }
        // What was burned is taken whole; of the rest that lies here now, the part.
        amount += Math.mulDiv(asset.balanceOf(address(this)) - amount, numerator, denominator);
        paired += Math.mulDiv(receipt.balanceOf(address(this)) - paired, numerator, denominator);
    }

    /// @dev Around the multiple of the spacing that is nearest to the mean.
    function chooseRange(int24 mean) private {
        int24 offset = mean + SPACING / 2;
        int24 rest = offset % SPACING;
        int24 middle = offset - (rest < 0 ? rest + SPACING : rest);
        (tickLower, tickUpper) = (middle - halfWidth, middle + halfWidth);
        emit RangeChosen(middle - halfWidth, middle + halfWidth, mean);
    }

    /// @dev Buys of the paired coin what the range needs beside the rest of the asset. The trade makes that coin dearer, of
    /// which the range then needs less: what is needed falls from `first` to `second` while `first` is paid, and by as much a
    /// unit before. That is so inside one stretch of equal liquidity; elsewhere more is left over.
    function balance(Market memory m) private {
        uint256 first = neededAt(m.spot);
        if (first == 0) return;
        // Not further than where spot is still steady; what was not traded then is not needed either.
        uint160 limit =
            ASSET_FIRST ? TickPrice.sqrtAt(m.meanTick - spotBound) : TickPrice.sqrtAt(m.meanTick + spotBound + 1) - 1;
        uint256 end = RangeAmounts.priceAfter(IUniswapV3Pool(venue).liquidity(), m.spot, first, ASSET_FIRST);
        uint256 second = neededAt(uint160(ASSET_FIRST ? Math.max(end, limit) : Math.min(end, limit)));
        trade(ASSET_FIRST, Math.mulDiv(first, first, 2 * first - Math.min(first, second)), limit);
    }

    /// @dev Of d assets traded, the fee is lost: (asset − d) / (paired + d·(1 − fee)) is to be the range's own ratio, all in
    /// assets at this price.
    function neededAt(uint160 price) private view returns (uint256) {
        (uint256 amount, uint256 paired) = sorted(type(uint96).max, price);
        paired = toAssets(paired, price);
        uint256 whole = paired + (amount * (MILLION - FEE)) / MILLION;
        uint256 heldPaired = toAssets(receipt.balanceOf(address(this)), price);
        return
            Math.saturatingSub(
                Math.mulDiv(asset.balanceOf(address(this)), paired, whole),
                Math.mulDiv(heldPaired, amount, whole)
            );
    }

    /// @dev As much as both coins here give at the price now.
    function addLiquidity() private {
        (uint256 amount0, uint256 amount1) = (asset.balanceOf(address(this)), receipt.balanceOf(address(this)));
        if (!ASSET_FIRST) (amount0, amount1) = (amount1, amount0);
        (uint160 spot, , , , , , ) = IUniswapV3Pool(venue).slot0();
        uint128 liquidity = RangeAmounts.liquidityFor(amount0, amount1, range(), spot);
        if (liquidity == 0) revert NoLiquidity(amount0, amount1);
        setDue(MINT);
        IUniswapV3Pool(venue).mint(address(this), tickLower, tickUpper, liquidity, "");
        setDue(0);
    }

    function trade(bool zeroForOne, uint256 amount, uint256 limit) private returns (uint256 received) {
        setDue(SWAP);
        (int256 delta0, int256 delta1) = IUniswapV3Pool(venue).swap(
            address(this),
            zeroForOne,
            SafeCast.toInt256(amount),
            uint160(Math.max(Math.min(limit, TickPrice.MAX_SQRT - 1), TickPrice.MIN_SQRT + 1)),
            ""
        );
        setDue(0);
        received = uint256(-(zeroForOne ? delta1 : delta0));
    }

    function setDue(uint256 what) private {
        DUE_SLOT.asUint256().tstore(what);
    }

    function expectCallback(uint256 what) private view {
        if (msg.sender != venue || DUE_SLOT.asUint256().tload() != what) revert UnexpectedCallback(msg.sender);
    }

    /// @param moved What of the assets that were given was moved, which is what may lose by the slippage.
    function checkFloor(
        uint256 received,
        uint256 given,
        uint256 moved,
        uint160 price,
        bytes calldata data
    ) private view {
        uint256 bearable = Math.mulDiv(moved, slippage, WAD) + ROUNDING + toAssets(ROUNDING, price);
        uint256 floor = Math.saturatingSub(given, bearable);
        floor = Math.max(floor, MoveData.floorOf(data));
        if (received < floor) revert FloorMissed(received, floor);
    }

    function checkChoice(IUniswapV3Pool pool, Choice memory choice) private view {
        if (choice.halfWidth <= 0 || choice.halfWidth > TickPrice.MAX_TICK || choice.halfWidth % SPACING != 0) {
            revert HalfWidthOffSpacing(choice.halfWidth, SPACING);
        }
        PoolReads.checkMemory(pool, choice.window, choice.minimumCardinality);
        if (choice.slippage > MOST_SLIPPAGE) revert SlippageOutOfBounds(choice.slippage, MOST_SLIPPAGE);
        checkBound(choice.spotBound);
        checkBound(choice.oracleBound);
        FreshPrice.check(choice.assetFeed, choice.assetHeartbeat);
        FreshPrice.check(choice.pairedFeed, choice.pairedHeartbeat);
    }

    function checkBound(int24 bound) private pure {
        if (bound <= 0 || bound > MOST_BOUND) revert BoundOutOfBounds(bound, MOST_BOUND);
    }

    /// @dev Says what is not steady: spot beside the mean, in ticks, or Chainlink's price beside it, in square roots times 2^96.
    function steadyMarket() private view returns (Market memory m) {
        m = market();
        if (isSteady(m)) return m;
        if (!m.unlocked) revert PoolLocked(venue);
        (int256 least, int256 most) = (int256(m.meanTick) - spotBound, int256(m.meanTick) + spotBound);
        if (m.spotTick < least || m.spotTick > most) revert Unsteady(m.spotTick, least, most);
        least = int256(uint256(TickPrice.sqrtAt(m.meanTick - oracleBound)));
        most = int256(uint256(TickPrice.sqrtAt(m.meanTick + oracleBound)));
        revert Unsteady(int256(uint256(m.oracle)), least, most);
    }

    /// @dev Reverts when a price cannot be read.
    function market() private view returns (Market memory m) {
        (m.spot, m.spotTick, , , , , m.unlocked) = IUniswapV3Pool(venue).slot0();
        m.meanTick = PoolReads.meanTick(IUniswapV3Pool(venue), window);
        m.oracle = oraclePrice();
        m.fair = PairPrice.lower(m.oracle, TickPrice.sqrtAt(m.meanTick), oracleBound, ASSET_FIRST);
    }

    /// @return The square root of Chainlink's price of token0 in token1, times 2^96.
    function oraclePrice() private view returns (uint160) {
        uint256 first = FreshPrice.read(assetFeed, assetHeartbeat) * ASSET_SCALE;
        uint256 second = FreshPrice.read(pairedFeed, pairedHeartbeat) * PAIRED_SCALE;
        if (!ASSET_FIRST) (first, second) = (second, first);
        return PairPrice.ofRatio(first, second);
    }

    function isSteady(Market memory m) private view returns (bool) {
        int256 offMean = int256(m.spotTick) - m.meanTick;
        return
            m.unlocked &&
            (offMean < 0 ? -offMean : offMean) <= spotBound &&
            m.oracle >= TickPrice.sqrtAt(m.meanTick - oracleBound) &&
            m.oracle <= TickPrice.sqrtAt(m.meanTick + oracleBound);
    }

    /// @dev Everything here and in the pool, as the range would hold it at this price.
    function heldValue(uint160 price) private view returns (uint256) {
        (uint256 amount, uint256 paired) = holdings(price);
        return amount + toAssets(paired, price);
    }

    /// @dev What a full exit pays at spot, and not more than fair value.
    function leavingValue(Market memory m) private view returns (uint256) {
        (uint256 amount, uint256 paired) = holdings(m.spot);
        uint256 sold = (toAssets(paired, m.spot) * (MILLION - FEE)) / MILLION;
        return Math.min(amount + sold, heldValue(m.fair));
    }

    /// @dev Coins of the liquidity as if the pool stood at `price`, fees, and what lies here.
    function holdings(uint160 price) private view returns (uint256 amount, uint256 paired) {
        PoolReads.Position memory p = position();
        (amount, paired) = sorted(p.liquidity, price);
        (uint256 fees, uint256 pairedFees) = ASSET_FIRST ? (p.fees0, p.fees1) : (p.fees1, p.fees0);
        amount += fees + asset.balanceOf(address(this));
        paired += pairedFees + receipt.balanceOf(address(this));
    }

    /// @dev Of liquidity in the range: the asset, the paired coin.
    function sorted(uint128 liquidity, uint160 price) private view returns (uint256, uint256) {
        if (liquidity == 0) return (0, 0);
        (uint256 amount0, uint256 amount1) = RangeAmounts.amounts(liquidity, range(), price);
        return ASSET_FIRST ? (amount0, amount1) : (amount1, amount0);
    }

    function range() private view returns (RangeAmounts.Range memory) {
        return RangeAmounts.Range(TickPrice.sqrtAt(tickLower), TickPrice.sqrtAt(tickUpper));
    }

    function liquidityOf(int24 lower, int24 upper) private view returns (uint128 liquidity) {
        (liquidity, , , , ) = IUniswapV3Pool(venue).positions(keccak256(abi.encodePacked(address(this), lower, upper)));
    }

    function isEmpty() private view returns (bool) {
        return tickLower == tickUpper && asset.balanceOf(address(this)) == 0 && receipt.balanceOf(address(this)) == 0;
    }

    function toAssets(uint256 paired, uint160 price) private view returns (uint256) {
        return PairPrice.toAssets(paired, price, ASSET_FIRST);
    }
}
