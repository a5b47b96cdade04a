// `npm run bench:tick`: one tick of the keeper on the local chain, from the head it sees to the bundle it has sent, with
// everything real: anvil, the lens, PostgreSQL, the allocator, simulation by the node and by the relay, the signature,
// the relay's acknowledgement. The reference in the same run is a bare `eth_call` of the lens, which no keeper can do
// without. --json for programs; --ticks N. Nothing here is a test: clocks vary.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { assemble, type Assembled } from "../../keeper/app/assemble";
import { blockAt } from "../../keeper/chain/heads";
import { readSnapshot } from "../../keeper/chain/readSnapshot";
import { table } from "../../keeper/cli/printing";
import { loadConfig } from "../../keeper/config/load";
import type { KeeperEvent } from "../../keeper/events/events";
import { openMarket } from "../localnet/market";
import { startLocalChain } from "../localnet/anvil";
import { startRelay } from "../relay/relay";
import { localKeeperKey, prepareGenesis } from "../start/genesis";

const DEFAULT_TICKS = 200;
const WARM_UP_TICKS = 10;
/** Two hours of chain time a block: budgets refill, so that nearly every tick has a plan to send. */
const SECONDS_PER_BLOCK = 7_200;

interface Sample {
  readonly sentMs: number;
  readonly tickEnd: Extract<KeeperEvent, { name: "tick.end" }>;
}

async function measure(ticks: number): Promise<{ samples: Sample[]; lensMs: number[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-bench-"));
  const chain = await startLocalChain({ folder: path.join(folder, "localnet"), port: 0 });
  const stop: (() => Promise<void>)[] = [() => chain.stop()];
  try {
    const genesis = await prepareGenesis(chain.url, path.join(folder, "localnet"), () => undefined);
    const relay = await startRelay({ nodeUrl: chain.url, port: 0, blockMs: 0, secondsPerBlock: SECONDS_PER_BLOCK });
    stop.unshift(() => relay.stop());
    const market = openMarket({ url: chain.url, protocols: genesis.protocols, seed: 1, everyBlocks: 1 });
    stop.unshift(() => Promise.resolve(market.close()));

    const config = loadConfig({
      env: {},
      cwd: folder,
      overrides: {
        dataDir: path.join(folder, "data"),
        chain: { rpcUrls: [chain.url], finalityBlocks: 2 },
        addresses: genesis.addressFile,
        relays: [{ name: "local", url: relay.url }],
        // Every tick should end with a bundle: no cooldown, no least gain.
        limits: { cooldownSeconds: 0, minGainUsd: 0, noTradeBandBps: 0, deadlineSeconds: 10 * SECONDS_PER_BLOCK },
      },
    });
    const seen = { at: 0, sent: 0 };
    let last: Sample["tickEnd"] | null = null;
    const keeper = await assemble(config, {
      env: { TILLER_KEEPER_KEY: localKeeperKey() },
      dryRun: false,
      sink: { emit: (event) => void (event.name === "tick.end" && (last = event)) },
      checkpoint: (step) => {
        if (step === "head.seen") seen.at = performance.now();
        if (step === "bundle.sent") seen.sent = performance.now();
      },
    });
    stop.unshift(() => keeper.close());

    const samples: Sample[] = [];
    const lensMs: number[] = [];
    for (let tick = -WARM_UP_TICKS; samples.length < ticks && tick < ticks * 4; tick += 1) {
      await market.turn();
      await relay.produceBlock();
      const head = await blockAt(keeper.chain, "latest");
      if (head === null) throw new Error("the node has a newest block");
      seen.sent = 0;
      await keeper.keeper.tick(head);
      const tickEnd = last as Sample["tickEnd"] | null;
      if (tick < 0 || seen.sent === 0 || tickEnd === null) continue;
      samples.push({ sentMs: seen.sent - seen.at, tickEnd });
      lensMs.push(await timeOf(() => readLens(keeper, head)));
      progress(samples.length, ticks);
    }
    return { samples, lensMs };
  } finally {
    for (const close of stop) await close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

function readLens(keeper: Assembled, head: Parameters<typeof readSnapshot>[1]): Promise<unknown> {
  return readSnapshot(keeper.chain, head, { addresses: keeper.addresses, keeper: keeper.account });
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

function progress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(done === all ? "\r\x1b[K" : `\r${done} of ${all} ticks`);
}

interface Row {
  readonly part: string;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** p50 over the lens call's p50. */
  readonly ratio: number;
}

function rowsOf(samples: readonly Sample[], lensMs: readonly number[]): Row[] {
  const lens = quantile(lensMs, 0.5);
  const row = (part: string, values: readonly number[]): Row => ({
    part,
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    max: quantile(values, 1),
    ratio: quantile(values, 0.5) / lens,
  });
  return [
    row(
      "head seen to bundle sent",
      samples.map((sample) => sample.sentMs),
    ),
    row(
      "of it: snapshot",
      samples.map((sample) => sample.tickEnd.snapshotMs),
    ),
    row(
      "of it: store",
      samples.map((sample) => sample.tickEnd.storeMs),
    ),
    row(
      "of it: decide",
      samples.map((sample) => sample.tickEnd.decideMs),
    ),
    row(
      "of it: settle, plan, simulate, sign, send",
      samples.map((sample) => sample.tickEnd.submitMs),
    ),
    row("reference: one call of the lens", lensMs),
  ];
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "boolean" }, ticks: { type: "string" } } });
  const ticks = Number(values.ticks ?? DEFAULT_TICKS);
  const { samples, lensMs } = await measure(ticks);
  const rows = rowsOf(samples, lensMs);
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify({ ticks: samples.length, cpus: cpus().length, rows }, null, 2)}\n`);
    return;
  }
  const cells = rows.map(({ part, p50, p99, max, ratio }) => [
    part,
    ...[p50, p99, max].map((ms) => ms.toFixed(1)),
    `${ratio.toFixed(1)}×`,
  ]);
  const head = ["milliseconds", "p50", "p99", "max", "p50 / reference"];
  process.stdout.write(
    `${samples.length} ticks that sent a bundle, ${cpus().length} cores\n\n${table(head, cells, head.slice(1))}\n`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
