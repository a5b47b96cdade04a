// What is kept of the sweeps of long ago beside the readings: at each block of the grid, which there are and which there are not.
// From that one number for a range, and where each source was absent.
import { createHash, type Hash } from "node:crypto";
import { z } from "zod";
import type { Chain } from "../chain/connect";
import type { BackfillKey, HistoryStore, ReadingRow } from "../store/historyRecords";
import type { BlockRange } from "./blockRanges";
import { canonicalBlock } from "./rangeLogs";
import type { Absence, StoredRange } from "./rangeSource";
import type { Reading } from "./reading";
import type { SweepFailure } from "./sweep";

/** The source of these records, and of a backfill of sweeps. */
export const SWEEP = "sweep";

/** Rows are read back so much at a time. */
const WINDOW_SECONDS = 86_400;

const named = z.tuple([z.string(), z.string()]);
const recordShape = z.object({ read: z.array(named), absent: z.array(z.tuple([z.string(), z.string(), z.string()])) });

/** The record of a block, as a reading. */
export function recordOf(
  of: BackfillKey,
  read: readonly { readonly source: string; readonly subject: string }[],
  failures: readonly SweepFailure[],
): Reading {
  const state = {
    read: [...read].sort(byName).map(({ source, subject }) => [source, subject]),
    absent: [...failures].sort(byName).map(({ source, subject, failure }) => [source, subject, failure.code]),
  };
  return { source: SWEEP, subject: of.subject, state, rates: null };
}

/** What the chain says, a line each by block, source and subject; not when we knew it. */
function addTo(hash: Hash, rows: readonly ReadingRow[]): void {
  const lines = [...rows].sort(inOrder).map(({ chainId, source, subject, block, blockHash, observedAt, state }) => {
    return `${JSON.stringify([chainId, source, subject, block, blockHash, observedAt, state])}\n`;
  });
  hash.update(lines.join(""));
}

function inOrder(a: ReadingRow, b: ReadingRow): number {
  return (a.block ?? 0) - (b.block ?? 0) || byName(a, b);
}

/** The same everywhere, whichever source was read first. */
function byName(a: { readonly source: string; readonly subject: string }, b: typeof a): number {
  const [one, other] = [`${a.source} ${a.subject}`, `${b.source} ${b.subject}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** SHA-256, hex: of whole blocks. */
export function checksumOfSweeps(rows: readonly ReadingRow[]): string {
  const hash = createHash("sha256");
  addTo(hash, rows);
  return hash.digest("hex");
}

/** Of what is stored of a range, read back a day at a time. */
export async function storedSweeps(
  chain: Chain,
  store: HistoryStore,
  { key, range }: { readonly key: BackfillKey; readonly range: BlockRange },
): Promise<StoredRange> {
  const [first, last] = [await canonicalBlock(chain, range.from), await canonicalBlock(chain, range.to)];
  const hash = createHash("sha256");
  const absences = new Map<string, Absence>();
  let rows = 0;
  for (let from = first.timestamp; from <= last.timestamp; from += WINDOW_SECONDS) {
    const span = { from, to: Math.min(from + WINDOW_SECONDS - 1, last.timestamp) };
    const found = await window(store, { key, range }, span);
    addTo(hash, found);
    rows += found.length;
    for (const { source, block, state } of found) if (source === SWEEP) note(absences, block ?? 0, state);
  }
  return { rows, checksum: hash.digest("hex"), absent: [...absences.values()] };
}

async function window(
  store: HistoryStore,
  { key, range }: { readonly key: BackfillKey; readonly range: BlockRange },
  span: { readonly from: number; readonly to: number },
): Promise<ReadingRow[]> {
  const { chainId, subject } = key;
  const within = ({ block }: ReadingRow): boolean => block !== null && block >= range.from && block <= range.to;
  const records = (await store.readings({ chainId, source: SWEEP, subject, ...span })).filter(within);
  const read = new Map<string, Set<string>>();
  for (const { state, blockHash } of records) {
    for (const [source, of] of recordShape.parse(JSON.parse(state)).read) {
      const name = JSON.stringify([source, of]);
      const blocks = read.get(name) ?? new Set();
      read.set(name, blocks.add(blockHash ?? ""));
    }
  }
  const found = [...records];
  for (const [name, blocks] of read) {
    const [source, of] = named.parse(JSON.parse(name));
    const rows = await store.readings({ chainId, source, subject: of, ...span });
    // Between them are those that the collector read at its own blocks.
    found.push(...rows.filter(({ blockHash }) => blocks.has(blockHash ?? "")));
  }
  return found;
}

function note(absences: Map<string, Absence>, block: number, state: string): void {
  for (const [source, subject, code] of recordShape.parse(JSON.parse(state)).absent) {
    const name = JSON.stringify([source, subject, code]);
    const known = absences.get(name);
    const { blocks, from, to } = known ?? { blocks: 0, from: block, to: block };
    absences.set(name, {
      ...{ source, subject, code, blocks: blocks + 1 },
      ...{ from: Math.min(from, block), to: Math.max(to, block) },
    });
  }
}
