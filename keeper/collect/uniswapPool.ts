// One pool of Uniswap V3: price, liquidity in range, fees grown, the mean tick that it remembers, what it holds. What liquidity
// earns depends on its range, so nothing goes into a series of rates. Source: v3-core, UniswapV3Pool.sol and TickMath.sol.
import { ratio } from "../venues/exact";
import type { LocatingStep } from "./locate";
import { type Answer, Questions, ask, askIfThere, decimalsOf, garbageOf } from "./questions";
import type { ChainCollector } from "./reading";

const SOURCE = "uniswap-v3";

const UINT = "view returns (uint256)";
/** Its last member, the lock, is always open between two transactions. */
const SLOT0 = `function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16 observationIndex,
  uint16 observationCardinality, uint16 observationCardinalityNext, uint8 feeProtocol)`;
/** Two lists of two, word by word, of which the first is read: offsets, length, the tick's sum then and now. */
const OBSERVE = `function observe(uint32[]) view returns (uint256 ticksAt, uint256 liquidityAt, uint256 count, int56 then,
  int56 now)`;
const OBSERVED = { ticksAt: 64n, liquidityAt: 160n, count: 2n };

/** Half an hour: a price that cannot be held off the market's within one block. */
const MEAN_SECONDS = 1_800;

const [LEAST_SQRT_PRICE, ABOVE_SQRT_PRICE] = [4_295_128_739n, 1461446703485210103287273052203988822378723970342n];
const MOST_TICK = 887_272n;
const LN_TICK = Math.log(1.0001);
/** Of a tick that is worked out in doubles. */
const ROUNDING = 1e-6;
const Q96 = 2n ** 96n;

export interface UniswapPoolTarget {
  readonly subject: string;
  readonly pool: string;
}

interface Constants {
  readonly tokens: readonly [string, string];
  readonly decimals: readonly [number, number];
  readonly feePips: number;
  readonly tickSpacing: number;
}

/** Finds what a pool never changes, then reads it. */
export function locateUniswapPool(target: UniswapPoolTarget): LocatingStep {
  const { subject, pool } = target;
  const of = `${SOURCE} ${subject}`;
  const constants = new Questions(of, {
    token0: ask(pool, "function token0() view returns (address)"),
    token1: ask(pool, "function token1() view returns (address)"),
    fee: ask(pool, "function fee() view returns (uint24)"),
    tickSpacing: ask(pool, "function tickSpacing() view returns (int24)"),
  });
  return {
    source: SOURCE,
    subject,
    locating: constants.calls,
    next: (answers) => {
      const { token0, token1, fee, tickSpacing } = constants.read(answers);
      const tokens = [token0.address(), token1.address()] as const;
      const decimals = new Questions(of, {
        token0: ask(tokens[0], "function decimals() view returns (uint8)"),
        token1: ask(tokens[1], "function decimals() view returns (uint8)"),
      });
      return {
        source: SOURCE,
        subject,
        locating: decimals.calls,
        next: (second) => {
          const read = decimals.read(second);
          return uniswapPoolCollector(target, {
            tokens,
            decimals: [decimalsOf(read.token0, of), decimalsOf(read.token1, of)],
            feePips: fee.small(),
            tickSpacing: tickSpacing.small(),
          });
        },
      };
    },
  };
}

function uniswapPoolCollector(
  { subject, pool }: UniswapPoolTarget,
  { tokens, decimals, feePips, tickSpacing }: Constants,
): ChainCollector {
  const of = `${SOURCE} ${subject}`;
  const questions = new Questions(of, {
    slot0: ask(pool, SLOT0),
    liquidity: ask(pool, "function liquidity() view returns (uint128)"),
    feeGrowth0: ask(pool, `function feeGrowthGlobal0X128() ${UINT}`),
    feeGrowth1: ask(pool, `function feeGrowthGlobal1X128() ${UINT}`),
    balance0: ask(tokens[0], `function balanceOf(address) ${UINT}`, [pool]),
    balance1: ask(tokens[1], `function balanceOf(address) ${UINT}`, [pool]),
    // Reverts where the pool does not remember so long.
    observed: askIfThere(pool, OBSERVE, [[MEAN_SECONDS, 0]]),
  });
  return {
    source: SOURCE,
    subject,
    calls: () => questions.calls,
    decode: (answers) => {
      const { slot0, liquidity, feeGrowth0, feeGrowth1, balance0, balance1, observed } = questions.read(answers);
      const [sqrtPrice, tick] = [slot0.word("sqrtPriceX96"), slot0.int("tick")];
      if (!isPriceAt(sqrtPrice, tick)) throw garbageOf(of, "the price");
      return {
        source: SOURCE,
        subject,
        state: {
          tokens,
          decimals,
          // Shares of 1e6.
          feePips,
          tickSpacing,
          sqrtPriceX96: String(sqrtPrice),
          tick: Number(tick),
          liquidity: String(liquidity.uint()),
          // For a unit of liquidity since the pool began, modulo 2^256.
          feeGrowthGlobal0X128: String(feeGrowth0.word()),
          feeGrowthGlobal1X128: String(feeGrowth1.word()),
          // What the protocol takes of fees: one part in so many, of token0 in the low four bits, of token1 in the high ones.
          feeProtocol: slot0.small("feeProtocol"),
          observations: slot0.small("observationCardinality"),
          balances: [String(balance0.uint()), String(balance1.uint())],
          meanSeconds: MEAN_SECONDS,
          meanTick: observed === null ? null : meanTick(observed, of),
        },
        rates: null,
      };
    },
  };
}

/** A pool that nobody has initialised has no price, and is refused like any other that could not be. */
function isPriceAt(sqrtPrice: bigint, tick: bigint): boolean {
  if (sqrtPrice < LEAST_SQRT_PRICE || sqrtPrice >= ABOVE_SQRT_PRICE) return false;
  if (tick < -MOST_TICK || tick > MOST_TICK) return false;
  // A swap that ends on a tick from above leaves the price there and the tick one below.
  const over = (2 * Math.log(ratio(sqrtPrice, Q96))) / LN_TICK - Number(tick);
  return over >= -ROUNDING && over <= 1 + ROUNDING;
}

/** Rounded down, as v3-periphery's OracleLibrary does. */
function meanTick(observed: Answer, of: string): number {
  const shaped = Object.entries(OBSERVED).every(([name, value]) => observed.word(name) === value);
  const mean = Number(observed.int("now") - observed.int("then")) / MEAN_SECONDS;
  if (!shaped || Math.abs(mean) > Number(MOST_TICK)) throw garbageOf(of, "observe");
  return Math.floor(mean);
}
