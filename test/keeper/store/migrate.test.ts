import { expect } from "chai";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type WorldFailure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { Database } from "../../../keeper/store/database";
import { joinEmbedded, type EmbeddedServer } from "../../../keeper/store/embedded";
import { MIGRATIONS_FOLDER, migrate } from "../../../keeper/store/migrate";

describe("migrations", function () {
  this.timeout(60_000);
  let dataDir: string;
  let server: EmbeddedServer;
  let database: Database;
  let folder: string;

  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-migrate-"));
    server = await joinEmbedded({ dataDir, sink: silent });
    database = new Database(server.target(), silent);
  });
  after(async () => {
    await database.close();
    await server.leave();
    rmSync(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await database.run("DROP SCHEMA public CASCADE");
    await database.run("CREATE SCHEMA public");
    folder = path.join(dataDir, `migrations-${Math.random().toString(36).slice(2)}`);
    cpSync(MIGRATIONS_FOLDER, folder, { recursive: true });
  });

  const add = (name: string, sql: string): void => writeFileSync(path.join(folder, name), sql);
  const tables = async (): Promise<string[]> =>
    (
      await database.rows<{ name: string }>(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
      )
    ).map((row) => row.name);
  const codeOf = (action: Promise<unknown>): Promise<string> =>
    action.then(
      () => "none",
      (error: unknown) => (error as WorldFailure).code,
    );

  it("are applied once, and a new one to what is there", async () => {
    const first = await migrate(database, folder);
    expect(first).to.be.greaterThan(0);
    expect(await migrate(database, folder)).to.equal(0);
    add(`${String(first + 1).padStart(4, "0")}_more.sql`, "CREATE TABLE more (a INTEGER)");
    expect(await migrate(database, folder)).to.equal(1);
    expect(await tables()).to.include.members(["intents", "more"]);
  });

  it("are applied by one of several processes that start at once", async () => {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(database, folder)));
    expect(applied.filter((count) => count > 0)).to.have.length(1);
  });

  it("keep what was imported of pools while it was still among readings", async () => {
    const files = readdirSync(folder).sort();
    const from = files.findIndex((file) => file.endsWith("_pool_files.sql"));
    expect(from).to.be.above(0);
    for (const file of files.slice(from)) rmSync(path.join(folder, file));
    await migrate(database, folder);
    await database.run(
      "CREATE TABLE readings_2024_01 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
    );
    await database.run(
      `INSERT INTO readings (chain_id, source, subject, block_number, observed_at, available_at, state)
       SELECT 1, source, 'a-pool', 7, '2024-01-09', '2024-01-10', '{}'
       FROM unnest(ARRAY['import-pool-state', 'import-pool-day', 'aave-v3']) AS t (source)`,
    );
    await migrate(database);
    const sourcesOf = async (table: string): Promise<string[]> =>
      (await database.rows<{ source: string }>(`SELECT source FROM ${table} ORDER BY 1`)).map(({ source }) => source);
    expect(await sourcesOf("pool_states")).to.deep.equal(["import-pool-day", "import-pool-state"]);
    expect(await sourcesOf("readings")).to.deep.equal(["aave-v3"]);
  });

  it("leave nothing behind when one of them fails", async () => {
    const count = await migrate(database, folder);
    add(`${String(count + 1).padStart(4, "0")}_half.sql`, "CREATE TABLE half (a INTEGER); SELECT 1 / 0;");
    expect(await codeOf(migrate(database, folder))).to.equal("STORE_FAILED");
    expect(await tables()).not.to.include("half");
  });

  it("refuse to go on when one that was applied has been altered since", async () => {
    await migrate(database, folder);
    add("0001_main_path.sql", "SELECT 1");
    expect(await codeOf(migrate(database, folder))).to.equal("STORE_MIGRATION_ALTERED");
  });

  it("refuse a database that a newer version has migrated", async () => {
    const count = await migrate(database, folder);
    const newer = `${String(count + 1).padStart(4, "0")}_newer.sql`;
    add(newer, "SELECT 1");
    await migrate(database, folder);
    rmSync(path.join(folder, newer));
    expect(await codeOf(migrate(database, folder))).to.equal("STORE_NEWER");
  });
});
