// `tiller backfill` with several endpoints of which some must agree: one that lies about events or blocks changes nothing of what is
// stored, and where too few agree nothing is.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { keeperEnvironment, tiller, type Finished } from "../../e2e/localSystem";
import { answer, faultyNode, type Fault, type FaultyNode } from "../chain/fixtures/faultyNode";
import { POOL, SWAP_CHAIN_ID, startSwapChain, type SwapChain } from "./fixtures/swapChain";

const BLOCKS = 300;

interface Report {
  readonly rows: number;
  readonly checksum: string;
}

describe("tiller backfill with a quorum", function () {
  this.timeout(120_000);
  let node: SwapChain;
  let proxies: FaultyNode[];
  let folder: string;
  let places = 0;
  let honest: Report;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-backfill-quorum-"));
    node = await startSwapChain();
    await node.mineWithSwaps(BLOCKS, { every: 20, count: 3, seed: 1 });
    proxies = await Promise.all([faultyNode(node.url), faultyNode(node.url), faultyNode(node.url)]);
    honest = reportOf(await run(1, [0]));
  });
  after(async () => {
    for (const proxy of proxies ?? []) await proxy.close();
    await node?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    for (const proxy of proxies) proxy.fault = null;
  });

  function run(quorum: number, endpoints: readonly number[]): Promise<Finished> {
    const dataDir = path.join(folder, String(places++));
    const config = `${dataDir}.json`;
    const rpcUrls = endpoints.map((place) => proxies[place]?.url);
    writeFileSync(config, JSON.stringify({ dataDir, chain: { rpcUrls, quorum, finalityBlocks: 8 } }));
    const range = ["--source", "uniswap-v3", "--pool", POOL, "--from", "0", "--to", "final"];
    const at = ["--chain", String(SWAP_CHAIN_ID), "--config", config, "--json"];
    return tiller(["backfill", ...range, ...at], keeperEnvironment({}));
  }
  const reportOf = (finished: Finished): Report => {
    expect(finished.code, finished.stderr).to.equal(0);
    const { rows, checksum } = JSON.parse(finished.stdout) as Report;
    return { rows, checksum };
  };
  const changing =
    (method: string, change: (honest: unknown, params: readonly unknown[]) => unknown): Fault =>
    (request, response) => {
      if (request.method !== method) return false;
      void node.rpc(method, request.params).then((said) => response.end(answer(request, change(said, request.params))));
      return true;
    };

  const lies: [string, Fault][] = [
    ["hides an event", changing("eth_getLogs", (logs) => (logs as object[]).slice(1))],
    [
      "changes an amount",
      changing("eth_getLogs", (logs) =>
        (logs as { data: string }[]).map((log, place) =>
          place === 0 ? { ...log, data: `${log.data.slice(0, 60)}ffffff${log.data.slice(66)}` } : log,
        ),
      ),
    ],
    [
      "has the chain end early",
      changing("eth_getBlockByNumber", (block, [which]) =>
        which === "latest" ? { ...(block as object), number: "0x64" } : block,
      ),
    ],
  ];
  for (const [what, fault] of lies) {
    it(`stores the chain's own events where the preferred endpoint ${what}`, async () => {
      const [liar] = proxies;
      if (liar !== undefined) liar.fault = fault;
      const alone = await run(1, [0]);
      expect(JSON.parse(alone.stdout), "the lie tells").to.not.deep.include(honest);
      expect(reportOf(await run(2, [0, 1, 2]))).to.deep.equal(honest);
    });
  }

  it("has events in the first place", () => {
    expect(honest.rows).to.equal(3 * Math.ceil((BLOCKS - 8) / 20));
  });
});
