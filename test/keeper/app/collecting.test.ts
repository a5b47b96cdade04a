// Collecting the local chain into a real database: what is stored of a block, what of one that is reorganised away, and what
// happens to the others when one source fails. Then the command as a process.
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ChainCollecting } from "../../../keeper/app/collecting";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { targetsOf } from "../../../keeper/collect/targets";
import type { Failure } from "../../../keeper/config/failure";
import type { CollectTarget } from "../../../keeper/config/schema";
import { silent, type KeeperEvent, type Sink } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import type { HistoryRow, HistoryStore } from "../../../keeper/store/historyRecords";
import type { Store } from "../../../keeper/store/records";
import { answer, faultyNode, respond, type Fault } from "../chain/fixtures/faultyNode";
import { moreTargets, startLocalVenues, type LocalVenues } from "../collect/localVenues";

const CHAIN = 31_337;
const TILLER = path.join(__dirname, "..", "..", "..", "bin", "tiller.cjs");

describe("collecting a chain", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let folder: string;
  let opened: Store;
  let store: HistoryStore;

  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-collecting-"));
    opened = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    store = opened.history;
  });
  after(async () => {
    await opened?.close();
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const collecting = (
    options: { chain?: Chain; more?: readonly CollectTarget[]; sink?: Sink; finalityBlocks?: number } = {},
  ) => {
    const targets = [...moreTargets(local.genesis), ...(options.more ?? [])];
    return new ChainCollecting({
      chain: options.chain ?? local.chain,
      store,
      sources: targetsOf(local.genesis.addresses, targets, { assetUsd: 1 }).sources,
      finalityBlocks: options.finalityBlocks ?? 64,
      sink: options.sink ?? silent,
    });
  };
  const mine = async (seconds: number): Promise<void> => {
    await local.rpc("evm_increaseTime", [seconds]);
    await local.rpc("evm_mine");
  };
  const rows = async (name: string): Promise<HistoryRow[]> => {
    const found: HistoryRow[] = [];
    for await (const page of store.history({ chainId: CHAIN, name })) found.push(...page);
    return found;
  };

  it("stores every source of a block, with the block that it is of", async () => {
    const head = await local.head();
    const { readings, failures, stored, requests } = await collecting().collect(head, Date.now());
    expect(failures).to.deep.equal([]);
    expect(requests).to.equal(1);
    const names = readings.map(({ subject }) => subject);
    expect(names).to.include.members([
      "aave-v3-usdc",
      "compound-v3-usdc",
      "savings-usdc",
      "sky-susds",
      "usdc-usd",
      "fees",
    ]);
    const points = readings.filter(({ rates }) => rates !== null);
    expect(stored).to.equal(readings.length + points.length);
    const [aave] = await rows("aave-v3-usdc");
    expect(aave).to.include({
      block: head.number,
      blockHash: head.hash,
      observedAt: head.timestamp,
      source: "aave-v3",
    });
    expect(aave?.supplyApr).to.be.above(0);
    const [reading] = await store.readings({
      chainId: CHAIN,
      source: "aave-v3",
      subject: "aave-v3-usdc",
      from: 0,
      to: 4e9,
    });
    expect(reading).to.include({ block: head.number, blockHash: head.hash, availableAt: aave?.availableAt });
    expect(JSON.parse(reading?.state ?? "")).to.include.keys("liquidityIndex");
  });

  it("takes the growth of an index for its rate, from the second sight on", async () => {
    await mine(300);
    await collecting().collect(await local.head(), Date.now());
    const [first, second] = await rows("savings-usdc");
    expect(first?.supplyApr).to.equal(null);
    const years = ((second as HistoryRow).observedAt - (first as HistoryRow).observedAt) / 31_536_000;
    const grown = Number(BigInt(second?.index ?? 0) - BigInt(first?.index ?? 0)) / Number(first?.index);
    expect(second?.supplyApr).to.be.closeTo(grown / years, 1e-15);
    expect(second?.flags).to.equal(0);
  });

  it("forgets what was read of a block that was reorganised away", async () => {
    const snapshot = await local.rpc("evm_snapshot");
    await mine(300);
    const fork = await local.head();
    await collecting().collect(fork, Date.now());
    expect((await rows("aave-v3-usdc")).at(-1)?.blockHash).to.equal(fork.hash);
    await local.rpc("evm_revert", [snapshot]);
    await mine(777);
    await mine(302);
    const head = await local.head();
    const { forgotten } = await collecting().collect(head, Date.now());
    expect(forgotten).to.be.above(5);
    const hashes = (await rows("aave-v3-usdc")).map(({ blockHash }) => blockHash);
    expect(hashes).not.to.include(fork.hash);
    expect(hashes.at(-1)).to.equal(head.hash);
  });

  it("keeps what is final, though the chain should say otherwise", async () => {
    const before = (await rows("aave-v3-usdc")).length;
    await mine(300);
    const head = await local.head();
    await collecting({ finalityBlocks: 0 }).collect(head, Date.now());
    expect(await store.rollBack(CHAIN, 0), "nothing is tentative any more").to.equal(0);
    expect((await rows("aave-v3-usdc")).length).to.equal(before + 1);
  });

  it("stores the others when one source fails, and tells of it once", async () => {
    const events: KeeperEvent[] = [];
    const vault = `0x${"d4".repeat(20)}`;
    const broken = collecting({
      more: [{ kind: "erc4626", subject: "nobody", vault, usd: 1 }],
      sink: { emit: (event) => events.push(event) },
    });
    for (let k = 0; k < 2; k += 1) {
      await mine(300);
      const { readings, failures } = await broken.collect(await local.head(), Date.now());
      expect(failures.map(({ subject }) => subject)).to.deep.equal(["nobody"]);
      expect(readings.length).to.be.above(8);
    }
    expect(events.map(({ name }) => name)).to.deep.equal(["source.trouble"]);
    // A savings vault comes to that address.
    await local.rpc("anvil_setCode", [
      vault,
      await local.rpc("eth_getCode", [local.genesis.protocols.savings, "latest"]),
    ]);
    await mine(300);
    expect((await broken.collect(await local.head(), Date.now())).failures).to.deep.equal([]);
    expect(events.map(({ name }) => name)).to.deep.equal(["source.trouble", "source.recovered"]);
  });

  describe("through an endpoint", () => {
    const only =
      (method: RegExp, fault: Fault): Fault =>
      (request, response) =>
        method.test(request.method) && fault(request, response);
    const answering =
      (result: unknown): Fault =>
      (request, response) =>
        Boolean(response.end(answer(request, result)));
    const calls = (fault: Fault): Fault => only(/^eth_call$/, fault);
    const faults: readonly (readonly [what: string, fault: Fault, code: string])[] = [
      ["answers with HTML", calls(respond(200, "<html>gateway</html>")), "RPC_UNREACHABLE"],
      ["answers with half a document", calls(respond(200, '{"jsonrpc":"2.0","id":1,"resu')), "RPC_UNREACHABLE"],
      ["has had enough of us", calls(respond(429, "{}")), "RPC_UNREACHABLE"],
      ["hangs", calls(() => true), "RPC_UNREACHABLE"],
      ["answers null", calls(answering(null)), "RPC_GARBAGE"],
      ["answers with half a word", calls(answering("0x12")), "RPC_GARBAGE"],
      ["has no newest block", only(/^eth_getBlockByNumber$/, answering(null)), "RPC_GARBAGE"],
      [
        "lags behind what is stored",
        (request, response) =>
          request.method === "eth_getBlockByNumber" &&
          request.params[0] !== "latest" &&
          Boolean(response.end(answer(request, null))),
        "RPC_BEHIND",
      ],
    ];
    for (const [what, fault, code] of faults) {
      it(`that ${what} stores nothing of a block, and all of it once that is over`, async () => {
        const endpoint = await faultyNode(local.url);
        const chain = await connectChain({
          ...{ rpcUrls: [endpoint.url], expectedChainId: CHAIN, requestTimeoutMs: 300, sink: silent },
        });
        try {
          const through = collecting({ chain });
          // The addresses are found, and a block is stored that could still be undone.
          await mine(300);
          await through.collect(await local.head(), Date.now());
          await mine(300);
          const head = await local.head();
          const of = { chainId: CHAIN, source: "aave-v3", subject: "aave-v3-usdc", from: head.timestamp, to: 4e9 };
          endpoint.fault = fault;
          const failure = await through.collect(head, Date.now()).then(
            () => null,
            (error: unknown) => error as Failure,
          );
          expect(failure?.code, failure?.message).to.equal(code);
          expect(await store.readings(of)).to.deep.equal([]);
          expect((await rows("aave-v3-usdc")).at(-1)?.block).to.equal(head.number - 1);
          endpoint.fault = null;
          const { stored, readings, failures } = await through.collect(head, Date.now());
          expect(failures).to.deep.equal([]);
          expect(stored).to.equal(readings.length + readings.filter(({ rates }) => rates !== null).length);
          expect(await store.readings(of)).to.have.length(1);
        } finally {
          chain.close();
          await endpoint.close();
        }
      });
    }
  });

  describe("tiller collect", () => {
    const start = (...args: string[]) => {
      const config = path.join(folder, "tiller.config.json");
      writeFileSync(
        config,
        JSON.stringify({
          dataDir: "state",
          chain: { rpcUrls: [local.url], pollMs: 50, finalityBlocks: 2 },
          addresses: local.genesis.addressFile,
          collect: { targets: moreTargets(local.genesis) },
        }),
      );
      const { DATABASE_URL: _url, ...env } = process.env;
      const child = spawn(process.execPath, [TILLER, "collect", "--config", config, ...args], { env });
      let [out, err] = ["", ""];
      child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
      child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
      const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out, err }));
      return { child, ended, log: () => err };
    };

    it("collects once, and says what it read", async () => {
      await mine(300);
      const head = await local.head();
      const { code, out, err } = await start("--once", "--json").ended;
      expect(code, err).to.equal(0);
      const said = JSON.parse(out) as { block: number; readings: { subject: string }[]; stored: number };
      expect(said).to.include({ block: head.number, blockHash: head.hash });
      expect(said.readings.length).to.be.above(8);
      expect((await rows("compound-v3-usdc")).at(-1)?.block).to.equal(head.number);
    });

    it("collects each bucket of the chain's time, and ends at Ctrl-C", async () => {
      const { child, ended, log } = start("--every", "300", "--json");
      const swept = (): number => log().split('"collect.swept"').length - 1;
      for (let tries = 0; swept() < 3 && tries < 600 && child.exitCode === null; tries += 1) {
        await mine(300);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      child.kill("SIGINT");
      const { code, err } = await ended;
      expect(code, err).to.equal(0);
      const blocks = [...err.matchAll(/"collect.swept","block":(\d+),"observedAt":(\d+)/g)];
      expect(blocks.length).to.be.at.least(3);
      const buckets = blocks.map(([, , at]) => Math.floor(Number(at) / 300));
      expect(new Set(buckets).size, "each bucket once").to.equal(buckets.length);
      expect((await rows("aave-v3-usdc")).map(({ block }) => block)).to.include(Number(blocks[0]?.[1]));
    });

    it("refuses a time between sweeps that is none", async () => {
      const { code, err } = await start("--every", "0").ended;
      expect(code).to.equal(2);
      expect(err).to.include("--every");
    });
  });
});
