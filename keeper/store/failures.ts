// What PostgreSQL and its driver say, as failures of ours. A message holds the SQLSTATE at most: the server's own text
// may quote rows, and the driver's may quote the connection string.
import { WorldFailure } from "../config/failure";

/** Connection lost, refused, or the server is starting, stopping or full: trying again later may help. */
const UNREACHABLE_STATES = new Set(["57P01", "57P02", "57P03", "57P05", "53300", "25P03"]);
const UNREACHABLE_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const UNREACHABLE_TEXT =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|not queryable/i;

export const UNREACHABLE = "STORE_UNREACHABLE";

/** Turns any error of the driver into a `WorldFailure` with a code `STORE_…`; failures of ours pass through. */
export function storeFailure(error: unknown): WorldFailure {
  if (error instanceof WorldFailure) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const state = typeof code === "string" ? code : "";
  const text = typeof message === "string" ? message : "";
  const field = "DATABASE_URL";

  if (
    UNREACHABLE_STATES.has(state) ||
    UNREACHABLE_ERRNOS.has(state) ||
    /^08/.test(state) ||
    UNREACHABLE_TEXT.test(text)
  ) {
    return new WorldFailure(UNREACHABLE, `the database does not answer${state === "" ? "" : ` (${state})`}`, {
      remedy: "Start it, or correct DATABASE_URL; the keeper goes on by itself when it is back.",
    });
  }
  if (/query read timeout/i.test(text) || state === "57014") {
    return new WorldFailure("STORE_TIMEOUT", "the database took too long for a statement", {
      remedy: "Look for locks or load on the server.",
    });
  }
  if (/^28/.test(state) || /password must be a string/i.test(text)) {
    return new WorldFailure("STORE_REFUSED", "the database refuses this user or password", {
      field,
      remedy: "Correct the credentials in DATABASE_URL.",
    });
  }
  if (state === "3D000") {
    return new WorldFailure("STORE_NO_DATABASE", "the server has no database of that name", {
      field,
      remedy: "Create it, or name another one in DATABASE_URL.",
    });
  }
  if (state === "42501") {
    return new WorldFailure("STORE_NO_PRIVILEGE", "the database user lacks a privilege (42501)", {
      field,
      remedy: "Let the user create and own tables in its schema.",
    });
  }
  if (state === "25006") {
    return new WorldFailure("STORE_READ_ONLY", "the database takes no writes: it is a standby", {
      field,
      remedy: "Name the primary server in DATABASE_URL.",
    });
  }
  if (state === "53100") {
    return new WorldFailure("STORE_FULL", "the disk of the database server is full (53100)", {
      remedy: "Free room on it and run the same again; what was stored is there.",
    });
  }
  if (/^53/.test(state)) {
    return new WorldFailure("STORE_FULL", `the database server is out of a resource (${state})`, {
      remedy: "Free memory, or whatever its log names, on the server.",
    });
  }
  if (/SSL/i.test(text) && state === "") {
    return new WorldFailure("STORE_TLS", "the database and this process do not agree on TLS", {
      field,
      remedy: "Set sslmode in DATABASE_URL to what the server offers.",
    });
  }
  return new WorldFailure("STORE_FAILED", `a statement failed${state === "" ? "" : ` (SQLSTATE ${state})`}`, {
    remedy: "See the database server's log; if the row was made by this program, report it.",
    cause: error,
  });
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const { code, constraint: name } = error as { code?: unknown; constraint?: unknown };
  return code === "23505" && name === constraint;
}
