// What a keeper saw and decided, block by block, as its ticks left it in the store: first a run, which is one process, then
// what it remembered, then its ticks. Who plays it again is `recorded.ts`; as a file it is `recordingFile.ts`.
import { FEES_KEPT_SECONDS } from "../decide/gasTiming";
import type { SeenFee } from "../decide/memory";
import { memoryOf } from "../decide/record";
import type { ObservationRow, RecordedTick, Store } from "../store/records";

export interface RecordedRun {
  readonly kind: "run";
  readonly run: string;
  readonly dryRun: boolean;
  readonly chainId: number;
  readonly vault: string;
  /** As `memoryText` wrote it. */
  readonly memory: string;
}

/** What an earlier process saw, as far back as this one read: before its ticks, the oldest first. */
export interface RecordedMemory {
  readonly kind: "remembered";
  readonly row: ObservationRow;
}

/** Likewise of fees. */
export interface RecordedFee extends SeenFee {
  readonly kind: "fee";
}

export type RecordedLine =
  RecordedRun | RecordedMemory | RecordedFee | ({ readonly kind: "tick" } & Omit<RecordedTick, "id">);
export type Recording = AsyncIterable<RecordedLine>;

/** Ticks that are read at once; a snapshot has some kilobytes. */
const PAGE = 200;

/**
 * Every run of a vault with a tick in [from, to], each from its first tick on: what it remembers begins there.
 *
 * @throws InputFailure `RECORD_MALFORMED`; WorldFailure `STORE_…`.
 */
export async function* storedRecording(
  store: Pick<Store, "tickRuns" | "recordedTicks" | "observations" | "baseFees">,
  query: { readonly chainId: number; readonly vault: string; readonly from: number; readonly to: number },
): AsyncGenerator<RecordedLine> {
  const { chainId, vault } = query;
  for (const { run, dryRun, memory, from, firstBlockHash } of await store.tickRuns(query)) {
    const { reachSeconds } = memoryOf(memory);
    const rows = await store.observations({ chainId, from: from - reachSeconds, to: from, knownBy: from });
    yield { kind: "run", run, dryRun, chainId, vault, memory };
    for (const row of rows) {
      // Of its first block it had seen nothing yet.
      if (row.blockHash !== firstBlockHash) yield { kind: "remembered", row };
    }
    const known = { chainId, vault, to: from, knownBy: from };
    for (const { blockHash, observedAt, baseFee } of await store.baseFees({
      ...known,
      from: from - FEES_KEPT_SECONDS,
    })) {
      if (blockHash !== firstBlockHash) yield { kind: "fee", observedAt, baseFee };
    }
    for (let after: string | null = "0"; after !== null;) {
      const page: RecordedTick[] = await store.recordedTicks({ run, after, limit: PAGE });
      for (const { availableAt, snapshot, inputs, recordHash } of page) {
        yield { kind: "tick", availableAt, snapshot, inputs, recordHash };
      }
      after = page.length < PAGE ? null : (page.at(-1)?.id ?? null);
    }
  }
}
