// A snapshot as JSON and back, exactly: amounts are decimal strings, counts and times are numbers.
import canonicalize from "canonicalize";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import type { VaultSnapshot } from "./snapshot";

/** One way only to write a number, so that equal snapshots have equal texts. */
const amount = z
  .string()
  .regex(/^(0|-?[1-9]\d*)$/, "is not a decimal integer")
  .transform(BigInt);
const count = z.number().int().nonnegative();
const tick = z.number().int();
const text = z.string();
const flag = z.boolean();

const budget = z.strictObject({ limit: amount, windowSeconds: count, available: amount });

const state = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("aave-v3"),
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
  z.strictObject({
    kind: z.literal("compound-v3"),
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
  z.strictObject({
    kind: z.literal("erc4626"),
    totalAssets: amount,
    totalShares: amount,
    assetsPerShare: amount,
    vaultMaxWithdraw: amount,
  }),
  z.strictObject({
    kind: z.literal("sky-savings"),
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
  z.strictObject({
    kind: z.literal("curve-3pool"),
    virtualPrice: amount,
    receipts: amount,
    held: amount,
    balances: z.array(amount).length(3),
    scales: z.array(amount).length(3),
    amplification: amount,
    fee: amount,
    place: count.max(2),
    dollars: z.array(amount).length(3),
    slippage: amount,
    steady: flag,
  }),
  z.strictObject({
    kind: z.literal("uniswap-v3"),
    sqrtPrice: amount,
    meanTick: tick,
    meanTicks: z.array(tick),
    windowSeconds: count,
    liquidity: amount,
    held: amount,
    tickLower: tick,
    tickUpper: tick,
    halfWidth: count,
    feeGrowthAsset: amount,
    feeGrowthPaired: amount,
    cash: amount,
    pairedDecimals: count,
    feePips: count,
    assetFirst: flag,
    tickSpacing: count.min(1),
    oracleBound: count,
    assetDollars: amount,
    pairedDollars: amount,
    slippage: amount,
    steady: flag,
  }),
]);

const adapter = z.strictObject({
  id: text,
  adapter: text,
  venue: text,
  receipt: text,
  kind: z.enum(["aave-v3", "compound-v3", "erc4626", "sky-savings", "curve-3pool", "uniswap-v3"]),
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
  state: state.nullable(),
});

const snapshotSchema = z.strictObject({
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
  breaker: z.enum(["closed", "guardian-tripped", "tripped"]),
  breakerUntil: count,
  keeper: text,
  isKeeper: flag,
  planEpoch: amount,
  nextNonce: amount,
  groups: z.array(z.strictObject({ name: text, relativeCap: amount })),
  adapters: z.array(adapter),
});

/** JSON values of a snapshot, as `snapshotFromJson` takes them. */
export type SnapshotJson = z.input<typeof snapshotSchema>;

/** Plain JSON: every bigint a decimal string, everything else as it is. */
export function snapshotToJson(snapshot: VaultSnapshot): SnapshotJson {
  return withDecimalStrings(snapshot) as SnapshotJson;
}

/** @throws InputFailure `SNAPSHOT_MALFORMED` naming the first field that is not as `snapshotToJson` writes it. */
export function snapshotFromJson(json: unknown): VaultSnapshot {
  const parsed = snapshotSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputFailure("SNAPSHOT_MALFORMED", `${issue?.message ?? "it is not a snapshot"}`, {
    field: ["snapshot", ...(issue?.path ?? [])].map(String).join("."),
    remedy: "Read it with the version of Tiller that wrote it.",
  });
}

/** Canonical JSON (RFC 8785): equal snapshots have equal texts. */
export function canonicalSnapshot(snapshot: VaultSnapshot): string {
  const json = canonicalize(snapshotToJson(snapshot));
  if (json === undefined) throw new TypeError("a snapshot cannot be empty");
  return json;
}

function withDecimalStrings(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(withDecimalStrings);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withDecimalStrings(member)]));
}
