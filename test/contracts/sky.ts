// Sky's PSM and savings as models, in both forms, over any token as the gem, and an adapter for them.
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { ethers } from "hardhat";
import type { AddressLike } from "ethers";
import type {
  PlainToken,
  PotModel,
  SavingsDaiModel,
  SavingsUsdsModel,
  SkyPsmModel,
  SkyPsmWrapperModel,
  SkySavingsAdapter,
  SkyStableModel,
} from "../../typechain-types";
import { DAY } from "./deployment";

/** Growth a second, RAY, of 4.5 % a year. */
export const RATE = 1000000001395766281313196627n;
/** No growth at all. */
export const STILL = 10n ** 27n;
/** What the pocket holds at first, in whole units. */
export const POCKET = 5_000_000n;
/** What the PSM may mint beyond its gems, in whole units. */
export const BUFFER = 5_000_000n;

/** USDS through the wrapper into sUSDS, or DAI through the LitePSM into sDAI. */
export type Form = "usds" | "dai";

export interface Sky {
  readonly dai: SkyStableModel;
  readonly usds: SkyStableModel;
  readonly psm: SkyPsmModel;
  readonly wrapper: SkyPsmWrapperModel;
  readonly sUsds: SavingsUsdsModel;
  readonly pot: PotModel;
  readonly sDai: SavingsDaiModel;
  /** One whole gem. */
  readonly unit: bigint;
}

/** Half a year old, so that the indices are crooked. */
export async function deploySky(gem: PlainToken, psmName: "SkyPsmModel" | "StingyPsm" = "SkyPsmModel"): Promise<Sky> {
  const stable = await ethers.getContractFactory("SkyStableModel");
  const dai = await stable.deploy("Dai Model", "DAI");
  const usds = await stable.deploy("USDS Model", "USDS");
  const psm = (await (
    await ethers.getContractFactory(psmName)
  ).deploy(await gem.getAddress(), await dai.getAddress())) as unknown as SkyPsmModel;
  const wrapper = await (await ethers.getContractFactory("SkyPsmWrapperModel")).deploy(psm, usds);
  const sUsds = await (await ethers.getContractFactory("SavingsUsdsModel")).deploy(usds, RATE);
  const pot = await (await ethers.getContractFactory("PotModel")).deploy(RATE);
  const sDai = await (await ethers.getContractFactory("SavingsDaiModel")).deploy(dai, pot);
  for (const minter of [psm, wrapper, sDai]) await dai.rely(minter);
  for (const minter of [wrapper, sUsds]) await usds.rely(minter);
  const unit = 10n ** (await gem.decimals());
  await gem.mint(await psm.pocket(), POCKET * unit);
  await psm.file(ethers.encodeBytes32String("buf"), BUFFER * 10n ** 18n);
  await psm.fill();
  await time.increase(180n * DAY);
  return { dai, usds, psm, wrapper, sUsds, pot, sDai, unit };
}

/** The contracts of one form. */
export function partsOf(sky: Sky, form: Form) {
  return form === "usds"
    ? { stable: sky.usds, psm: sky.wrapper, savings: sky.sUsds }
    : { stable: sky.dai, psm: sky.psm, savings: sky.sDai };
}

export async function deploySkyAdapter(sky: Sky, form: Form, vault: AddressLike): Promise<SkySavingsAdapter> {
  const { psm, savings } = partsOf(sky, form);
  return (await ethers.getContractFactory("SkySavingsAdapter")).deploy(vault, psm, savings);
}

/** Governance: `what` is "tin", "tout" or "buf"; a fee is WAD. */
export async function file(sky: Sky, what: string, value: bigint): Promise<void> {
  await sky.psm.file(ethers.encodeBytes32String(what), value);
}

/** Governance: growth a second from now on, RAY, of both savings. */
export async function setRate(sky: Sky, perSecond: bigint): Promise<void> {
  await sky.sUsds.setSsr(perSecond);
  await sky.pot.setDsr(perSecond);
}
