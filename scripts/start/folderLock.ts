// One `npm start` a data folder: two would make blocks for one chain, and the first to stop would take it from the other.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { WorldFailure } from "../../keeper/config/failure";
import { commandOf, isAlive } from "../localnet/runningNode";

const LOCK_FILE = "npm-start.pid";

/**
 * Holds `folder` until the returned function is called. A lock whose process is gone is taken over.
 * @throws WorldFailure `ALREADY_RUNNING`
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, LOCK_FILE);
  if (!tryWrite(file)) {
    const pid = holderOf(file);
    if (pid !== null) {
      throw new WorldFailure("ALREADY_RUNNING", `npm start is running on this data folder already, as process ${pid}`, {
        field: "--data-dir",
        remedy: "Stop it first, or start another system with --data-dir DIR.",
      });
    }
    rmSync(file, { force: true });
    if (!tryWrite(file)) return lockFolder(folder);
  }
  return () => rmSync(file, { force: true });
}

/** "wx": of two that start at once, one makes the file. */
function tryWrite(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The process that holds the lock, if it still runs and is what it was: process ids are given out again. */
function holderOf(file: string): number | null {
  const pid = Number(readFileSync(file, "utf8").trim());
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid || !isAlive(pid)) return null;
  return commandOf(pid)?.includes("start") === true ? pid : null;
}
