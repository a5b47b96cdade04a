// The real lens on the local chain: genuine Aave V3, the models of Comet, a savings vault and Sky, the vault as deployed.
import { expect } from "chai";
import { Contract, JsonRpcProvider, MaxUint256, Network, type TransactionResponse } from "ethers";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { checkDeployment } from "../../../keeper/chain/checkDeployment";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import { readLatestSnapshot, readSnapshot } from "../../../keeper/chain/readSnapshot";
import type { AdapterSnapshot, VaultSnapshot } from "../../../keeper/chain/snapshot";
import { canonicalSnapshot, snapshotFromJson } from "../../../keeper/chain/snapshotJson";
import { type Failure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { RAY, aaveRates } from "../../../keeper/venues/aaveV3";
import { cometApr, cometSupplyRate, cometUtilization } from "../../../keeper/venues/compoundV3";
import { growthApr } from "../../../keeper/venues/erc4626";
import { ratio } from "../../../keeper/venues/exact";
import { modelOf } from "../../../keeper/venues/model";
import { observationsOf } from "../../../keeper/venues/observations";
import { supplyApr } from "../../../keeper/venues/rateModel";
import { startLocalChain, type LocalChain } from "../../../scripts/localnet/anvil";
import { npmArtifact } from "../../../scripts/localnet/protocols/npmArtifact";
import { SAVINGS_RATE_PER_SECOND } from "../../../scripts/localnet/protocols/parameters";
import { localWallet } from "../../../deploy/networks/localWallet";
import { prepareGenesis, type Genesis } from "../../../scripts/start/genesis";
import { UsdcModel__factory } from "../../../typechain-types";

const USDC = 10n ** 6n;
const YEAR = 31_536_000;

describe("the snapshot of the real lens", function () {
  this.timeout(120_000);
  let folder: string;
  let local: LocalChain;
  let provider: JsonRpcProvider;
  let genesis: Genesis;
  let chain: Chain;
  let keeper: string;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-lens-"));
    local = await startLocalChain({ folder, port: 0 });
    genesis = await prepareGenesis(local.url, folder, () => undefined);
    const network = Network.from(31_337);
    provider = new JsonRpcProvider(local.url, network, { staticNetwork: network, cacheTimeout: -1 });
    keeper = localWallet("keeper").address;
    chain = await connectChain({
      rpcUrls: [local.url],
      expectedChainId: 31_337,
      requestTimeoutMs: 5_000,
      sink: silent,
    });
  });
  after(async () => {
    chain?.close();
    provider?.destroy();
    await local?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const mine = async (): Promise<Head> => {
    await provider.send("evm_mine", []);
    const head = await blockAt(chain, "latest");
    if (head === null) throw new Error("no head");
    return head;
  };
  const read = (head: Head): Promise<VaultSnapshot> =>
    readSnapshot(chain, head, { addresses: genesis.addresses, keeper });
  const venue = (snapshot: VaultSnapshot, kind: AdapterSnapshot["kind"]): AdapterSnapshot => {
    const found = snapshot.adapters.find((adapter) => adapter.kind === kind);
    if (found === undefined) throw new Error(`no ${kind}`);
    return found;
  };

  it("is of the vault as it was deployed and funded", async () => {
    await checkDeployment(chain, genesis.addresses);
    const head = await mine();
    const snapshot = await read(head);
    expect(snapshot).to.include({ blockNumber: head.number, blockHash: head.hash, timestamp: head.timestamp });
    expect(snapshot).to.include({
      vault: genesis.addresses.vault,
      keeper,
      isKeeper: true,
      opened: true,
      breaker: "closed",
    });
    expect(snapshot.totalAssets >= 1_000_000n * USDC).to.equal(true);
    expect(snapshot.idle).to.equal(snapshot.totalAssets);
    expect(snapshot.baseFeePerGas).to.equal(head.baseFeePerGas);
    expect(snapshot.nextNonce >> 64n).to.equal(snapshot.planEpoch);
    expect(snapshot.adapters.map((adapter) => adapter.id)).to.have.members([
      "aave-v3-usdc",
      "compound-v3-usdc",
      "savings-usdc",
      "sky-susds",
      "curve-3pool",
      "uniswap-v3-usdc-usdt",
    ]);
    for (const adapter of snapshot.adapters) {
      expect(adapter.readable, adapter.id).to.equal(true);
      expect(adapter.state, adapter.id).not.to.equal(null);
      expect(adapter.maxDeposit > 0n, adapter.id).to.equal(true);
    }
    expect(snapshotFromJson(JSON.parse(canonicalSnapshot(snapshot)))).to.deep.equal(snapshot);
  });

  it("is the same of an older block whatever came after", async () => {
    const head = await mine();
    const then = await read(head);
    for (let i = 0; i < 3; i += 1) await mine();
    expect(await read(head)).to.deep.equal(then);
    const latest = await readLatestSnapshot(chain, { addresses: genesis.addresses, keeper });
    expect(latest.blockNumber).to.equal(head.number + 3);
  });

  it("is refused of a block that was reorganised away", async () => {
    const saved: unknown = await provider.send("evm_snapshot", []);
    const gone = await mine();
    await provider.send("evm_revert", [saved]);
    await provider.send("evm_increaseTime", [77]);
    await mine();
    const failure = await read(gone).then(
      () => null,
      (error: unknown) => error as Failure,
    );
    expect(failure?.code).to.equal("BLOCK_GONE");
  });

  it("gives the rate that genuine Aave itself stored in the same block, to the last digit", async () => {
    const wallet = localWallet("market").connect(provider);
    const usdc = UsdcModel__factory.connect(genesis.protocols.tokens.usdc, wallet);
    const artifact = npmArtifact("@aave/core-v3/artifacts/contracts/protocol/pool/Pool.sol/Pool.json");
    const target = genesis.addresses.adapters.find((entry) => entry.kind === "aave-v3")?.venue ?? "";
    const pool = new Contract(target, artifact.abi, wallet);
    for (const amount of [123_456_789n, 7n, 98_765_432_101n]) {
      await usdc.mint(wallet.address, amount);
      await mine();
      await usdc.approve(target, MaxUint256);
      await mine();
      // Not an estimate: one made in the second of the reserve's last update leaves out what the update costs.
      const sent = (await pool.getFunction("supply")(genesis.protocols.tokens.usdc, amount, wallet.address, 0, {
        gasLimit: 1_000_000n,
      })) as TransactionResponse;
      const head = await mine();
      expect((await provider.getTransactionReceipt(sent.hash))?.status, "the supply").to.equal(1);
      const aave = venue(await read(head), "aave-v3");
      if (aave.state?.kind !== "aave-v3") throw new Error("Aave");
      const { state } = aave;
      // The lens rounds the debt down where Aave rounds half up: it may be one unit short.
      const candidates = [0n, 1n].map((unit) => aaveRates({ ...state, borrowed: state.borrowed + unit }, "averaged"));
      const stored = candidates.find((rates) => rates.variableBorrowRate === state.variableBorrowRate);
      expect(stored?.liquidityRate).to.equal(state.liquidityRate);
    }
  });

  it("gives Comet's own rate, and models whose rates agree with the integers to 1e-12", async () => {
    const snapshot = await read(await mine());
    const comet = venue(snapshot, "compound-v3");
    const aave = venue(snapshot, "aave-v3");
    if (comet.state?.kind !== "compound-v3" || aave.state?.kind !== "aave-v3") throw new Error("Comet and Aave");
    expect(cometSupplyRate(comet.state, comet.state.utilization)).to.equal(comet.state.supplyRatePerSecond);
    const cometExact = cometApr(cometSupplyRate(comet.state, cometUtilization(comet.state)));
    // Comet rounds a rate down to 1e-18 a second, which is 1e-9 of it: the model's line lies that much above.
    expect(supplyApr(modelOf(comet, 6), 0) / cometExact - 1).to.be.within(-1e-12, 2e-9);
    const aaveExact = ratio(aaveRates(aave.state).liquidityRate, RAY);
    expect(Math.abs(supplyApr(modelOf(aave, 6), 0) / aaveExact - 1)).to.be.below(1e-12);
  });

  it("shows the savings rate in the growth of the index from one block to the next", async () => {
    const first = await read(await mine());
    const rows = observationsOf(first, { availableAt: first.timestamp, previous: [] });
    await provider.send("evm_increaseTime", [12]);
    const second = await read(await mine());
    const next = observationsOf(second, { availableAt: second.timestamp, previous: rows });
    const apr = next.find((row) => row.venue === "savings-usdc")?.supplyApr ?? NaN;
    const expected = Number(BigInt(SAVINGS_RATE_PER_SECOND) - RAY) * 1e-27 * YEAR;
    expect(apr / expected).to.be.closeTo(1, 1e-3);
    expect(next).to.have.length(6);
  });

  it("has Sky's rate in force from the first block on, and the index grows by it", async () => {
    const first = await read(await mine());
    await provider.send("evm_increaseTime", [3_600]);
    const second = await read(await mine());
    const skyIn = (snapshot: VaultSnapshot) =>
      observationsOf(snapshot, { availableAt: snapshot.timestamp, previous: [] }).find(
        (row) => row.venue === "sky-susds",
      );
    const [before, after] = [skyIn(first), skyIn(second)];
    const sample = (row: typeof before) => ({ at: row?.observedAt ?? 0, index: BigInt(row?.index ?? 0) });
    const grown = growthApr(sample(before), sample(after)) ?? NaN;
    expect(before?.supplyApr).to.be.closeTo(Math.log(1.043), 1e-9);
    expect(grown / (before?.supplyApr ?? NaN)).to.be.closeTo(1, 1e-5);
  });
});
