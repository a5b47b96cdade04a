// `npm run bench:backfill`: swaps of a pool on a local node, decoded and stored in PostgreSQL, in rows a second. The reference
// in the same run is the node's bare answer to `eth_getLogs` for the same blocks, which no backfill can do without.
// --events N, --json. How many events a block has decides: each such block costs one further request, its receipts, and of a
// node whose logs do not state their block's time another one, its header.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { connectChain } from "../../keeper/chain/connect";
import { backfill } from "../../keeper/collect/backfill";
import { workOf } from "../../keeper/collect/eventRanges";
import { rangeSource, RANGE_SOURCES } from "../../keeper/collect/rangeSources";
import { table } from "../../keeper/cli/printing";
import { silent } from "../../keeper/events/events";
import { openStore } from "../../keeper/store/open";
import { POOL, SWAP_CHAIN_ID, startSwapChain } from "../../test/keeper/collect/fixtures/swapChain";

const DEFAULT_EVENTS = 100_000;
/** A quiet pool has fewer than one in each block; a busy day of the busiest some ten. */
const EVENTS_A_BLOCK = [100, 10];
const REQUEST_TIMEOUT_MS = 30_000;

interface Row {
  readonly eventsPerBlock: number;
  readonly rows: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly referenceSeconds: number;
  /** Time over the reference's. */
  readonly ratio: number;
}

async function measure(eventsPerBlock: number, events: number): Promise<Row> {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-bench-"));
  const node = await startSwapChain();
  const stop: (() => Promise<void>)[] = [() => node.stop()];
  try {
    const blocks = Math.ceil(events / eventsPerBlock);
    await node.mineWithSwaps(blocks, { every: 1, count: eventsPerBlock, seed: 1 });
    const rpcUrls = [node.url];
    const chain = await connectChain({
      rpcUrls,
      expectedChainId: SWAP_CHAIN_ID,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      sink: silent,
    });
    stop.unshift(async () => chain.close());
    const store = await openStore({ dataDir: path.join(folder, "data"), sink: silent });
    stop.unshift(() => store.close());

    // The first answer warms the node.
    await node.rawLogs(0, blocks);
    const referenceSeconds = await timeOf(() => node.rawLogs(0, blocks));
    const key = { chainId: SWAP_CHAIN_ID, source: "uniswap-v3", subject: POOL };
    let rows = 0;
    const seconds = await timeOf(async () => {
      const report = await backfill({
        source: workOf(rangeSource(RANGE_SOURCES, chain, key)),
        range: { from: 0, to: blocks },
        store: store.history,
        chain,
        finalityBlocks: 0,
        onProgress: ({ stored }) => progress(stored, blocks + 1),
      });
      rows = report.rows;
    });
    const rowsPerSecond = rows / seconds;
    return { eventsPerBlock, rows, seconds, rowsPerSecond, referenceSeconds, ratio: seconds / referenceSeconds };
  } finally {
    for (const close of stop) await close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

function progress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(done === all ? "\r\x1b[K" : `\r${done} of ${all} blocks`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "boolean" }, events: { type: "string" } } });
  const events = Number(values.events ?? DEFAULT_EVENTS);
  const rows: Row[] = [];
  for (const eventsPerBlock of EVENTS_A_BLOCK) rows.push(await measure(eventsPerBlock, events));
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify({ cpus: cpus().length, rows }, null, 2)}\n`);
    return;
  }
  const head = ["events a block", "rows", "seconds", "rows/s", "bare eth_getLogs, s", "ratio"];
  const cells = rows.map((row) => [
    ...[String(row.eventsPerBlock), String(row.rows), row.seconds.toFixed(2), row.rowsPerSecond.toFixed(0)],
    ...[row.referenceSeconds.toFixed(2), `${row.ratio.toFixed(1)}×`],
  ]);
  process.stdout.write(`${cpus().length} cores\n\n${table(head, cells, head)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
