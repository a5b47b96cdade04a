// Every parameter of a live vault, in words, beside what the network file of this checkout would set.
import { decodeBytes32String, formatUnits, type Provider } from "ethers";
import { Vault__factory } from "../typechain-types";
import type { AddressFile } from "../keeper/config/addressFile";
import { readTimelock } from "./members";
import { LOCAL_LIMITS } from "./networks/local";
import { MAINNET } from "./networks/mainnet";
import type { NetworkParameters } from "./networks/network";

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
  readonly venues: readonly Omit<NetworkParameters["venues"][number], "venue">[];
};

export async function readParameters(provider: Provider, file: AddressFile): Promise<readonly Parameter[]> {
  const vault = Vault__factory.connect(file.vault, provider);
  const declared: Declared = file.chainId === LOCAL_LIMITS.chainId ? LOCAL_LIMITS : MAINNET;
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
  for (const { id, adapter } of file.adapters) {
    const record = await vault.adapter(adapter);
    const wanted = declared.venues.find((venue) => venue.id === id);
    money(`${id}: absolute cap`, record.absoluteCap, wanted?.absoluteCap ?? null);
    ratio(`${id}: relative cap`, record.relativeCap, wanted?.relativeCap ?? null);
    const members = groups
      .filter((_, index) => (record.groupMask >> BigInt(index)) & 1n)
      .map(({ name }) => nameOf(name));
    add(`${id}: groups`, members.join(" "), members.join(", ") || "none", wanted?.groups.join(" ") ?? null);
    add(`${id}: pays exact amounts`, String(record.exact), record.exact ? "yes" : "no", null);
    add(`${id}: quarantined`, String(record.quarantined), record.quarantined ? "yes" : "no", null);
  }
  const [state, until] = await vault.breaker();
  const states = ["closed", "tripped by the guardian", "tripped by proof"];
  add("breaker", state, `${states[Number(state)] ?? "unknown"}${until > 0n ? ` until ${iso(until)}` : ""}`, null);
  add("plan epoch", await vault.planEpoch(), String(await vault.planEpoch()), null);
  return found;
}

function percentOf(wad: bigint): string {
  return `${formatUnits(wad, 16).replace(/\.0$/, "")} %`;
}

function iso(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString();
}
