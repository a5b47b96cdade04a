// A block header as JSON-RPC carries it, and the one check that makes it more than a claim: the hash of a header is
// the keccak of its RLP. Knows nothing of tapes or servers.
import { encodeRlp, keccak256, toBeArray } from "ethers";
import { z } from "zod";

/** A JSON-RPC quantity: hex without leading zeros. */
export const quantity = z.string().regex(/^0x(0|[1-9a-f][0-9a-f]*)$/, "a quantity is lower-case hex, no leading zeros");

/** 32 bytes, lower case. */
export const word = z.string().regex(/^0x[0-9a-f]{64}$/, "0x and 64 lower-case hex digits");

/** 20 bytes, lower case. */
export const lowerAddress = z.string().regex(/^0x[0-9a-f]{40}$/, "0x and 40 lower-case hex digits");

const bytes = z.string().regex(/^0x([0-9a-f]{2})*$/, "0x and an even number of lower-case hex digits");

/**
 * The header of one block. Hardhat's node does not start on a fork without the fields up to `size`, and cannot make
 * its first block without `baseFeePerGas`. Bodies are left empty: a fork reads state, not transactions.
 */
export const headerSchema = z.looseObject({
  hash: word,
  parentHash: word,
  sha3Uncles: word,
  miner: lowerAddress,
  stateRoot: word,
  transactionsRoot: word,
  receiptsRoot: word,
  logsBloom: z.string().regex(/^0x[0-9a-f]{512}$/, "0x and 512 lower-case hex digits"),
  difficulty: quantity,
  number: quantity,
  gasLimit: quantity,
  gasUsed: quantity,
  timestamp: quantity,
  extraData: bytes,
  mixHash: word,
  nonce: z.string().regex(/^0x[0-9a-f]{16}$/, "0x and 16 lower-case hex digits"),
  baseFeePerGas: quantity,
  size: quantity,
  withdrawalsRoot: word.optional(),
  blobGasUsed: quantity.optional(),
  excessBlobGas: quantity.optional(),
  parentBeaconBlockRoot: word.optional(),
  requestsHash: word.optional(),
  totalDifficulty: quantity.optional(),
  transactions: z.array(z.unknown()).length(0, "must be empty: a tape holds state, not transactions"),
  uncles: z.array(z.unknown()).length(0, "must be empty").optional(),
  withdrawals: z.array(z.unknown()).length(0, "must be empty").optional(),
});

export type Header = z.infer<typeof headerSchema>;

type HashedField = [name: keyof Header & string, kind: "bytes" | "quantity"];

// The order of the RLP list: Yellow Paper, then EIP-1559, 4895, 4844 (two), 4788, 7685.
const HASHED_FIELDS: readonly HashedField[] = [
  ["parentHash", "bytes"],
  ["sha3Uncles", "bytes"],
  ["miner", "bytes"],
  ["stateRoot", "bytes"],
  ["transactionsRoot", "bytes"],
  ["receiptsRoot", "bytes"],
  ["logsBloom", "bytes"],
  ["difficulty", "quantity"],
  ["number", "quantity"],
  ["gasLimit", "quantity"],
  ["gasUsed", "quantity"],
  ["timestamp", "quantity"],
  ["extraData", "bytes"],
  ["mixHash", "bytes"],
  ["nonce", "bytes"],
  ["baseFeePerGas", "quantity"],
  ["withdrawalsRoot", "bytes"],
  ["blobGasUsed", "quantity"],
  ["excessBlobGas", "quantity"],
  ["parentBeaconBlockRoot", "bytes"],
  ["requestsHash", "bytes"],
];

const NOT_HASHED = new Set(["hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals"]);
const HASHED = new Set<string>(HASHED_FIELDS.map(([name]) => name));

/** keccak256 of the header's RLP, over the fields up to EIP-7685 that are present. */
export function headerHash(header: Header): string {
  const fields = HASHED_FIELDS.flatMap(([name, kind]) => {
    const value = header[name];
    if (typeof value !== "string") return [];
    return [kind === "quantity" ? toBeArray(BigInt(value)) : value];
  });
  return keccak256(encodeRlp(fields));
}

/**
 * Whether the header can be held to its hash.
 * - `verified`: keccak of the RLP is the hash.
 * - `unknown-fields`: it does not match, and the header has fields that this file does not know how to hash (another
 *   chain's, or a later upgrade's): nothing can be said.
 * - `mismatch`: it does not match, and nothing excuses it.
 */
export function checkHeader(header: Header): "verified" | "unknown-fields" | "mismatch" {
  if (headerHash(header) === header.hash) return "verified";
  const unknown = Object.keys(header).some((name) => !HASHED.has(name) && !NOT_HASHED.has(name));
  return unknown ? "unknown-fields" : "mismatch";
}
