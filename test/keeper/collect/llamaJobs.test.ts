import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, wallClock } from "../../../keeper/chain/clock";
import { chartSeries, llamaJobs } from "../../../keeper/collect/llamaJobs";
import { namesOf } from "../../../keeper/collect/quality";
import { type Job, startScheduler } from "../../../keeper/collect/scheduler";
import { type ConfigInput, type DefiLlamaConfig, configSchema } from "../../../keeper/config/schema";
import { type KeeperEvent, silent } from "../../../keeper/events/events";
import type { HistoryRow, ReadingRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { failureOf } from "./failureOf";
import { AAVE_POOL, type LlamaServerOptions, SAVINGS_POOL, llamaServer, point, pool, protocol } from "./llamaServer";
import { type Reply, type ScriptedServer, json, scriptedServer, status } from "./scriptedServer";

const HOUR = 3_600;
const DAY = 86_400;
/** 12:34:56, so within the bucket of noon. */
const NOW = Date.parse("2024-03-10T12:34:56Z") / 1_000;
const BUCKET = NOW - (NOW % HOUR);
const MIDNIGHT = NOW - (NOW % DAY);

type LlamaInput = NonNullable<NonNullable<ConfigInput["collect"]>["defiLlama"]>;

const savings = { subject: "sky-savings", pool: SAVINGS_POOL, kind: "vault", apyBase: "simple" } as const;
const aave = { subject: "aave-v3-usdc", pool: AAVE_POOL, apyBase: "simple" } as const;

describe("jobs of DefiLlama", function () {
  this.timeout(60_000);
  const servers: ScriptedServer[] = [];
  let folder: string;
  let store: Store;
  /** Unix seconds. */
  let now = NOW;
  const clock: Clock = { ...wallClock, now: () => now * 1_000 };
  /** Every test stores under a chain of its own. */
  let chainId = 0;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-llama-"));
    store = await openStore({ dataDir: folder, sink: silent });
  });
  after(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    now = NOW;
    chainId += 1;
  });
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  async function serving(server: Promise<ScriptedServer>): Promise<ScriptedServer> {
    servers.push(await server);
    return server;
  }
  function settingsOf(defiLlama: LlamaInput): DefiLlamaConfig {
    const config = { chain: { rpcUrls: ["http://127.0.0.1:1"] }, collect: { defiLlama } };
    const parsed = configSchema.parse(config).collect.defiLlama;
    if (parsed === undefined) throw new TypeError("it was given");
    return parsed;
  }
  const at = ({ url }: ScriptedServer, rest: LlamaInput): LlamaInput => ({
    ...{ yieldsUrl: url, apiUrl: url, requestsPerMinute: 60_000 },
    ...rest,
  });
  async function jobsAt(server: ScriptedServer, rest: LlamaInput): Promise<Job[]> {
    return llamaJobs(settingsOf(at(server, rest)), store.history, { chainId, clock });
  }
  async function jobs(options: LlamaServerOptions, rest: LlamaInput): Promise<Job[]> {
    return jobsAt(await serving(llamaServer(options)), rest);
  }
  function named(list: readonly Job[], source: string): Job {
    const job = list.find((one) => one.source === source);
    if (job === undefined) throw new TypeError(`no job ${source} among ${list.map((one) => one.source).join(", ")}`);
    return job;
  }
  const signal = new AbortController().signal;
  const readings = (source: string, subject: string): Promise<ReadingRow[]> =>
    store.history.readings({ chainId, source, subject, from: 0, to: 4e9 });
  async function series(subject: string): Promise<HistoryRow[]> {
    const rows: HistoryRow[] = [];
    for await (const page of store.history.history({ chainId, name: chartSeries(subject) })) rows.push(...page);
    return rows;
  }
  /** Points at 23:00 of so many days before today's, oldest first. */
  const days = (apys: readonly number[], until = MIDNIGHT): unknown[] =>
    apys.map((apy, index) => {
      const time = until - HOUR - (apys.length - 1 - index) * DAY;
      return point(new Date(time * 1_000).toISOString(), apy, 1_000_000);
    });

  it("are none where nothing is configured, and one for each thing that is", async () => {
    expect(await llamaJobs(undefined, store.history, { chainId })).to.deep.equal([]);
    expect(await jobs({}, {})).to.deep.equal([]);
    const list = await jobs({}, { charts: [savings, aave], protocols: ["aave-v3"] });
    expect(list.map(({ source, everySeconds, lastDone }) => ({ source, everySeconds, lastDone }))).to.deep.equal(
      ["defillama-yields", "defillama-protocols", "defillama-chart sky-savings", "defillama-chart aave-v3-usdc"].map(
        (source) => ({ source, everySeconds: HOUR, lastDone: null }),
      ),
    );
  });

  it("store one reading of each pool and protocol in a bucket, however often they run", async () => {
    const server = await serving(llamaServer({ pools: [pool(), pool({ pool: SAVINGS_POOL })] }));
    const api = await serving(llamaServer());
    const settings = { apiUrl: api.url, charts: [savings, aave], protocols: ["aave-v3"] };
    const list = await jobsAt(server, settings);
    const [pools, protocols] = [named(list, "defillama-yields"), named(list, "defillama-protocols")];
    for (const _ of [1, 2]) {
      await pools.work(BUCKET, signal);
      await protocols.work(BUCKET, signal);
      now += 60;
    }
    expect(server.asked.map(({ path: asked }) => asked)).to.deep.equal(["/pools"]);
    expect(api.asked.map(({ path: asked }) => asked)).to.deep.equal(["/protocols"]);
    const [row, ...more] = await readings("defillama-yields", "sky-savings");
    expect(more).to.deep.equal([]);
    expect(row).to.include({ block: null, observedAt: NOW, availableAt: NOW });
    expect(JSON.parse(row?.state ?? "")).to.include({ apyBase: 4.25, pool: SAVINGS_POOL });
    expect(await readings("defillama-yields", "aave-v3-usdc")).to.have.length(1);
    expect(await readings("defillama-protocols", "aave-v3")).to.have.length(1);

    now = BUCKET + HOUR;
    await pools.work(BUCKET + HOUR, signal);
    expect(await readings("defillama-yields", "sky-savings")).to.have.length(2);
  });

  it("go on after the bucket of the newest reading, however long ago it was", async () => {
    const settings = { charts: [aave], protocols: ["aave-v3"] };
    await named(await jobs({}, settings), "defillama-yields").work(BUCKET, signal);
    for (const passed of [0, HOUR, 40 * DAY]) {
      now = NOW + passed;
      const list = await jobs({}, settings);
      expect(named(list, "defillama-yields").lastDone, `${passed} s later`).to.equal(BUCKET);
      expect(named(list, "defillama-protocols").lastDone).to.equal(null);
    }
    // A clock that went ahead.
    now = NOW - DAY;
    expect(named(await jobs({}, settings), "defillama-yields").lastDone).to.equal(BUCKET);
  });

  it("store what is listed and name what is not", async () => {
    const list = await jobs({}, { charts: [savings, aave], protocols: ["aave-v3", "no-such"] });
    const ofPools = await failureOf(named(list, "defillama-yields").work(BUCKET, signal));
    expect(ofPools).to.include({ code: "SOURCE_POOL_UNKNOWN", field: "collect.defiLlama.charts" });
    expect(ofPools.message).to.contain("sky-savings").and.not.contain("aave");
    const ofProtocols = await failureOf(named(list, "defillama-protocols").work(BUCKET, signal));
    expect(ofProtocols).to.include({ code: "SOURCE_PROTOCOL_UNKNOWN", field: "collect.defiLlama.protocols" });
    expect(await readings("defillama-yields", "aave-v3-usdc")).to.have.length(1);
    expect(await readings("defillama-protocols", "aave-v3")).to.have.length(1);
  });

  it("store the days of a chart once, and ask for it again when another day is over", async () => {
    const charts = { [SAVINGS_POOL]: days([5, 6, 7]) };
    const server = await serving(llamaServer({ charts }));
    const job = named(await jobsAt(server, { charts: [savings] }), "defillama-chart sky-savings");
    await job.work(BUCKET, signal);
    const rows = await series("sky-savings");
    expect(rows.map(({ supplyApr }) => supplyApr)).to.deep.equal([0.05, 0.06, 0.07]);
    expect(rows.at(-1)).to.include({ source: "defillama-yields", observedAt: MIDNIGHT - HOUR, suppliedUsd: 1_000_000 });

    now += HOUR;
    await job.work(BUCKET + HOUR, signal);
    expect(server.asked).to.have.length(1);
    expect(await series("sky-savings")).to.deep.equal(rows);

    // The source corrects its past: what was known is left as it was.
    now = MIDNIGHT + DAY + 2 * HOUR;
    charts[SAVINGS_POOL] = days([5, 6.5, 7, 8], MIDNIGHT + DAY);
    await job.work(now, signal);
    expect(server.asked).to.have.length(2);
    const later = await series("sky-savings");
    expect(later.slice(0, 3)).to.deep.equal(rows);
    expect(later.map(({ supplyApr }) => supplyApr)).to.deep.equal([0.05, 0.06, 0.07, 0.08]);
  });

  it("leave a day alone until its last point must have come", async () => {
    const charts = { [SAVINGS_POOL]: days([5, 6, 7]) };
    const list = await jobs({ charts }, { charts: [savings] });
    const job = named(list, "defillama-chart sky-savings");
    now = MIDNIGHT + 2 * HOUR - 1;
    await job.work(MIDNIGHT + HOUR, signal);
    expect((await series("sky-savings")).map(({ supplyApr }) => supplyApr)).to.deep.equal([0.05, 0.06]);
    now = MIDNIGHT + 2 * HOUR;
    await job.work(MIDNIGHT + 2 * HOUR, signal);
    expect((await series("sky-savings")).map(({ supplyApr }) => supplyApr)).to.deep.equal([0.05, 0.06, 0.07]);
  });

  it("flag what is odd in a chart by all that is stored before it, and keep it", async () => {
    const calm = Array.from({ length: 30 }, () => 5);
    const charts = { [SAVINGS_POOL]: days([...calm, 250]) };
    const job = named(await jobs({ charts }, { charts: [savings] }), "defillama-chart sky-savings");
    await job.work(BUCKET, signal);
    const rows = await series("sky-savings");
    expect(rows.slice(0, 30).map(({ flags }) => flags)).to.deep.equal(calm.map(() => 0));
    expect(namesOf(rows[30]?.flags ?? 0)).to.deep.equal(["apy-over-200", "outlier"]);

    // A spike that only the stored days show to be one.
    now += DAY;
    charts[SAVINGS_POOL] = days([...calm, 250, 90], MIDNIGHT + DAY);
    await job.work(BUCKET + DAY, signal);
    const [last, ...more] = (await series("sky-savings")).slice(31);
    expect(more).to.deep.equal([]);
    expect(namesOf(last?.flags ?? 0)).to.deep.equal(["outlier"]);
  });

  it("never put a chart into the series that is read from the chain", async () => {
    const list = await jobs({ charts: { [SAVINGS_POOL]: days([5]) } }, { charts: [savings] });
    await named(list, "defillama-chart sky-savings").work(BUCKET, signal);
    const names = (await store.history.series()).filter((one) => one.chainId === chainId).map(({ name }) => name);
    expect(names).to.deep.equal(["sky-savings.defillama"]);
  });

  it("survive a source that is down, and one chart that is: the others go on, and it does when it is back", async () => {
    let broken = true;
    const data = json({ status: "success", data: [pool(), pool({ pool: SAVINGS_POOL })] });
    const reply: Reply = (response, asked) => {
      if (asked.path === "/protocols") return json([protocol()])(response, asked);
      if (broken && !asked.path.endsWith(AAVE_POOL)) return status(503)(response, asked);
      if (asked.path === "/pools") return data(response, asked);
      return json({ status: "success", data: days([5]) })(response, asked);
    };
    const server = await serving(scriptedServer(reply));
    const settings = at(server, { everySeconds: 2, charts: [aave, savings], protocols: ["aave-v3"] });
    // Runs with the wall, from then on.
    const ahead = NOW * 1_000 - Date.now();
    const running: Clock = { ...wallClock, now: () => Date.now() + ahead };
    const list = await llamaJobs(settingsOf(settings), store.history, { chainId, clock: running });
    const events: KeeperEvent[] = [];
    const stop = new AbortController();
    const scheduler = startScheduler(list, {
      sink: { emit: (event) => void events.push(event) },
      signal: stop.signal,
      clock: running,
      random: () => 0,
    });
    const until = async (done: () => boolean): Promise<void> => {
      for (let tries = 0; !done() && tries < 400; tries += 1) await sleep(50);
      expect(done()).to.equal(true);
    };
    const stateOf = (source: string) => scheduler.states().find((state) => state.source === source);
    try {
      await until(() => stateOf("defillama-yields")?.down === true && (stateOf("defillama-protocols")?.done ?? 0) >= 2);
      await until(() => stateOf("defillama-chart sky-savings")?.down === true);
      expect(stateOf("defillama-chart aave-v3-usdc")).to.include({ down: false, failed: 0 });
      expect(await series("aave-v3-usdc")).to.have.length(1);
      expect(await readings("defillama-yields", "aave-v3-usdc")).to.deep.equal([]);
      expect(await series("sky-savings")).to.deep.equal([]);
      broken = false;
      await until(() => stateOf("defillama-chart sky-savings")?.down === false);
      await until(() => stateOf("defillama-yields")?.down === false);
    } finally {
      stop.abort();
      await scheduler.finished;
    }
    expect(await series("sky-savings")).to.have.length(1);
    expect(await readings("defillama-yields", "aave-v3-usdc")).not.to.deep.equal([]);
    const rows = await readings("defillama-protocols", "aave-v3");
    const buckets = rows.map(({ observedAt }) => Math.floor(observedAt / 2));
    expect(new Set(buckets).size).to.equal(buckets.length).and.at.least(2);
    const troubles = events.flatMap((event) => (event.name === "source.trouble" ? [event] : []));
    expect(troubles.map(({ source }) => source)).to.have.members(["defillama-yields", "defillama-chart sky-savings"]);
    for (const { code } of troubles) expect(code).to.equal("SOURCE_UNREACHABLE");
  });
});
