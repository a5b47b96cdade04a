// One reserve of Aave V3, of either generation: amounts, indices, rates in force, limits, flags, and the curve that makes the
// rates. Source: aave-v3-core and its successor aave-v3-origin: IPool, ReserveConfiguration (bits), the rate strategies.
import { ZeroAddress } from "ethers";
import { RAY, rayMul } from "../venues/aaveV3";
import { ratio, wholeUnits } from "../venues/exact";
import type { LocatingStep } from "./locate";
import { type Answer, type AnswersTo, Questions, ask, askIfThere, garbageOf, movedOf } from "./questions";
import type { ChainCollector, StateValue } from "./reading";

const SOURCE = "aave-v3";

const UINT = "view returns (uint256)";
/** The layout of 3.0 to 3.2, which later versions keep for this function. */
const RESERVE_DATA = `function getReserveData(address asset) view returns (
  uint256 configuration, uint128 liquidityIndex, uint128 currentLiquidityRate, uint128 variableBorrowIndex,
  uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, uint16 id,
  address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress,
  address interestRateStrategyAddress, uint128 accruedToTreasury, uint128 unbacked, uint128 isolationModeTotalDebt)`;
/** Of a strategy for all reserves (3.1 and later). */
const COMMON_CURVE = `function getInterestRateDataBps(address reserve) view returns (
  uint16 optimalUsageRatio, uint32 baseVariableBorrowRate, uint32 variableRateSlope1, uint32 variableRateSlope2)`;
const BPS_TO_RAY = 10n ** 23n;

export interface AaveV3Target {
  /** Names the series. */
  readonly subject: string;
  readonly pool: string;
  readonly asset: string;
  /** USD for one whole unit of the asset. */
  readonly usd: number;
}

interface Places {
  readonly aToken: string;
  /** Null: since 3.2 there is none. */
  readonly stableDebt: string | null;
  readonly variableDebt: string;
  readonly strategy: string;
}

/** Finds the reserve's tokens and its strategy, then reads it. */
export function locateAaveV3(target: AaveV3Target): LocatingStep {
  const { subject, pool, asset } = target;
  const of = `${SOURCE} ${subject}`;
  const questions = new Questions(of, { reserve: ask(pool, RESERVE_DATA, [asset]) });
  return {
    source: SOURCE,
    subject,
    locating: questions.calls,
    next: (answers) => {
      const places = placesOf(questions.read(answers).reserve);
      // A pool answers for an asset that it does not have, with zeros.
      if (places.aToken === ZeroAddress) throw garbageOf(of, "the reserve of this asset");
      return aaveV3Collector(target, places);
    },
  };
}

function aaveV3Collector(target: AaveV3Target, places: Places): ChainCollector {
  const { subject, pool, asset, usd } = target;
  const of = `${SOURCE} ${subject}`;
  const { aToken, stableDebt, variableDebt, strategy } = places;
  const questions = new Questions(of, {
    reserve: ask(pool, RESERVE_DATA, [asset]),
    income: ask(pool, `function getReserveNormalizedIncome(address) ${UINT}`, [asset]),
    debt: ask(pool, `function getReserveNormalizedVariableDebt(address) ${UINT}`, [asset]),
    // 3.1 and later, and 3.3 and later.
    virtualBalance: askIfThere(pool, "function getVirtualUnderlyingBalance(address) view returns (uint128)", [asset]),
    deficit: askIfThere(pool, `function getReserveDeficit(address) ${UINT}`, [asset]),
    supplied: ask(aToken, `function totalSupply() ${UINT}`),
    cash: ask(asset, `function balanceOf(address) ${UINT}`, [aToken]),
    // The token's own total is this times the pool's index, and reads more of both.
    scaledVariableDebt: ask(variableDebt, `function scaledTotalSupply() ${UINT}`),
    // Where there is no such token, nobody is asked and nobody answers.
    stableDebt: askIfThere(stableDebt ?? ZeroAddress, `function totalSupply() ${UINT}`),
    common: askIfThere(strategy, COMMON_CURVE, [asset]),
    optimalUsage: askIfThere(strategy, `function OPTIMAL_USAGE_RATIO() ${UINT}`),
    baseRate: askIfThere(strategy, `function getBaseVariableBorrowRate() ${UINT}`),
    slope1: askIfThere(strategy, `function getVariableRateSlope1() ${UINT}`),
    slope2: askIfThere(strategy, `function getVariableRateSlope2() ${UINT}`),
  });
  return {
    source: SOURCE,
    subject,
    calls: () => questions.calls,
    decode: (answers) => {
      const read = questions.read(answers);
      const { reserve } = read;
      if (JSON.stringify(placesOf(reserve)) !== JSON.stringify(places)) throw movedOf(of, "a token or the strategy");
      if (stableDebt !== null && read.stableDebt === null) throw garbageOf(of, "the stable debt");
      const [income, debt] = [read.income.uint(), read.debt.uint()];
      // An index begins at 1 and grows.
      if (income < RAY || debt < RAY) throw garbageOf(of, "an index");
      const configuration = configurationOf(reserve.word("configuration"));
      const [supplied, variable, stable] = [
        read.supplied.uint(),
        rayMul(read.scaledVariableDebt.uint(), debt),
        read.stableDebt?.uint() ?? 0n,
      ];
      const [supplyRate, borrowRate] = [
        reserve.uint("currentLiquidityRate"),
        reserve.uint("currentVariableBorrowRate"),
      ];
      const dollars = (amount: bigint): number => wholeUnits(amount, configuration.decimals) * usd;
      return {
        source: SOURCE,
        subject,
        state: {
          supplied: text(supplied),
          variableDebt: text(variable),
          stableDebt: text(stable),
          cash: text(read.cash.uint()),
          virtualBalance: text(read.virtualBalance?.uint()),
          deficit: text(read.deficit?.uint()),
          accruedToTreasuryScaled: text(reserve.uint("accruedToTreasury")),
          unbacked: text(reserve.uint("unbacked")),
          normalizedIncome: text(income),
          normalizedVariableDebt: text(debt),
          liquidityIndex: text(reserve.uint("liquidityIndex")),
          variableBorrowIndex: text(reserve.uint("variableBorrowIndex")),
          liquidityRate: text(supplyRate),
          variableBorrowRate: text(borrowRate),
          stableBorrowRate: text(reserve.uint("currentStableBorrowRate")),
          lastUpdate: reserve.small("lastUpdateTimestamp"),
          ...configuration,
          strategy: places.strategy,
          ...curveOf(read),
        },
        rates: {
          suppliedUsd: dollars(supplied),
          borrowedUsd: dollars(variable + stable),
          supplyApr: ratio(supplyRate, RAY),
          borrowApr: ratio(borrowRate, RAY),
          index: text(income),
        },
      };
    },
  };
}

function placesOf(reserve: Answer): Places {
  const stableDebt = reserve.address("stableDebtTokenAddress");
  return {
    aToken: reserve.address("aTokenAddress"),
    stableDebt: stableDebt === ZeroAddress ? null : stableDebt,
    variableDebt: reserve.address("variableDebtTokenAddress"),
    strategy: reserve.address("interestRateStrategyAddress"),
  };
}

type Configuration = Readonly<Record<string, StateValue>> & { readonly decimals: number };

/** Caps in whole units, zero for none. */
function configurationOf(word: bigint): Configuration {
  const field = (from: number, bits: number): bigint => (word >> BigInt(from)) & (2n ** BigInt(bits) - 1n);
  const flag = (bit: number): boolean => field(bit, 1) === 1n;
  return {
    loanToValueBps: Number(field(0, 16)),
    liquidationThresholdBps: Number(field(16, 16)),
    liquidationBonusBps: Number(field(32, 16)),
    decimals: Number(field(48, 8)),
    active: flag(56),
    frozen: flag(57),
    borrowing: flag(58),
    stableBorrowing: flag(59),
    paused: flag(60),
    flashLoans: flag(63),
    reserveFactorBps: Number(field(64, 16)),
    borrowCap: text(field(80, 36)),
    supplyCap: text(field(116, 36)),
  };
}

type Curve = Pick<
  AnswersTo<{ [name in "common" | "optimalUsage" | "baseRate" | "slope1" | "slope2"]: ReturnType<typeof askIfThere> }>,
  "common" | "optimalUsage" | "baseRate" | "slope1" | "slope2"
>;

/** RAY, rates a year; nulls where the strategy is of neither generation. */
function curveOf({ common, optimalUsage, baseRate, slope1, slope2 }: Curve): Readonly<Record<string, StateValue>> {
  if (common !== null) {
    const ray = (name: string): string => text(common.uint(name) * BPS_TO_RAY);
    return {
      optimalUsage: ray("optimalUsageRatio"),
      baseRate: ray("baseVariableBorrowRate"),
      slope1: ray("variableRateSlope1"),
      slope2: ray("variableRateSlope2"),
    };
  }
  return {
    optimalUsage: text(optimalUsage?.uint()),
    baseRate: text(baseRate?.uint()),
    slope1: text(slope1?.uint()),
    slope2: text(slope2?.uint()),
  };
}

function text(amount: bigint): string;
function text(amount: bigint | undefined): string | null;
function text(amount: bigint | undefined): string | null {
  return amount === undefined ? null : String(amount);
}
