// The collector as a part of a process: one of two collects, it outlives outages, and `tiller run` has it beside its loop.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Contract, JsonRpcProvider, Network } from "ethers";
import { localWallet } from "../../../deploy/networks/localWallet";
import { Collector } from "../../../keeper/app/collector";
import { collectorJobs, type CollectorJobsParts } from "../../../keeper/app/collectorJobs";
import { runFromConfig } from "../../../keeper/app/run";
import type { Chain } from "../../../keeper/chain/connect";
import { headStream } from "../../../keeper/chain/heads";
import { ChainTime } from "../../../keeper/collect/jobTime";
import { loadConfig, type Config, type ConfigInput } from "../../../keeper/config/load";
import type { KeeperEvent } from "../../../keeper/events/events";
import { silent } from "../../../keeper/events/events";
import type { EventRow, HistoryRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { bindContracts } from "../../../scripts/localnet/market/contracts";
import { UNISWAP_FEE_PIPS } from "../../../scripts/localnet/protocols/parameters";
import { down, faultyNode, type FaultyNode } from "../chain/fixtures/faultyNode";
import { connectTo, startLocalVenues, type LocalVenues } from "../collect/localVenues";

const CHAIN = 31_337;
const EVERY = 300;
/** Long beside what an answer takes: what is asked more often than this is asked by two. */
const POLL_MS = 200;

describe("the collector", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let folder: string;
  let places = 0;
  let dataDir: string;
  const closing: (() => Promise<void> | void)[] = [];

  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-collector-"));
  });
  after(async () => {
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    dataDir = path.join(folder, String(places++));
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  function configOf(change: ConfigInput = {}): Config {
    const settings = {
      dataDir,
      chain: { rpcUrls: [local.url], pollMs: 20, finalityBlocks: 2, requestTimeoutMs: 2_000 },
      addresses: local.genesis.addressFile,
      serve: { port: 0 },
      ...change,
    };
    return loadConfig({ env: {}, cwd: folder, overrides: settings });
  }
  async function storeAt(): Promise<Store> {
    const store = await openStore({ dataDir, sink: silent });
    closing.push(() => store.close());
    return store;
  }
  /** A collector of its own process would be like this one: own store, own lock. */
  async function collector(chain: Chain = local.chain) {
    const events: KeeperEvent[] = [];
    const config = configOf();
    const store = await openStore({ dataDir, sink: silent });
    const stop = new AbortController();
    const parts = { config, addresses: local.genesis.addresses, chain, store };
    const own = new Collector({ ...parts, sink: { emit: (event) => void events.push(event) } });
    const running = own.run(stop.signal, {
      everySeconds: EVERY,
      heads: (signal) => headStream(chain, { pollMs: 20, signal }),
    });
    const end = async (): Promise<void> => {
      stop.abort();
      await running;
      await store.close();
    };
    closing.push(end);
    return { own, events, end };
  }
  const mine = async (seconds = EVERY): Promise<void> => {
    await local.rpc("evm_increaseTime", [seconds]);
    await local.rpc("evm_mine");
  };
  async function until(met: () => boolean | Promise<boolean>, meanwhile?: () => Promise<void>): Promise<void> {
    for (let tries = 0; !(await met()); tries += 1) {
      if (tries > 600) throw new Error("it never came about");
      await meanwhile?.();
      await sleep(50);
    }
  }
  const names = (events: readonly KeeperEvent[]): string[] => events.map(({ name }) => name);
  const count = (events: readonly KeeperEvent[], name: KeeperEvent["name"]): number =>
    names(events).filter((each) => each === name).length;
  async function rows(store: Store, name = "aave-v3-usdc"): Promise<HistoryRow[]> {
    const found: HistoryRow[] = [];
    for await (const page of store.history.history({ chainId: CHAIN, name })) found.push(...page);
    return found;
  }
  const buckets = (points: readonly HistoryRow[]): number[] =>
    points.map(({ observedAt }) => Math.floor(observedAt / EVERY));

  it("of two is one, and the other goes on when that one ends: no bucket twice, none lost", async () => {
    const store = await storeAt();
    const first = await collector();
    await until(() => names(first.events).includes("collect.state"));
    const second = await collector();
    await until(() => names(second.events).includes("collect.state"));
    expect(first.events).to.deep.include({ name: "collect.state", chainId: CHAIN, state: "collecting" });
    expect(second.events).to.deep.include({ name: "collect.state", chainId: CHAIN, state: "standby" });
    await until(() => count(first.events, "collect.swept") >= 3, mine);
    expect(count(second.events, "collect.swept")).to.equal(0);

    await first.end();
    await until(() => count(second.events, "collect.swept") >= 3, mine);
    const found = buckets(await rows(store));
    expect(new Set(found).size).to.equal(found.length);
    const swept = count(first.events, "collect.swept") + count(second.events, "collect.swept");
    // A sweep that was ended between storing and telling has a row and no event.
    expect(found.length).to.be.within(swept, swept + 1);
    expect(count(second.events, "collect.state"), "told at each change only").to.equal(2);
  });

  it("asked once while another collects reads everything and stores nothing", async () => {
    const store = await storeAt();
    const first = await collector();
    await until(() => count(first.events, "collect.swept") >= 1, mine);
    const parts = { config: configOf(), addresses: local.genesis.addresses, chain: local.chain, store, sink: silent };
    const once = await new Collector(parts).once();
    expect(once).to.include({ elsewhere: true, stored: 0 });
    expect(once.readings.length).to.be.above(4);
    await first.end();
    const before = (await rows(store)).length;
    const swept = count(first.events, "collect.swept");
    // What was mined on the way may be swept while it is asked; a sweep that was ended before it was told has a row as well.
    expect(before).to.be.within(swept, swept + 1);
    await mine();
    expect(await new Collector(parts).once()).to.include({ elsewhere: false });
    expect((await rows(store)).length).to.equal(before + 1);
  });

  it("outlives a node that is down from the start, and tells of it once", async () => {
    const proxy = await faultyNode(local.url);
    closing.push(() => proxy.close());
    const chain = await connectTo(proxy.url);
    closing.push(() => chain.close());
    proxy.fault = down;
    const { events } = await collector(chain);
    await until(() => proxy.seen.length >= 3);
    proxy.fault = null;
    await until(() => count(events, "collect.swept") >= 1, mine);
    const told = events.flatMap((event) =>
      event.name === "source.trouble" || event.name === "source.recovered" ? [`${event.name} ${event.source}`] : [],
    );
    expect(told).to.deep.equal(["source.trouble collector", "source.recovered collector"]);
  });

  it("keeps the events of the vault's pools up to the head", async () => {
    const store = await storeAt();
    const { events } = await collector();
    const { uniswap, tokens } = local.genesis.protocols;
    const key = { chainId: CHAIN, source: "uniswap-v3", subject: uniswap.usdcUsdtPool.toLowerCase() };
    const followed = () => events.filter(({ name }) => name === "collect.followed").length;
    await until(() => followed() >= 1, mine);
    await swapIn(local, { tokenIn: tokens.usdc, tokenOut: tokens.usdt });
    const swapped = (await local.head()).number;
    const upTo = async () => (await store.history.chunks(key)).at(-1)?.toBlock ?? 0;
    await until(async () => (await upTo()) >= swapped, mine);
    const rows: EventRow[] = [];
    const query = { chainId: CHAIN, source: key.source, pool: key.subject, fromBlock: 0, toBlock: 1e9 };
    for await (const page of store.history.events(query)) rows.push(...page);
    expect(rows.map(({ kind, block }) => [kind, block])).to.deep.equal([["swap", swapped]]);
    let next: number | null = null;
    for (const { fromBlock, toBlock } of await store.history.chunks(key)) {
      expect(fromBlock).to.equal(next ?? fromBlock);
      next = toBlock + 1;
    }
  });

  it("forgets what models said longer ago than is kept", async () => {
    const store = await storeAt();
    const [modelHash, now] = ["a".repeat(64), Math.floor(Date.now() / 1_000)];
    await store.models.register({ hash: modelHash, name: "said", card: "{}" });
    const of = { chainId: CHAIN, series: "aave-v3-usdc", horizonHours: 24 };
    const said = [399, 401].map((days) => ({
      ...{ ...of, madeAt: now - days * 86_400, modelHash, served: true, live: true },
      ...{ point: 0.05, low: 0.04, high: 0.06, baseline: 0.045 },
    }));
    await store.models.addForecasts(said);
    // The job of every hour, now.
    const jobs = await collectorJobs({
      ...{ config: configOf(), chain: local.chain, store, sink: silent, everySeconds: EVERY },
      targets: { pools: [] } as unknown as CollectorJobsParts["targets"],
      collecting: undefined as unknown as CollectorJobsParts["collecting"],
      ...{ time: new ChainTime(now), newest: () => expect.fail("no chain is read for it") },
    });
    await jobs.find(({ source }) => source === "store")?.work(0, new AbortController().signal);
    const left = await store.models.served({ ...of, from: 0 });
    expect(left.map(({ madeAt }) => madeAt)).to.deep.equal([said[0]?.madeAt]);
  });

  describe("beside the loop of tiller run", () => {
    let proxy: FaultyNode;
    beforeEach(async () => {
      proxy = await faultyNode(local.url);
      closing.push(() => proxy.close());
    });

    async function running(collect: ConfigInput["collect"]) {
      const events: KeeperEvent[] = [];
      const stop = new AbortController();
      const chain = { rpcUrls: [proxy.url], pollMs: POLL_MS, finalityBlocks: 2, requestTimeoutMs: 2_000 };
      const ended = runFromConfig(configOf({ chain, collect }), {
        env: {},
        dryRun: true,
        once: false,
        signal: stop.signal,
        sink: { emit: (event) => void events.push(event) },
      });
      ended.catch(() => undefined);
      const end = async (): Promise<void> => {
        stop.abort();
        await ended;
      };
      closing.push(end);
      return { events, end };
    }

    it("makes the history grow, by the same poll of the node, and ends with the loop", async () => {
      const { events, end } = await running({ everySeconds: EVERY });
      const both = () => Math.min(count(events, "tick.end"), count(events, "collect.swept"));
      await until(() => both() >= 3, mine);
      const polls = () =>
        proxy.seen.filter(({ method, params }) => method === "eth_getBlockByNumber" && params[0] === "latest").length;
      const [before, from] = [polls(), performance.now()];
      await sleep(30 * POLL_MS);
      // Two that poll by themselves would ask twice as often; what a busy machine held back comes at once.
      expect(polls() - before).to.be.below((1.5 * (performance.now() - from)) / POLL_MS + 3);
      await end();
      expect(names(events).at(-1)).to.equal("keeper.stopped");
      const store = await storeAt();
      expect((await rows(store)).length).to.equal(count(events, "collect.swept"));
      const asked = proxy.seen.length;
      await sleep(200);
      expect(proxy.seen.length).to.equal(asked);
    });

    it("never stops the loop, whatever goes wrong with it", async () => {
      const vault = `0x${"d5".repeat(20)}`;
      const { events } = await running({
        everySeconds: EVERY,
        targets: [{ kind: "erc4626", subject: "nobody", vault }],
      });
      // anvil answers a call at its newest block by the next one's state while that is made: a tick is left alone until it is over.
      const mineAndTick = async (): Promise<void> => {
        await mine();
        const { number } = await local.head();
        await until(() => events.some((event) => event.name === "tick.end" && event.block === number));
      };
      await until(() => count(events, "collect.swept") >= 1, mineAndTick);
      proxy.fault = (request, response) => {
        // Only the sweep asks a vault that is not there.
        const asks = JSON.stringify(request.params).includes(vault.slice(2));
        if (request.method !== "eth_call" || !asks) return false;
        response.writeHead(500).end();
        return true;
      };
      for (let block = 0; block < 3; block += 1) await mineAndTick();
      await until(
        () => events.some((event) => event.name === "source.trouble" && event.source === "chain"),
        mineAndTick,
      );
      expect(events.filter(({ name }) => name === "tick.failed")).to.deep.equal([]);
      const told = events.filter((event) => event.name === "source.trouble" && event.source === "erc4626 nobody");
      expect(told).to.have.length(1);
    });

    it("is left out where the config says so", async () => {
      const { events, end } = await running({ everySeconds: EVERY, withKeeper: false });
      await until(() => count(events, "tick.end") >= 3, mine);
      await end();
      expect(names(events)).to.not.include.members(["collect.state"]);
      expect(await rows(await storeAt())).to.deep.equal([]);
    });

    it("refuses a subject that is collected twice before anything runs", async () => {
      const targets = [{ kind: "erc4626" as const, subject: "savings-usdc", vault: `0x${"d5".repeat(20)}` }];
      const config = configOf({ collect: { targets } });
      const { signal } = new AbortController();
      const failure = await runFromConfig(config, { env: {}, dryRun: true, once: false, signal, sink: silent }).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure).to.have.property("code", "COLLECTED_TWICE");
    });
  });
});

/** A trade of a thousand, mined by itself. */
async function swapIn(
  local: LocalVenues,
  { tokenIn, tokenOut }: { readonly tokenIn: string; readonly tokenOut: string },
): Promise<void> {
  const network = Network.from(CHAIN);
  const provider = new JsonRpcProvider(local.url, network, { staticNetwork: network, cacheTimeout: -1 });
  const market = localWallet("market").connect(provider);
  const { usdc, swapRouter } = bindContracts(provider, local.genesis.protocols);
  const amount = 1_000_000_000n;
  const gas = { gasLimit: 1_000_000n };
  let nonce = await market.getNonce();
  const send = async (to: Contract, method: string, args: readonly unknown[]): Promise<void> => {
    await (to.connect(market) as Contract).getFunction(method)(...args, { ...gas, nonce: nonce++ });
    await local.rpc("evm_mine");
  };
  await send(usdc as unknown as Contract, "mint", [market.address, amount]);
  await send(usdc as unknown as Contract, "approve", [local.genesis.protocols.uniswap.swapRouter, amount]);
  const order = [tokenIn, tokenOut, UNISWAP_FEE_PIPS, market.address, amount, 0n, 0n];
  await send(swapRouter, "exactInputSingle", [order]);
  provider.destroy();
}
