// A plan into the 3pool, from its decision to its end, with somebody who trades in the pool between the snapshot and the block:
// the executor finds its minimum missed, sends no further bundle, and says why.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { id, keccak256, MaxUint256, toUtf8Bytes, Wallet } from "ethers";
import { deployVault } from "../../../deploy/deployVault";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { AddressFile } from "../../../keeper/config/addressFile";
import { decodeSnapshot, encodeSnapshotCall } from "../../../keeper/chain/decodeSnapshot";
import type { Plan } from "../../../keeper/decide/strategy";
import { createExecutor, type ExecutionHead, type Executor } from "../../../keeper/execute/executor";
import { flashbotsRelay } from "../../../keeper/execute/flashbotsRelay";
import { walletSigner } from "../../../keeper/execute/signer";
import { silent } from "../../../keeper/events/events";
import { noCheckpoint } from "../../../keeper/events/steps";
import { openStore } from "../../../keeper/store/open";
import type { DecisionRow, Store } from "../../../keeper/store/records";
import { minimumOf } from "../../../keeper/venues/minimum";
import { startRelay, type Relay } from "../../../scripts/relay/relay";
import { IERC20__factory, ThreePoolModel__factory, Vault__factory } from "../../../typechain-types";
import { TestChain } from "../../deploy/localChain";

const USDC = 10n ** 6n;
const GAS = { gasLimit: 5_000_000n };
const VENUE = "curve-3pool";
const TOLERANCE_BPS = 0.5;

describe("a plan whose pool is pushed between its snapshot and its block", function () {
  this.timeout(180_000);
  let chain: TestChain;
  let made: AddressFile;
  let store: Store;
  let relay: Relay;
  let folder: string;
  const keeper = localWallet("keeper");
  const as = (role: "depositor" | "trader") => localWallet(role).connect(chain.provider);

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-pushed-"));
    chain = await TestChain.start();
    store = await openStore({ dataDir: folder, sink: silent });
    made = await deployVault(chain.deployment(await chain.reset()));
    const { address } = localWallet("depositor");
    const vault = Vault__factory.connect(made.vault, as("depositor"));
    await (await IERC20__factory.connect(made.asset.address, as("depositor")).approve(made.vault, MaxUint256)).wait();
    await (await vault["deposit(uint256,address)"](9_000_000n * USDC, address, GAS)).wait();
    await chain.provider.send("evm_increaseTime", [60]);
    await (await vault.accrue(GAS)).wait();
    await chain.provider.send("evm_setAutomine", [false]);
    relay = await startRelay({ nodeUrl: chain.url, port: 0, blockMs: 0, secondsPerBlock: 12 });
  });
  after(async () => {
    await relay.stop();
    await store.close();
    await chain.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function head(): Promise<ExecutionHead & { readonly parentHash: string; readonly reorgedFrom: null }> {
    const block = await chain.provider.getBlock("latest");
    if (block?.hash === undefined || block.hash === null) throw new Error("no block");
    const { number, hash, parentHash, timestamp, baseFeePerGas } = block;
    return { number, hash, parentHash, timestamp, baseFeePerGas: baseFeePerGas ?? 0n, reorgedFrom: null };
  }

  /** A million into the 3pool, as a decision on the newest block would have it. */
  async function planned(withMinimum: boolean): Promise<{ plan: Plan; decision: DecisionRow }> {
    const at = await head();
    const data = encodeSnapshotCall(made.vault, keeper.address);
    const answer = await chain.provider.call({ to: made.lens, data, blockTag: at.number });
    const snapshot = decodeSnapshot(answer, { addresses: made, head: at });
    const adapter = snapshot.adapters.find(({ id }) => id === VENUE);
    if (adapter === undefined) throw new Error("no 3pool");
    const leg = { assets: 1_000_000n * USDC, all: false };
    const minimum = withMinimum ? minimumOf(adapter, leg, { assetDecimals: 6, toleranceBps: TOLERANCE_BPS }) : 0n;
    const plan: Plan = {
      ...{ action: "rebalance", reason: "a test wants it", nonce: snapshot.nextNonce, deadline: at.timestamp + 3_600 },
      ...{ maxLoss: 1_000n * USDC, expectedGainUsd: 1, costUsd: 0 },
      moves: [{ venue: VENUE, adapter: adapter.adapter, ...leg, minimum }],
    };
    const moves = plan.moves.map((move) => ({
      ...move,
      ...{ assets: move.assets.toString(), minimum: move.minimum.toString() },
    }));
    const output = { ...plan, nonce: plan.nonce.toString(), maxLoss: plan.maxLoss.toString(), moves };
    const record = JSON.stringify({ output, withMinimum });
    const recordHash = keccak256(toUtf8Bytes(record));
    const decision: DecisionRow = {
      ...{ id: recordHash.slice(2, 18), chainId: made.chainId, vault: made.vault, blockNumber: at.number },
      ...{ blockHash: at.hash, decidedAt: at.timestamp, action: "rebalance", reason: plan.reason, record, recordHash },
    };
    return { plan, decision };
  }

  const executor = (): Executor =>
    createExecutor({
      chain: { chainId: made.chainId, provider: chain.provider },
      ...{ vault: made.vault, store, checkpoint: noCheckpoint, sink: silent },
      relays: [
        flashbotsRelay({
          name: "local",
          url: relay.url,
          timeoutMs: 5_000,
          auth: new Wallet(id("pushed pool test auth key")),
        }),
      ],
      signer: walletSigner(new Wallet(keeper.privateKey)),
      policyLimits: () => ({
        adapters: made.adapters.map(({ adapter }) => ({ adapter, position: 0n, cap: 2_000_000n * USDC })),
        ...{ maxLoss: 10_000n * USDC, maxLifetimeSeconds: 10_000, onlyToIdle: false },
      }),
      settings: {
        ...{ maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 9n, gasLimit: 3_000_000n },
        ...{ simulateOnRelay: false, blocks: 5, finalityBlocks: 2 },
      },
    });

  /** Sells USDC to the pool, in a block of its own: it costs more then to bring USDC. */
  async function push(): Promise<void> {
    const pool = ThreePoolModel__factory.connect(chain.protocols.threePool.pool, as("trader"));
    const sent = await pool.exchange(1, 2, 2_000_000n * USDC, 0n, GAS);
    await relay.produceBlock();
    expect((await sent.wait())?.status).to.equal(1);
  }

  for (const withMinimum of [true, false]) {
    it(
      withMinimum
        ? "is abandoned at the next head with what came and what was wanted, and nothing of it lands"
        : "lands, where it has no minimum, at the price that the other one made",
      async () => {
        const kept: unknown = await chain.provider.send("evm_snapshot", []);
        const { plan, decision } = await planned(withMinimum);
        const running = executor();
        relay.misbehave({ neverInclude: true });
        const begun = await running.begin(decision, plan, await head());
        expect(begun.state, begun.reason ?? "").to.equal("submitted");
        await push();
        relay.misbehave({ neverInclude: false });
        await running.advance(await head());
        const intent = await store.intent(begun.id);
        if (withMinimum) {
          expect(intent?.state).to.equal("abandoned");
          const reason = /^its simulation at block \d+ reverts: FloorMissed\(received: \d+, floor: (\d+)\)$/;
          expect(reason.exec(intent?.reason ?? "")?.[1], intent?.reason ?? "").to.equal(
            plan.moves[0]?.minimum.toString(),
          );
        } else {
          expect(intent?.state, intent?.reason ?? "").to.equal("submitted");
        }
        await relay.produceBlock();
        await running.advance(await head());
        const vault = Vault__factory.connect(made.vault, chain.provider);
        const landed = await vault.queryFilter(vault.filters.Rebalanced(), 0, "latest");
        expect(landed).to.have.length(withMinimum ? 0 : 1);
        await chain.provider.send("evm_revert", [kept]);
      },
    );
  }
});
