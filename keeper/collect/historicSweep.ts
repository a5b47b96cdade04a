// What every source said at blocks of long ago: the sweep that is made at each new bucket, on a grid of the past. A block's rows
// depend on the chain alone, so that it does not matter who reads it, when, and with which others.
import { createHash } from "node:crypto";
import { concurrently } from "../chain/concurrently";
import type { Chain } from "../chain/connect";
import { blockAt, type Head } from "../chain/heads";
import { steadfast } from "../chain/steadfast";
import { InputFailure, WorldFailure } from "../config/failure";
import type { BackfillKey, HistoryStore, ReadingRow, SeriesPoint } from "../store/historyRecords";
import { blockFees } from "./baseFee";
import type { BlockRange } from "./blockRanges";
import { locate, type LocatingStep } from "./locate";
import { stopped } from "./patience";
import { canonicalBlock, ofOneChain } from "./rangeLogs";
import { LOGS_TOO_MANY, type CollectedRange, type RangeWork } from "./rangeSource";
import type { BlockMoment, ChainCollector, Reading } from "./reading";
import { historyRow, readingRow, sweep, type SweepFailure } from "./sweep";
import { gridText, openGrid, parsedGrid, type SweepGrid } from "./sweepGrid";
import { SWEEP, checksumOfSweeps, recordOf, storedSweeps } from "./sweepRecord";
import { judgeSeries } from "./sweptSeries";

/** Blocks read for one transaction: a second or two of a node's work, and far less than a lease. */
const MOST_BLOCKS = 64;
const SWEEPS_AT_ONCE = 4;

/** What a contract that is not there yet, or is another then, makes of our questions: so it is at that block for everybody. */
const ABSENT = new Set(["SOURCE_REVERTED", "SOURCE_GARBAGE"]);

export interface HistoricSweep {
  readonly key: BackfillKey;
  readonly grid: SweepGrid;
  readonly sources: readonly (LocatingStep | ChainCollector)[];
}

/** Sweeps of other sources are another backfill, whose blocks are all read again: what is stored of them stays. */
export function sweepKey(chainId: number, grid: SweepGrid, sources: HistoricSweep["sources"]): BackfillKey {
  const asked = sources.map((step) => [
    step.source,
    step.subject,
    ("locating" in step ? step.locating : step.calls()).map(({ to, data }) => `${to} ${data}`),
  ]);
  const digest = createHash("sha256").update(JSON.stringify(asked)).digest("hex").slice(0, DIGEST_DIGITS);
  return { chainId, source: SWEEP, subject: `${gridText(grid)}-${digest}` };
}

const DIGEST_DIGITS = 8;

/** @throws InputFailure `SWEEP_OF_OTHERS` where the key is not of these sources. */
export function sweepOf(chain: Chain, key: BackfillKey, sources: HistoricSweep["sources"]): RangeWork {
  const grid = parsedGrid(key.subject.split("-")[0] ?? "");
  if (grid !== null && sweepKey(key.chainId, grid, sources).subject === key.subject) {
    return historicSweep(chain, { key, grid, sources });
  }
  throw new InputFailure("SWEEP_OF_OTHERS", "this process collects other sources than the sweep was begun with", {
    field: "collect.targets",
    remedy: "Give all workers the same config and address file, or begin the sweep again.",
  });
}

/**
 * The sweeps as what a backfill is of. A source that does not answer at a block is noted as absent there.
 *
 * `collect` throws, besides what `readAtBlock` does: WorldFailure `STATE_PRUNED` where the node keeps the block and not its
 * state, `SOURCE_UNREAD` where it refuses calls.
 */
export function historicSweep(chain: Chain, { key, grid, sources }: HistoricSweep): RangeWork {
  const steady = steadfast(chain);
  const reader = new PastReader(steady, sources);
  return {
    key,
    async collect(from, to, signal) {
      const { value, toHash } = await ofOneChain(steady, to, async (last) => {
        const { most, blocks } = await openGrid(steady, grid, { from, last });
        if (most > MOST_BLOCKS && to > from) throw tooLong({ from, to });
        const [first, ...others] = await blocks();
        if (first === undefined) return [];
        const read = async (head: Head): Promise<SweptBlock> => {
          if (signal.aborted) throw stopped();
          return reader.read(head);
        };
        // The first one alone: what it locates the others need not.
        return [await read(first), ...(await concurrently(others, SWEEPS_AT_ONCE, read))];
      });
      return collected(value, key, toHash);
    },
    probe: async ({ from }) => void (await reader.read(await canonicalBlock(steady, from))),
    stored: (store, range) => storedSweeps(steady, store, { key, range }),
    finish: (store) => judgeSeries(store, key.chainId),
  };
}

interface SweptBlock {
  readonly at: BlockMoment;
  readonly readings: readonly Reading[];
  readonly failures: readonly SweepFailure[];
}

function collected(blocks: readonly SweptBlock[], key: BackfillKey, toHash: string): CollectedRange {
  const readings = blocks.flatMap((block) => rowsOf(block, key));
  const points = blocks.flatMap(({ at, readings: own }) => own.flatMap((reading) => pointOf(reading, at)));
  return {
    toHash,
    rows: readings.length,
    checksum: checksumOfSweeps(readings),
    add: (store: HistoryStore, chunk) => store.addSweeps({ key, chunk, readings, points }),
  };
}

/** As one knew it who followed the chain: with the block. */
const knownAt = ({ timestamp }: BlockMoment): number => timestamp;

/** The readings of a block, and a last row that says which there are and which there are not. */
function rowsOf({ at, readings, failures }: SweptBlock, key: BackfillKey): ReadingRow[] {
  return [...readings, recordOf(key, readings, failures)].map((reading) => readingRow(reading, at, knownAt(at)));
}

function pointOf(reading: Reading, at: BlockMoment): SeriesPoint[] {
  const row = historyRow(reading, at, knownAt(at));
  return row === null ? [] : [{ series: reading.subject, row }];
}

/** Reads any block, in any order. */
class PastReader {
  readonly #chain: Chain;
  readonly #sources: HistoricSweep["sources"];
  /** Collectors that held at a block read before, by subject. */
  readonly #located = new Map<string, ChainCollector>();

  constructor(chain: Chain, sources: HistoricSweep["sources"]) {
    this.#chain = chain;
    this.#sources = sources;
  }

  async read(head: Head): Promise<SweptBlock> {
    const [swept, fees] = await Promise.all([this.#sweep(head), blockFees.read(this.#chain, head)]);
    return { ...swept, readings: [...swept.readings, fees] };
  }

  async #sweep(head: Head): Promise<SweptBlock> {
    try {
      return await this.#sweepKnown(head);
    } catch (error) {
      if (!(error instanceof WorldFailure) || error.code !== "BLOCK_GONE") throw error;
      // Reorganised away, or not there yet: that passes. That its state was dropped does not.
      if ((await blockAt(this.#chain, head.number))?.hash !== head.hash) throw error;
      throw pruned(head, error);
    }
  }

  /** A collector that was located at another block says so where it does not hold here (`SOURCE_MOVED`). */
  async #sweepKnown(head: Head): Promise<SweptBlock> {
    const known = this.#sources.flatMap(({ subject }) => this.#located.get(subject) ?? []);
    const first = await sweep(this.#chain, head, known);
    const done = new Set(first.readings.map(({ subject }) => subject));
    const others = this.#sources.filter(({ subject }) => !done.has(subject));
    if (others.length === 0) return first;
    const located = await locate(this.#chain, head, others);
    const second = await sweep(this.#chain, head, located.collectors);
    for (const { subject } of second.readings) {
      const collector = located.collectors.find((each) => each.subject === subject);
      if (collector !== undefined) this.#located.set(subject, collector);
    }
    const failures = [...located.failures, ...second.failures];
    for (const { failure } of failures) if (!ABSENT.has(failure.code)) throw atBlock(failure, head);
    return { at: first.at, readings: [...first.readings, ...second.readings], failures };
  }
}

function tooLong({ from, to }: BlockRange): WorldFailure {
  return new WorldFailure(LOGS_TOO_MANY, `blocks ${from} to ${to} have more than ${MOST_BLOCKS} on the grid`, {
    remedy: "Nothing: fewer blocks are read at a time.",
  });
}

function pruned(head: Head, cause: unknown): WorldFailure {
  return new WorldFailure("STATE_PRUNED", `the node no longer has the state of block ${head.number}`, {
    field: "chain.rpcUrls",
    remedy: "Use an archive node, which keeps the state of every block, or begin the range later.",
    cause,
  });
}

function atBlock(failure: WorldFailure, head: Head): WorldFailure {
  const { code, message, field, remedy } = failure;
  return new WorldFailure(code, `at block ${head.number}: ${message}`, { field, remedy, cause: failure });
}
