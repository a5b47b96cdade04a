// A day on the local chain, watched by a keeper and by a dry run, and played again through the backtest: three times the same
// decisions, by their hashes. The keeper is started anew at noon, and the market moves all day.
import { expect } from "chai";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { assemble, type Assembled } from "../../keeper/app/assemble";
import type { Tick } from "../../keeper/app/keeper";
import { replayRecording, type ReplayedRun } from "../../keeper/backtest/recorded";
import { readRecording } from "../../keeper/backtest/recordingFile";
import { blockAt } from "../../keeper/chain/heads";
import { loadConfig } from "../../keeper/config/load";
import { decide } from "../../keeper/decide/decide";
import type { Strategy } from "../../keeper/decide/strategy";
import { silent } from "../../keeper/events/events";
import { openMarket, type Market } from "../../scripts/localnet/market";
import { keeperEnvironment, landedRebalances, startLocalSystem, tiller, type LocalSystem } from "./localSystem";

const SECONDS_PER_BLOCK = 600;
const BLOCKS = 86_400 / SECONDS_PER_BLOCK;

/** At first bundles are missed: a plan is in flight for so many blocks. */
const MISSED_BLOCKS = 4;

/** Block number → hash of the decision's record. */
type Decisions = Map<number, string>;

describe("a recorded day", function () {
  this.timeout(300_000);
  let system: LocalSystem;
  let market: Market;
  let config: string;
  let file: string;
  const live: Decisions = new Map();
  const rehearsed: Decisions = new Map();
  const actions = { rebalance: 0, hold: 0, busy: 0 };

  const open = (dryRun: boolean): Promise<Assembled> =>
    assemble(loadConfig({ file: config, env: keeperEnvironment() }), {
      // A clock that stands still: what a block says is known with the block, on however busy a machine.
      ...{ env: keeperEnvironment(), dryRun, sink: silent, clock: () => 0 },
    });
  const note = (decisions: Decisions, { head, outcome }: Tick): void => {
    if (outcome.action !== "busy") decisions.set(head.number, outcome.decision.hash);
  };

  async function watch(keeper: Assembled, rehearsal: Assembled, blocks: number): Promise<void> {
    for (let block = 0; block < blocks; block += 1) {
      if (live.size + actions.busy === MISSED_BLOCKS) system.relay.misbehave({});
      await market.turn();
      await system.relay.produceBlock();
      const head = await blockAt(keeper.chain, "latest");
      if (head === null) throw new Error("the node has a newest block");
      const tick = await keeper.keeper.tick(head);
      actions[tick.outcome.action] += 1;
      note(live, tick);
      note(rehearsed, await rehearsal.keeper.tick(head));
    }
  }

  before(async () => {
    system = await startLocalSystem({ blockMs: 0, secondsPerBlock: SECONDS_PER_BLOCK });
    market = openMarket({ url: system.chain.url, protocols: system.genesis.protocols, seed: 7, everyBlocks: 1 });
    file = path.join(system.folder, "day.jsonl.gz");
    config = system.configure("day", {
      limits: { cooldownSeconds: 3_600, deadlineSeconds: 20 * SECONDS_PER_BLOCK, minGainUsd: 2 },
      bundle: { blocks: 10 },
    });
    system.relay.misbehave({ neverInclude: true });
    const rehearsal = await open(true);
    try {
      for (const blocks of [BLOCKS / 2, BLOCKS / 2]) {
        const keeper = await open(false);
        await watch(keeper, rehearsal, blocks).finally(() => keeper.close());
      }
    } finally {
      await rehearsal.close();
    }
  });
  after(async () => {
    market.close();
    await system.stop();
  });

  it("has plans that landed, holds, and blocks at which a plan was in flight", async () => {
    expect(await landedRebalances(system)).to.have.length.of.at.least(2);
    expect(actions.rebalance).to.be.at.least(2);
    expect(actions.hold).to.be.at.least(BLOCKS / 2);
    expect(actions.busy).to.be.at.least(2);
    expect(actions.rebalance + actions.hold + actions.busy).to.equal(BLOCKS);
  });

  it("was decided alike by the keeper and by the dry run beside it", () => {
    expect(live.size).to.equal(BLOCKS - actions.busy);
    for (const [block, hash] of live) expect(rehearsed.get(block), `block ${block}`).to.equal(hash);
  });

  it("is decided alike by the backtest, of the database and of a file, block by block", async () => {
    const stored = await tiller(["backtest", "recorded", "--config", config, "--out", file, "--json"]);
    expect(stored.code, stored.stderr).to.equal(0);
    const { equal, runs } = JSON.parse(stored.stdout) as { equal: boolean; runs: ReplayedRun[] };
    expect(equal).to.equal(true);
    expect(runs.map(({ dryRun }) => dryRun)).to.have.members([true, false, false]);
    const own = runs.filter(({ dryRun }) => !dryRun);
    expect(own.reduce((sum, { plans }) => sum + plans, 0)).to.equal(actions.rebalance);
    expect(own.reduce((sum, { holds }) => sum + holds, 0)).to.equal(actions.hold);

    for (const { books } of own) {
      if (books === null) throw new Error("money was placed in both halves of the day");
      expect(books.chainReturn).to.be.within(0.00003, 0.001);
      expect(books.backtestReturn).to.be.closeTo(books.chainReturn, 1e-9);
    }

    const altered = path.join(system.folder, "altered.jsonl");
    writeFileSync(
      altered,
      gunzipSync(readFileSync(file))
        .toString()
        .replace(/"recordHash":"0x(.)/, (_all, digit: string) => `"recordHash":"0x${digit === "0" ? 1 : 0}`),
    );
    const other = await tiller(["backtest", "recorded", "--recording", altered, "--json"]);
    expect(other.code, other.stderr).to.equal(1);
    expect(other.stderr).to.match(/BACKTEST_DIFFERS.*1 decision is not/);

    const again = await tiller(["backtest", "recorded", "--recording", file]);
    expect(again.code, again.stderr).to.equal(0);
    expect(again.stdout).to.match(/dry run/);

    const played: Decisions = new Map();
    await replayRecording(readRecording(file), {
      strategy: decide,
      onTick: ({ snapshot, recordHash }) => {
        const known = live.get(snapshot.blockNumber);
        if (known !== undefined) expect(recordHash, `block ${snapshot.blockNumber}`).to.equal(known);
        played.set(snapshot.blockNumber, recordHash);
      },
    });
    for (const block of live.keys()) expect(played.has(block), `block ${block}`).to.equal(true);
  });

  it("is not taken for the same by a strategy that decides a little otherwise", async () => {
    const bolder: Strategy = (input) => {
      const output = decide(input);
      return output.action === "hold" && output.code === "cooldown"
        ? decide({ ...input, lastRebalanceAt: null })
        : output;
    };
    const runs = await replayRecording(readRecording(file), { strategy: bolder });
    const differences = runs.flatMap((run) => run.differences);
    expect(differences).to.have.length.of.at.least(1);
    expect(differences[0]?.what).to.match(/another decision of the same inputs/);
  });
});
