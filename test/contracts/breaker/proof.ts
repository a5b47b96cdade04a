// What the tests of all conditions do: register one, ask, arm, wait, trip, and do several things in one transaction.
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { BaseContract } from "ethers";
import type { ICondition } from "../../../typechain-types";
import type { System } from "../deployment";

export const MINUTE = 60n;
export const HALF_AN_HOUR = 30n * MINUTE;
export const TRIPPED = 2n;

/** The owner registers the condition at the system's vault. */
export async function register(system: System, condition: BaseContract): Promise<void> {
  await system.vault.connect(system.owner).setCondition(await condition.getAddress(), true);
}

export async function requireNotHolding(system: System, condition: ICondition): Promise<void> {
  const address = await condition.getAddress();
  expect(await condition.holds(system.vault)).to.equal(false);
  await expect(system.vault.arm.staticCall(address)).to.be.revertedWithCustomError(system.vault, "ConditionNotHolding");
}

/** A stranger arms, waits exactly half an hour, lets `before` happen, and trips in the next block. */
export async function armAndTrip(
  system: System,
  condition: BaseContract,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const vault = system.vault.connect(system.stranger);
  const address = await condition.getAddress();
  await vault.arm(address);
  await time.increase(HALF_AN_HOUR);
  await before();
  await vault.trip(address);
  expect((await vault.breaker())[0]).to.equal(TRIPPED);
}

/** Sends what `calls` send in one block, in their order. */
export async function inOneBlock(...calls: readonly (() => Promise<{ wait(): Promise<unknown> }>)[]): Promise<void> {
  await ethers.provider.send("evm_setAutomine", [false]);
  try {
    const sent = [];
    for (const call of calls) sent.push(await call());
    await mine();
    await Promise.all(sent.map((one) => one.wait()));
  } finally {
    await ethers.provider.send("evm_setAutomine", [true]);
  }
}

/** One step of an attacker's transaction. */
export async function call(target: BaseContract, method: string, args: readonly unknown[] = []) {
  return { target: await target.getAddress(), data: target.interface.encodeFunctionData(method, [...args]) };
}
