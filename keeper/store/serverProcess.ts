// One PostgreSQL server over one data folder: made, started, found again, stopped. Knows nothing of who uses it.
//
// The folder holds `data` (the cluster), `password` (readable by its owner only), `port` (the last one) and
// `server.log` (of the last start). The server listens on the loopback interface only.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WorldFailure } from "../config/failure";
import { diskFullIn } from "./diskRoom";
import { reachable, type ServerBinaries, type ServiceUser } from "./serverBinaries";

export const SUPERUSER = "tiller";
export const HOST = "127.0.0.1";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const LOG_FILE = "server.log";

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** What of our environment a server may see: it outlives us, and the rest may hold secrets. */
const SERVER_ENVIRONMENT = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/** The server's settings; no Unix socket, whose folder the server's user might not be able to write. */
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=60",
  "log_checkpoints=off",
];

/**
 * How to name the data folder to a server that runs as another user. Where that user cannot walk there (a home folder
 * of mode 0700), Linux lets it enter by the working folder that it inherits.
 */
function dataArgument(folder: string, user: ServiceUser | null): string {
  const data = path.join(folder, "data");
  if (user === null || reachable(data, user)) return data;
  if (process.platform === "linux" && existsSync("/proc/self/cwd")) return "/proc/self/cwd";
  throw new WorldFailure("STORE_DATA_UNREACHABLE", `the user that PostgreSQL runs as cannot reach ${folder}`, {
    field: "dataDir",
    remedy: "Use a data folder whose parents others may enter (chmod o+x), or set DATABASE_URL.",
  });
}

/**
 * Makes the cluster if there is none: beside its place first, then moved there in one step, so that a killed process
 * leaves nothing half and of two processes one wins.
 *
 * @throws WorldFailure `STORE_EMBEDDED_INIT`, `STORE_FULL`, `STORE_DATA_UNREACHABLE`, `STORE_DATA_FOREIGN`, `STORE_DATA_VERSION`.
 */
export function initialise(folder: string, binaries: ServerBinaries, user: ServiceUser | null): void {
  const versionFile = path.join(folder, "data", "PG_VERSION");
  try {
    if (!existsSync(folder)) create(folder, binaries, user);
    const version = Number(readFileSync(versionFile, "utf8"));
    if (version === binaries.major) return;
    throw new WorldFailure(
      "STORE_DATA_VERSION",
      `${folder} was made by PostgreSQL ${version}, this is ${binaries.major}`,
      {
        field: "dataDir",
        remedy: "Dump it with the version of Tiller that made it and load it into a fresh data folder.",
      },
    );
  } catch (error) {
    if (error instanceof WorldFailure) throw error;
    throw new WorldFailure("STORE_DATA_FOREIGN", `${folder} is not a database that this user can open`, {
      field: "dataDir",
      remedy: "Run as the user who made it, or name another data folder.",
      cause: error,
    });
  }
}

function create(folder: string, binaries: ServerBinaries, user: ServiceUser | null): void {
  const parent = path.dirname(folder);
  mkdirSync(parent, { recursive: true });
  const prefix = `${path.basename(folder)}.new-`;
  for (const stale of readdirSync(parent).filter((name) => name.startsWith(prefix))) {
    if (!alive(Number(stale.slice(prefix.length).split("-")[0]))) rmSync(path.join(parent, stale), { recursive: true });
  }
  const fresh = path.join(parent, `${prefix}${process.pid}-${randomBytes(4).toString("hex")}`);
  mkdirSync(path.join(fresh, "data"), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(fresh, "password"), randomBytes(24).toString("hex"), { mode: 0o600 });
  if (user !== null) for (const name of ["", "data", "password"]) chownSync(path.join(fresh, name), user.uid, user.gid);

  const data = dataArgument(fresh, user);
  const passwordFile = openSync(path.join(fresh, "password"), "r");
  const made = spawnSync(
    binaries.initdb,
    [
      `--pgdata=${data}`,
      process.platform === "win32" ? `--pwfile=${path.join(fresh, "password")}` : "--pwfile=/dev/stdin",
      `--username=${SUPERUSER}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--no-locale",
      "--no-instructions",
    ],
    {
      cwd: path.join(fresh, "data"),
      env: SERVER_ENVIRONMENT,
      encoding: "utf8",
      stdio: [passwordFile, "ignore", "pipe"],
      ...(user ?? {}),
    },
  );
  closeSync(passwordFile);
  try {
    if (made.status !== 0) {
      const full = diskFullIn(made.stderr ?? "");
      if (full !== null) throw full;
      throw new WorldFailure("STORE_EMBEDDED_INIT", `initdb failed: ${lastLine(made.stderr) ?? "it did not run"}`, {
        field: "dataDir",
        remedy: "Check space and permissions of the data folder, or set DATABASE_URL.",
        cause: made.error,
      });
    }
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(path.join(folder, "data", "PG_VERSION"))) throw error;
  }
}

/** The running server of a folder, by the file that PostgreSQL itself keeps; null when none runs or none is ready. */
export function findRunning(folder: string): RunningServer | null {
  const lock = readLock(folder);
  return lock !== null && lock.ready && isPostgres(lock.pid) ? { pid: lock.pid, port: lock.port } : null;
}

function readLock(folder: string): { pid: number; port: number; ready: boolean } | null {
  try {
    const lines = readFileSync(lockFile(folder), "utf8").split("\n");
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid <= 0) return null;
    return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === "ready" };
  } catch {
    return null;
  }
}

const lockFile = (folder: string): string => path.join(folder, "data", "postmaster.pid");

/**
 * Starts the server. Null when another process did so at the same time, or is still ending: look again.
 *
 * @throws WorldFailure `STORE_EMBEDDED_START` with the server's own last words, `STORE_FULL`.
 */
export async function start(
  folder: string,
  binaries: ServerBinaries,
  user: ServiceUser | null,
): Promise<RunningServer | null> {
  const lock = readLock(folder);
  if (lock !== null && isPostgres(lock.pid)) {
    await sleep(POLL_MS);
    return null;
  }
  // The number of a dead server may have been given to another program, which PostgreSQL would take for its own kind.
  if (lock !== null && alive(lock.pid)) rmSync(lockFile(folder), { force: true });

  const port = await freePort(rememberedPort(folder));
  // A file of this attempt's own: of several processes that start at once, none may write over another's words.
  const logFile = path.join(folder, `server.log.${process.pid}-${randomBytes(4).toString("hex")}`);
  const log = openSync(logFile, "w", 0o600);
  const server = spawn(
    binaries.postgres,
    ["-D", dataArgument(folder, user), "-p", String(port), ...SETTINGS.flatMap((setting) => ["-c", setting])],
    {
      cwd: path.join(folder, "data"),
      env: SERVER_ENVIRONMENT,
      // A group of its own: Ctrl-C in our terminal is not for the server, which we stop when we are done with it.
      detached: true,
      stdio: ["ignore", log, log],
      ...(user ?? {}),
    },
  );
  closeSync(log);
  const state: { exit: string | null } = { exit: null };
  server.on("error", (error) => (state.exit = error.message));
  server.on("exit", (code) => (state.exit ??= lastLine(readText(logFile)) ?? `exit code ${code}`));
  server.unref();

  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (state.exit !== null) return afterFailedStart(folder, logFile, state.exit);
    const running = findRunning(folder);
    if (running !== null && running.pid === server.pid) {
      renameSync(logFile, path.join(folder, LOG_FILE));
      rememberPort(folder, port);
      return running;
    }
  }
  throw startFailure("it was not ready in time");
}

/** What a lost race looks like is worth another look; anything else is a failure. */
function afterFailedStart(folder: string, logFile: string, reason: string): null {
  const again =
    /lock file .* already exists|is another postmaster|pre-existing shared memory|could not bind|Address already in use/i;
  if (again.test(readText(logFile)) || findRunning(folder) !== null) {
    rmSync(logFile, { force: true });
    return null;
  }
  const full = diskFullIn(readText(logFile));
  if (existsSync(logFile)) renameSync(logFile, path.join(folder, LOG_FILE));
  throw full ?? startFailure(reason);
}

function startFailure(reason: string): WorldFailure {
  return new WorldFailure("STORE_EMBEDDED_START", `the embedded PostgreSQL did not start: ${reason}`, {
    field: "dataDir",
    remedy: "See server.log in the data folder's postgres folder, or set DATABASE_URL.",
  });
}

/** Ends a server (PostgreSQL's "fast" way: connections are cut, data is written) and waits until it is gone. */
export async function stop(folder: string): Promise<void> {
  const lock = readLock(folder);
  if (lock === null || !isPostgres(lock.pid)) return;
  try {
    process.kill(lock.pid, "SIGINT");
  } catch {
    return;
  }
  for (const deadline = Date.now() + STOP_TIMEOUT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (!alive(lock.pid)) return;
  }
}

export function password(folder: string): string {
  return readText(path.join(folder, "password")).trim();
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isPostgres(pid: number): boolean {
  if (!alive(pid)) return false;
  if (process.platform === "linux") {
    const status = readText(`/proc/${pid}/status`);
    // A zombie is a server that ended and was not yet collected by whoever started it.
    return /^Name:\s+postgres/m.test(status) && !/^State:\s+Z/m.test(status);
  }
  const listed = spawnSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" });
  return listed.status !== 0 || /postgres/.test(listed.stdout);
}

function rememberedPort(folder: string): number {
  const port = Number(readText(path.join(folder, "port")));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

/** One that cannot be written down is another one the next time, which is no reason to fail beside a server that runs. */
function rememberPort(folder: string, port: number): void {
  try {
    writeFileSync(path.join(folder, "port"), String(port), { mode: 0o600 });
  } catch {
    return;
  }
}

async function freePort(wanted: number): Promise<number> {
  const tryPort = (port: number): Promise<number | null> =>
    new Promise((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(null));
      probe.listen({ port, host: HOST, exclusive: true }, () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : null));
      });
    });
  const port = (await tryPort(wanted)) ?? (await tryPort(0));
  if (port !== null) return port;
  throw startFailure("there is no free port");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function lastLine(text: string | null): string | null {
  const lines = (text ?? "").split("\n").filter((line) => line.trim() !== "");
  const telling = lines.findLast((line) => /FATAL|ERROR|PANIC|error:/.test(line)) ?? lines.at(-1);
  return telling?.replace(/^.*?(FATAL|ERROR|PANIC|error):\s*/, "").trim() ?? null;
}
