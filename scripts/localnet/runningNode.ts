// The note that a started node leaves in its folder, so that the next start finds a node whose launcher was killed.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const NOTE_FILE = "anvil.json";

const noteSchema = z.strictObject({
  pid: z.number().int().positive(),
  port: z.number().int().positive(),
  genesisHash: z.string(),
});

export type RunningNode = z.infer<typeof noteSchema>;

export function writeNote(folder: string, node: RunningNode): void {
  writeFileSync(path.join(folder, NOTE_FILE), `${JSON.stringify(node)}\n`);
}

export function removeNote(folder: string): void {
  rmSync(path.join(folder, NOTE_FILE), { force: true });
}

/**
 * The node that an earlier start left running on `stateFile`, or null. A process id may have been given to another
 * program since, so the process must also have been started with this very state file.
 */
export function findRunningNode(folder: string, stateFile: string): RunningNode | null {
  const file = path.join(folder, NOTE_FILE);
  if (!existsSync(file)) return null;
  let note: RunningNode;
  try {
    note = noteSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
  const command = commandOf(note.pid);
  return command !== null && command.includes("anvil") && command.includes(stateFile) ? note : null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A killed process stays visible until its parent collects it; it is gone all the same.
  return stateOf(pid) !== "Z";
}

/** Asks the process to save and leave, and kills it if it has not left after `patienceMs`. */
export async function stopProcess(pid: number, patienceMs = 5000): Promise<void> {
  signal(pid, "SIGINT");
  if (await isGoneWithin(pid, patienceMs)) return;
  signal(pid, "SIGKILL");
  await isGoneWithin(pid, patienceMs);
}

async function isGoneWithin(pid: number, patienceMs: number): Promise<boolean> {
  const end = Date.now() + patienceMs;
  while (Date.now() < end) {
    if (!isAlive(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return !isAlive(pid);
}

function signal(pid: number, name: "SIGINT" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone, which is what was wanted.
  }
}

/** Command line of a process; null when there is none. */
export function commandOf(pid: number): string | null {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return null;
  }
}

function stateOf(pid: number): string | null {
  if (process.platform !== "linux") return null;
  try {
    // "pid (name) S …": the name may hold spaces and brackets, so the state is what follows the last bracket.
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    return status.slice(status.lastIndexOf(")") + 2, status.lastIndexOf(")") + 3);
  } catch {
    return null;
  }
}
