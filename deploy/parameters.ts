// Every parameter of a live vault, in words, beside what the network file of this checkout would set.
import { decodeBytes32String, formatUnits, type Provider } from "ethers";
import {
  Curve3PoolAdapter__factory,
  OracleTrouble__factory,
  RewardAuction__factory,
  SharePriceFall__factory,
  SkySavingsAdapter__factory,
  UniswapV3Adapter__factory,
  Vault__factory,
  VenueIlliquid__factory,
} from "../typechain-types";
import type { AddressFile } from "../keeper/config/addressFile";
import { readTimelock } from "./members";
import { isExact } from "./modules/adapters";
import { conditionsOn } from "./networks/limits";
import { LOCAL_LIMITS } from "./networks/local";
import { MAINNET } from "./networks/mainnet";
import type {
  AuctionParameters,
  ConditionParameters,
  NetworkParameters,
  RewardParameters,
  VenueKind,
  VenueLimits,
  VenuePlace,
} from "./networks/network";
import { threePoolTermsOf, uniswapTermsOf } from "./poolTerms";

export interface Parameter {
  readonly name: string;
  /** As the chain has it, exactly. */
  readonly value: string;
  /** For people. */
  readonly shown: string;
  /** What the network file says now; null where it says nothing. A difference is no fault: the timelock may have acted. */
  readonly declared: string | null;
}

type Declared = Pick<NetworkParameters, "limits" | "groups" | "timelockDelaySeconds"> & {
  readonly venues: readonly DeclaredVenue[];
  readonly conditions: NetworkParameters["conditions"];
  readonly auction: DeclaredAuction | null;
};

/** A venue of a network file, with or without the addresses: those of the local chain are in none. */
type DeclaredVenue = VenueLimits & PartOf<VenuePlace>;
type DeclaredAuction = Partial<Omit<AuctionParameters, "rewards">> & {
  readonly rewards: readonly (Partial<RewardParameters> & Pick<RewardParameters, "symbol" | "floor">)[];
};
type PartOf<Place> = Place extends { readonly kind: infer Kind } ? Partial<Place> & { readonly kind: Kind } : never;

/** What the network file of this checkout says of the deployment's chain. */
export function declaredFor(file: Pick<AddressFile, "chainId">): Declared {
  // Where the local chain has its feed no network file says.
  return file.chainId === LOCAL_LIMITS.chainId ? { ...LOCAL_LIMITS, conditions: conditionsOn("") } : MAINNET;
}

export async function readParameters(provider: Provider, file: AddressFile): Promise<readonly Parameter[]> {
  const vault = Vault__factory.connect(file.vault, provider);
  const declared = declaredFor(file);
  const { limits } = declared;
  const { decimals, symbol } = file.asset;
  const found: Parameter[] = [];
  const add = (name: string, value: bigint | string, shown: string, wanted: bigint | string | null): void => {
    found.push({ name, value: value.toString(), shown, declared: wanted === null ? null : wanted.toString() });
  };
  const ratio = (name: string, value: bigint, wanted: bigint | null): void =>
    add(name, value, percentOf(value), wanted);
  const money = (name: string, value: bigint, wanted: bigint | null): void =>
    add(name, value, `${formatUnits(value, decimals)} ${symbol}`, wanted);

  const { delaySeconds } = await readTimelock(provider, file.timelock);
  add("timelock delay", BigInt(delaySeconds), `${delaySeconds / 3600} h`, BigInt(declared.timelockDelaySeconds));
  ratio("management fee a year", await vault.managementFee(), limits.managementFee);
  ratio("performance fee", await vault.performanceFee(), limits.performanceFee);
  const feeRecipient = await vault.feeRecipient();
  add("fee recipient", feeRecipient, feeRecipient, limits.feeRecipient);
  ratio("max rate a year", await vault.maxRate(), limits.maxRate);
  money("deposit cap", await vault.depositCap(), limits.depositCap);
  ratio("minimum idle", await vault.minimumIdle(), limits.minimumIdle);
  ratio("loss per call", await vault.lossPerCall(), limits.lossPerCall);
  for (const [name, [limit, window], wanted] of [
    ["loss budget", await vault.lossBudget(), limits.lossBudget],
    ["turnover budget", await vault.turnoverBudget(), limits.turnoverBudget],
    ["emergency budget", await vault.emergencyBudget(), limits.emergencyBudget],
  ] as const) {
    ratio(name, limit, wanted.limit);
    add(`${name}: window`, window, `${Number(window) / 3600} h`, BigInt(wanted.windowSeconds));
  }
  const groups = await vault.groups();
  const nameOf = (bytes32: string): string => decodeBytes32String(bytes32);
  for (const { name, relativeCap } of groups) {
    const wanted = declared.groups.find((group) => group.name === nameOf(name));
    ratio(`group ${nameOf(name)}: cap`, relativeCap, wanted?.relativeCap ?? null);
  }
  for (const { id, kind, adapter } of file.adapters) {
    const record = await vault.adapter(adapter);
    const wanted = declared.venues.find((venue) => venue.id === id);
    money(`${id}: absolute cap`, record.absoluteCap, wanted?.absoluteCap ?? null);
    ratio(`${id}: relative cap`, record.relativeCap, wanted?.relativeCap ?? null);
    const members = groups
      .filter((_, index) => (record.groupMask >> BigInt(index)) & 1n)
      .map(({ name }) => nameOf(name));
    add(`${id}: groups`, members.join(" "), members.join(", ") || "none", wanted?.groups.join(" ") ?? null);
    add(`${id}: pays exact amounts`, String(record.exact), record.exact ? "yes" : "no", String(isExact(kind)));
    for (const { name, value, shown, declared: wish } of await readAdapter(provider, { kind, adapter }, wanted)) {
      add(`${id}: ${name}`, value, shown, wish);
    }
    add(`${id}: quarantined`, String(record.quarantined), record.quarantined ? "yes" : "no", null);
  }
  if (file.auction !== undefined) found.push(...(await readAuction(provider, file, file.auction, declared.auction)));
  for (const { id, kind, condition } of file.conditions ?? []) {
    const wanted = declared.conditions.find((known) => known.id === id && known.kind === kind);
    for (const { name, value, shown, declared: wish } of await readCondition(provider, { kind, condition }, wanted)) {
      add(`${id}: ${name}`, value, shown, wish);
    }
    const [, armedAt] = await vault.condition(condition);
    add(`${id}: armed`, armedAt, armedAt === 0n ? "no" : `since ${iso(armedAt)}`, null);
  }
  const [state, until] = await vault.breaker();
  const states = ["closed", "tripped by the guardian", "tripped by proof"];
  add("breaker", state, `${states[Number(state)] ?? "unknown"}${until > 0n ? ` until ${iso(until)}` : ""}`, null);
  add("plan epoch", await vault.planEpoch(), String(await vault.planEpoch()), null);
  return found;
}

/** The immutables of an adapter, but for vault, asset and venue, which are checked. */
async function readAdapter(
  provider: Provider,
  { kind, adapter }: { readonly kind: VenueKind; readonly adapter: string },
  wanted: DeclaredVenue | undefined,
): Promise<readonly Parameter[]> {
  switch (kind) {
    case "aave-v3":
    case "compound-v3":
    case "erc4626":
      return [];
    case "sky-savings": {
      const psm = await SkySavingsAdapter__factory.connect(adapter, provider).psm();
      return [one("PSM", psm, psm, wanted?.kind === kind ? wanted.psm : undefined)];
    }
    case "curve-3pool": {
      const pool = Curve3PoolAdapter__factory.connect(adapter, provider);
      const terms = await threePoolTermsOf(provider, adapter);
      const [receipt, index] = await Promise.all([pool.receipt(), pool.index()]);
      const feeds = await Promise.all([pool.feed(0), pool.feed(1), pool.feed(2)]);
      const wish = wanted?.kind === kind ? wanted : undefined;
      return [
        one("receipts", receipt, receipt, wish?.receipt),
        one("place of the asset", index, String(index)),
        one("slippage", terms.slippage, percentOf(terms.slippage), wish?.slippage),
        one("steadiness", terms.steadiness, percentOf(terms.steadiness), wish?.steadiness),
        ...feedParameters(["0", "1", "2"], { feeds, heartbeats: terms.heartbeatSeconds }, wish),
      ];
    }
    case "uniswap-v3": {
      const pool = UniswapV3Adapter__factory.connect(adapter, provider);
      const { slippage, ...terms } = await uniswapTermsOf(provider, adapter);
      const [paired, ...feeds] = await Promise.all([pool.receipt(), pool.assetFeed(), pool.pairedFeed()]);
      const wish = wanted?.kind === kind ? wanted : undefined;
      const ticks = (name: string, value: number, asked?: number): Parameter =>
        one(name, BigInt(value), `${value} ticks`, asked);
      return [
        one("paired coin", paired, paired, wish?.paired),
        one("slippage", slippage, percentOf(slippage), wish?.slippage),
        ticks("half width", terms.halfWidth, wish?.halfWidth),
        one("window", BigInt(terms.windowSeconds), `${terms.windowSeconds / 60} min`, wish?.windowSeconds),
        ticks("spot bound", terms.spotBound, wish?.spotBound),
        ticks("oracle bound", terms.oracleBound, wish?.oracleBound),
        ...feedParameters(["asset", "paired coin"], { feeds, heartbeats: terms.heartbeatSeconds }, wish),
      ];
    }
  }
}

/** How the auction sells each reward. */
async function readAuction(
  provider: Provider,
  { asset }: Pick<AddressFile, "asset">,
  { auction, rewards }: NonNullable<AddressFile["auction"]>,
  wanted: DeclaredAuction | null,
): Promise<readonly Parameter[]> {
  const contract = RewardAuction__factory.connect(auction, provider);
  const [feed, heartbeat] = await contract.assetFeed();
  const hours = (seconds: bigint): string => `${Number(seconds) / 3600} h`;
  const found = [
    one(`auction: feed of ${asset.symbol}`, feed, feed, wanted?.feed),
    one(`auction: heartbeat of ${asset.symbol}`, heartbeat, hours(heartbeat), wanted?.heartbeatSeconds),
  ];
  for (const { symbol, token } of rewards) {
    const terms = await contract.termsOf(token);
    const wish = wanted?.rewards.find((known) => known.symbol === symbol);
    const least = `${formatUnits(terms.minimumLot, asset.decimals)} ${asset.symbol}`;
    found.push(
      one(`${symbol}: sold from`, terms.premium, percentOf(terms.premium), wish?.premium),
      one(`${symbol}: sold down to`, terms.floor, percentOf(terms.floor), wish?.floor),
      one(`${symbol}: falls over`, terms.duration, hours(terms.duration), wish?.durationSeconds),
      one(`${symbol}: least lot`, terms.minimumLot, least, wish?.minimumLot),
      one(`${symbol}: feed`, terms.feed, terms.feed, wish?.feed),
      one(`${symbol}: heartbeat`, terms.heartbeat, hours(terms.heartbeat), wish?.heartbeatSeconds),
    );
  }
  return found;
}

function feedParameters(
  names: readonly string[],
  found: { readonly feeds: readonly string[]; readonly heartbeats: readonly number[] },
  wish: { readonly feeds?: readonly string[]; readonly heartbeatSeconds?: readonly number[] } | undefined,
): readonly Parameter[] {
  return names.flatMap((name, index) => {
    const [feed = "", heartbeat = 0] = [found.feeds[index], found.heartbeats[index]];
    return [
      one(`feed of ${name}`, feed, feed, wish?.feeds?.[index]),
      one(`heartbeat of ${name}`, BigInt(heartbeat), `${heartbeat / 3600} h`, wish?.heartbeatSeconds?.[index]),
    ];
  });
}

/** @param wish What the network file says; nothing or empty where it says nothing. */
function one(name: string, value: bigint | string, shown: string, wish?: bigint | number | string): Parameter {
  return {
    ...{ name, value: value.toString(), shown },
    declared: wish === undefined || wish === "" ? null : wish.toString(),
  };
}

/** The immutables of a condition. */
async function readCondition(
  provider: Provider,
  { kind, condition }: Pick<NonNullable<AddressFile["conditions"]>[number], "kind" | "condition">,
  wanted: ConditionParameters | undefined,
): Promise<readonly Parameter[]> {
  switch (kind) {
    case "share-price-fall": {
      const bound = await SharePriceFall__factory.connect(condition, provider).bound();
      return [one("fall", bound, percentOf(bound), wanted?.kind === kind ? wanted.bound : undefined)];
    }
    case "oracle-trouble": {
      const contract = OracleTrouble__factory.connect(condition, provider);
      const feed = await contract.feed();
      const [heartbeat, lower, upper] = [await contract.heartbeat(), await contract.lower(), await contract.upper()];
      const wish = wanted?.kind === kind ? wanted : undefined;
      return [
        one("feed", feed, feed, wish?.feed),
        one("heartbeat", heartbeat, `${Number(heartbeat) / 3600} h`, wish?.heartbeatSeconds),
        one("lower bound", lower, String(lower), wish?.lower),
        one("upper bound", upper, String(upper), wish?.upper),
      ];
    }
    case "aave-v3-illiquid":
    case "compound-v3-illiquid": {
      const contract = VenueIlliquid__factory.connect(condition, provider);
      const [rate, share] = [await contract.leastRate(), await contract.share()];
      const wish = wanted?.kind === kind ? wanted : undefined;
      return [
        one("least rate a year", rate, percentOf(rate), wish?.leastRate),
        one("share of the position", share, percentOf(share), wish?.share),
      ];
    }
    case "venue-reverting":
      return [];
  }
}

function percentOf(wad: bigint): string {
  return `${formatUnits(wad, 16).replace(/\.0$/, "")} %`;
}

function iso(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString();
}
