import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { poolReports } from "../../../keeper/collect/poolReport";
import { silent } from "../../../keeper/events/events";
import type { BackfillKey, ChunkRow, EventRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { Store } from "../../../keeper/store/records";
import { hash } from "../store/fixtures/rows";

const DAY = 86_400;
const START = 1_700_006_400;
const KEY: BackfillKey = { chainId: 1, source: "curve", subject: `0x${"ab".repeat(20)}` };

const event = (block: number, kind: "swap" | "mint", coinAmounts: readonly string[]): EventRow => ({
  ...{ chainId: 1, source: KEY.source, pool: KEY.subject, kind, block, blockHash: hash(block), txHash: hash(block) },
  ...{ txIndex: 0, logIndex: 0, observedAt: START + (block * DAY) / 10, availableAt: START + (block * DAY) / 10 },
  ...{ sender: null, recipient: null, amount0: coinAmounts[0] ?? "0", amount1: coinAmounts[1] ?? "0", coinAmounts },
  ...{ coinFees: null, receipts: null, sqrtPriceX96: null, liquidity: null, tick: null, tickLower: null },
  ...{ tickUpper: null, priceImpactBps: null, gasUsed: null, gasPriceWei: null },
});
const chunk = (fromBlock: number, toBlock: number, rows: number): ChunkRow => ({
  ...{ fromBlock, toBlock, toHash: hash(toBlock), rows, checksum: "0".repeat(64), tentative: false },
});

describe("the report of pools", function () {
  this.timeout(60_000);
  let dataDir: string;
  let store: Store;
  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-pools-"));
    store = await openStore({ dataDir, sink: silent });
  });
  after(async () => {
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("says what was collected of each, what is missing between, and what was traded", async () => {
    expect(await poolReports(store.history)).to.deep.equal([]);
    const first = [event(1, "swap", ["5", "-4", "0"]), event(3, "mint", ["100", "100", "100"])];
    const second = [event(21, "swap", ["0", "-7", `1${"0".repeat(30)}`]), event(22, "swap", ["6", "0", "-6"])];
    await store.history.addEvents(KEY, chunk(0, 9, 2), first);
    await store.history.addEvents(KEY, chunk(20, 29, 2), second);
    // Sweeps are of no pool.
    const sweeps = { key: { ...KEY, source: "sweep", subject: "300s-01234567" }, readings: [], points: [] };
    await store.history.addSweeps({ ...sweeps, chunk: chunk(0, 9, 0) });
    expect(await poolReports(store.history)).to.deep.equal([
      {
        ...{ chainId: 1, source: "curve", pool: KEY.subject, fromBlock: 0, toBlock: 29, blocks: 20, events: 4 },
        ...{ missingBlocks: 10, swaps: 3, days: 2, sold: ["11", "0", `1${"0".repeat(30)}`] },
        traded: [
          { at: START, sold: ["5", "0", "0"] },
          { at: START + 2 * DAY, sold: ["6", "0", `1${"0".repeat(30)}`] },
        ],
      },
    ]);
  });
});
