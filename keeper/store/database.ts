// The pool of connections: queries and transactions whose failures are ours, and one event at each end of an outage.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Client, Pool, types, type ClientConfig, type PoolClient, type QueryResultRow } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { WorldFailure } from "../config/failure";
import type { Sink } from "../events/events";
import { UNREACHABLE, storeFailure } from "./failures";

const CONNECT_TIMEOUT_MS = 4_000;
/** Far more than any statement takes but a `COPY`: what takes longer waits for a lock that somebody does not let go. */
const STATEMENT_TIMEOUT_MS = 15_000;
const POOL_SIZE = 8;

/** A `COPY` may take longer than any other statement: as long as rows come. */
const COPY_TIMEOUT_MS = 600_000;

/** Runs statements; a pool, or one connection inside a transaction. */
export interface Queryable {
  rows<T extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** Number of rows that a statement touched. */
  run(sql: string, values?: readonly unknown[]): Promise<number>;
}

/** One connection inside a transaction. */
export interface Transaction extends Queryable {
  /** `COPY table (columns) FROM STDIN` in its binary format (copyBinary.ts), in pieces that end anywhere. */
  copyIn(table: string, columns: readonly string[], bytes: Iterable<Buffer>): Promise<void>;
}

const INT8_OID = 20;

/** Block numbers and seconds are far below 2^53; anything above is an error, not a rounded number. */
function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError("an integer column exceeds 2^53");
  return value;
}

export function connectionConfig(target: ClientConfig): ClientConfig {
  return {
    ...target,
    application_name: "tiller",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format?: "text" | "binary") =>
        oid === INT8_OID && format !== "binary"
          ? safeInteger
          : types.getTypeParser(oid, format as "text")) as typeof types.getTypeParser,
    },
  };
}

export interface DatabaseOptions {
  /** What is to be said instead where the database does not answer; null: only that. */
  readonly reasonDown?: () => WorldFailure | null;
  /** Of each statement but `COPY`. Default: 15 s. */
  readonly statementTimeoutMs?: number | undefined;
}

export class Database implements Queryable {
  readonly #pool: Pool;
  readonly #sink: Sink;
  readonly #reasonDown: () => WorldFailure | null;
  readonly #statementTimeoutMs: number;
  #downSince: number | null = null;

  constructor(target: ClientConfig, sink: Sink, options: DatabaseOptions = {}) {
    this.#sink = sink;
    this.#reasonDown = options.reasonDown ?? (() => null);
    this.#statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    this.#pool = new Pool({
      ...connectionConfig(target),
      max: POOL_SIZE,
      statement_timeout: this.#statementTimeoutMs,
      query_timeout: this.#statementTimeoutMs + CONNECT_TIMEOUT_MS,
      allowExitOnIdle: true,
    });
    // An idle connection that breaks is replaced on the next use; without a listener it would end the process.
    this.#pool.on("error", (error) => this.#observe(error));
  }

  /** Later connections go to another address: the embedded server came back on another port. */
  retarget(target: ClientConfig): void {
    Object.assign(this.#pool.options, target);
  }

  async rows<T extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    return this.#guard(async () => (await this.#pool.query<T>(sql, [...values])).rows);
  }

  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    return this.#guard(async () => (await this.#pool.query(sql, [...values])).rowCount ?? 0);
  }

  /**
   * One transaction. `work` may translate driver errors that it expects by throwing a failure of its own; whatever it
   * throws rolls back.
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      const client = await this.#pool.connect();
      // An error between two statements is told to the connection, not to a query.
      const broken = (): void => undefined;
      client.on("error", broken);
      let reusable = true;
      try {
        await client.query("BEGIN");
        const result = await work(onClient(client, this.#statementTimeoutMs));
        await client.query("COMMIT");
        return result;
      } catch (error) {
        reusable = await client.query("ROLLBACK").then(
          () => true,
          () => false,
        );
        throw error;
      } finally {
        client.removeListener("error", broken);
        client.release(!reusable);
      }
    });
  }

  async close(): Promise<void> {
    // The server may end before the last connection is gone, which is no outage then.
    this.#pool.removeAllListeners("error");
    this.#pool.on("error", () => undefined);
    await this.#pool.end();
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#recovered();
      return result;
    } catch (error) {
      throw this.#observe(error);
    }
  }

  #observe(error: unknown): Error {
    const said = storeFailure(error);
    if (said.code !== UNREACHABLE) return said;
    const failure = this.#reasonDown() ?? said;
    if (this.#downSince === null) {
      this.#downSince = Date.now();
      this.#sink.emit({ name: "store.trouble", code: failure.code, message: failure.message });
    }
    return failure;
  }

  #recovered(): void {
    if (this.#downSince === null) return;
    const outageMs = Date.now() - this.#downSince;
    this.#downSince = null;
    this.#sink.emit({ name: "store.recovered", outageMs });
  }
}

function onClient(client: PoolClient | Client, statementTimeoutMs: number): Transaction {
  return {
    rows: async <T extends QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
      (await client.query<T>(sql, [...values])).rows,
    run: async (sql, values = []) => (await client.query(sql, [...values])).rowCount ?? 0,
    copyIn: async (table, columns, bytes) => {
      await client.query(`SET LOCAL statement_timeout = ${COPY_TIMEOUT_MS}`);
      // The driver's own limit on a query is read from the object that is submitted.
      const sql = `COPY ${table} (${columns.join(", ")}) FROM STDIN WITH (FORMAT binary)`;
      const copy = Object.assign(copyFrom(sql), { query_timeout: COPY_TIMEOUT_MS });
      await pipeline(Readable.from(bytes, { objectMode: true }), client.query(copy));
      await client.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`);
    },
  };
}
