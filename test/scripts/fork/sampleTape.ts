// A small tape that uses every part of the format, around the real header of mainnet's block 20,000,000.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { keccak256 } from "ethers";
import { entrySlot } from "../../../scripts/fork/freshEntries";
import type { Header } from "../../../scripts/fork/header";
import { EMPTY_CODE_HASH, type Tape } from "../../../scripts/fork/tape";
import header from "./mainnetHeader.json";

export const BLOCK = "0x1312d00";
export const HEADER = header as unknown as Header;

export const word = (value: bigint | number): string => `0x${value.toString(16).padStart(64, "0")}`;
export const address = (value: number): string => `0x${value.toString(16).padStart(40, "0")}`;

export const TOKEN = address(0x7001);
export const VYPER_TOKEN = address(0x7002);
export const PLAIN = address(0xe0a);
export const ABSENT = address(0xab5e);
export const CODE = "0x60005460005260206000f3";

export const RECORDED_SLOT = word(1);
export const PATCHED_SLOT = word(2);
export const LISTED_SLOT = word(0x100);
export const RANGE = [word(0x200), word(0x2ff)] as const;
export const BALANCES = 9;
export const ALLOWANCES = 10;

export function sampleTape(): Tape {
  return {
    format: "tiller-tape/1",
    chainId: 1,
    block: { ...HEADER },
    accounts: {
      [TOKEN]: { balance: "0x5", nonce: "0x1", codeHash: keccak256(CODE) },
      [VYPER_TOKEN]: { balance: "0x0", nonce: "0x1", codeHash: keccak256(CODE) },
      [PLAIN]: { balance: "0x64", nonce: "0x7", codeHash: EMPTY_CODE_HASH },
    },
    code: { [keccak256(CODE)]: CODE },
    storage: { [TOKEN]: { [RECORDED_SLOT]: word(41), [balanceSlot(PLAIN)]: word(1000) } },
    zeroReadable: [
      {
        address: TOKEN,
        why: "user entries",
        slots: [LISTED_SLOT],
        ranges: [[RANGE[0], RANGE[1]]],
        mappings: [
          { base: BALANCES, keys: 1 },
          { base: ALLOWANCES, keys: 2 },
        ],
      },
      {
        address: VYPER_TOKEN,
        mappings: [
          { base: BALANCES, keys: 1, order: "vyper" },
          { base: ALLOWANCES, keys: 2, order: "vyper" },
        ],
      },
    ],
    patches: [{ address: TOKEN, slot: PATCHED_SLOT, value: word(42), why: "constant: the answer" }],
    absent: [{ address: ABSENT, why: "a price oracle" }],
    from: { [TOKEN]: "block 20000000" },
    labels: { [TOKEN]: "token" },
  };
}

export function balanceSlot(holder: string): string {
  return entrySlot(holder, word(BALANCES));
}

export function allowanceSlot(owner: string, spender: string): string {
  return entrySlot(spender, entrySlot(owner, word(ALLOWANCES)));
}

/** A folder of the running test file, and how to put a tape there. Removed by `remove`. */
export class TapeFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), "tiller-tape-"));

  file(name: string): string {
    return path.join(this.path, name);
  }

  write(name: string, tape: unknown): string {
    writeFileSync(this.file(name), JSON.stringify(tape));
    return this.file(name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a test opened, closed whether it passed or not: a server left open would keep the process from ending. */
export class Opened {
  private readonly all: { close(): Promise<unknown> }[] = [];

  add<T extends { close(): Promise<unknown> }>(one: T): T {
    this.all.push(one);
    return one;
  }

  async close(): Promise<void> {
    for (const one of this.all.splice(0)) await one.close();
  }
}

export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** One JSON-RPC request over HTTP. */
export async function ask(url: string, method: string, params: readonly unknown[]): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return (await response.json()) as Answer;
}
