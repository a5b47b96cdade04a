// One market of Compound V3 (Comet): totals, utilisation, both rates, both curves, reserves, rewards' speeds. The rates are
// computed from the curves at the utilisation of the same block, since a call cannot take another one's answer.
// Source: compound-finance/comet: CometCore.sol, CometExt.sol (totalsBasic, scales), Comet.sol.
import { cometAccrued, cometApr, cometRate, type CometCurve } from "../venues/compoundV3";
import { wholeUnits } from "../venues/exact";
import { type Answer, Questions, ask, askIfThere, decimalsOf, garbageOf } from "./questions";
import type { ChainCollector } from "./reading";

const SOURCE = "compound-v3";

const UINT = "view returns (uint256)";
const TOTALS = `function totalsBasic() view returns (uint64 baseSupplyIndex, uint64 baseBorrowIndex,
  uint64 trackingSupplyIndex, uint64 trackingBorrowIndex, uint104 totalSupplyBase, uint104 totalBorrowBase,
  uint40 lastAccrualTime, uint8 pauseFlags)`;

/** Comet's BASE_INDEX_SCALE. */
const INDEX_SCALE = 10n ** 15n;
/** Bits of `pauseFlags`, CometCore.sol. */
const PAUSED = { supply: 1, transfer: 2, withdraw: 4, absorb: 8, buy: 16 } as const;

export interface CompoundV3Target {
  readonly subject: string;
  readonly comet: string;
  /** USD for one whole unit of the base asset. */
  readonly usd: number;
}

export function compoundV3Collector({ subject, comet, usd }: CompoundV3Target): ChainCollector {
  const of = `${SOURCE} ${subject}`;
  const uint = (name: string) => ask(comet, `function ${name}() ${UINT}`);
  const uintIfThere = (name: string) => askIfThere(comet, `function ${name}() ${UINT}`);
  const questions = new Questions(of, {
    totals: ask(comet, TOTALS),
    decimals: ask(comet, "function decimals() view returns (uint8)"),
    supplied: uint("totalSupply"),
    borrowed: uint("totalBorrow"),
    utilization: uint("getUtilization"),
    reserves: ask(comet, "function getReserves() view returns (int256)"),
    supplyKink: uint("supplyKink"),
    supplyBase: uint("supplyPerSecondInterestRateBase"),
    supplySlopeLow: uint("supplyPerSecondInterestRateSlopeLow"),
    supplySlopeHigh: uint("supplyPerSecondInterestRateSlopeHigh"),
    borrowKink: uint("borrowKink"),
    borrowBase: uint("borrowPerSecondInterestRateBase"),
    borrowSlopeLow: uint("borrowPerSecondInterestRateSlopeLow"),
    borrowSlopeHigh: uint("borrowPerSecondInterestRateSlopeHigh"),
    trackingSupplySpeed: uintIfThere("baseTrackingSupplySpeed"),
    trackingBorrowSpeed: uintIfThere("baseTrackingBorrowSpeed"),
    trackingIndexScale: uintIfThere("trackingIndexScale"),
    minimumForRewards: uintIfThere("baseMinForRewards"),
  });
  return {
    source: SOURCE,
    subject,
    calls: () => questions.calls,
    decode: (answers, at) => {
      const read = questions.read(answers);
      const { totals } = read;
      const decimals = decimalsOf(read.decimals, of);
      const supplyCurve: CometCurve = {
        kink: read.supplyKink.uint(),
        base: read.supplyBase.uint(),
        slopeLow: read.supplySlopeLow.uint(),
        slopeHigh: read.supplySlopeHigh.uint(),
      };
      const borrowCurve: CometCurve = {
        kink: read.borrowKink.uint(),
        base: read.borrowBase.uint(),
        slopeLow: read.borrowSlopeLow.uint(),
        slopeHigh: read.borrowSlopeHigh.uint(),
      };
      const utilization = read.utilization.uint();
      const [supplyRate, borrowRate] = [cometRate(supplyCurve, utilization), cometRate(borrowCurve, utilization)];
      const elapsed = BigInt(at.timestamp) - totals.uint("lastAccrualTime");
      const [supplyIndex, borrowIndex] = [totals.uint("baseSupplyIndex"), totals.uint("baseBorrowIndex")];
      if (elapsed < 0n || supplyIndex < INDEX_SCALE || borrowIndex < INDEX_SCALE) throw garbageOf(of, "an index");
      const grownSupplyIndex = cometAccrued(supplyIndex, supplyRate, elapsed);
      const [supplied, borrowed, reserves] = [read.supplied.uint(), read.borrowed.uint(), read.reserves.int()];
      const paused = totals.small("pauseFlags");
      return {
        source: SOURCE,
        subject,
        state: {
          decimals,
          supplied: String(supplied),
          borrowed: String(borrowed),
          reserves: String(reserves),
          // What Comet holds of the base asset, by its own definition of reserves.
          cash: String(reserves + supplied - borrowed),
          utilization: String(utilization),
          supplyRatePerSecond: String(supplyRate),
          borrowRatePerSecond: String(borrowRate),
          baseSupplyIndex: String(supplyIndex),
          baseBorrowIndex: String(borrowIndex),
          accruedSupplyIndex: String(grownSupplyIndex),
          accruedBorrowIndex: String(cometAccrued(borrowIndex, borrowRate, elapsed)),
          totalSupplyBase: String(totals.uint("totalSupplyBase")),
          totalBorrowBase: String(totals.uint("totalBorrowBase")),
          lastAccrual: totals.small("lastAccrualTime"),
          supplyPaused: (paused & PAUSED.supply) !== 0,
          transferPaused: (paused & PAUSED.transfer) !== 0,
          withdrawPaused: (paused & PAUSED.withdraw) !== 0,
          absorbPaused: (paused & PAUSED.absorb) !== 0,
          buyPaused: (paused & PAUSED.buy) !== 0,
          supplyKink: String(supplyCurve.kink),
          supplyBasePerSecond: String(supplyCurve.base),
          supplySlopeLowPerSecond: String(supplyCurve.slopeLow),
          supplySlopeHighPerSecond: String(supplyCurve.slopeHigh),
          borrowKink: String(borrowCurve.kink),
          borrowBasePerSecond: String(borrowCurve.base),
          borrowSlopeLowPerSecond: String(borrowCurve.slopeLow),
          borrowSlopeHighPerSecond: String(borrowCurve.slopeHigh),
          trackingSupplyIndex: String(totals.uint("trackingSupplyIndex")),
          trackingBorrowIndex: String(totals.uint("trackingBorrowIndex")),
          trackingSupplySpeed: textOrNull(read.trackingSupplySpeed),
          trackingBorrowSpeed: textOrNull(read.trackingBorrowSpeed),
          trackingIndexScale: textOrNull(read.trackingIndexScale),
          minimumForRewards: textOrNull(read.minimumForRewards),
        },
        rates: {
          suppliedUsd: wholeUnits(supplied, decimals) * usd,
          borrowedUsd: wholeUnits(borrowed, decimals) * usd,
          supplyApr: cometApr(supplyRate),
          borrowApr: cometApr(borrowRate),
          index: String(grownSupplyIndex),
        },
      };
    },
  };
}

function textOrNull(answer: Answer | null): string | null {
  return answer === null ? null : String(answer.uint());
}
