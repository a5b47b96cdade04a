// What an attack did: how much less is there for who did not attack, and how much more the attackers have.
import { expect } from "chai";
import type { AddressLike } from "ethers";
import { ethers } from "hardhat";
import type { ERC4626Adapter, HostileAdapter } from "../../typechain-types";
import type { System } from "./deployment";

/** Where the hostile venue and adapter send what they keep: the attacker's pocket. */
export const POCKETS = ["0x0000000000000000000000000000000000000fee", "0x0000000000000000000000000000000000000bad"];

export interface Outcome {
  readonly attack: string;
  /** What those who did not attack have less, in basis points of total assets before. */
  readonly lossBps: number;
  readonly boundBps: number;
  /** What says so: "loss of one plan", "half of the loss budget", … */
  readonly bound: string;
  /** In the asset's unit, cost of the attack taken off. */
  readonly gain: bigint;
}

export interface Study {
  /**
   * Asserts and returns what came of it. Shares that attackers still hold count as theirs.
   * @param income what came in meanwhile from outside, and would be the others' but for the attack.
   */
  close(boundBps: number, bound: string, income?: bigint): Promise<Outcome>;
}

type AnyAdapter = ERC4626Adapter | HostileAdapter;

/** Basis points with two decimals, rounded up, so that a loss is never made small. */
export const bpsOf = (part: bigint, whole: bigint): number => Number((part * 1_000_000n + whole - 1n) / whole) / 100;

/**
 * @param attackers accounts besides {@link POCKETS} that are in it together.
 * @param more adapters beyond the system's own.
 */
export async function study(
  attack: string,
  system: System,
  { attackers, more = [] }: { attackers: readonly AddressLike[]; more?: readonly AnyAdapter[] },
): Promise<Study> {
  const { vault, token, venues } = system;

  /** What is there, gains that still drip and positions that do not count included, claims taken off. */
  async function there(): Promise<bigint> {
    let sum = await vault.idle();
    const known = await vault.adapters();
    for (const adapter of [...system.adapters, ...more]) {
      if (!known.includes(await adapter.getAddress())) continue;
      const record = await vault.adapter(adapter);
      const value = await positionOf(adapter);
      sum += record.totalUnits === 0n ? value : (value * (record.totalUnits - record.claimUnits)) / record.totalUnits;
    }
    return sum;
  }

  /** Also of a venue whose valuation fails just now. */
  async function positionOf(adapter: AnyAdapter): Promise<bigint> {
    const receipt = await adapter.receipt();
    if (receipt === (await token.getAddress())) return token.balanceOf(adapter);
    const venue = await ethers.getContractAt("PlainVenue", receipt);
    return venue.convertToAssets(await venue.balanceOf(adapter));
  }

  /** Money, receipts and claims at the venue's price, shares at the part of what is there. */
  async function theirs(): Promise<bigint> {
    const claims = await ethers.getContractAt("Claims", await vault.claims());
    const shares = await vault.totalSupply();
    const all = await there();
    let sum = 0n;
    for (const account of [...attackers, ...POCKETS]) {
      sum += await token.balanceOf(account);
      for (const venue of venues) sum += await venue.convertToAssets(await venue.balanceOf(account));
      for (const adapter of await vault.adapters()) {
        const units = await claims.balanceOf(account, BigInt(adapter));
        if (units === 0n) continue;
        const venue = await ethers.getContractAt("ERC4626Adapter", adapter);
        sum += ((await positionOf(venue)) * units) / (await vault.adapter(adapter)).totalUnits;
      }
      sum += (all * (await vault.balanceOf(account))) / shares;
    }
    return sum;
  }

  /** What is there for everybody else. */
  async function others(): Promise<bigint> {
    const shares = await vault.totalSupply();
    let attacking = 0n;
    for (const account of attackers) attacking += await vault.balanceOf(account);
    return ((await there()) * (shares - attacking)) / shares;
  }

  return studyOf(attack, { others, theirs });
}

/** Who has what, in the asset's unit. */
export interface Books {
  /** Everybody who does not attack. */
  others(): Promise<bigint>;
  /** The attackers and their friends. */
  theirs(): Promise<bigint>;
}

/** @param slack units that roundings may make of nothing. */
export async function studyOf(attack: string, { others, theirs }: Books, slack = 10n): Promise<Study> {
  const before = await others();
  const held = await theirs();
  return {
    async close(boundBps, bound, income = 0n) {
      const after = await others();
      const loss = before + income > after ? before + income - after : 0n;
      const gain = (await theirs()) - held;
      const outcome = { attack, lossBps: bpsOf(loss, before), boundBps, bound, gain };
      expect(outcome.lossBps, `${attack}: loss`).to.be.at.most(boundBps);
      // Nobody gains what nobody lost. The venues' burned shares bear their part: less than a hundredth of a percent.
      expect(gain, `${attack}: gain`).to.be.at.most(loss + loss / 10_000n + slack);
      return outcome;
    },
  };
}

/** One line a study, as Markdown. */
export function tableOf(outcomes: readonly Outcome[], unit: bigint): string {
  const rows = outcomes.map(({ attack, lossBps, boundBps, bound, gain }) => {
    const whole = `${gain < 0n ? "−" : ""}${(gain < 0n ? -gain : gain) / unit}`;
    const fraction = ((gain < 0n ? -gain : gain) % unit).toString().padStart(unit.toString().length - 1, "0");
    return `| ${attack} | ${lossBps.toFixed(2)} | ${boundBps.toFixed(2)} (${bound}) | ${whole}.${fraction} |`;
  });
  return [
    "| Attack | Depositors' loss, bps of total assets | Bound, bps | Attacker's gain, assets |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
}
