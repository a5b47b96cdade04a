// A single run (`--once`, a command by hand) over a real chain behind a node that fails now and then: it looks at the next head
// before it gives up. And a keeper that leads, with what it does beside its loop.
import { expect } from "chai";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { runFromConfig, type RunResult } from "../../../keeper/app/run";
import { loadConfig } from "../../../keeper/config/load";
import { localWallet } from "../../../deploy/networks/localWallet";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import { faultyNode, refusal, type FaultyNode } from "../chain/fixtures/faultyNode";
import { startLocalVenues, type LocalVenues } from "../collect/localVenues";

describe("a single run", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let folder: string;
  let node: FaultyNode;

  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-once-"));
    node = await faultyNode(local.url);
  });
  after(async () => {
    await node?.close();
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** With the first `times` snapshots refused, and a block after each. */
  async function running(times: number): Promise<{ result: RunResult | string; failed: string[]; refused: number }> {
    const failed: string[] = [];
    const lens = local.genesis.addresses.lens.toLowerCase();
    let refused = 0;
    node.fault = (request, response) => {
      const isLens = JSON.stringify(request.params).toLowerCase().includes(lens);
      if (request.method !== "eth_call" || !isLens || refused === times) return false;
      refused += 1;
      response.end(refusal(request, -32_000, "header not found"));
      void local.rpc("evm_mine");
      return true;
    };
    const config = loadConfig({
      ...{ env: {}, cwd: folder },
      overrides: {
        dataDir: path.join(folder, "state"),
        chain: { rpcUrls: [node.url], pollMs: 20, requestTimeoutMs: 2_000 },
        addresses: local.genesis.addressFile,
      },
    });
    const { signal } = new AbortController();
    const note = (event: KeeperEvent): void => void (event.name === "tick.failed" && failed.push(event.code));
    const result = await runFromConfig(config, {
      ...{ env: {}, dryRun: true, once: true, signal, sink: { emit: note } },
    }).catch((error: unknown) => (error as { code: string }).code);
    return { result, failed, refused };
  }

  it("decides at the next head where the node does not have a block", async () => {
    const { result, failed } = await running(2);
    expect(failed).to.deep.equal(["BLOCK_GONE", "BLOCK_GONE"]);
    expect(result).to.have.nested.property("tick.outcome.action");
  });

  it("fails with the third failure in a row", async () => {
    const { result, failed, refused } = await running(Infinity);
    expect(result).to.equal("BLOCK_GONE");
    expect(failed.length).to.equal(2);
    expect(refused).to.equal(3);
  });
});

describe("a keeper that leads", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let folder: string;
  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-leads-"));
  });
  after(async () => {
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it("has a refit that is due carried out beside its loop, and ends it with itself", async () => {
    const config = loadConfig({
      ...{ env: {}, cwd: folder },
      overrides: {
        dataDir: path.join(folder, "state"),
        chain: { rpcUrls: [local.url], pollMs: 20 },
        addresses: local.genesis.addressFile,
        relays: [{ name: "nobody", url: "http://127.0.0.1:1" }],
        forecast: { refit: { everyDays: 7 } },
        collect: { withKeeper: false },
      },
    });
    const stop = new AbortController();
    const begun: number[] = [];
    let ended = false;
    let ticksBeside = 0;
    await runFromConfig(config, {
      ...{ env: { TILLER_KEEPER_KEY: localWallet("keeper").privateKey }, dryRun: false, once: false },
      ...{ signal: stop.signal, sink: silent },
      refit: async (chainId, signal) => {
        begun.push(chainId);
        void local.rpc("evm_mine");
        await once(signal, "abort");
        ended = true;
        return { kind: "failed", code: "REFIT_STOPPED", message: "stopped" };
      },
      watcher: {
        tick: () => {
          if (begun.length === 0) return;
          ticksBeside += 1;
          stop.abort();
        },
      },
    });
    expect(begun).to.deep.equal([local.genesis.addresses.chainId]);
    expect(ticksBeside).to.equal(1);
    expect(ended).to.equal(true);
  });
});
