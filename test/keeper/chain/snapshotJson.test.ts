import { expect } from "chai";
import fc from "fast-check";
import { canonicalSnapshot, snapshotFromJson, snapshotToJson } from "../../../keeper/chain/snapshotJson";
import type { AdapterSnapshot, VaultSnapshot, VenueState } from "../../../keeper/chain/snapshot";
import { InputFailure } from "../../../keeper/config/failure";

const amount = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const flag = fc.boolean();
const tick = fc.integer({ min: -887_272, max: 887_272 });
const three = fc.array(amount, { minLength: 3, maxLength: 3 });
const budget = fc.record({ limit: amount, windowSeconds: count, available: amount });

const state: fc.Arbitrary<VenueState> = fc.oneof(
  fc.record({
    kind: fc.constant("aave-v3" as const),
    cash: amount,
    borrowed: amount,
    aTokenSupply: amount,
    supplyCap: amount,
    liquidityIndex: amount,
    liquidityRate: amount,
    variableBorrowRate: amount,
    baseRate: amount,
    slope1: amount,
    slope2: amount,
    optimalUsage: amount,
    reserveFactorBps: amount,
    active: flag,
    frozen: flag,
    paused: flag,
  }),
  fc.record({
    kind: fc.constant("compound-v3" as const),
    cash: amount,
    supplied: amount,
    borrowed: amount,
    utilization: amount,
    supplyKink: amount,
    supplyBasePerSecond: amount,
    supplySlopeLowPerSecond: amount,
    supplySlopeHighPerSecond: amount,
    supplyRatePerSecond: amount,
    borrowRatePerSecond: amount,
    supplyPaused: flag,
    withdrawPaused: flag,
  }),
  fc.record({
    kind: fc.constant("erc4626" as const),
    totalAssets: amount,
    totalShares: amount,
    assetsPerShare: amount,
    vaultMaxWithdraw: amount,
  }),
  fc.record({
    kind: fc.constant("sky-savings" as const),
    ratePerSecond: amount,
    assetsPerShare: amount,
    totalAssets: amount,
    cash: amount,
    room: amount,
    tin: amount,
    tout: amount,
    sellingHalted: flag,
    buyingHalted: flag,
  }),
  fc.record({
    kind: fc.constant("curve-3pool" as const),
    virtualPrice: amount,
    receipts: amount,
    held: amount,
    balances: three,
    scales: three,
    amplification: amount,
    fee: amount,
    place: fc.nat(2),
    dollars: three,
    slippage: amount,
    steady: flag,
  }),
  fc.record({
    kind: fc.constant("uniswap-v3" as const),
    sqrtPrice: amount,
    meanTick: tick,
    meanTicks: fc.array(tick, { maxLength: 8 }),
    windowSeconds: fc.nat(),
    liquidity: amount,
    held: amount,
    tickLower: tick,
    tickUpper: tick,
    halfWidth: fc.nat(),
    feeGrowthAsset: amount,
    feeGrowthPaired: amount,
    cash: amount,
    pairedDecimals: fc.nat(18),
    feePips: fc.nat(1_000_000),
    assetFirst: flag,
    tickSpacing: fc.integer({ min: 1, max: 16_384 }),
    oracleBound: fc.nat(),
    assetDollars: amount,
    pairedDollars: amount,
    slippage: amount,
    steady: flag,
  }),
);

const adapter: fc.Arbitrary<AdapterSnapshot> = fc.record({
  id: text,
  adapter: text,
  venue: text,
  receipt: text,
  kind: fc.constantFrom(
    "aave-v3" as const,
    "compound-v3" as const,
    "erc4626" as const,
    "sky-savings" as const,
    "curve-3pool" as const,
    "uniswap-v3" as const,
  ),
  exact: flag,
  readable: flag,
  quarantined: flag,
  fairValue: amount,
  exitValue: amount,
  counted: amount,
  maxDeposit: amount,
  maxWithdraw: amount,
  absoluteCap: amount,
  relativeCap: amount,
  groupMask: amount,
  state: fc.option(state),
});

const snapshot: fc.Arbitrary<VaultSnapshot> = fc.record({
  chainId: count,
  blockNumber: count,
  blockHash: text,
  timestamp: count,
  baseFeePerGas: amount,
  vault: text,
  asset: text,
  assetDecimals: count,
  shareDecimals: count,
  opened: flag,
  idle: amount,
  totalAssets: amount,
  accountedAssets: amount,
  totalSupply: amount,
  sharePrice: amount,
  depositCap: amount,
  minimumIdle: amount,
  maxRate: amount,
  lossPerCall: amount,
  lossBudget: budget,
  turnoverBudget: budget,
  breaker: fc.constantFrom("closed" as const, "guardian-tripped" as const, "tripped" as const),
  breakerUntil: count,
  keeper: text,
  isKeeper: flag,
  planEpoch: amount,
  nextNonce: amount,
  groups: fc.array(fc.record({ name: text, relativeCap: amount }), { maxLength: 3 }),
  adapters: fc.array(adapter, { maxLength: 3 }),
});

describe("a snapshot as JSON", () => {
  it("comes back exactly, through text too", () => {
    fc.assert(
      fc.property(snapshot, (original) => {
        expect(snapshotFromJson(snapshotToJson(original))).to.deep.equal(original);
        const through = snapshotFromJson(JSON.parse(canonicalSnapshot(original)));
        expect(through).to.deep.equal(original);
        expect(canonicalSnapshot(through)).to.equal(canonicalSnapshot(original));
      }),
      { seed: 20_260_821, numRuns: 150 },
    );
  });

  const [sample] = fc.sample(snapshot, { seed: 7, numRuns: 1 });
  const refused = (change: Record<string, unknown>): InputFailure => {
    try {
      snapshotFromJson({ ...snapshotToJson(sample as VaultSnapshot), ...change });
    } catch (error) {
      expect(error).to.be.instanceOf(InputFailure);
      return error as InputFailure;
    }
    throw new Error("it was accepted");
  };

  it("has one way to write a number", () => {
    for (const idle of ["01", "-0", "+1", "1.0", "0x1", "", " 1", 1]) {
      const failure = refused({ idle });
      expect(failure.code, String(idle)).to.equal("SNAPSHOT_MALFORMED");
      expect(failure.field).to.equal("snapshot.idle");
    }
  });

  it("is refused with a field too many or too few, or a count that is none", () => {
    expect(refused({ extra: 1 }).code).to.equal("SNAPSHOT_MALFORMED");
    expect(refused({ vault: undefined }).field).to.equal("snapshot.vault");
    expect(refused({ blockNumber: -1 }).field).to.equal("snapshot.blockNumber");
    expect(refused({ breaker: "open" }).field).to.equal("snapshot.breaker");
  });
});
