// Whether the disk of a data folder is full. A server whose disk is full may end without a word about it, and neither it
// nor a new one starts before there is room again.
import { statfsSync } from "node:fs";
import { WorldFailure } from "../config/failure";

/** A server ends where it cannot make the next file of its log, of so much (PostgreSQL, `wal_segment_size`). */
const LEAST_ROOM_BYTES = 16 * 1024 * 1024;

/** The failure of whatever went wrong in a folder without room for a server to go on; null where there is room. */
export function diskFull(folder: string): WorldFailure | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < LEAST_ROOM_BYTES ? outOfRoom() : null;
  } catch {
    return null;
  }
}

/** As the server says it, which speaks English to us; null where it says nothing of the kind. */
export function diskFullIn(words: string): WorldFailure | null {
  return /No space left on device|Check free disk space/.test(words) ? outOfRoom() : null;
}

function outOfRoom(): WorldFailure {
  return new WorldFailure("STORE_FULL", "the disk that the embedded PostgreSQL keeps its data on is full", {
    field: "dataDir",
    remedy: "Free room on it and run the same again; what was stored is there.",
  });
}
