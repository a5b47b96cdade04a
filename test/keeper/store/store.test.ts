// One suite over every PostgreSQL that is here: npm's, Debian's, and one given by DATABASE_URL_TEST.
import { expect } from "chai";
import { WorldFailure } from "../../../keeper/config/failure";
import type { IntentState, Store } from "../../../keeper/store/records";
import { KEEPER, VAULT, decisionRow, hash, intentFor, observationRow, snapshotRow } from "./fixtures/rows";
import { onEveryServer, type Server } from "./fixtures/servers";

const CHAIN = 31_337;

async function failureOf(action: Promise<unknown>): Promise<WorldFailure> {
  try {
    await action;
  } catch (error) {
    expect(error).to.be.instanceOf(WorldFailure);
    return error as WorldFailure;
  }
  throw new Error("it succeeded");
}

onEveryServer("the store", (open, serverOf) => {
  let server: Server;
  let store: Store;
  before(() => {
    server = serverOf();
    store = open();
  });

  it("gives a snapshot and its observations back digit for digit, and keeps one row however often it is saved", async () => {
    const rows = [
      observationRow(),
      observationRow({
        venue: "savings-usdc",
        adapter: "0x33",
        supplied: null,
        borrowed: null,
        borrowApr: null,
        supplyApr: null,
        supplyAprWithoutUs: null,
        index: null,
      }),
    ];
    await store.saveSnapshot(snapshotRow(), rows);
    await store.saveSnapshot(snapshotRow(), rows);
    expect(await store.snapshots({ chainId: CHAIN, vault: VAULT, limit: 9 })).to.deep.equal([snapshotRow()]);
    expect(await store.observations({ chainId: CHAIN, from: 0, to: 2e9, knownBy: 2e9 })).to.deep.equal(rows);
  });

  it("keeps nothing of a snapshot whose observations are refused", async () => {
    const bad = observationRow({ blockNumber: 901, vaultAssets: "-1" });
    expect((await failureOf(store.saveSnapshot(snapshotRow({ blockNumber: 901 }), [bad]))).code).to.equal(
      "STORE_FAILED",
    );
    expect((await store.latestSnapshot(CHAIN, VAULT))?.blockNumber).to.equal(100);
  });

  it("refuses a rate that is not a number", async () => {
    const bad = observationRow({ blockNumber: 902, supplyApr: NaN });
    expect((await failureOf(store.saveSnapshot(snapshotRow({ blockNumber: 902 }), [bad]))).code).to.equal(
      "STORE_FAILED",
    );
  });

  it("finds a vault whatever the case of its address, and the newest snapshot by height", async () => {
    await store.saveSnapshot(snapshotRow({ blockNumber: 103 }), []);
    await store.saveSnapshot(snapshotRow({ blockNumber: 102 }), []);
    expect((await store.latestSnapshot(CHAIN, VAULT.toLowerCase()))?.blockNumber).to.equal(103);
    const reorganised = snapshotRow({ blockNumber: 103, blockHash: hash(0xbad), availableAt: 1_800_000_000 });
    await store.saveSnapshot(reorganised, []);
    expect((await store.latestSnapshot(CHAIN, VAULT))?.blockHash).to.equal(hash(0xbad));
    expect(await store.latestSnapshot(1, VAULT)).to.equal(null);
  });

  it("shows no observation that was not known by then", async () => {
    const late = observationRow({ blockNumber: 200, availableAt: 1_900_000_000 });
    await store.saveSnapshot(snapshotRow({ blockNumber: 200 }), [late]);
    const at = (knownBy: number) =>
      store.observations({ chainId: CHAIN, from: late.observedAt, to: late.observedAt, knownBy });
    expect(await at(1_899_999_999)).to.deep.equal([]);
    expect(await at(1_900_000_000)).to.deep.equal([late]);
  });

  it("gives a run's ticks back in their order, each with its snapshot, what was decided, and no other run's", async () => {
    const run = "first-run";
    const tickAt = (blockNumber: number, change: { run?: string; dryRun?: boolean } = {}) => {
      const { vault, blockHash, observedAt } = snapshotRow({ blockNumber });
      return {
        ...{ chainId: CHAIN, vault, blockHash, observedAt, availableAt: observedAt + 2, memory: '{"x":1}' },
        ...{ run, dryRun: false, baseFee: String(10n ** 20n + BigInt(blockNumber)), ...change },
      };
    };
    for (const blockNumber of [603, 601, 602]) {
      const row = snapshotRow({ blockNumber, payload: `{"block":${blockNumber}}` });
      await store.saveSnapshot(row, [], tickAt(blockNumber));
      await store.saveSnapshot(row, [], tickAt(blockNumber));
      await store.saveSnapshot(row, [], tickAt(blockNumber, { run: "beside", dryRun: true }));
    }
    const made = { inputs: '{"limits":{}}', recordHash: hash(7) };
    await store.noteDecision({ run, blockHash: hash(601), ...made });
    const first = await store.recordedTicks({ run, after: "0", limit: 2 });
    expect(first.map(({ id: _, ...tick }) => tick)).to.deep.equal([
      { availableAt: tickAt(603).availableAt, snapshot: '{"block":603}', inputs: null, recordHash: null },
      { availableAt: tickAt(601).availableAt, snapshot: '{"block":601}', ...made },
    ]);
    const rest = await store.recordedTicks({ run, after: first[1]?.id ?? "", limit: 2 });
    expect(rest.map(({ snapshot }) => snapshot)).to.deep.equal(['{"block":602}']);

    const [from, to] = [tickAt(601).observedAt, tickAt(603).observedAt];
    const query = { chainId: CHAIN, vault: VAULT.toLowerCase() };
    const runs = await store.tickRuns({ ...query, from, to: from });
    expect(runs).to.deep.equal([
      { run, dryRun: false, memory: '{"x":1}', from, to, ticks: 3, firstBlockHash: hash(603) },
      { run: "beside", dryRun: true, memory: '{"x":1}', from, to, ticks: 3, firstBlockHash: hash(603) },
    ]);
    expect(await store.tickRuns({ ...query, from: to + 1, to: to + 9 })).to.deep.equal([]);
    expect(await store.tickRuns({ ...query, from: 0, to: from - 1 })).to.deep.equal([]);
    const fees = (knownBy: number) => store.baseFees({ ...query, from, to, knownBy });
    expect(await fees(to + 1)).to.deep.equal(
      [601, 602].map((number) => {
        const { blockHash, observedAt } = tickAt(number);
        return { blockHash, observedAt, baseFee: String(10n ** 20n + BigInt(number)) };
      }),
    );
    expect(await fees(to + 2)).to.have.length(3);
  });

  it("keeps a decision's record byte for byte and says how it ended", async () => {
    const hold = decisionRow(301, { action: "hold" });
    const dry = decisionRow(302);
    const lost = decisionRow(303);
    await store.saveDecision(hold);
    await store.saveDecision(hold);
    await store.saveDecision(dry, { dryRun: true });
    await store.saveDecision(lost);
    const views = await store.decisions({ chainId: CHAIN, vault: VAULT, limit: 3 });
    expect(views.map((view) => [view.id, view.state])).to.deep.equal([
      [lost.id, "unplanned"],
      [dry.id, "dry-run"],
      [hold.id, "held"],
    ]);
    expect(await store.decision(hold.id)).to.deep.include(hold);
    expect(await store.decision("none")).to.equal(null);
  });

  it("refuses another record under a decision's id", async () => {
    await store.saveDecision(decisionRow(310));
    const other = decisionRow(310, { recordHash: hash(311) });
    expect((await failureOf(store.saveDecision(other))).code).to.equal("STORE_DECISION_CONFLICT");
  });

  it("plans at most one live intent for a nonce, also when two ask at once", async () => {
    const nonce = { planNonce: "900" };
    const results = await Promise.allSettled(
      [401, 402, 403, 404].map((number) =>
        store.planIntent(decisionRow(number), intentFor(decisionRow(number), nonce)),
      ),
    );
    const planned = results.filter((result) => result.status === "fulfilled");
    expect(planned).to.have.length(1);
    for (const result of results)
      if (result.status === "rejected") expect((result.reason as WorldFailure).code).to.equal("STORE_INTENT_LIVE");
    const live = (await store.liveIntents(CHAIN, VAULT, KEEPER)).filter((row) => row.planNonce === "900");
    expect(live).to.have.length(1);
    // A refused plan leaves no decision behind either: both are one transaction.
    const stored = await Promise.all([401, 402, 403, 404].map((number) => store.decision(decisionRow(number).id)));
    expect(stored.filter((view) => view !== null).map((view) => view.state)).to.deep.equal(["planned"]);
  });

  it("lets the next plan have the nonce of one that was abandoned, in any other state not", async () => {
    const nonce = { planNonce: "901" };
    const first = await store.planIntent(decisionRow(411), intentFor(decisionRow(411), nonce));
    const next = (): Promise<unknown> => store.planIntent(decisionRow(412), intentFor(decisionRow(412), nonce));
    const path: IntentState[] = ["planned", "simulated", "submitted", "missed", "included", "reorged"];
    for (const [index, state] of path.entries()) {
      const before = path[index - 1];
      if (before !== undefined)
        expect(
          await store.moveIntent(first.id, [before], state, { includedBlock: 5, includedBlockHash: hash(5) }),
        ).to.equal(true);
      expect((await failureOf(next())).code, state).to.equal("STORE_INTENT_LIVE");
    }
    await store.moveIntent(first.id, ["reorged"], "abandoned", { reason: "the block went away" });
    await next();
    // The first one may not come to life again beside it.
    const back = store.moveIntent(first.id, ["abandoned"], "submitted", {});
    expect((await failureOf(back)).code).to.equal("STORE_INTENT_LIVE");
  });

  it("sends a decision at most once, also after it was abandoned", async () => {
    const decision = decisionRow(421);
    const intent = await store.planIntent(decision, intentFor(decision, { planNonce: "902" }));
    await store.moveIntent(intent.id, ["planned"], "abandoned", { reason: "simulation reverted" });
    const again = store.planIntent(decision, intentFor(decision, { planNonce: "902" }));
    expect((await failureOf(again)).code).to.equal("STORE_DECISION_PLANNED");
  });

  it("moves an intent only from the states it was asked to, once, and keeps what a change does not name", async () => {
    const decision = decisionRow(431);
    const intent = await store.planIntent(decision, intentFor(decision, { planNonce: "903" }));
    expect(intent).to.deep.equal({
      ...intentFor(decision, { planNonce: "903" }),
      id: intent.id,
      state: "planned",
      reason: null,
      includedBlock: null,
      includedBlockHash: null,
      txHash: null,
    });
    expect(await store.moveIntent(intent.id, ["simulated"], "submitted", {})).to.equal(false);
    const both = await Promise.all(
      [1, 2].map(() => store.moveIntent(intent.id, ["planned"], "submitted", { txHash: hash(9) })),
    );
    expect(both.sort()).to.deep.equal([false, true]);
    await store.moveIntent(intent.id, ["submitted"], "included", {
      includedBlock: 440,
      includedBlockHash: hash(440),
    });
    expect(await store.intent(intent.id)).to.include({
      state: "included",
      txHash: hash(9),
      includedBlock: 440,
      reason: null,
    });
    await store.moveIntent(intent.id, ["included"], "reorged", { includedBlock: null, includedBlockHash: null });
    expect(await store.intent(intent.id)).to.include({ state: "reorged", txHash: hash(9), includedBlock: null });
    expect(await store.decision(decision.id)).to.include({ state: "reorged", txHash: hash(9), includedBlock: null });
  });

  it("does not let an inclusion stand without its block, nor an end without its reason", async () => {
    const decision = decisionRow(441);
    const intent = await store.planIntent(decision, intentFor(decision, { planNonce: "904" }));
    expect((await failureOf(store.moveIntent(intent.id, ["planned"], "included", {}))).code).to.equal("STORE_FAILED");
    expect((await failureOf(store.moveIntent(intent.id, ["planned"], "abandoned", {}))).code).to.equal("STORE_FAILED");
  });

  it("knows when the last plan that landed was decided, and lists rebalances among many holds", async () => {
    const elsewhere = { vault: `0x${"77".repeat(20)}` };
    const rebalance = (number: number) => decisionRow(number, elsewhere);
    const land = async (number: number): Promise<void> => {
      const intent = await store.planIntent(rebalance(number), intentFor(rebalance(number)));
      await store.moveIntent(intent.id, ["planned"], "included", {
        includedBlock: number,
        includedBlockHash: hash(1),
      });
      await store.moveIntent(intent.id, ["included"], "final", {});
    };
    expect(await store.lastRebalanceAt(CHAIN, elsewhere.vault)).to.equal(null);
    await land(501);
    await land(502);
    const lost = await store.planIntent(rebalance(503), intentFor(rebalance(503)));
    await store.moveIntent(lost.id, ["planned"], "abandoned", { reason: "missed five blocks" });
    expect(await store.lastRebalanceAt(CHAIN, elsewhere.vault)).to.equal(rebalance(502).decidedAt);
    for (const number of [504, 505]) await store.saveDecision(decisionRow(number, { ...elsewhere, action: "hold" }));
    const query = { chainId: CHAIN, vault: elsewhere.vault, limit: 2 };
    expect((await store.decisions(query)).map((view) => view.blockNumber)).to.deep.equal([505, 504]);
    const rebalances = await store.decisions({ ...query, action: "rebalance" });
    expect(rebalances.map((view) => [view.blockNumber, view.state, view.intentId === lost.id])).to.deep.equal([
      [503, "abandoned", true],
      [502, "final", false],
    ]);
  });

  it("opens one submission for an intent, relay and target block, and counts bundles, not relays", async () => {
    const before = await store.bundleCounts(CHAIN, VAULT);
    const decision = decisionRow(451);
    const intent = await store.planIntent(decision, intentFor(decision, { planNonce: "905" }));
    const open = (relay: string, targetBlock: number) =>
      store.openSubmission({
        intentId: intent.id,
        relay,
        targetBlock,
        maxFeePerGas: "60",
        maxPriorityFeePerGas: "1",
      });
    const first = await open("a", 452);
    await store.updateSubmission(first.id, { state: "sent", txHash: hash(1), bundleHash: hash(2) });
    expect(await open("a", 452)).to.deep.equal({ ...first, state: "sent", txHash: hash(1), bundleHash: hash(2) });
    for (const relay of ["a", "b"]) await store.updateSubmission((await open(relay, 452)).id, { state: "missed" });
    const second = await open("a", 453);
    await store.updateSubmission(second.id, { state: "included" });
    await store.updateSubmission((await open("b", 453)).id, { state: "missed" });
    await store.moveIntent(intent.id, ["planned"], "included", { includedBlock: 453, includedBlockHash: hash(453) });
    const after = await store.bundleCounts(CHAIN, VAULT);
    expect([after.included - before.included, after.missed - before.missed]).to.deep.equal([1, 1]);
    expect((await store.submissions(intent.id)).map((row) => [row.targetBlock, row.relay, row.state])).to.deep.equal([
      [452, "a", "missed"],
      [452, "b", "missed"],
      [453, "a", "included"],
      [453, "b", "missed"],
    ]);
    expect((await failureOf(store.updateSubmission("none", { state: "sent" }))).code).to.equal("STORE_ROW_MISSING");
  });

  it("has one leader for a keeper, and another as soon as it lets go", async () => {
    const other = await server.open();
    const lead = await store.tryLead(CHAIN, VAULT, KEEPER);
    expect(lead).not.to.equal(null);
    expect(await other.tryLead(CHAIN, VAULT.toLowerCase(), KEEPER)).to.equal(null);
    const elsewhere = await other.tryLead(1, VAULT, KEEPER);
    expect(elsewhere).not.to.equal(null);
    await lead?.release();
    const successor = await other.tryLead(CHAIN, VAULT, KEEPER);
    expect(successor).not.to.equal(null);
    await successor?.release();
    await elsewhere?.release();
    await other.close();
  });

  it("has one collector of a chain, whoever leads a keeper there", async () => {
    const other = await server.open();
    const lead = await store.tryLead(CHAIN, VAULT, KEEPER);
    const collecting = await store.tryCollect(CHAIN);
    expect(collecting).not.to.equal(null);
    expect(await other.tryCollect(CHAIN)).to.equal(null);
    const elsewhere = await other.tryCollect(1);
    expect(elsewhere).not.to.equal(null);
    await collecting?.release();
    const successor = await other.tryCollect(CHAIN);
    expect(successor).not.to.equal(null);
    for (const held of [lead, elsewhere, successor]) await held?.release();
    await other.close();
  });

  it("is migrated once by however many open it together", async () => {
    const stores = await Promise.all([server.open(), server.open(), server.open()]);
    for (const each of stores) await each.ping();
    await Promise.all(stores.map((each) => each.close()));
    await store.ping();
  });
});
