// `tiller run` with three endpoints of which two must agree: real servers before one chain, one of which lies, is silent, lags or
// is dead. What is decided and what is collected is what the honest chain says; where too few agree, nothing is decided.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Tick } from "../../../keeper/app/keeper";
import { runFromConfig } from "../../../keeper/app/run";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import type { Dissent } from "../../../keeper/chain/quorum";
import { readSnapshot } from "../../../keeper/chain/readSnapshot";
import { canonicalSnapshot } from "../../../keeper/chain/snapshotJson";
import { locate } from "../../../keeper/collect/locate";
import { readingRow, sweep } from "../../../keeper/collect/sweep";
import { loadConfig } from "../../../keeper/config/load";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import { answer, down, faultyNode, refusal, type Fault, type FaultyNode } from "../chain/fixtures/faultyNode";
import { startLocalVenues, type LocalVenues } from "../collect/localVenues";

const CHAIN = 31_337;
const EVERY = 300;
const BLOCKS = 3;
/** What an honest answer of the lens or of the sweep is changed into: a digit in the middle. */
const spoilt = (data: string): string => {
  const middle = data.length >> 1;
  return `${data.slice(0, middle)}${data[middle] === "0" ? "1" : "0"}${data.slice(middle + 1)}`;
};

describe("a quorum of endpoints under tiller run", function () {
  this.timeout(180_000);
  let local: LocalVenues;
  let folder: string;
  let proxies: FaultyNode[];
  let places = 0;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-quorum-"));
  });
  after(async () => {
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    proxies = [await faultyNode(local.url), await faultyNode(local.url), await faultyNode(local.url)];
    for (const proxy of proxies) closing.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const answered =
    (
      change: (honest: unknown, params: readonly unknown[]) => unknown,
      of: (method: string, params: readonly unknown[]) => boolean,
    ): Fault =>
    (request, response) => {
      if (!of(request.method, request.params)) return false;
      void local.rpc(request.method, request.params).then(
        (honest) => response.end(answer(request, change(honest, request.params))),
        () => response.end(refusal(request, -32_000, "header not found")),
      );
      return true;
    };
  const isCall = (method: string): boolean => method === "eth_call";
  const isLatest = (method: string, [block]: readonly unknown[]): boolean =>
    method === "eth_getBlockByNumber" && block === "latest";

  /** What the first of three does, and what is said of it. */
  const faults: readonly (readonly [string, Dissent | null, () => Fault])[] = [
    ["lies about what contracts say", "disagreed", () => answered((honest) => spoilt(honest as string), isCall)],
    [
      "claims blocks that are not there",
      "disagreed",
      () =>
        answered(
          (honest) => ({ ...(honest as object), number: "0xfffff", hash: `0x${"f0".repeat(32)}` }),
          (method) => method === "eth_getBlockByNumber",
        ),
    ],
    [
      "claims that the chain stands still",
      null,
      () => answered(() => local.rpc("eth_getBlockByNumber", ["0x5", false]), isLatest),
    ],
    [
      "lies about the time of blocks",
      "disagreed",
      () =>
        answered(
          (honest) => ({ ...(honest as object), timestamp: "0x77359400" }),
          (method) => method.startsWith("eth_getBlockBy"),
        ),
    ],
    ["is silent", "silent", () => () => true],
    ["is dead", "failed", () => down],
    [
      // Told of only if it is so time after time.
      "is three blocks behind",
      null,
      () => (request, response) => {
        void (async () => {
          const newest = (await blockAt(local.chain, "latest"))?.number ?? 0;
          const [first, second] = request.params as [unknown, { blockHash?: string } | undefined];
          const behind = `0x${Math.max(0, newest - 3).toString(16)}`;
          const number =
            second?.blockHash === undefined ? null : (await blockAt(local.chain, { hash: second.blockHash }))?.number;
          if (isLatest(request.method, request.params)) {
            response.end(answer(request, await local.rpc("eth_getBlockByNumber", [behind, false])));
          } else if (request.method === "eth_getBlockByNumber" && Number(first) > newest - 3) {
            response.end(answer(request, null));
          } else if (number !== null && number !== undefined && number > newest - 3) {
            response.end(refusal(request, -32_000, "header not found"));
          } else response.end(answer(request, await local.rpc(request.method, request.params)));
        })().catch(() => response.destroy());
        return true;
      },
    ],
  ];

  async function running() {
    const dataDir = path.join(folder, String(places++));
    const events: KeeperEvent[] = [];
    const ticks: Tick[] = [];
    const stop = new AbortController();
    const config = loadConfig({
      env: {},
      cwd: folder,
      overrides: {
        dataDir,
        chain: {
          rpcUrls: proxies.map(({ url }) => url),
          quorum: 2,
          pollMs: 20,
          finalityBlocks: 2,
          requestTimeoutMs: 2_000,
        },
        addresses: local.genesis.addressFile,
        collect: { everySeconds: EVERY },
      },
    });
    const ended = runFromConfig(config, {
      ...{ env: {}, dryRun: true, once: false, signal: stop.signal },
      sink: { emit: (event) => void events.push(event) },
      watcher: { tick: (tick) => void ticks.push(tick) },
    });
    ended.catch(() => undefined);
    const end = async (): Promise<void> => {
      stop.abort();
      await ended;
    };
    closing.push(end);
    return { events, ticks, end, dataDir };
  }
  const mine = async (): Promise<void> => {
    await local.rpc("evm_increaseTime", [EVERY]);
    await local.rpc("evm_mine");
  };
  async function until(met: () => boolean, meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
    for (let tries = 0; !met(); tries += 1) {
      if (tries > 400) throw new Error("it never came about");
      await meanwhile();
      await sleep(100);
    }
  }
  const swept = (events: readonly KeeperEvent[]): number =>
    events.filter(({ name }) => name === "collect.swept").length;

  async function expectHonest(ticks: readonly Tick[], dataDir: string): Promise<void> {
    const { addresses } = local.genesis;
    for (const { head, snapshot } of ticks) {
      const honest = await blockAt(local.chain, head.number);
      expect({ ...head, reorgedFrom: null }).to.deep.equal(honest);
      const of = { addresses, keeper: addresses.keepers[0] ?? "" };
      expect(canonicalSnapshot(snapshot)).to.equal(canonicalSnapshot(await readSnapshot(local.chain, head, of)));
    }
    const store = await openStore({ dataDir, sink: silent });
    closing.push(() => store.close());
    const query = { chainId: CHAIN, source: "aave-v3", subject: "aave-v3-usdc", from: 0, to: 4e9 };
    const rows = await store.history.readings(query);
    expect(rows.length).to.be.at.least(BLOCKS - 1);
    for (const row of rows) {
      const head = (await blockAt(local.chain, row.block ?? 0)) as Head;
      const { collectors } = await locate(local.chain, head, local.targets.sources);
      const { at, readings } = await sweep(local.chain, head, collectors);
      const own = readings.find(({ subject }) => subject === row.subject);
      expect(row).to.deep.equal(own && readingRow(own, at, row.availableAt));
    }
  }

  for (const [what, dissent, fault] of faults) {
    it(`changes nothing where the first of three ${what}`, async () => {
      const { events, ticks, end, dataDir } = await running();
      await until(() => ticks.length > 0);
      (proxies[0] as FaultyNode).fault = fault();
      // anvil answers a call at its newest block by the next one's state while that is made: it is left alone then.
      for (let made = 0; made < BLOCKS; made += 1) {
        const done = swept(events);
        await mine();
        const { number } = await local.head();
        await until(() => ticks.at(-1)?.head.number === number && swept(events) > done);
      }
      expect(events.filter(({ name }) => name === "tick.failed" || name === "quorum.trouble")).to.deep.equal([]);
      const blamed = events.flatMap((event) => (event.name === "quorum.dissent" ? [event] : []));
      expect(blamed.every(({ endpoint }) => endpoint === proxies[0]?.url)).to.equal(true);
      if (dissent === null) expect(blamed.length).to.be.at.most(1);
      else expect(blamed.map((event) => event.dissent)).to.deep.equal([dissent]);
      await end();
      await expectHonest(ticks, dataDir);
    });
  }

  it("decides nothing where two of three are dead, tells of it once, and goes on when one is back", async () => {
    const { events, ticks } = await running();
    await until(() => ticks.length > 0);
    for (const proxy of proxies.slice(1)) proxy.fault = down;
    const troubles = () => events.filter(({ name }) => name === "quorum.trouble");
    await until(() => troubles().length > 0, mine);
    // A tick that had begun may end.
    await sleep(500);
    const before = [ticks.length, events.filter(({ name }) => name === "decision.made").length];
    for (let k = 0; k < 4; k += 1) {
      await mine();
      await sleep(200);
    }
    expect([ticks.length, events.filter(({ name }) => name === "decision.made").length]).to.deep.equal(before);
    expect(troubles().filter((event) => "method" in event && event.method === "eth_getBlockByNumber")).to.have.length(
      1,
    );
    (proxies[1] as FaultyNode).fault = null;
    await until(() => ticks.length > (before[0] ?? 0), mine);
    expect(events.map(({ name }) => name)).to.include("quorum.recovered");
  });

  it("fails the tick without deciding where two of three lie, each in its own way", async () => {
    const { events, ticks } = await running();
    await until(() => ticks.length > 0);
    (proxies[0] as FaultyNode).fault = answered((honest) => spoilt(honest as string), isCall);
    (proxies[1] as FaultyNode).fault = answered((honest) => `${(honest as string).slice(0, -2)}ab`, isCall);
    const failed = () => events.flatMap((event) => (event.name === "tick.failed" ? [event.code] : []));
    await until(() => failed().length >= 2, mine);
    const decided = events.filter(({ name }) => name === "decision.made").length;
    await until(() => failed().length >= 4, mine);
    expect(new Set(failed())).to.deep.equal(new Set(["QUORUM_LACKING"]));
    expect(events.filter(({ name }) => name === "decision.made").length).to.equal(decided);
    const calls = events.filter((event) => event.name === "quorum.trouble" && event.method === "eth_call");
    expect(calls, "told once").to.have.length(1);
  });
});
