// `tiller status` of a vault with pools of traders, as a process that reaches no node: it shows the last stored block.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { VaultSnapshot } from "../../../keeper/chain/snapshot";
import { snapshotToJson } from "../../../keeper/chain/snapshotJson";
import type { StatusView } from "../../../keeper/app/view";
import { silent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import { adapters, snapshot } from "../decide/vaultSnapshot";
import { curveAdapter, uniswapAdapter } from "../risk/pools";
import { addresses, VAULT } from "../chain/fixtures/lensAnswer";
import { startTiller, type Ended } from "./tillerProcess";

const USDC = 10n ** 6n;
const HELD = { fairValue: 60_000n * USDC, exitValue: 59_991n * USDC, counted: 60_000n * USDC };
const RANGE = { held: 10n ** 12n, tickLower: -10, tickUpper: 10, pairedDollars: 999n * 10n ** 15n };

describe("tiller status", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-status-"));
    writeFileSync(path.join(folder, "addresses.json"), JSON.stringify(addresses));
    const chain = { rpcUrls: ["http://127.0.0.1:9"] };
    writeFileSync(
      path.join(folder, "tiller.config.json"),
      JSON.stringify({ dataDir: path.join(folder, "state"), addresses: path.join(folder, "addresses.json"), chain }),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const status = (...options: string[]): Promise<Ended> => startTiller(folder, ["status", ...options]).ended;
  async function stored(blockNumber: number, of: VaultSnapshot["adapters"]): Promise<void> {
    const seen = snapshot({
      blockNumber,
      vault: VAULT,
      blockHash: `0x${String(blockNumber).padStart(64, "0")}`,
      adapters: of,
    });
    const store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    try {
      await store.saveSnapshot(
        {
          ...{ chainId: seen.chainId, vault: VAULT, blockNumber, blockHash: seen.blockHash },
          ...{ observedAt: seen.timestamp + blockNumber, availableAt: seen.timestamp + blockNumber },
          ...{ payload: JSON.stringify(snapshotToJson(seen)), totalAssets: "1000000000000", sharePrice: "1000000" },
        },
        [],
      );
    } finally {
      await store.close();
    }
  }

  it("shows of pools whether the price is steady, both values and where it stands, in the table and as JSON", async () => {
    await stored(1_000, [
      ...adapters(),
      curveAdapter({}, HELD),
      uniswapAdapter({ ...RANGE, steady: false }, { ...HELD, exitValue: 59_000n * USDC }),
    ]);
    const shown = await status();
    expect(shown.code, shown.err).to.equal(0);
    expect(shown.err).to.contain("showing the last stored block");
    expect(shown.out).to.match(
      /curve-3pool +steady +60,000\.00 +59,991\.00 +33\.3% of the pool is the asset; virtual price 1\.03000/,
    );
    expect(shown.out).to.match(
      /uniswap-v3-usdc-usdt +away from fair +60,000\.00 +59,000\.00 +1\.00000 in 0\.99900 … 1\.00100; 50% in the paired coin; mean 1\.00000, feeds 0\.99900/,
    );
    expect(shown.out).to.match(/deposits +shut: price away from fair in uniswap-v3-usdc-usdt\n/);

    const { allocations } = JSON.parse((await status("--json")).out) as StatusView;
    const [aave, , , curve, range] = allocations;
    expect(aave).to.deep.equal({ venue: "aave-v3-usdc", assets: "0", quarantined: false });
    expect(curve?.pool).to.deep.include({ steady: true, shutsDeposits: false, exitValue: "59991000000" });
    expect(curve?.pool?.market).to.include({ kind: "curve-3pool", virtualPrice: 1.03 });
    expect(range?.pool).to.deep.include({ steady: false, shutsDeposits: true, fairValue: "60000000000" });
    expect(range?.pool?.market).to.include({ kind: "uniswap-v3", spot: 1, mean: 1, oracle: 0.999 });
  });

  it("says what could not be read, and has no table of pools where the vault has none", async () => {
    await stored(1_001, [...adapters(), curveAdapter({}, { state: null, readable: false })]);
    expect((await status()).out).to.match(/curve-3pool +could not be read/);
    await stored(1_002, adapters());
    const { out } = await status();
    expect(out).to.contain("block 1002");
    expect(out).not.to.match(/fair value|deposits +shut/);
  });
});
