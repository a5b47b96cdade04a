// A refit of the model of rates: what is stored of a chain as a data set, the trainer on it, and what comes of that checked and
// registered as a challenger. Who is served it does not touch. One at a time, over all processes of a database.
import { mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { utcDay } from "../collect/utcDay";
import { Failure, InputFailure, WorldFailure } from "../config/failure";
import { writeDataset, type DatasetManifest } from "../forecast/dataset";
import { loadModel, type ServedModel } from "../forecast/onnxModel";
import type { RefitRow } from "../store/refitRecords";
import type { Store } from "../store/records";
import type { ModelRegistry } from "./modelRegistry";
import { checkTrainer, train } from "./trainer";

export interface RefitOptions {
  readonly store: Store;
  readonly registry: ModelRegistry;
  readonly chainId: number;
  readonly python: string;
  readonly mostMinutes: number;
  /** A refit that never served is deleted so long after. */
  readonly keepDays: number;
  /** Beside the folder of refits: what is written here is gone at the end. */
  readonly work: string;
  /** Raised with a {@link Failure}: it has failed; with anything else: it was told to stop. */
  readonly signal: AbortSignal;
  readonly progress?: (line: string) => void;
  /** Milliseconds. Default: `Date.now`. */
  readonly clock?: () => number;
}

export interface Refit {
  readonly model: string;
  readonly hash: string;
  readonly servedHorizonsHours: readonly number[];
  readonly dataHash: string;
  /** False: nothing was stored since the last one. */
  readonly isNew: boolean;
  /** Names of refits that were deleted. */
  readonly deleted: readonly string[];
}

const DAY_SECONDS = 86_400;
/** Failures and lost processes of one day after which the next try is a day later. */
const MOST_TRIES = 2;
/** Refits that tell when the next is due. */
export const REFITS_SEEN = 20;

/**
 * When the next refit is due, unix seconds; in the past: now. A refit that was told to stop counts for nothing, so that the next
 * process begins it anew; one that failed, or whose process was gone, is tried again once at once.
 *
 * @param newestFirst The last {@link REFITS_SEEN}.
 */
export function refitDueAt(newestFirst: readonly RefitRow[], everyDays: number): number {
  const done = newestFirst.find(({ outcome }) => outcome === "done");
  const since = done === undefined ? newestFirst : newestFirst.slice(0, newestFirst.indexOf(done));
  const tries = since.filter(({ outcome }) => outcome !== "stopped");
  const earlier = tries[MOST_TRIES - 1];
  return Math.max(
    done?.endedAt == null ? 0 : done.endedAt + everyDays * DAY_SECONDS,
    earlier === undefined ? 0 : earlier.begunAt + DAY_SECONDS,
  );
}

/**
 * @throws WorldFailure `REFIT_RUNNING` (another process is at it), `REFIT_LOST`, `REFIT_REFUSED`, `REFIT_TIMEOUT`, `REFIT_TRAINER`,
 * `REFIT_UNWRITABLE`, `DATASET_UNWRITABLE`, `STORE_…`; InputFailure `REFIT_PYTHON`, `DATASET_EMPTY`, `MODEL_…`; the reason of
 * `signal`.
 */
export async function refit(options: RefitOptions): Promise<Refit> {
  const { store, chainId, signal } = options;
  const lead = await store.tryRefit(chainId);
  if (lead === null) {
    throw new WorldFailure("REFIT_RUNNING", "another process refits already", { remedy: "Let it end." });
  }
  const lost = new AbortController();
  void lead.lost.then(() => lost.abort(lockLost()));
  try {
    const id = await store.refits.begin(chainId);
    try {
      const done = await carryOut({ ...options, signal: AbortSignal.any([signal, lost.signal]) });
      await store.refits.end(id, { outcome: "done", hash: done.hash });
      return done;
    } catch (error) {
      const reason = error instanceof Failure ? error.line() : error instanceof Error ? error.name : "unknown";
      const outcome = signal.aborted && !(signal.reason instanceof Failure) ? "stopped" : "failed";
      // Unsaid, it counts as abandoned by the next one.
      await store.refits.end(id, { outcome, reason }).catch(() => undefined);
      throw error;
    }
  } finally {
    await lead.release().catch(() => undefined);
  }
}

async function carryOut(options: RefitOptions): Promise<Refit> {
  const { registry, python, work, signal, clock = Date.now } = options;
  // Before anything is written: without Python there is no use in it.
  await checkTrainer(python, signal);
  try {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const { manifest, dataset } = await datasetOf(options);
    const name = nameOf(manifest);
    const known = await registry.refitted(name);
    const model = known ?? (await fitted(dataset, name, options));
    await registry.register();
    const deleted = await registry.deleteRefits(Math.floor(clock() / 1_000) - options.keepDays * DAY_SECONDS, name);
    const { card, hash } = model;
    const { servedHorizonsHours } = card;
    return { model: name, hash, servedHorizonsHours, dataHash: manifest.dataHash, isNew: known === null, deleted };
  } catch (error) {
    throw unwritable(error) ?? error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function datasetOf(options: RefitOptions): Promise<{ manifest: DatasetManifest; dataset: string }> {
  const { store, chainId, work, signal, progress } = options;
  const series = (await store.history.series()).filter((one) => one.chainId === chainId);
  if (series.length === 0) {
    throw new InputFailure("DATASET_EMPTY", `nothing of chain ${chainId} is stored`, {
      field: "--chain",
      remedy: "Import history with tiller data import, or let the keeper collect.",
    });
  }
  const dataset = path.join(work, "dataset");
  const manifest = await writeDataset(store.history, { out: dataset, series, signal });
  progress?.(`${manifest.rows} rows of ${manifest.series.length} series, data ${manifest.dataHash.slice(0, 16)}`);
  return { manifest, dataset };
}

/** By the data: the same data are the same model. */
function nameOf({ series, dataHash }: DatasetManifest): string {
  return `refit-${utcDay(Math.max(...series.map(({ to }) => to)))}-${dataHash.slice(0, 8)}`;
}

/** A model that our own runtime answers with as Python did, in its place. */
async function fitted(dataset: string, name: string, options: RefitOptions): Promise<ServedModel> {
  const { registry, work, python, mostMinutes, signal, progress } = options;
  const made = path.join(work, name);
  await train(dataset, made, { python, timeoutMs: mostMinutes * 60_000, signal, progress });
  const model = await loadModel(made);
  signal.throwIfAborted();
  const place = path.join(registry.refits, name);
  mkdirSync(registry.refits, { recursive: true });
  rmSync(place, { recursive: true, force: true });
  // Whole at once: a keeper that looks meanwhile sees no half of it.
  renameSync(made, place);
  return model;
}

function unwritable(error: unknown): WorldFailure | null {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof Failure || !["EACCES", "EROFS", "ENOSPC", "EPERM", "EXDEV"].includes(code ?? "")) return null;
  return new WorldFailure("REFIT_UNWRITABLE", `the data folder cannot be written (${code})`, {
    field: "dataDir",
    remedy: "Give it room, or to the user that the keeper runs as.",
    cause: error,
  });
}

function lockLost(): WorldFailure {
  return new WorldFailure("REFIT_LOST", "the connection that kept others from refitting was lost", {
    remedy: "The next refit tries again.",
  });
}
