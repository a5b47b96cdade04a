// The chain's state file. Anvil writes it in place once a second, so a kill in the middle of a write leaves half a
// file. A copy of the last whole one is kept beside it; going back to it costs a second of blocks, as a reorg would.
import {
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  closeSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { WorldFailure } from "../../keeper/config/failure";

const STATE_FILE = "anvil-state.json";
const BACKUP_FILE = "anvil-state.backup.json";
const BACKUP_EVERY_MS = 1000;

/** The last field that anvil 1.7 writes; without it the file is cut off. */
const LAST_FIELD = '"historical_states":';

export function stateFileIn(folder: string): string {
  return path.join(folder, STATE_FILE);
}

/**
 * Makes sure that the state file is absent (a new chain) or whole, falling back to the copy.
 * @returns true if there is a saved chain to go on with.
 * @throws WorldFailure LOCALNET_STATE_CORRUPT if neither the file nor the copy can be read.
 */
export function prepareStateFile(folder: string): boolean {
  const file = stateFileIn(folder);
  const backup = path.join(folder, BACKUP_FILE);
  if (!existsSync(file)) {
    rmSync(backup, { force: true });
    return false;
  }
  if (parses(file)) return true;
  if (existsSync(backup) && parses(backup)) {
    copyFileSync(backup, file);
    return true;
  }
  throw new WorldFailure("LOCALNET_STATE_CORRUPT", `the saved state of the local chain cannot be read: ${file}`, {
    field: "dataDir",
    remedy: `Put a whole copy of the file back, or remove the folder ${folder} to begin a new chain (its vault and history go with it).`,
  });
}

/** Copies the state file each time anvil has written a whole one. Returns the function that ends it. */
export function keepBackup(folder: string): () => void {
  const file = stateFileIn(folder);
  const backup = path.join(folder, BACKUP_FILE);
  let copiedAt = 0;
  const timer = setInterval(() => {
    try {
      const modified = statSync(file).mtimeMs;
      if (modified === copiedAt) return;
      const partial = `${backup}.partial`;
      // Not copyFileSync: it waits for ever for the rest of a file that anvil has cut short meanwhile.
      writeFileSync(partial, readFileSync(file));
      if (!endsWhole(partial)) return;
      renameSync(partial, backup);
      copiedAt = modified;
    } catch {
      // No state file yet, or a full disk: the copy is a second line of defence, the chain goes on without it.
    }
  }, BACKUP_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function parses(file: string): boolean {
  try {
    const state: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof state === "object" && state !== null && "accounts" in state;
  } catch {
    return false;
  }
}

function endsWhole(file: string): boolean {
  const tail = Buffer.alloc(64);
  const descriptor = openSync(file, "r");
  try {
    const size = statSync(file).size;
    const length = readSync(descriptor, tail, 0, tail.length, Math.max(0, size - tail.length));
    const text = tail.toString("latin1", 0, length);
    return text.includes(LAST_FIELD) && text.endsWith("}");
  } finally {
    closeSync(descriptor);
  }
}
