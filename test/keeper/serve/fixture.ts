// A view as a keeper on the local chain gives it after some hours, and a source that a test can push through.
import { createHash } from "node:crypto";
import type { DecisionDetail, PageDecision, PageView } from "../../../keeper/app/view";
import type { Health, ViewSource } from "../../../keeper/serve/server";
import type { PoolPosition } from "../../../keeper/venues/poolPosition";

/** Chain time of the newest block: 21 Nov 2026, 12:00:00 UTC. */
export const NOW = 1_795_262_400;
const HEAD = 2_431;
const SECONDS_PER_BLOCK = 12;
const POINTS = 180;
const POINT_SECONDS = 240;
const YEAR = 31_536_000;

export const SHARE_PRICE = "1.000123456789012345";
export const REASON_INCLUDED =
  "moving 210,000 USDC from savings-usdc to aave-v3-usdc gains 41.20 USD over 168 h after 1.34 USD of gas";

function hash(seed: number): string {
  return `0x${createHash("sha256").update(String(seed)).digest("hex")}`;
}

function decision(seed: number, block: number, rest: Partial<PageDecision>): PageDecision {
  const recordHash = hash(seed);
  return {
    id: recordHash.slice(2, 18),
    action: "hold",
    state: "held",
    reason: "the best move gains 0.82 USD over 168 h, less than its cost of 1.34 USD",
    block,
    decidedAt: NOW - (HEAD - block) * SECONDS_PER_BLOCK,
    stateReason: null,
    txHash: null,
    includedBlock: null,
    recordHash,
    ...rest,
  };
}

export const INCLUDED = decision(3, 2_420, {
  action: "rebalance",
  state: "included",
  reason: REASON_INCLUDED,
  txHash: hash(103),
  includedBlock: 2_421,
});

const DECISIONS: readonly PageDecision[] = [
  ...Array.from({ length: 10 }, (_, i) => decision(40 + i, HEAD - i, {})),
  INCLUDED,
  decision(4, 2_419, { reason: "the cooldown after the last rebalance ends in 96 s" }),
  decision(5, 2_402, {
    action: "rebalance",
    state: "abandoned",
    reason: "moving 55,000 USDC from compound-v3-usdc to idle keeps 2.0% idle",
    stateReason: "Missed 5 target blocks; the plan's deadline passed.",
  }),
  ...Array.from({ length: 6 }, (_, i) =>
    decision(60 + i, 2_401 - i, { reason: "aave-v3-usdc is at its cap; no other venue pays more" }),
  ),
  decision(6, 2_310, {
    action: "rebalance",
    state: "final",
    reason: "moving 640,000 USDC from idle to aave-v3-usdc and compound-v3-usdc gains 902.77 USD over 168 h",
    txHash: hash(106),
    includedBlock: 2_311,
  }),
];

function wave(i: number, base: number, swing: number, period: number, phase: number): number {
  return base + swing * Math.sin((i / period) * 2 * Math.PI + phase) + swing * 0.25 * Math.sin(i * 1.7 + phase);
}

function rates(apr: (i: number) => number): { at: number; apr: number }[] {
  return Array.from({ length: POINTS }, (_, i) => ({ at: NOW - (POINTS - 1 - i) * POINT_SECONDS, apr: apr(i) }));
}

/** The share price `i` points before the last, growing by 4.6% a year, exact to the last digit at the end. */
function priceBefore(i: number): string {
  if (i === 0) {
    return SHARE_PRICE;
  }
  const wobble = Math.sin(i / 9) * 3e-8;
  return (Number(SHARE_PRICE) - (i * POINT_SECONDS * 0.046) / YEAR + wobble).toFixed(15);
}

const CURVE: PoolPosition = {
  ...{ steady: true, shutsDeposits: false, fairValue: "60000000000", exitValue: "59991000000" },
  market: { kind: "curve-3pool", virtualPrice: 1.034512, assetShare: 0.2871 },
};

const RANGE: PoolPosition = {
  ...{ steady: true, shutsDeposits: false, fairValue: "40000000000", exitValue: "39998000000" },
  market: {
    ...{ kind: "uniswap-v3", spot: 0.99984, mean: 0.99991, oracle: 1.00002 },
    range: { low: 0.999, high: 1.001, inRange: true, pairedShare: 0.5802 },
  },
};

export function pageView(change: Partial<PageView> = {}): PageView {
  return {
    vault: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    chainId: 31_337,
    network: "local",
    block: HEAD,
    blockTimestamp: NOW,
    asset: { symbol: "USDC", decimals: 6 },
    totalAssets: "1204311820733",
    sharePrice: SHARE_PRICE,
    idle: "24087120733",
    breaker: "closed",
    allocations: [
      {
        venue: "aave-v3-usdc",
        kind: "aave-v3",
        assets: "596224700000",
        quarantined: false,
        cap: "722587092439",
        supplyApr: 0.05213,
        forecastApr: 0.04982,
        utilisation: 0.9341,
        kink: 0.92,
      },
      {
        venue: "compound-v3-usdc",
        kind: "compound-v3",
        assets: "374000000000",
        quarantined: false,
        cap: "602155910366",
        supplyApr: 0.04377,
        forecastApr: 0.04411,
        utilisation: 0.8126,
        kink: 0.85,
      },
      {
        venue: "savings-usdc",
        kind: "erc4626",
        assets: "110000000000",
        quarantined: false,
        cap: null,
        supplyApr: 0.0375,
        forecastApr: 0.0375,
        utilisation: null,
        kink: null,
      },
      {
        venue: "curve-3pool",
        kind: "curve-3pool",
        assets: "60000000000",
        quarantined: false,
        cap: "240862364146",
        supplyApr: 0.0212,
        forecastApr: 0.0208,
        utilisation: null,
        kink: null,
        pool: CURVE,
      },
      {
        venue: "uniswap-v3-usdc-usdt",
        kind: "uniswap-v3",
        assets: "40000000000",
        quarantined: false,
        cap: "120431182073",
        supplyApr: 0.0318,
        forecastApr: 0.0305,
        utilisation: null,
        kink: null,
        pool: RANGE,
      },
    ],
    decisions: DECISIONS,
    bundles: { included: 12, missed: 3 },
    history: Array.from({ length: POINTS }, (_, i) => ({
      at: NOW - (POINTS - 1 - i) * POINT_SECONDS,
      sharePrice: priceBefore(POINTS - 1 - i),
      totalAssets: "1204311820733",
    })),
    rates: [
      { venue: "aave-v3-usdc", points: rates((i) => wave(i, 0.0475, 0.0085, 95, 1.1) + (i > 150 ? 0.004 : 0)) },
      { venue: "compound-v3-usdc", points: rates((i) => wave(i, 0.0415, 0.0032, 70, 0.3)) },
      { venue: "savings-usdc", points: rates(() => 0.0375) },
      { venue: "curve-3pool", points: rates((i) => wave(i, 0.021, 0.002, 60, 2.2)) },
      { venue: "uniswap-v3-usdc-usdt", points: rates((i) => wave(i, 0.03, 0.004, 45, 0.9)) },
    ],
    keeper: { state: "leading", headBlock: HEAD, headAgeSeconds: 1.4, lastTickBlock: HEAD, trouble: null },
    ...change,
  };
}

export function decisionDetail(decision: PageDecision): DecisionDetail {
  return {
    ...decision,
    bundles:
      decision.action === "hold"
        ? []
        : [
            { relay: "local", targetBlock: decision.block + 1, state: "missed", error: null },
            {
              relay: "local",
              targetBlock: decision.block + 2,
              state: decision.includedBlock === null ? "refused" : "included",
              error: decision.includedBlock === null ? "the relay is busy (RELAY_BUSY)" : null,
            },
          ],
    record: '{"action":"rebalance","block":2420}',
  };
}

export interface PushSource extends ViewSource {
  /** Makes `view` the current one and tells every subscriber. */
  push(view: PageView): void;
  /** From now on `current()` rejects with `error`; null: it answers again. */
  fail(error: unknown): void;
  setHealth(health: Health): void;
  readonly subscribers: number;
}

export function pushSource(first: PageView | null = pageView()): PushSource {
  let view = first;
  let failure: unknown = null;
  let health: Health = { alive: true, ready: true, reasons: [] };
  const listeners = new Set<(view: PageView) => void>();
  return {
    async current() {
      if (failure !== null || view === null) {
        throw failure;
      }
      return view;
    },
    async decision(id) {
      const found = view?.decisions.find((candidate) => candidate.id === id);
      return found === undefined ? null : decisionDetail(found);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    health: () => health,
    push(next) {
      view = next;
      listeners.forEach((listener) => listener(next));
    },
    fail(error) {
      failure = error;
    },
    setHealth(next) {
      health = next;
    },
    get subscribers() {
      return listeners.size;
    },
  };
}
