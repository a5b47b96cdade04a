// Several transactions in one block, in the order given: what a builder, a flash loan or an EIP-7702 account can do.
import { mine } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionReceipt, ContractTransactionResponse } from "ethers";
import { ethers } from "hardhat";

/** Enough for every call of the vault; estimates would be made on the state before the block. */
export const GAS = { gasLimit: 4_000_000n } as const;

/** @returns receipts in the order given; a transaction that reverted has status 0. */
export async function inOneBlock(
  transactions: readonly (() => Promise<ContractTransactionResponse>)[],
): Promise<ContractTransactionReceipt[]> {
  await ethers.provider.send("evm_setAutomine", [false]);
  const hashes: string[] = [];
  try {
    for (const send of transactions) hashes.push((await send()).hash);
    await mine(1);
  } finally {
    await ethers.provider.send("evm_setAutomine", [true]);
  }
  const receipts = await Promise.all(hashes.map((hash) => ethers.provider.getTransactionReceipt(hash)));
  const blocks = new Set(receipts.map((receipt) => receipt?.blockNumber));
  if (blocks.size !== 1 || receipts.some((receipt) => receipt === null)) throw new Error("not one block");
  return receipts as ContractTransactionReceipt[];
}

/** The element at `index`, which the test knows to be there. */
export function nth<T>(list: readonly T[], index: number): T {
  const element = list[index];
  if (element === undefined) throw new Error(`no element ${index}`);
  return element;
}

/** Seeded pseudo-random numbers: an integer from 0 to `below` − 1. */
export function generator(seed: bigint): (below: bigint) => bigint {
  let state = seed;
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % (1n << 64n);
    return below === 0n ? 0n : (((state >> 11n) << 64n) + ((state * 2862933555777941757n) % (1n << 64n))) % below;
  };
}
