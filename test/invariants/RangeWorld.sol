// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {ILiquidityAdapter} from "../../contracts/interfaces/ILiquidityAdapter.sol";
import {IAggregatorV3} from "../../contracts/interfaces/external/IAggregatorV3.sol";
import {IUniswapV3Factory, IUniswapV3Pool} from "../../contracts/interfaces/external/IUniswapV3.sol";
import {TickPrice} from "../../contracts/libraries/TickPrice.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {PoolTrader} from "../contracts/hostile/PoolTrader.sol";
import {PriceFeedModel} from "../models/PriceFeedModel.sol";
import {PoolWorld} from "./PoolWorld.sol";

/// @dev What is called before a pool has a price, and by the protocol's owner.
interface IUniswapV3Setup {
    function enableFeeAmount(uint24 fee, int24 tickSpacing) external;

    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);

    function initialize(uint160 sqrtPriceX96) external;

    function increaseObservationCardinalityNext(uint16 observationCardinalityNext) external;

    function setFeeProtocol(uint8 feeProtocol0, uint8 feeProtocol1) external;
}

/// @title A vault in a range of a genuine pool of Uniswap V3, as its npm package carries the compiled code
/// @dev At rest spot is the price that the feeds name, to the unit. What is behind the adapter is what the pool pays when all
/// is taken out of it: that is tried out and not kept, so that of our arithmetic only the price at a tick is believed.
contract RangeWorld is PoolWorld {
    /// @dev Another provider's range is as wide.
    int24 public constant WIDE = 3_000;
    uint32 public constant WINDOW = 1_800;
    int24 public constant HALF_WIDTH = 50;
    int24 public constant SPOT_BOUND = 10;
    int24 public constant ORACLE_BOUND = 50;
    /// @dev Of each coin in the wide range, in whole ones.
    uint256 private constant POOLED = 1_000_000_000;
    /// @dev Everything that anybody could want to pay, in whole coins.
    uint256 private constant PLENTY = 1e15;
    uint16 private constant CARDINALITY = 160;
    string private constant FACTORY =
        "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";

    PlainToken public paired;
    IUniswapV3Factory public factory;
    IUniswapV3Pool public pool;
    PoolTrader public trader;
    bool public immutable assetFirst;
    int24 public immutable spacing;
    /// @notice The tick of par, on the spacing.
    int24 public immutable middle;
    uint256 private immutable pairedUnit;
    /// @notice Liquidity of POOLED coins in the wide range.
    uint128 public immutable deep;

    /// @dev How {coins} gets an answer out of what is not kept.
    error Coins(uint256 amount, uint256 paired);

    constructor(bool assetFirst_, uint8 pairedDecimals, uint24 fee) {
        token = new PlainToken(6);
        do paired = new PlainToken(pairedDecimals); while ((address(token) < address(paired)) != assetFirst_);
        (assetFirst, pairedUnit) = (assetFirst_, 10 ** pairedDecimals);
        for (uint256 k; k < 2; ++k) feeds.push(new PriceFeedModel(address(this), 8, "PLAIN / USD", 1e8));

        bytes memory code = vm.getCode(FACTORY);
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
        }
        factory = IUniswapV3Factory(made);
        if (fee == 100) IUniswapV3Setup(made).enableFeeAmount(fee, 1);
        pool = IUniswapV3Pool(IUniswapV3Setup(made).createPool(address(token), address(paired), fee));
        spacing = pool.tickSpacing();
        IUniswapV3Setup(address(pool)).initialize(restPrice());
        IUniswapV3Setup(address(pool)).increaseObservationCardinalityNext(CARDINALITY);
        trader = new PoolTrader(pool);
        token.mint(address(trader), PLENTY * 1e6);
        paired.mint(address(trader), PLENTY * pairedUnit);
        (, int24 tick, , , , , ) = pool.slot0();
        middle = (tick / spacing) * spacing;
        deep = uint128(
            Math.mulDiv(
                POOLED * (assetFirst_ ? pairedUnit : 1e6),
                2 ** 96,
                restPrice() - TickPrice.sqrtAt(middle - WIDE)
            )
        );
        vm.warp(block.timestamp + 12);
        trader.mint(address(trader), middle - WIDE, middle + WIDE, deep);
        vm.warp(block.timestamp + 2 * WINDOW);
        for (uint256 k; k < 2; ++k) report(k, block.timestamp);
        build();
    }

    function newAdapter(address future) internal override returns (ILiquidityAdapter) {
        UniswapV3Adapter.Choice memory c;
        (c.halfWidth, c.window, c.minimumCardinality) = (HALF_WIDTH, WINDOW, 150);
        (c.spotBound, c.oracleBound, c.slippage) = (SPOT_BOUND, ORACLE_BOUND, 0.005e18);
        (c.assetFeed, c.assetHeartbeat) = (IAggregatorV3(address(feeds[0])), HEARTBEAT);
        (c.pairedFeed, c.pairedHeartbeat) = (IAggregatorV3(address(feeds[1])), HEARTBEAT);
        return new UniswapV3Adapter(future, factory, pool, address(token), c);
    }

    /* THE MARKET */

    /// @notice The square root of token1 for one token0 by the feeds, times 2^96.
    function restPrice() public view returns (uint160) {
        uint256 first = uint256(feeds[0].latestAnswer()) * pairedUnit;
        uint256 second = uint256(feeds[1].latestAnswer()) * 1e6;
        if (!assetFirst) (first, second) = (second, first);
        return uint160(Math.sqrt(Math.mulDiv(first, 2 ** 192, second)));
    }

    /// @notice Where the paired coin is worth more by so many ticks than at `tick`.
    function priceAway(int24 tick, int24 ticks) external view returns (uint160) {
        return TickPrice.sqrtAt(assetFirst ? tick - ticks : tick + ticks);
    }

    /// @notice The pool's mean tick over the window, rounded down.
    function meanTick() public view returns (int24 mean) {
        uint32[] memory moments = new uint32[](2);
        moments[0] = WINDOW;
        (int56[] memory sums, ) = pool.observe(moments);
        int256 sum = int256(sums[1]) - sums[0];
        int256 length = int256(uint256(WINDOW));
        return int24(sum < 0 ? -((-sum + length - 1) / length) : sum / length);
    }

    /// @notice Says another price of the paired coin.
    function setAnswer(int256 answer) external {
        feeds[1].push(answer);
        report(0, block.timestamp);
    }

    /// @notice The protocol takes a part of the fees from now on: none, or one in four to one in ten.
    function tax(uint8 part) external {
        IUniswapV3Setup(address(pool)).setFeeProtocol(part, part);
    }

    /* WHAT THERE IS */

    /// @notice Both coins, of the position by the pool itself and of what lies with the adapter.
    function coins() public returns (uint256 amount, uint256 pairedAmount) {
        try this.unwind() {} catch (bytes memory answer) {
            require(bytes4(answer) == Coins.selector, "the pool did not pay out a position");
            assembly ("memory-safe") {
                amount := mload(add(answer, 0x24))
                pairedAmount := mload(add(answer, 0x44))
            }
        }
    }

    function unwind() external {
        UniswapV3Adapter a = UniswapV3Adapter(address(adapter));
        (int24 lower, int24 upper) = (a.tickLower(), a.tickUpper());
        uint128 liquidity = liquidityOf(address(a), lower, upper);
        if (liquidity != 0) {
            vm.prank(address(a));
            pool.burn(lower, upper, liquidity);
            vm.prank(address(a));
            pool.collect(address(a), lower, upper, type(uint128).max, type(uint128).max);
        }
        revert Coins(token.balanceOf(address(a)), paired.balanceOf(address(a)));
    }

    /// @notice Both coins in assets, by the feeds.
    function behind() public override returns (uint256) {
        (uint256 amount, uint256 pairedAmount) = coins();
        return
            amount +
            Math.mulDiv(
                pairedAmount,
                uint256(feeds[1].latestAnswer()) * 1e6,
                uint256(feeds[0].latestAnswer()) * pairedUnit
            );
    }

    /// @notice The same where the paired coin is worth what the pool's mean says, as far as that is believed: no more than
    /// ORACLE_BOUND under the feeds, and never over them.
    function behindAtMean() external returns (uint256) {
        (uint256 amount, uint256 pairedAmount) = coins();
        uint256 price = TickPrice.sqrtAt(meanTick());
        uint256 rest = restPrice();
        uint256 far = TickPrice.sqrtAt(assetFirst ? ORACLE_BOUND : -ORACLE_BOUND);
        far = Math.mulDiv(rest, far, 2 ** 96);
        // Where the asset is token0, a cheaper paired coin is a higher price.
        if (assetFirst) price = Math.max(rest, Math.min(price, far));
        else price = Math.min(rest, Math.max(price, far));
        uint256 square = Math.mulDiv(price, price, 2 ** 64);
        return
            amount +
            (assetFirst ? Math.mulDiv(pairedAmount, 2 ** 128, square) : Math.mulDiv(pairedAmount, square, 2 ** 128));
    }

    /// @notice Fees that the pool owes the position of now, by the pool.
    function fees() external returns (uint256 fees0, uint256 fees1) {
        try this.count() {} catch (bytes memory answer) {
            require(bytes4(answer) == Coins.selector, "the pool did not count fees");
            assembly ("memory-safe") {
                fees0 := mload(add(answer, 0x24))
                fees1 := mload(add(answer, 0x44))
            }
        }
    }

    function count() external {
        UniswapV3Adapter a = UniswapV3Adapter(address(adapter));
        (int24 lower, int24 upper) = (a.tickLower(), a.tickUpper());
        vm.prank(address(a));
        pool.burn(lower, upper, 0);
        (, , , uint128 fees0, uint128 fees1) = pool.positions(keccak256(abi.encodePacked(a, lower, upper)));
        revert Coins(fees0, fees1);
    }

    function liquidityOf(address owner, int24 lower, int24 upper) public view returns (uint128 liquidity) {
        (liquidity, , , , ) = pool.positions(keccak256(abi.encodePacked(owner, lower, upper)));
    }
}
