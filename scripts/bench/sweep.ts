// `npm run bench:sweep`: the collector's sweep over every venue of the local chain against a local node, from the head to
// decoded readings, all in one `eth_call`. The references in the same run are bare calls that no sweep can do without: one
// that returns as many bytes as the sweep's, and the sweep's own question, its answer left as it is. The whole tick besides: what
// is tentative settled, the sweep, the block's fees, flags, and all of it stored in a server of our own. --json for programs;
// --sweeps N. Nothing here is a test: clocks vary.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { ChainCollecting } from "../../keeper/app/collecting";
import { connectChain, type Chain } from "../../keeper/chain/connect";
import { blockAt, type Head } from "../../keeper/chain/heads";
import { table } from "../../keeper/cli/printing";
import { locate } from "../../keeper/collect/locate";
import { sweep } from "../../keeper/collect/sweep";
import { targetsOf } from "../../keeper/collect/targets";
import { COLLECT_EVERY_SECONDS, type CollectTarget } from "../../keeper/config/schema";
import { silent } from "../../keeper/events/events";
import { openStore } from "../../keeper/store/open";
import type { Store } from "../../keeper/store/records";
import { LOCAL_CHAIN_ID, startLocalChain } from "../localnet/anvil";
import type { Protocols } from "../localnet/protocols/protocolsFile";
import { prepareGenesis } from "../start/genesis";

const DEFAULT_SWEEPS = 300;
const WARM_UP_SWEEPS = 10;
/** The config's own: that many blocks of a chain stay tentative, and are settled at each tick. */
const FINALITY_BLOCKS = 64;

interface Measured {
  readonly sources: number;
  readonly calls: number;
  readonly requests: number;
  readonly answerBytes: number;
  readonly tickMs: readonly number[];
  readonly sweepMs: readonly number[];
  readonly sameQuestionMs: readonly number[];
  readonly sameSizeMs: readonly number[];
}

async function measure(sweeps: number): Promise<Measured> {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-bench-"));
  const local = await startLocalChain({ folder: path.join(folder, "localnet"), port: 0 });
  let chain: Chain | undefined;
  let store: Store | undefined;
  try {
    const genesis = await prepareGenesis(local.url, path.join(folder, "localnet"), () => undefined);
    chain = await connectChain({
      rpcUrls: [local.url],
      expectedChainId: LOCAL_CHAIN_ID,
      requestTimeoutMs: 10_000,
      sink: silent,
    });
    const { sources } = targetsOf(genesis.addresses, besides(genesis.protocols), { assetUsd: 1 });
    const { collectors } = await locate(chain, await newest(chain), sources);
    const asked = await questionOf(chain, await newest(chain), (recorded, head) => sweep(recorded, head, collectors));

    store = await openStore({ dataDir: path.join(folder, "store"), sink: silent });
    const stored = { chain, store: store.history, sources, finalityBlocks: FINALITY_BLOCKS, sink: silent };
    const collecting = new ChainCollecting(stored);

    const samples = {
      tickMs: [] as number[],
      sweepMs: [] as number[],
      sameQuestionMs: [] as number[],
      sameSizeMs: [] as number[],
    };
    let requests = 0;
    for (let turn = -WARM_UP_SWEEPS; turn < sweeps; turn += 1) {
      await chain.request("evm_increaseTime", [COLLECT_EVERY_SECONDS]);
      await chain.request("evm_mine", []);
      const [through, head] = [chain, await newest(chain)];
      const swept = await timeOf(() => sweep(through, head, collectors));
      const question = await timeOf(() => through.call({ data: asked.question }, head));
      const size = await timeOf(() => through.call({ data: returning(asked.answerBytes) }, head));
      const tick = await timeOf(() => collecting.collect(head, Date.now()));
      if (swept.result.failures.length > 0) throw new Error("every venue of the local chain can be read");
      requests = swept.result.requests;
      if (turn < 0) continue;
      samples.tickMs.push(tick.ms);
      samples.sweepMs.push(swept.ms);
      samples.sameQuestionMs.push(question.ms);
      samples.sameSizeMs.push(size.ms);
      progress(turn + 1, sweeps);
    }
    const calls = collectors.reduce((sum, collector) => sum + collector.calls().length, 0);
    return { sources: collectors.length, calls, requests, answerBytes: asked.answerBytes, ...samples };
  } finally {
    await store?.close();
    chain?.close();
    await local.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the address file does not name: feeds, and Aave's other reserves. */
function besides({ feeds, aave, tokens }: Protocols): CollectTarget[] {
  const heartbeatSeconds = 86_400;
  return [
    ...Object.entries(feeds).map(([coin, feed]) => ({
      ...{ kind: "chainlink" as const, subject: `${coin}-usd`, feed, heartbeatSeconds },
    })),
    { kind: "aave-v3", subject: "aave-v3-usdt", pool: aave.pool, asset: tokens.usdt, usd: 1 },
    { kind: "aave-v3", subject: "aave-v3-weth", pool: aave.pool, asset: tokens.weth, usd: 3_000 },
  ];
}

/** The one call that `work` makes, as it goes over the wire. */
async function questionOf(
  chain: Chain,
  head: Head,
  work: (chain: Chain, head: Head) => Promise<unknown>,
): Promise<{ readonly question: string; readonly answerBytes: number }> {
  const seen = { question: "", answerBytes: 0 };
  const call: Chain["call"] = async (transaction, block) => {
    const data = await chain.call(transaction, block);
    seen.question = transaction.data;
    seen.answerBytes = (data.length - 2) / 2;
    return data;
  };
  await work({ ...chain, call }, head);
  return seen;
}

/** Creation code that returns `bytes` zeros: PUSH2 bytes, PUSH1 0, RETURN. */
function returning(bytes: number): string {
  return `0x61${bytes.toString(16).padStart(4, "0")}6000f3`;
}

async function newest(chain: Chain): Promise<Head> {
  const head = await blockAt(chain, "latest");
  if (head === null) throw new Error("the node has a newest block");
  return head;
}

async function timeOf<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const from = performance.now();
  const result = await work();
  return { result, ms: performance.now() - from };
}

function progress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(done === all ? "\r\x1b[K" : `\r${done} of ${all} sweeps`);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "boolean" }, sweeps: { type: "string" } } });
  const sweeps = Number(values.sweeps ?? DEFAULT_SWEEPS);
  const { tickMs, sweepMs, sameQuestionMs, sameSizeMs, ...about } = await measure(sweeps);
  const reference = quantile(sameSizeMs, 0.5);
  const rows = [
    { part: "tick: all of it, stored", values: tickMs },
    { part: "sweep: head to readings", values: sweepMs },
    { part: "reference: the same question, bare", values: sameQuestionMs },
    { part: "reference: one call that returns as many bytes", values: sameSizeMs },
  ].map(({ part, values: ms }) => ({
    part,
    p50: quantile(ms, 0.5),
    p99: quantile(ms, 0.99),
    max: quantile(ms, 1),
    ratio: quantile(ms, 0.5) / reference,
  }));
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify({ sweeps, cpus: cpus().length, ...about, rows }, null, 2)}\n`);
    return;
  }
  const head = ["milliseconds", "p50", "p99", "max", "p50 / reference"];
  const cells = rows.map(({ part, p50, p99, max, ratio }) => [
    part,
    ...[p50, p99, max].map((ms) => ms.toFixed(1)),
    `${ratio.toFixed(1)}×`,
  ]);
  const { sources, calls, requests, answerBytes } = about;
  process.stdout.write(
    `${sweeps} sweeps of ${sources} sources by ${calls} calls in ${requests} eth_call, ${answerBytes} bytes of answers, ` +
      `${cpus().length} cores\n\n${table(head, cells, head.slice(1))}\n`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
