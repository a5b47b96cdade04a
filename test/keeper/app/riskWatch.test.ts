// The keeper's look at risk on the local chain, with a real database: a feed that loses its peg trips the breaker once, a
// dry run stops nobody but itself, and when nothing comes any more the clock says so.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { localWallet } from "../../../deploy/networks/localWallet";
import { JsonRpcProvider } from "ethers";
import { RiskWatch, riskSources } from "../../../keeper/app/riskWatch";
import { readSnapshot } from "../../../keeper/chain/readSnapshot";
import { loadConfig } from "../../../keeper/config/load";
import type { RiskInput } from "../../../keeper/decide/strategy";
import type { KeeperEvent } from "../../../keeper/events/events";
import { silent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { observationsOf } from "../../../keeper/venues/observations";
import { PriceFeedModel__factory } from "../../../typechain-types";
import { startLocalVenues, type LocalVenues } from "../collect/localVenues";
import type { ModelForecastRow } from "../../../keeper/store/modelRecords";
import { observationRow, snapshotRow } from "../store/fixtures/rows";

const PAR = 100_000_000n;

describe("the look at risk", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let folder: string;
  let store: Store;
  let provider: JsonRpcProvider;
  let events: KeeperEvent[];

  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-risk-"));
    store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    provider = new JsonRpcProvider(local.url, undefined, { cacheTimeout: -1 });
  });
  after(async () => {
    provider.destroy();
    await store.close();
    await local.end();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    events = [];
    await report(PAR);
    await store.breaker.reset(of(), "the next test begins");
  });

  const of = () => ({ chainId: local.genesis.addresses.chainId, vault: local.genesis.addresses.vault });

  function watching(
    options: { persist?: boolean; closeOnTrip?: boolean; closing?: string; clock?: () => number; risk?: object } = {},
  ): RiskWatch {
    const config = loadConfig({
      env: { RPC_URL: local.url },
      cwd: folder,
      overrides: {
        risk: { breaker: { oracleSeconds: 0, closeOnTrip: options.closeOnTrip ?? false }, ...options.risk },
      },
    });
    const { addresses } = local.genesis;
    return new RiskWatch({
      ...{ addresses, config, chain: local.chain, store, closing: options.closing },
      sources: riskSources(config, addresses),
      sink: { emit: (event) => events.push(event) },
      persist: options.persist ?? true,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
  }
  async function mine(seconds = 12): Promise<void> {
    await local.rpc("evm_increaseTime", [seconds]);
    await local.rpc("evm_mine");
  }
  async function report(answer: bigint): Promise<void> {
    const feed = PriceFeedModel__factory.connect(
      local.genesis.protocols.feeds.usdc,
      localWallet("market").connect(provider),
    );
    const sent = await feed.push(answer);
    await local.rpc("evm_mine");
    expect((await provider.getTransactionReceipt(sent.hash))?.status).to.equal(1);
  }
  async function look(watch: RiskWatch): Promise<RiskInput> {
    const head = await local.head();
    const { addresses } = local.genesis;
    const snapshot = await readSnapshot(local.chain, head, { addresses, keeper: addresses.keepers[0] ?? "" });
    return watch.look(head, snapshot, observationsOf(snapshot, { availableAt: head.timestamp, previous: [] }));
  }
  const named = (name: KeeperEvent["name"]): KeeperEvent[] => events.filter((event) => event.name === name);

  it("gives every venue a verdict, and the same to the next process from what is stored", async () => {
    const { verdicts, scenarios, tripped, closing } = await look(watching());
    expect(verdicts.map(({ venue }) => venue)).to.deep.equal(local.genesis.addresses.adapters.map(({ id }) => id));
    expect(verdicts.find(({ venue }) => venue === "aave-v3-usdc")?.limit).to.be.above(0.5);
    expect(scenarios.length).to.be.above(5);
    expect(tripped).to.deep.equal([]);
    expect(closing).to.equal(null);
    expect(await store.breaker.reference(of())).to.match(/^\d{24,}$/);
  });

  it("tells a decision of the tail where it is disliked and positions are limited, else not", async () => {
    const tailOf = async (risk?: object): Promise<unknown> =>
      (await look(watching(risk === undefined ? {} : { risk }))).tail;
    const tail = { kappa: 0.5, confidence: 0.99 };
    expect(await tailOf()).to.equal(undefined);
    expect(await tailOf({ tail })).to.deep.equal(tail);
    expect(await tailOf({ tail, limitPositions: false })).to.equal(undefined);
  });

  it("dislikes the tail more after a month of swings, where it is told to", async () => {
    const now = (await local.head()).timestamp;
    for (let day = 1; day <= 25; day += 1) {
      const sharePrice = day % 2 === 0 ? "1000000000000000000" : "1010000000000000000";
      const at = now - day * 86_400;
      const row = { ...of(), blockNumber: 10_000 + day, observedAt: at, availableAt: at, sharePrice };
      await store.saveSnapshot(snapshotRow(row), []);
    }
    const tolerance = { usualVolatility: 0.001, drawdownToDouble: 0.05, most: 3 };
    const tail = { kappa: 0.5, confidence: 0.99 };
    expect((await look(watching({ risk: { tail: { ...tail, tolerance } } }))).tail).to.deep.equal({
      ...tail,
      kappa: 1.5,
    });
    expect((await look(watching({ risk: { tail } }))).tail).to.deep.equal(tail);
    const calm = { ...tolerance, usualVolatility: 1_000 };
    const third = (await look(watching({ risk: { tail: { ...tail, tolerance: calm } } }))).tail;
    expect(third).to.deep.equal({ ...tail, kappa: 0.166666666667 });
  });

  it("trips once, tells once, and is tripped still with the price back and another process looking", async () => {
    const watch = watching();
    await look(watch);
    await report((PAR * 97n) / 100n);
    const { tripped } = await look(watch);
    expect(tripped.map(({ cause }) => cause)).to.deep.equal(["oracle"]);
    expect(watch.isTripped).to.equal(true);
    await mine();
    await look(watch);
    expect(named("breaker.tripped")).to.have.length(1);

    await report(PAR);
    expect((await look(watch)).tripped).to.have.length(1);
    const next = watching();
    events = [];
    expect((await look(next)).tripped.map(({ detail }) => detail)).to.match(/usdc-usd is at 0\.9700/);
    expect(named("breaker.open")).to.have.length(1);
    expect(named("breaker.tripped")).to.have.length(0);

    await store.breaker.reset(of(), "it was a test");
    await mine();
    expect((await look(next)).tripped).to.deep.equal([]);
    expect(next.isTripped).to.equal(false);
    expect(named("breaker.reset")).to.deep.equal([{ name: "breaker.reset", reason: "it was a test" }]);
  });

  it("closes on a trip only where it was told to", async () => {
    await report((PAR * 97n) / 100n);
    expect((await look(watching())).closing).to.equal(null);
    await store.breaker.reset(of(), "again, closing");
    expect((await look(watching({ closeOnTrip: true }))).closing).to.deep.equal({ unable: [] });
  });

  it("in a dry run stops itself and nobody else, and can rehearse a close", async () => {
    await report((PAR * 97n) / 100n);
    const dry = watching({ persist: false });
    expect((await look(dry)).tripped.map(({ cause }) => cause)).to.deep.equal(["oracle"]);
    expect(await store.breaker.open(of())).to.deep.equal([]);
    expect(await store.breaker.reference(of())).to.equal(null);
    await report(PAR);
    const rehearsal = await look(watching({ persist: false, closing: "a drill" }));
    expect(rehearsal.tripped).to.deep.equal([{ cause: "operator", detail: "a drill" }]);
    expect(rehearsal.closing).to.deep.equal({ unable: [] });
    expect(await store.breaker.open(of())).to.deep.equal([]);
  });

  it("takes a share price that fell from its own reference for a drawdown, and a reset for a new beginning", async () => {
    const watch = watching();
    await look(watch);
    const now = BigInt((await store.breaker.reference(of())) ?? "0");
    await store.breaker.raise(of(), { sharePrice: String((now * 102n) / 100n), observedAt: 1_700_000_000 });
    await mine();
    const { tripped } = await look(watch);
    expect(tripped.map(({ cause }) => cause)).to.deep.equal(["drawdown"]);
    expect(tripped[0]?.detail).to.match(/196\.\d bp under its highest/);
    await store.breaker.reset(of(), "the loss is known");
    await mine();
    expect((await look(watch)).tripped).to.deep.equal([]);
    await mine();
    expect((await look(watch)).tripped).to.deep.equal([]);
  });

  it("judges what a trained model said where decisions rested on it, not what it said in the shadow", async () => {
    const { chainId } = of();
    const model = "a".repeat(64);
    await store.models.register({ hash: model, name: "far-off", card: "{}" });
    const { timestamp } = await local.head();
    const hour = Math.floor(timestamp / 3_600) * 3_600;
    const hours = Array.from({ length: 100 }, (_, k) => hour - (100 - k) * 3_600);
    // A rate that stands still: neither persistence nor the EWMA is ever wrong.
    const seen = hours.map((observedAt) =>
      observationRow({ chainId, venue: "aave-v3-usdc", observedAt, availableAt: observedAt, supplyAprWithoutUs: 0.04 }),
    );
    const said = (change: Partial<ModelForecastRow>): Promise<void> =>
      store.models.addForecasts(
        hours.map((madeAt) => ({
          ...{ chainId, series: "aave-v3-usdc", horizonHours: 24, madeAt, modelHash: model, served: true, live: true },
          ...{ point: 0.09, low: 0.08, high: 0.1, baseline: 0.04, ...change },
        })),
      );
    const causes = async (): Promise<string[]> => {
      const watch = watching();
      watch.remember(seen);
      return (await look(watch)).tripped.map(({ cause, detail }) => `${cause}: ${detail}`);
    };
    for (const [series, change] of [
      ["sky-susds", {}],
      ["aave-v3-usdc", { horizonHours: 168 }],
    ] as const) {
      await said({ series, ...change });
    }
    expect(await causes(), "of another venue or horizon").to.deep.equal([]);
    const other = "b".repeat(64);
    await store.models.register({ hash: other, name: "shadow", card: "{}" });
    await said({ modelHash: other, served: false });
    expect(await causes(), "in the shadow").to.deep.equal([]);
    await said({});
    const [cause, ...others] = await causes();
    expect(others).to.deep.equal([]);
    expect(cause).to.match(
      /^model-drift: over 168 h the forecast was off by 5\.00 pp .* stay as they are by 0\.00 pp$/,
    );
  });

  describe("by this machine's clock", () => {
    let now: number;
    const open = async (): Promise<string[]> => (await store.breaker.open(of())).map(({ detail }) => detail);
    beforeEach(() => {
      now = 1_000_000_000;
    });

    it("sees that no block came, once, and not before the first one", async () => {
      const watch = watching({ clock: () => now });
      now += 1e9;
      await watch.lookAtClock();
      expect(await open()).to.deep.equal([]);
      await look(watch);
      now += 900_000;
      await watch.lookAtClock();
      expect(await open()).to.deep.equal([]);
      now += 100_000;
      await watch.lookAtClock();
      await watch.lookAtClock();
      expect(await open()).to.deep.equal(["no block could be read for 1000 s, over 900 s"]);
      expect(named("breaker.tripped")).to.have.length(1);
    });

    it("sees that collecting stopped while blocks came, but not that it never began", async () => {
      const { timestamp } = await local.head();
      const collect = (at: number) =>
        store.history.addHistory({ chainId: of().chainId, name: "aave-v3-usdc" }, [
          {
            ...{ observedAt: at, availableAt: at, block: 1, blockHash: null, source: "test", index: null, flags: 0 },
            ...{ suppliedUsd: 1, borrowedUsd: 0, supplyApr: 0.01, borrowApr: 0.02 },
          },
        ]);
      const watch = watching({ clock: () => now });
      const after = async (seconds: number): Promise<string[]> => {
        now += seconds * 1_000;
        await look(watch);
        await watch.lookAtClock();
        return open();
      };
      await collect(timestamp - 600);
      expect(await after(0)).to.deep.equal([]);
      // Rows of an earlier process: nobody need be collecting now.
      expect(await after(5_000)).to.deep.equal([]);
      await collect(timestamp - 300);
      expect(await after(100)).to.deep.equal([]);
      expect(await after(899)).to.deep.equal([]);
      expect(await after(61)).to.deep.equal(["no row was collected for 960 s, over 900 s"]);
    });
  });
});
