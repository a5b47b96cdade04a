// The life of a plan on a real chain: real vault, real relay, real signatures, real PostgreSQL. The relay is told to
// misbehave where a real one could.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Wallet, id } from "ethers";
import type { KeeperEvent } from "../../../keeper/events/events";
import { type Checkpoint, STEPS, type Step, noCheckpoint } from "../../../keeper/events/steps";
import { silent } from "../../../keeper/events/events";
import { type Executor, type ExecutorDeps, createExecutor } from "../../../keeper/execute/executor";
import { flashbotsRelay } from "../../../keeper/execute/flashbotsRelay";
import type { PolicyLimits } from "../../../keeper/execute/policy";
import { walletSigner } from "../../../keeper/execute/signer";
import { openStore } from "../../../keeper/store/open";
import type { IntentRow, IntentState, Store } from "../../../keeper/store/records";
import { type Relay, startRelay } from "../../../scripts/relay/relay";
import { account } from "../../scripts/relay/devNodes";
import {
  CHAIN_ID,
  KEEPER,
  USDC,
  type VaultSystem,
  headOf,
  landings,
  move,
  planFor,
  startVaultSystem,
} from "./vaultSystem";

const auth = new Wallet(id("executor test auth key"));
const BLOCKS = 3;
const FINALITY = 3;
const GWEI = 10n ** 9n;

const SETTINGS: ExecutorDeps["settings"] = {
  maxFeePerGas: 100n * GWEI,
  maxPriorityFeePerGas: GWEI,
  gasLimit: 3_000_000n,
  simulateOnRelay: false,
  blocks: BLOCKS,
  finalityBlocks: FINALITY,
};

class Killed extends Error {}

describe("executor", function () {
  this.timeout(180_000);
  let system: VaultSystem;
  let store: Store;
  let folder: string;
  let relay: Relay;
  let snapshot: string;
  let events: KeeperEvent[];

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-executor-"));
    [system, store] = await Promise.all([startVaultSystem(), openStore({ dataDir: folder, sink: silent })]);
  });
  after(async () => {
    await store.close();
    await system.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    snapshot = (await system.node.provider.send("evm_snapshot", [])) as string;
    relay = await startRelay({ nodeUrl: system.node.url, port: 0, blockMs: 0, secondsPerBlock: 12 });
    events = [];
  });
  afterEach(async () => {
    await relay.stop();
    for (const intent of await live()) {
      await store.moveIntent(intent.id, [intent.state], "abandoned", { reason: "the test is over" });
    }
    await system.node.provider.send("evm_revert", [snapshot]);
  });

  const limits = (): PolicyLimits => ({
    adapters: system.adapters.map((adapter) => ({ adapter, position: 500_000n * USDC, cap: 2_000_000n * USDC })),
    maxLoss: 100n,
    maxLifetimeSeconds: 10_000,
    onlyToIdle: false,
  });
  const through = (url: string, name = "local"): ReturnType<typeof flashbotsRelay> =>
    flashbotsRelay({ name, url, timeoutMs: 1_000, auth });
  const executor = (change: Partial<ExecutorDeps> = {}): Executor =>
    createExecutor({
      chain: { chainId: CHAIN_ID, provider: system.node.provider },
      vault: system.vaultAddress,
      store,
      relays: [through(relay.url)],
      signer: walletSigner(new Wallet(account(KEEPER).privateKey)),
      policyLimits: limits,
      sink: { emit: (event) => events.push(event) },
      checkpoint: noCheckpoint,
      settings: SETTINGS,
      ...change,
    });
  const live = (): Promise<IntentRow[]> => store.liveIntents(CHAIN_ID, system.vaultAddress, account(KEEPER).address);
  const reload = async (intent: IntentRow): Promise<IntentRow> => {
    const row = await store.intent(intent.id);
    if (row === null) throw new Error("the intent is gone");
    return row;
  };
  const named = <N extends KeeperEvent["name"]>(name: N): Extract<KeeperEvent, { name: N }>[] =>
    events.filter((event): event is Extract<KeeperEvent, { name: N }> => event.name === name);
  const states = (): string[] => named("intent.state").map(({ state }) => state);
  const blockThen = async (running: Executor): Promise<void> => {
    await relay.produceBlock();
    await running.advance(await headOf(system));
  };

  it("carries a plan from its intent to its final block", async () => {
    const running = executor();
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC), move(system, 1, 500n * USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    expect(begun.state, begun.reason ?? "").to.equal("submitted");
    await blockThen(running);
    const included = await reload(begun);
    const [landed] = await landings(system);
    expect(included).to.include({
      state: "included",
      txHash: landed?.txHash,
      includedBlock: landed?.block,
      includedBlockHash: (await system.node.provider.getBlock(landed?.block ?? 0))?.hash,
    });
    expect(landed).to.include({ decision: decision.recordHash, nonce: plan.nonce, block: decision.blockNumber + 1 });
    for (let i = 1; i < FINALITY; i++) await blockThen(running);
    expect((await reload(begun)).state).to.equal("included");
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("final");
    expect(states()).to.deep.equal(["planned", "simulated", "submitted", "included", "final"]);
    expect(await store.bundleCounts(CHAIN_ID, system.vaultAddress)).to.include({ missed: 0 });
    expect((await store.submissions(begun.id)).map(({ state }) => state)).to.deep.equal(["included"]);
  });

  it("orders withdrawals before deposits, and empties a position that is to be emptied", async () => {
    const running = executor();
    const first = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    await running.begin(first.decision, first.plan, await headOf(system));
    await blockThen(running);
    const second = await planFor(system, [
      move(system, 1, 900n * USDC),
      { venue: "venue-0", adapter: system.adapters[0], assets: -1n, all: true },
    ]);
    const begun = await running.begin(second.decision, second.plan, await headOf(system));
    await blockThen(running);
    expect((await reload(begun)).state, (await reload(begun)).reason ?? "").to.equal("included");
    expect(await system.venues[0]?.balanceOf(system.adapters[0])).to.equal(0n);
    expect(await system.venues[1]?.balanceOf(system.adapters[1])).to.equal(900n * USDC);
  });

  it("never sends a plan whose simulation reverts, and says which error it was", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, 5_000_000n * USDC)]);
    const wide = (): PolicyLimits => ({
      ...limits(),
      adapters: limits().adapters.map((each) => ({ ...each, cap: 10n ** 30n })),
    });
    const begun = await executor({ policyLimits: wide }).begin(decision, plan, await headOf(system));
    expect(begun.state).to.equal("abandoned");
    expect(begun.reason).to.match(
      /simulation at block \d+ reverts: IdleExceeded\(asked: 5000000000000, idle: 1000002000000\)/,
    );
    expect(await store.submissions(begun.id)).to.have.length(0);
    expect((await relay.produceBlock()).bundles).to.have.length(0);
    expect(named("bundle.sent")).to.have.length(0);
    expect(await system.node.provider.getTransactionCount(account(KEEPER).address)).to.equal(begun.accountNonce);
  });

  it("does not send to a relay where the plan reverts", async () => {
    const lying: ExecutorDeps["relays"][number] = {
      name: "local",
      send: (...args) => through(relay.url).send(...args),
      simulate: async () => ({ kind: "reverts", reason: "0x" }),
    };
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const settings = { ...SETTINGS, simulateOnRelay: true };
    const begun = await executor({ relays: [lying], settings }).begin(decision, plan, await headOf(system));
    expect((await relay.produceBlock()).bundles).to.have.length(0);
    expect((await store.submissions(begun.id))[0]?.error).to.match(/^SIMULATION_REVERTED/);
  });

  it("simulates on the relay where asked to, and sends", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const settings = { ...SETTINGS, simulateOnRelay: true };
    await executor({ settings }).begin(decision, plan, await headOf(system));
    expect((await relay.produceBlock()).bundles).to.have.length(1);
  });

  it("sends a missed plan again for the next block, priced anew, one bundle a target block", async () => {
    const running = executor();
    relay.misbehave({ neverInclude: true });
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("submitted");
    relay.misbehave({});
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("included");
    const rows = await store.submissions(begun.id);
    expect(rows.map(({ targetBlock, state }) => [targetBlock - decision.blockNumber, state])).to.deep.equal([
      [1, "missed"],
      [2, "included"],
    ]);
    expect(rows[0]?.maxFeePerGas).to.not.equal(rows[1]?.maxFeePerGas);
    expect(named("bundle.missed")).to.have.length(1);
    expect(await landings(system)).to.have.length(1);
  });

  it("gives a plan up after its last target block, and reports it", async () => {
    const running = executor();
    relay.misbehave({ neverInclude: true });
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    for (let i = 0; i < BLOCKS; i++) {
      expect((await reload(begun)).state).to.equal("submitted");
      await blockThen(running);
    }
    const abandoned = await reload(begun);
    expect(abandoned.state).to.equal("abandoned");
    expect(abandoned.reason).to.match(/^missed 3 target blocks, \d+ to \d+$/);
    expect(named("bundle.missed")).to.have.length(BLOCKS);
    expect(named("intent.state").at(-1)).to.include({ state: "abandoned", reason: abandoned.reason });
    expect(await store.submissions(begun.id)).to.have.length(BLOCKS);

    // The next plan takes the same nonces.
    relay.misbehave({});
    const next = await planFor(system, [move(system, 1, 1_000n * USDC)]);
    const second = await running.begin(next.decision, next.plan, await headOf(system));
    expect(second.accountNonce).to.equal(abandoned.accountNonce);
    await blockThen(running);
    expect((await reload(second)).state).to.equal("included");
    expect((await reload(begun)).state).to.equal("abandoned");
  });

  for (const process of ["the process that gave it up", "another process"] as const) {
    it(`sees a plan that was given up land all the same: ${process}`, async () => {
      const stolen: string[] = [];
      const thief: ExecutorDeps["relays"][number] = {
        name: "thief",
        send: async (transactions, ...rest) => {
          stolen.push(...transactions);
          return through(relay.url).send(transactions, ...rest);
        },
        simulate: (...args) => through(relay.url).simulate(...args),
      };
      relay.misbehave({ neverInclude: true });
      const robbed = executor({ relays: [thief] });
      const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
      const begun = await robbed.begin(decision, plan, await headOf(system));
      for (let i = 0; i < BLOCKS; i++) await blockThen(robbed);
      expect((await reload(begun)).state).to.equal("abandoned");
      await system.node.provider.send("eth_sendRawTransaction", [stolen[0]]);
      await relay.produceBlock();
      const head = await headOf(system);
      await (process === "another process" ? executor().recover(head) : robbed.advance(head));
      expect((await reload(begun)).state).to.equal("included");
      expect(await landings(system)).to.have.length(1);
    });
  }

  it("abandons a plan whose nonce another one has used; the stale one reverts on-chain", async () => {
    const running = executor();
    relay.misbehave({ neverInclude: true });
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    const stale = await running.begin(decision, plan, await headOf(system));
    // The same key in another place: a plan with the same vault nonce lands from the same account.
    const keeper = account(KEEPER).connect(system.node.provider);
    const other = system.vault.connect(keeper);
    const guard = { nonce: plan.nonce, deadline: plan.deadline, maxLoss: 10n, decision: id("the other one") };
    const moves = [{ adapter: system.adapters[1], assets: USDC, data: "0x" }];
    await other.rebalance(moves, guard);
    await blockThen(running);
    const abandoned = await reload(stale);
    expect(abandoned.state).to.equal("abandoned");
    expect(abandoned.reason).to.include(`plan nonce ${plan.nonce} was used by decision ${id("the other one")}`);

    // What the vault says to the stale plan, sent with a fresh account nonce past every check of the keeper's.
    const sent = await keeper.sendTransaction({ to: system.vaultAddress, data: stale.calldata, gasLimit: 2_000_000n });
    await relay.produceBlock();
    const receipt = await system.node.provider.getTransactionReceipt(sent.hash);
    expect(receipt?.status).to.equal(0);
    await expectRevert(
      () => system.node.provider.call({ from: keeper.address, to: system.vaultAddress, data: stale.calldata }),
      "WrongNonce",
    );
    expect(await landings(system)).to.have.length(1);
  });

  it("abandons a plan whose account nonce something else has used", async () => {
    const running = executor();
    relay.misbehave({ neverInclude: true });
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    await account(KEEPER)
      .connect(system.node.provider)
      .sendTransaction({ to: account(9).address, value: 1n });
    await blockThen(running);
    expect((await reload(begun)).reason).to.match(/account nonce \d+ of 0x\w+ was used by another transaction/);
  });

  it("reports a plan that reverted on-chain", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    const careless: ExecutorDeps["relays"][number] = {
      name: "careless",
      async send(transactions) {
        // Includes it whatever it does, and the venue breaks in between.
        for (const raw of transactions) await system.node.provider.send("eth_sendRawTransaction", [raw]);
        return { bundleHash: id("careless") };
      },
      simulate: async () => ({ kind: "succeeds", gasUsed: 1n }),
    };
    const venue = system.venues[0]?.connect(account(0).connect(system.node.provider));
    await venue?.setBroken(true);
    const running = executor({ relays: [careless] });
    const begun = await running.begin(decision, plan, await headOf(system));
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("abandoned");
    expect((await reload(begun)).reason).to.match(/^reverted on-chain in block \d+/);
    expect(await landings(system)).to.have.length(0);
  });

  it("takes an inclusion back when its block is reorganised away, and lands the plan once", async () => {
    const running = executor();
    relay.misbehave({ reorgDepth: 1 });
    const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("included");
    relay.misbehave({});
    await blockThen(running);
    const again = await reload(begun);
    expect(again.state).to.equal("submitted");
    expect(again.includedBlock).to.equal(null);
    expect(states()).to.include("reorged");
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("included");
    expect(await landings(system)).to.have.length(1);
    expect((await store.submissions(begun.id)).map(({ state }) => state)).to.deep.equal(["missed", "included"]);
    for (let i = 0; i < FINALITY; i++) await blockThen(running);
    expect((await reload(begun)).state).to.equal("final");
  });

  it("stores intent and submissions before it signs", async () => {
    const wallet = walletSigner(new Wallet(account(KEEPER).privateKey));
    const seen: string[] = [];
    const watched: ExecutorDeps["signer"] = {
      address: wallet.address,
      async signTransaction(transaction) {
        for (const intent of await live()) {
          seen.push(intent.state, ...(await store.submissions(intent.id)).map(({ state }) => state));
        }
        return wallet.signTransaction(transaction);
      },
    };
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    await executor({ signer: watched }).begin(decision, plan, await headOf(system));
    expect(seen).to.deep.equal(["simulated", "signing"]);
  });

  it("sends nothing for a block that a lagging node names, and nothing twice for the same head", async () => {
    const running = executor();
    await relay.produceBlock();
    const earlier = await headOf(system);
    await relay.produceBlock();
    const head = await headOf(system);
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = await running.begin(decision, plan, head);
    await running.advance(earlier);
    await running.advance(head);
    const rows = await store.submissions(begun.id);
    expect(rows.map(({ targetBlock }) => targetBlock)).to.deep.equal([head.number + 1]);
    expect(named("bundle.sent")).to.have.length(1);
  });

  for (const reply of [
    "garbage",
    "null-result",
    "http-400",
    "http-403",
    "http-429",
    "http-500",
    "rpc-error",
    "hang-up",
    "wrong-hash",
  ] as const) {
    it(`lands a plan that one of two relays answers with ${reply}`, async () => {
      const bad = await startRelay({ nodeUrl: system.node.url, port: 0, blockMs: 0, secondsPerBlock: 12 });
      bad.misbehave({ reply });
      try {
        const running = executor({ relays: [through(bad.url, "bad"), through(relay.url, "good")] });
        const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
        const begun = await running.begin(decision, plan, await headOf(system));
        await blockThen(running);
        expect((await reload(begun)).state).to.equal("included");
        const rows = await store.submissions(begun.id);
        expect(Object.fromEntries(rows.map((row) => [row.relay, row.state]))).to.deep.equal({
          bad: "refused",
          good: "included",
        });
        expect(named("bundle.refused")).to.have.length(1);
      } finally {
        await bad.stop();
      }
    });
  }

  it("lands a plan although one relay is dead and one is silent", async () => {
    const slow = await startRelay({ nodeUrl: system.node.url, port: 0, blockMs: 0, secondsPerBlock: 12 });
    slow.misbehave({ delayMs: 60_000 });
    try {
      const relays = [through("http://127.0.0.1:1", "dead"), through(slow.url, "slow"), through(relay.url, "good")];
      const running = executor({ relays });
      const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
      const begun = await running.begin(decision, plan, await headOf(system));
      await blockThen(running);
      expect((await reload(begun)).state).to.equal("included");
      const errors = (await store.submissions(begun.id)).map((row) => row.error?.split(":")[0] ?? null);
      expect(errors).to.have.members(["RELAY_UNREACHABLE", "RELAY_TIMEOUT", null]);
    } finally {
      await slow.stop();
    }
  });

  it("reads the inclusion from the chain when the relay says nothing of it", async () => {
    relay.misbehave({ reply: "http-500", includeUntold: true });
    const running = executor();
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    await blockThen(running);
    expect((await reload(begun)).state).to.equal("included");
  });

  it("names the relays' failures when it gives up", async () => {
    relay.misbehave({ reply: "http-403" });
    const running = executor();
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    for (let i = 0; i < BLOCKS; i++) await blockThen(running);
    expect((await reload(begun)).reason).to.match(/missed 3 target blocks.*; relays: local RELAY_REFUSED$/);
  });

  it("does not sign what the policy refuses, and says why", async () => {
    const running = executor({ policyLimits: () => ({ ...limits(), adapters: [] }) });
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    expect(begun.state).to.equal("abandoned");
    expect(begun.reason).to.match(/is no adapter of this vault \(POLICY_ADAPTER\)$/);
    expect((await store.submissions(begun.id)).map(({ state, txHash }) => [state, txHash])).to.deep.equal([
      ["refused", null],
    ]);
    expect((await relay.produceBlock()).bundles).to.have.length(0);
  });

  it("ends a plan in flight that puts money in when the keeper's own breaker trips, and carries on one that does not", async () => {
    let onlyToIdle = false;
    const running = executor({ policyLimits: () => ({ ...limits(), onlyToIdle }) });
    const first = await planFor(system, [move(system, 0, 1_000n * USDC)]);
    await running.begin(first.decision, first.plan, await headOf(system));
    await blockThen(running);
    const tripInFlight = async (assets: bigint): Promise<IntentRow> => {
      onlyToIdle = false;
      relay.misbehave({ neverInclude: true });
      const { plan, decision } = await planFor(system, [move(system, 0, assets)]);
      const begun = await running.begin(decision, plan, await headOf(system));
      expect(begun.state).to.equal("submitted");
      onlyToIdle = true;
      await blockThen(running);
      relay.misbehave({});
      await blockThen(running);
      return reload(begun);
    };
    const ended = await tripInFlight(500n * USDC);
    expect(ended.state).to.equal("abandoned");
    expect(ended.reason).to.match(/breaker is tripped \(POLICY_BREAKER\)$/);
    expect((await tripInFlight(-500n * USDC)).state).to.equal("included");
  });

  it("gives a plan up at its deadline", async () => {
    const running = executor();
    relay.misbehave({ neverInclude: true });
    const head = await headOf(system);
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)], { deadline: head.timestamp + 13 });
    const begun = await running.begin(decision, plan, head);
    await blockThen(running);
    await blockThen(running);
    expect((await reload(begun)).reason).to.match(/^its deadline passed before it landed/);
  });

  it("waits while gas is over the ceiling", async () => {
    const running = executor({ settings: { ...SETTINGS, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n } });
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = await running.begin(decision, plan, await headOf(system));
    expect(begun.state).to.equal("planned");
    expect(await store.submissions(begun.id)).to.have.length(0);
  });

  it("refuses a keeper's account that cannot pay", async () => {
    await system.node.provider.send("hardhat_setBalance", [account(KEEPER).address, "0x1"]);
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = await executor().begin(decision, plan, await headOf(system));
    expect(begun.reason).to.match(/holds 1 wei and the plan may cost \d+: send ether to 0x/);
  });

  it("refuses to begin without a relay", async () => {
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    const begun = executor({ relays: [] }).begin(decision, plan, await headOf(system));
    await begun.then(
      () => expect.fail("it began"),
      (failure: { code?: string }) => expect(failure.code).to.equal("RELAYS_MISSING"),
    );
    expect(await store.decision(decision.id)).to.equal(null);
  });

  describe("a process that dies", () => {
    const LAST: Step[] = STEPS.slice(STEPS.indexOf("intent.stored"));
    const dying = (step: Step): Checkpoint => {
      return (reached) => {
        if (reached === step) throw new Killed(step);
      };
    };
    const survive = async (work: () => Promise<unknown>): Promise<boolean> => {
      try {
        await work();
        return true;
      } catch (failure) {
        if (!(failure instanceof Killed)) throw failure;
        return false;
      }
    };

    for (const step of LAST) {
      for (const blocksLater of [0, 1]) {
        it(`after ${step}, started again ${blocksLater} blocks later: lands once, forgets nothing`, async () => {
          const first = executor({ checkpoint: dying(step) });
          const { plan, decision } = await planFor(system, [move(system, 0, 1_000n * USDC)]);
          let alive = await survive(async () => first.begin(decision, plan, await headOf(system)));
          for (let i = 0; alive && i < FINALITY + 2; i++) alive = await survive(() => blockThen(first));
          expect(alive, "the step was reached").to.equal(false);

          for (let i = 0; i < blocksLater; i++) await relay.produceBlock();
          const second = executor();
          await second.recover(await headOf(system));
          for (let i = 0; i < FINALITY + 2; i++) await blockThen(second);
          const view = await store.decision(decision.id);
          expect(view?.state, view?.stateReason ?? "").to.equal("final" satisfies IntentState);
          const landed = await landings(system);
          expect(landed.map((each) => each.decision)).to.deep.equal([decision.recordHash]);
          expect(landed[0]?.txHash).to.equal(view?.txHash);
        });
      }
    }
  });

  it("gives up, with its reason, what a dead process had sent and no relay includes", async () => {
    relay.misbehave({ neverInclude: true });
    const dead = executor({
      checkpoint: (step) => {
        if (step === "bundle.sent") throw new Killed(step);
      },
    });
    const { plan, decision } = await planFor(system, [move(system, 0, USDC)]);
    await dead.begin(decision, plan, await headOf(system)).catch(() => undefined);
    const second = executor();
    await second.recover(await headOf(system));
    for (let i = 0; i < BLOCKS + 1; i++) await blockThen(second);
    const view = await store.decision(decision.id);
    expect(view).to.include({ state: "abandoned" });
    expect(view?.stateReason).to.match(/^missed 3 target blocks/);
    expect(await landings(system)).to.have.length(0);
    expect(await store.submissions(view?.intentId ?? "")).to.have.length(BLOCKS);
  });

  async function expectRevert(work: () => Promise<unknown>, name: string): Promise<void> {
    try {
      await work();
    } catch (failure) {
      const data = (failure as { data?: string }).data ?? "";
      expect(system.vault.interface.parseError(data)?.name).to.equal(name);
      return;
    }
    expect.fail(`it does not revert with ${name}`);
  }
});
