// The file format `tiller-tape/1`: the part of one chain's state, at one block, that some run read. This file loads,
// checks and writes it; what an unrecorded read means is decided in `replayedState.ts`.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { keccak256 } from "ethers";
import { z } from "zod";
import { InputFailure } from "../../keeper/config/failure";
import { checkHeader, headerSchema, lowerAddress, quantity, word } from "./header";

export const TAPE_FORMAT = "tiller-tape/1";

/** keccak256 of no bytes: the code hash of an account without code. */
export const EMPTY_CODE_HASH = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";

/** Unpacked, the recorded states of mainnet are under 1 MB; this only bounds what a hostile file can cost. */
const MAX_JSON_BYTES = 512 * 1024 * 1024;

const zeroReadableSchema = z.strictObject({
  address: lowerAddress,
  why: z.string().optional(),
  /** Single slots that are truly zero. */
  slots: z.array(word).optional(),
  /** First and last slot, both included. */
  ranges: z.array(z.tuple([word, word])).optional(),
  /** Mappings keyed by addresses, whose entry for a fresh address is truly zero. */
  mappings: z
    .array(
      z.strictObject({
        base: z.number().int().nonnegative(),
        keys: z.union([z.literal(1), z.literal(2)]),
        /** Vyper hashes the base before the key. */
        order: z.enum(["solidity", "vyper"]).optional(),
      }),
    )
    .optional(),
});

export const tapeSchema = z.strictObject({
  format: z.literal(TAPE_FORMAT),
  chainId: z.number().int().positive(),
  block: headerSchema,
  accounts: z.record(lowerAddress, z.strictObject({ balance: quantity, nonce: quantity, codeHash: word })),
  code: z.record(
    word,
    z.string().regex(/^0x([0-9a-f]{2})+$/, "0x and an even, non-zero number of lower-case hex digits"),
  ),
  storage: z.record(lowerAddress, z.record(word, word)),
  zeroReadable: z.array(zeroReadableSchema),
  patches: z.array(z.strictObject({ address: lowerAddress, slot: word, value: word, why: z.string().min(1) })),
  absent: z.array(z.strictObject({ address: lowerAddress, why: z.string() })),
  /** Which block each account was read at. */
  from: z.record(lowerAddress, z.string()),
  labels: z.record(lowerAddress, z.string()),
  /**
   * What an address that is not in the tape is. `fresh` (the default): an account nobody ever used; made for tapes put
   * together by hand, which list what they lack in `absent`. `refuse`: unrecorded; what the recorder writes, because
   * it kept every account that the run read, the unused ones too.
   */
  unknownAccounts: z.enum(["fresh", "refuse"]).optional(),
});

export type Tape = z.infer<typeof tapeSchema>;
export type ZeroReadable = z.infer<typeof zeroReadableSchema>;

export interface LoadedTape {
  readonly tape: Tape;
  /** SHA-256 of the unpacked JSON, hex without 0x: names the tape in reports. */
  readonly sha256: string;
  /** False where the header has fields of another chain or a later upgrade, so that its hash could not be checked. */
  readonly headerVerified: boolean;
}

/**
 * Reads a tape, plain or gzipped, and checks it: the schema, every code against its keccak hash, the header against
 * the block hash, and that its parts do not contradict each other.
 * @throws InputFailure (exit code 2) naming the field at fault.
 */
export function loadTape(file: string): LoadedTape {
  const json = readJsonBytes(file);
  let value: unknown;
  try {
    value = JSON.parse(json.toString("utf8"));
  } catch (cause) {
    throw new InputFailure("TAPE_NOT_JSON", `${file} is not JSON`, {
      field: "FILE",
      remedy: `Give a file of format ${TAPE_FORMAT}, plain or gzipped.`,
      cause,
    });
  }
  const parsed = tapeSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw broken("TAPE_SCHEMA", issue?.path.join(".") || "FILE", issue?.message ?? "does not have the tape's shape");
  }
  const headerVerified = checkTape(parsed.data);
  return { tape: parsed.data, sha256: createHash("sha256").update(json).digest("hex"), headerVerified };
}

function readJsonBytes(file: string): Buffer {
  let raw: Buffer;
  try {
    raw = readFileSync(file);
  } catch (cause) {
    throw new InputFailure("TAPE_UNREADABLE", `${file} cannot be read`, {
      field: "FILE",
      remedy: "Give the path of a tape that exists and that you may read.",
      cause,
    });
  }
  const gzipped = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!gzipped) return raw;
  try {
    return gunzipSync(raw, { maxOutputLength: MAX_JSON_BYTES });
  } catch (cause) {
    throw new InputFailure("TAPE_UNREADABLE", `${file} is a broken gzip file`, {
      field: "FILE",
      remedy: "Fetch or record the tape again.",
      cause,
    });
  }
}

function broken(code: string, field: string, message: string): InputFailure {
  return new InputFailure(code, message, {
    field,
    remedy: "The tape was altered or put together wrongly: fetch or record it again.",
  });
}

/** @returns whether the header's hash could be, and was, verified. */
function checkTape(tape: Tape): boolean {
  for (const [hash, code] of Object.entries(tape.code)) {
    if (keccak256(code) !== hash) throw broken("TAPE_CODE_HASH", `code.${hash}`, "the keccak of this code is another");
  }
  for (const [address, account] of Object.entries(tape.accounts)) {
    if (account.codeHash !== EMPTY_CODE_HASH && !(account.codeHash in tape.code)) {
      throw broken("TAPE_CODE_MISSING", `accounts.${address}.codeHash`, "the tape holds no code of this hash");
    }
  }
  const header = checkHeader(tape.block);
  if (header === "mismatch") throw broken("TAPE_HEADER", "block.hash", "not the keccak of the header's RLP");

  const mustBeAccount = (field: string, address: string): void => {
    if (!(address in tape.accounts)) throw broken("TAPE_ACCOUNT_MISSING", field, `${address} is not in accounts`);
  };
  for (const address of Object.keys(tape.storage)) mustBeAccount(`storage.${address}`, address);
  for (const [i, { address }] of tape.zeroReadable.entries()) mustBeAccount(`zeroReadable.${i}.address`, address);
  for (const [i, { address }] of tape.absent.entries()) {
    if (address in tape.accounts) throw broken("TAPE_ABSENT", `absent.${i}.address`, `${address} is in accounts too`);
  }
  const patched = new Set<string>();
  for (const [i, patch] of tape.patches.entries()) {
    mustBeAccount(`patches.${i}.address`, patch.address);
    const key = `${patch.address} ${patch.slot}`;
    if (patched.has(key)) throw broken("TAPE_PATCH", `patches.${i}`, `patches ${key} a second time`);
    patched.add(key);
    if (tape.storage[patch.address]?.[patch.slot] !== undefined) {
      throw broken("TAPE_PATCH", `patches.${i}`, `covers the recorded value of ${key}`);
    }
  }
  return header === "verified";
}

/**
 * Writes a tape, gzipped if the name ends in `.gz`, all or nothing. The tape is checked first: what this writes,
 * {@link loadTape} reads. Keys are sorted, so that the same reads give the same bytes.
 */
export function writeTape(file: string, tape: Tape): void {
  checkTape(tapeSchema.parse(tape));
  const json = `${JSON.stringify(sortKeys(tape), null, 1)}\n`;
  writeAtomically(file, file.endsWith(".gz") ? gzipSync(json, { level: 9 }) : json);
}

/** Replaces `file` in one step: a reader sees the old content or the new, never half of it. */
export function writeAtomically(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.part`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new InputFailure("FILE_UNWRITABLE", `${file} cannot be written`, {
      field: "FILE",
      remedy: "Give a path in a folder that exists and that you may write to.",
      cause,
    });
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, entry]) => [key, sortKeys(entry)]),
  );
}
