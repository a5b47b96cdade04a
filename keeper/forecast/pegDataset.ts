// The matrices that models of pegs are trained on, beside those of rates: features of each pair of dollars of which states of a pool
// were imported. What comes of an hour is in later rows, so there are no targets.
import { createHash } from "node:crypto";
import path from "node:path";
import type { PoolFileStore, PoolSubject } from "../store/poolFileRecords";
import { importedDollars, importedState } from "./dollarPairs";
import type { Feature } from "./features";
import { NpyFile, type NpyFiles } from "./npyFile";
import { PEG_FEATURES, PEG_FEATURE_VERSION, PegColumns, pegFeaturesAt } from "./pegFeatures";

export interface PegsManifest {
  readonly featureVersion: number;
  /** SHA-256 over the values of every state that was read, in order. */
  readonly dataHash: string;
  readonly rows: number;
  /** In the order of the columns of peg-features.npy. */
  readonly features: readonly Feature[];
  /** In the order of the numbers in peg-pairs.npy; `begin` and `end` are rows of the matrices, end excluded. */
  readonly pairs: readonly {
    readonly chainId: number;
    readonly name: string;
    readonly states: number;
    readonly from: number;
    readonly to: number;
    readonly begin: number;
    readonly end: number;
  }[];
  readonly files: NpyFiles;
}

interface Span {
  /** Unix seconds; rows of the matrices are at whole hours from the first to the last, both included. */
  readonly from?: number;
  readonly to?: number;
  readonly signal?: AbortSignal;
}

const STEP = 3_600;

/**
 * Writes `peg-features.npy` (float64, NaN: cannot be known), `peg-times.npy` (int64, unix seconds) and `peg-pairs.npy` (int32) to a folder.
 *
 * @returns null, and nothing is written: none of the subjects is a pair of dollars with a state in the span.
 */
export async function writePegs(
  store: PoolFileStore,
  folder: string,
  { subjects, from, to, signal }: Span & { readonly subjects: readonly PoolSubject[] },
): Promise<PegsManifest | null> {
  const hash = createHash("sha256");
  const loaded: { subject: PoolSubject; columns: PegColumns; from: number; to: number }[] = [];
  for (const subject of [...subjects].sort((a, b) => a.chainId - b.chainId || (a.subject < b.subject ? -1 : 1))) {
    const decimals = importedDollars(subject);
    if (decimals === null) continue;
    const columns = new PegColumns(decimals);
    hash.update(`${subject.chainId} ${subject.subject}\n`);
    for await (const page of store.states(subject)) {
      signal?.throwIfAborted();
      const states = page.map(importedState).filter(({ availableAt }) => availableAt <= (to ?? Infinity));
      columns.add(states);
      for (const one of states) hash.update(`${one.availableAt},${one.observedAt},${one.tick},${one.liquidity}\n`);
    }
    const first = Math.ceil(Math.max(from ?? 0, columns.availableAt[0] ?? Infinity) / STEP) * STEP;
    const last = Math.floor(Math.min(to ?? Infinity, columns.availableAt.at(-1) ?? 0) / STEP) * STEP;
    if (first <= last) loaded.push({ subject, columns, from: first, to: last });
  }
  if (loaded.length === 0) return null;
  const files = {
    "peg-features.npy": new NpyFile(path.join(folder, "peg-features.npy"), "float64", PEG_FEATURES.length),
    "peg-times.npy": new NpyFile(path.join(folder, "peg-times.npy"), "int64", null),
    "peg-pairs.npy": new NpyFile(path.join(folder, "peg-pairs.npy"), "int32", null),
  };
  try {
    const pairs: PegsManifest["pairs"][number][] = [];
    let begin = 0;
    for (const [index, { subject, columns, ...span }] of loaded.entries()) {
      signal?.throwIfAborted();
      const count = (span.to - span.from) / STEP + 1;
      const hours = Array.from({ length: count }, (_, k) => span.from + k * STEP);
      files["peg-features.npy"].append(pegFeaturesAt(columns, hours));
      files["peg-times.npy"].append(BigInt64Array.from(hours, BigInt));
      files["peg-pairs.npy"].append(new Int32Array(count).fill(index));
      const { chainId, subject: name } = subject;
      pairs.push({ chainId, name, states: columns.length, ...span, begin, end: begin + count });
      begin += count;
    }
    return {
      featureVersion: PEG_FEATURE_VERSION,
      dataHash: hash.digest("hex"),
      rows: begin,
      features: PEG_FEATURES,
      pairs,
      files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.close()])),
    };
  } catch (error) {
    for (const file of Object.values(files)) file.abandon();
    throw error;
  }
}
