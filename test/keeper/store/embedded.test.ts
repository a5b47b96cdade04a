// The embedded server through everything that ends processes: real servers, real kills.
import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type WorldFailure } from "../../../keeper/config/failure";
import { silent, type KeeperEvent, type Sink } from "../../../keeper/events/events";
import { serverFolder } from "../../../keeper/store/embedded";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { findRunning, password } from "../../../keeper/store/serverProcess";
import { VAULT, snapshotRow } from "./fixtures/rows";

const HOLDER = path.join(__dirname, "fixtures", "holdStore.ts");

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await sleep(25);
  }
  throw new Error(`never: ${what}`);
}

describe("the embedded server", function () {
  this.timeout(60_000);
  let dataDir: string;
  const stores: Store[] = [];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-embedded-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
    await Promise.all(stores.splice(0).map((store) => store.close()));
    const left = running();
    if (left !== null) process.kill(left.pid, "SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  });

  const running = () => findRunning(serverFolder(dataDir));
  const open = async (sink: Sink = silent): Promise<Store> => {
    const store = await openStore({ dataDir, sink });
    stores.push(store);
    return store;
  };
  /** Another process that has the store open. */
  const holder = async (): Promise<{ child: ChildProcess; role: string }> => {
    const child = spawn(process.execPath, ["-r", "tsx/cjs", HOLDER, dataDir], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    return { child, role: String(line).trim() };
  };
  const pid = (): number => {
    const server = running();
    if (server === null) throw new Error("no server runs");
    return server.pid;
  };

  it("starts with the first process, is shared by others, and ends with the last one to leave", async () => {
    const first = await open();
    const server = pid();
    const { child } = await holder();
    expect(pid()).to.equal(server);
    await first.close();
    expect(pid(), "the other process is still there").to.equal(server);
    child.stdin?.end();
    await once(child, "exit");
    expect(running()).to.equal(null);
  });

  it("keeps its rows, its password and its port from one run to the next", async () => {
    const first = await open();
    await first.saveSnapshot(snapshotRow(), []);
    const port = running()?.port;
    await first.close();
    const second = await open();
    expect((await second.latestSnapshot(31_337, VAULT))?.blockNumber).to.equal(100);
    expect(running()?.port).to.equal(port);
    expect(statSync(path.join(serverFolder(dataDir), "password")).mode & 0o777).to.equal(0o600);
  });

  it("takes another port when somebody has its own", async () => {
    const first = await open();
    const port = running()?.port;
    await first.close();
    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    try {
      const second = await open();
      await second.ping();
      expect(running()?.port).not.to.equal(port);
    } finally {
      squatter.close();
    }
  });

  it("is started by one of several processes that come at once to an empty folder", async () => {
    const opened = await Promise.all([open(), open(), holder(), holder()]);
    await (opened[0] as Store).saveSnapshot(snapshotRow(), []);
    expect((await (opened[1] as Store).latestSnapshot(31_337, VAULT))?.blockNumber).to.equal(100);
  });

  it("is found again by the next process when its owner was killed, and the leader lock is free", async () => {
    const { child, role } = await holder();
    expect(role).to.equal("open leader");
    const server = pid();
    child.kill("SIGKILL");
    await once(child, "exit");
    const next = await open();
    expect(pid()).to.equal(server);
    let lead = await next.tryLead(1, "0xaa", "0xbb");
    await until(
      "the killed leader's lock is gone",
      async () => (lead ??= await next.tryLead(1, "0xaa", "0xbb")) !== null,
    );
    await lead?.release();
    await next.close();
    expect(running()).to.equal(null);
  });

  it("comes up again after its own processes were killed, with every committed row", async () => {
    const { child } = await holder();
    const store = await open();
    await store.saveSnapshot(snapshotRow(), []);
    child.kill("SIGKILL");
    process.kill(pid(), "SIGKILL");
    await store.close();
    const next = await open();
    expect((await next.latestSnapshot(31_337, VAULT))?.blockNumber).to.equal(100);
  });

  it("is not kept away by a stale file whose process number now belongs to another program", async () => {
    await (await open()).close();
    const lines = [process.pid, path.join(serverFolder(dataDir), "data"), 1, 5432, "", "127.0.0.1", "", "ready"];
    writeFileSync(path.join(serverFolder(dataDir), "data", "postmaster.pid"), `${lines.join("\n")}\n`);
    await (await open()).ping();
  });

  it("is started again, said once, and used again, when it dies under a running keeper", async () => {
    const events: KeeperEvent[] = [];
    const store = await open({ emit: (event) => void events.push(event) });
    const lead = await store.tryLead(1, "0xaa", "0xbb");
    const server = pid();
    process.kill(server, "SIGKILL");
    await lead?.lost;
    // What the dead server has left behind may answer for a moment.
    await until("the store answers again", () =>
      store.ping().then(
        () => ![null, server].includes(running()?.pid ?? null),
        (error: unknown) => {
          expect((error as WorldFailure).code).to.equal("STORE_UNREACHABLE");
          return false;
        },
      ),
    );
    const ended = events.filter((event) => event.name === "store.trouble" && event.code === "STORE_EMBEDDED_ENDED");
    expect(ended).to.have.length(1);
    expect(await store.tryLead(1, "0xaa", "0xbb")).not.to.equal(null);
  });

  it("that cannot be started again does not keep a process from closing, and from what it does after that", async () => {
    const { child } = await holder();
    let said = "";
    child.stdout?.on("data", (piece: Buffer) => (said += piece.toString()));
    rmSync(path.join(serverFolder(dataDir), "data", "global", "pg_control"));
    process.kill(pid(), "SIGKILL");
    await sleep(1_000);
    child.stdin?.end();
    await once(child, "close");
    expect(said).to.equal("closed\n");
  });

  it("as a server by URL: its outage is one event, each use fails at once, and the pool is whole when it is back", async () => {
    const owner = await open();
    const port = running()?.port ?? 0;
    const url = `postgres://tiller:${password(serverFolder(dataDir))}@127.0.0.1:${port}/postgres`;
    const events: KeeperEvent[] = [];
    const store = await openStore({
      databaseUrl: url,
      dataDir: "/none",
      sink: { emit: (event) => void events.push(event) },
    });
    stores.push(store);
    await store.ping();
    await owner.close();
    for (const attempt of [1, 2, 3]) {
      const failure = await store.ping().then(
        () => null,
        (error: unknown) => error as WorldFailure,
      );
      expect(failure?.code, `attempt ${attempt}`).to.equal("STORE_UNREACHABLE");
      expect(failure?.exitCode).to.equal(1);
      expect(failure?.line()).not.to.contain(password(serverFolder(dataDir)));
    }
    await open();
    expect(running()?.port).to.equal(port);
    await store.ping();
    expect(events.map((event) => event.name)).to.deep.equal(["store.trouble", "store.recovered"]);
  });

  it("says what is wrong with a URL, a password, a database's name, a server that is not there", async () => {
    await open();
    const secret = password(serverFolder(dataDir));
    const at = (user: string, database: string, port = running()?.port): string =>
      `postgres://${user}@127.0.0.1:${port}/${database}`;
    const codeOf = async (databaseUrl: string): Promise<string> => {
      const failure = await openStore({ databaseUrl, dataDir, sink: silent }).then(
        () => null,
        (error: unknown) => error as WorldFailure,
      );
      expect(failure?.line()).not.to.contain(secret).and.not.to.contain("hunter2");
      return failure?.code ?? "opened";
    };
    expect(await codeOf("mysql://x:hunter2@y/z")).to.equal("STORE_URL_MALFORMED");
    expect(await codeOf(at("tiller:hunter2", "postgres"))).to.equal("STORE_REFUSED");
    expect(await codeOf(at(`tiller:${secret}`, "none"))).to.equal("STORE_NO_DATABASE");
    expect(await codeOf(at(`tiller:${secret}`, "postgres", 1))).to.equal("STORE_UNREACHABLE");
  });

  it("refuses a data folder of another PostgreSQL version, and one that is no database", async () => {
    await (await open()).close();
    writeFileSync(path.join(serverFolder(dataDir), "data", "PG_VERSION"), "9\n");
    const code = (): Promise<string> =>
      open().then(
        () => "opened",
        (error: unknown) => (error as WorldFailure).code,
      );
    expect(await code()).to.equal("STORE_DATA_VERSION");
    rmSync(serverFolder(dataDir), { recursive: true });
    mkdirSync(serverFolder(dataDir));
    expect(await code()).to.equal("STORE_DATA_FOREIGN");
  });
});
