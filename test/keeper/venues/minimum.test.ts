// A move's minimum on the local chain: the genuine pool of Uniswap V3, the models of the 3pool and of Sky, and the vault before
// them. It is what the move brings less the tolerance, so a plan passes in the state that it was made of; and not in one that
// somebody has pushed since, though the adapters' own floors let that through.
import { expect } from "chai";
import { encodeBytes32String, MaxUint256, type Contract, type Signer } from "ethers";
import { deployVault } from "../../../deploy/deployVault";
import type { LocalRole } from "../../../deploy/networks/localAccounts";
import { localWallet } from "../../../deploy/networks/localWallet";
import type { AddressFile } from "../../../keeper/config/addressFile";
import { decodeSnapshot, encodeSnapshotCall } from "../../../keeper/chain/decodeSnapshot";
import type { AdapterSnapshot, VaultSnapshot } from "../../../keeper/chain/snapshot";
import { decide } from "../../../keeper/decide/decide";
import { recordOf, replay } from "../../../keeper/decide/record";
import type { Forecast, Plan, PlanMove } from "../../../keeper/decide/strategy";
import { dryRun } from "../../../keeper/execute/dryRun";
import { encodePlan } from "../../../keeper/execute/encode";
import { simulatePlan, type Simulation } from "../../../keeper/execute/simulate";
import { minimumOf } from "../../../keeper/venues/minimum";
import { bindContracts, type MarketContracts } from "../../../scripts/localnet/market/contracts";
import { UNISWAP_FEE_PIPS } from "../../../scripts/localnet/protocols/parameters";
import { seeded } from "../../../scripts/bench/randomProblems";
import { IERC20__factory, SkyPsmModel__factory, Vault__factory, type Vault } from "../../../typechain-types";
import { TestChain } from "../../deploy/localChain";
import { LIMITS } from "../decide/vaultSnapshot";

const USDC = 10n ** 6n;
const WAD = 10n ** 18n;
const DAY = 86_400;
const GAS = { gasLimit: 5_000_000n };
const RECORD_HASH = `0x${"7".repeat(64)}`;
const TOLERANCE_BPS = 2;
/** Of plans between whose snapshot and block a pool is pushed by less than would make it unsteady. */
const STRICT_BPS = 0.5;
const ROUNDS = 15;
/** In each venue from the beginning. */
const PLACED = 1_200_000n * USDC;
const VENUES = ["sky-susds", "curve-3pool", "uniswap-v3-usdc-usdt"] as const;
type Venue = (typeof VENUES)[number];
const KEEPER = localWallet("keeper").address;

describe("a move's minimum", function () {
  this.timeout(240_000);
  let chain: TestChain;
  let made: AddressFile;
  let contracts: MarketContracts;
  let kept: unknown;

  const as = (role: LocalRole): Signer => localWallet(role).connect(chain.provider);
  const vaultAs = (role: LocalRole): Vault => Vault__factory.connect(made.vault, as(role));
  const send = async (sent: Promise<{ wait(): Promise<unknown> }>): Promise<void> => void (await (await sent).wait());

  before(async () => {
    chain = await TestChain.start();
    made = await deployVault(chain.deployment(await chain.reset()));
    contracts = bindContracts(chain.provider, chain.protocols);
    await send(IERC20__factory.connect(made.asset.address, as("market")).transfer(depositor, 16_000_000n * USDC));
    await send(IERC20__factory.connect(made.asset.address, as("depositor")).approve(made.vault, MaxUint256));
    await send(vaultAs("depositor")["deposit(uint256,address)"](25_000_000n * USDC, depositor, GAS));
    await pass(12);
    await send(vaultAs("depositor").accrue(GAS));
    await land(VENUES.map((venue) => ({ ...legOf(venue, PLACED), minimum: 0n })));
    await pass(DAY);
    await send(vaultAs("depositor").accrue(GAS));
  });
  after(() => chain.stop());
  beforeEach(async () => {
    kept = await chain.provider.send("evm_snapshot", []);
  });
  afterEach(() => chain.provider.send("evm_revert", [kept]));

  const depositor = localWallet("depositor").address;

  /** Time passes, and every feed says what it said. */
  async function pass(seconds: number): Promise<void> {
    await chain.provider.send("evm_increaseTime", [seconds]);
    await chain.provider.send("evm_mine", []);
    for (const feed of Object.values(contracts.feeds)) {
      await send((feed.connect(as("market")) as typeof feed).push(await feed.latestAnswer()));
    }
  }

  async function snapshot(): Promise<VaultSnapshot> {
    const block = await chain.provider.getBlock("latest");
    if (block?.hash === null || block === null) throw new Error("no block");
    const head = { ...block, hash: block.hash, baseFeePerGas: block.baseFeePerGas ?? 0n, reorgedFrom: null };
    const data = await chain.provider.call({
      ...{ to: made.lens, data: encodeSnapshotCall(made.vault, KEEPER), blockTag: block.number },
    });
    return decodeSnapshot(data, { addresses: made, head });
  }

  const adapterOf = (of: VaultSnapshot, venue: Venue): AdapterSnapshot => {
    const found = of.adapters.find(({ id }) => id === venue);
    if (found === undefined) throw new Error(`no adapter of ${venue}`);
    return found;
  };

  function legOf(venue: Venue, assets: bigint, all = false): Omit<PlanMove, "minimum"> {
    return { venue, adapter: made.adapters.find(({ id }) => id === venue)?.adapter ?? "", assets, all };
  }

  async function withMinimum(leg: Omit<PlanMove, "minimum">, toleranceBps = TOLERANCE_BPS): Promise<PlanMove> {
    const adapter = adapterOf(await snapshot(), leg.venue as Venue);
    return { ...leg, minimum: minimumOf(adapter, leg, { assetDecimals: 6, toleranceBps }) };
  }

  async function calldataOf(moves: readonly PlanMove[]): Promise<string> {
    const nonce = await vaultAs("keeper").nextNonce(KEEPER);
    return encodePlan({ moves, nonce, deadline: 2 ** 40, maxLoss: MaxUint256 }, RECORD_HASH);
  }

  async function simulated(moves: readonly PlanMove[]): Promise<Simulation> {
    const call = { vault: made.vault, keeper: KEEPER, calldata: await calldataOf(moves), gasLimit: GAS.gasLimit };
    return simulatePlan(chain.provider, { ...call, block: await chain.provider.getBlockNumber() });
  }

  /** @returns what the vault says that it lost. */
  async function land(moves: readonly PlanMove[]): Promise<bigint> {
    const sent = await as("keeper").sendTransaction({ to: made.vault, data: await calldataOf(moves), ...GAS });
    const receipt = await sent.wait();
    const { interface: abi } = vaultAs("keeper");
    const plan = receipt?.logs.map((log) => abi.parseLog(log)).find((log) => log?.name === "Rebalanced");
    return (plan?.args["lost"] ?? -1n) as bigint;
  }

  /** In the 3pool; positive: USDC is sold for USDT, which makes the pool full of USDC. */
  async function exchange(amount: bigint): Promise<void> {
    const pool = contracts.threePool.connect(as("trader")) as typeof contracts.threePool;
    const [from, to] = amount > 0n ? [1, 2] : [2, 1];
    await send(pool.exchange(from, to, amount > 0n ? amount : -amount, 0n, GAS));
  }

  /** In Uniswap's pool; positive: USDC is sold for USDT. */
  async function swap(amount: bigint): Promise<void> {
    const { usdc, usdt } = chain.protocols.tokens;
    const [tokenIn, tokenOut] = amount > 0n ? [usdc, usdt] : [usdt, usdc];
    const order = {
      ...{ tokenIn, tokenOut, fee: UNISWAP_FEE_PIPS, recipient: localWallet("trader").address },
      ...{ amountIn: amount > 0n ? amount : -amount, amountOutMinimum: 0n, sqrtPriceLimitX96: 0n },
    };
    const router = contracts.swapRouter.connect(as("trader")) as Contract;
    await send(router.getFunction("exactInputSingle").send(order, GAS));
  }

  const fee = async (what: "tin" | "tout", value: bigint): Promise<void> => {
    const psm = SkyPsmModel__factory.connect(chain.protocols.sky.litePsm, as("market"));
    await send(psm.file(encodeBytes32String(what), value));
  };

  const held = (token: string, holder: string): Promise<bigint> =>
    IERC20__factory.connect(token, chain.provider).balanceOf(holder);

  /** What a move brought, in the unit of its minimum. */
  async function brought(move: PlanMove): Promise<bigint> {
    const { receipt } = adapterOf(await snapshot(), move.venue as Venue);
    const [receipts, idle] = [await held(receipt, move.adapter), await vaultAs("keeper").idle()];
    const lost = await land([move]);
    if (move.venue === "uniswap-v3-usdc-usdt" && move.assets > 0n) return move.assets - lost;
    if (move.assets > 0n) return (await held(receipt, move.adapter)) - receipts;
    if (move.all || move.venue === "uniswap-v3-usdc-usdt") return (await vaultAs("keeper").idle()) - idle;
    return held(receipt, move.adapter);
  }

  for (const venue of VENUES) {
    it(`is met in the snapshot's own state and is what comes less the tolerance, in ${ROUNDS} markets of ${venue}`, async () => {
      const random = seeded(5);
      const between = (low: number, high: number): bigint => BigInt(Math.floor(low + (high - low) * random()));
      let widest = 0;
      for (let i = 0; i < ROUNDS; i++) {
        const undo: unknown = await chain.provider.send("evm_snapshot", []);
        if (venue === "curve-3pool") await exchange(between(-1_500_000, 1_500_000) * USDC);
        if (venue === "uniswap-v3-usdc-usdt") {
          await swap(between(-1_200_000, 1_200_000) * USDC);
          await send(
            (contracts.feeds.usdt.connect(as("market")) as typeof contracts.feeds.usdt).push(
              between(99_985_000, 100_015_000),
            ),
          );
          await pass(3_600);
        }
        if (venue === "sky-susds") {
          await fee("tin", between(0, 1e14));
          await fee("tout", between(0, 1e14));
          await pass(3_600);
        }
        await send(vaultAs("depositor").accrue(GAS));
        const { fairValue } = adapterOf(await snapshot(), venue);
        const size = between(1_000, 1_100_000) * USDC;
        const leg = [legOf(venue, size), legOf(venue, -size), legOf(venue, -fairValue, true)][i % 3] as PlanMove;
        const move = await withMinimum(leg);
        expect(move.minimum > 0n, `${i}`).to.equal(true);
        expect(await simulated([move]), `${i}: ${move.assets}`).to.deep.equal({ kind: "succeeds" });
        const came = await brought(move);
        // How much stricter a minimum would have been one that is missed, in basis points of what was moved.
        const moved = Number(leg.assets < 0n ? -leg.assets : leg.assets);
        const unit = came > 10n ** 15n ? 1e12 : 1;
        const room = (Number(came - move.minimum) / unit / moved) * 1e4;
        expect(room, `${i}: ${move.assets}`).to.be.within(0, TOLERANCE_BPS + 1);
        widest = Math.max(widest, room);
        await chain.provider.send("evm_revert", [undo]);
      }
      console.log(`      room at most ${widest.toFixed(3)} bps, of which the tolerance is ${TOLERANCE_BPS}`);
    });
  }

  it("stops a plan where a pool was pushed since, though the adapter's own floor does not", async () => {
    const push: Record<Venue, readonly [away: () => Promise<void>, back: () => Promise<void>]> = {
      "sky-susds": [() => fee("tin", (3n * WAD) / 10_000n), () => fee("tin", 0n)],
      "curve-3pool": [() => exchange(2_000_000n * USDC), () => exchange(-2_000_000n * USDC)],
      "uniswap-v3-usdc-usdt": [() => swap(3_500_000n * USDC), () => swap(-3_500_000n * USDC)],
    };
    for (const venue of VENUES) {
      const move = await withMinimum(legOf(venue, 1_000_000n * USDC), STRICT_BPS);
      const [away, back] = push[venue];
      await away();
      const stopped = await simulated([move]);
      expect(stopped.kind === "reverts" && stopped.reason, venue).to.match(
        /^FloorMissed\(received: \d+, floor: \d+\)$/,
      );
      expect(stopped.kind === "reverts" && stopped.reason.endsWith(`floor: ${move.minimum})`), venue).to.equal(true);
      expect(await simulated([{ ...move, minimum: 0n }]), venue).to.deep.equal({ kind: "succeeds" });
      // A new snapshot is content with what there is now.
      expect(await simulated([await withMinimum(legOf(venue, 1_000_000n * USDC), STRICT_BPS)])).to.deep.equal({
        kind: "succeeds",
      });
      await back();
      // Whoever pushed has paid the pool: half a basis point may be missing from where it was.
      expect(await simulated([await withMinimum(legOf(venue, 1_000_000n * USDC), STRICT_BPS)])).to.deep.equal({
        kind: "succeeds",
      });
    }
  });

  it("stops a way out alike, of an amount and of everything", async () => {
    const push: Record<Venue, () => Promise<void>> = {
      "sky-susds": () => fee("tout", (4n * WAD) / 10_000n),
      "curve-3pool": () => exchange(-3_000_000n * USDC),
      "uniswap-v3-usdc-usdt": () => swap(-3_000_000n * USDC),
    };
    for (const venue of VENUES) {
      const { fairValue } = adapterOf(await snapshot(), venue);
      const part = await withMinimum(legOf(venue, -700_000n * USDC), STRICT_BPS);
      const whole = await withMinimum(legOf(venue, -fairValue, true), STRICT_BPS);
      expect(await simulated([part])).to.deep.equal({ kind: "succeeds" });
      expect(await simulated([whole])).to.deep.equal({ kind: "succeeds" });
      await push[venue]();
      for (const move of [part, whole]) {
        const stopped = await simulated([move]);
        expect(stopped.kind === "reverts" && stopped.reason, `${venue} ${move.all}`).to.match(/^FloorMissed\(/);
        expect(await simulated([{ ...move, minimum: 0n }]), venue).to.deep.equal({ kind: "succeeds" });
      }
    }
  });

  it("is no less than the adapter's floor, whatever the tolerance", async () => {
    const widest = 10_000;
    for (const venue of ["curve-3pool", "uniswap-v3-usdc-usdt"] as const) {
      const of = adapterOf(await snapshot(), venue);
      if (of.state === null || !("slippage" in of.state)) throw new Error("no pool");
      for (const leg of [legOf(venue, 1_000_000n * USDC), legOf(venue, -of.fairValue, true)]) {
        const { minimum } = await withMinimum(leg, widest);
        const moved = leg.all ? of.fairValue : leg.assets;
        const floor = Number((moved * (WAD - of.state.slippage)) / WAD);
        const worth = venue === "curve-3pool" && !leg.all ? receiptsWorth(of, minimum) : Number(minimum);
        expect(worth / floor).to.be.closeTo(1, 1e-6);
      }
    }
    // The receipts that are left after an amount: no fewer than the floor lets the pool burn.
    const curve = adapterOf(await snapshot(), "curve-3pool");
    const { minimum } = await withMinimum(legOf("curve-3pool", -1_000_000n * USDC), widest);
    if (curve.state?.kind !== "curve-3pool") throw new Error("no pool");
    const burned = receiptsWorth(curve, curve.state.held - minimum);
    expect(burned / (1e12 / 0.999)).to.be.closeTo(1, 1e-6);
  });

  it("asks nothing of a venue that gives what it is given, nor where nothing can be said", async () => {
    const now = await snapshot();
    for (const adapter of now.adapters.filter(({ id }) => !VENUES.includes(id as Venue))) {
      expect(minimumOf(adapter, { assets: USDC, all: false }, { assetDecimals: 6, toleranceBps: 1 })).to.equal(0n);
    }
    const curve = adapterOf(now, "curve-3pool");
    const terms = { assetDecimals: 6, toleranceBps: 1 };
    expect(minimumOf({ ...curve, state: null }, { assets: USDC, all: false }, terms)).to.equal(0n);
    const { state } = curve;
    if (state?.kind !== "curve-3pool") throw new Error("no pool");
    const blind = { ...curve, state: { ...state, dollars: [0n, 0n, 0n] } };
    expect(minimumOf(blind, { assets: USDC, all: false }, terms)).to.equal(0n);
    // More than the pool has of the coin: the pool will say so itself.
    expect(minimumOf(curve, { assets: -(10n ** 15n), all: false }, terms)).to.equal(0n);
  });

  it("counts a whole position with claims on it as the amount that the vault's part is", async () => {
    const now = await snapshot();
    for (const venue of VENUES) {
      const adapter = adapterOf(now, venue);
      const counted = (adapter.fairValue * 3n) / 4n;
      const terms = { assetDecimals: 6, toleranceBps: 1 };
      const whole = minimumOf({ ...adapter, counted }, { assets: -adapter.fairValue, all: true }, terms);
      expect(whole, venue).to.equal(minimumOf({ ...adapter, counted }, { assets: -counted, all: false }, terms));
      expect(whole).to.not.equal(minimumOf(adapter, { assets: -adapter.fairValue, all: true }, terms));
    }
  });

  it("is part of the decision, of its record and of the calldata, and replay finds it again to the byte", async () => {
    const now = await snapshot();
    const forecasts = now.adapters.map(({ id }): Forecast => ({
      ...{ venue: id, model: "ewma", historySeconds: DAY },
      ...(VENUES.includes(id as Venue) ? { apr: 0.2, currentApr: 0.2 } : { apr: 0.01, currentApr: 0.01 }),
    }));
    const limits = { ...LIMITS, moveToleranceBps: STRICT_BPS };
    const input = { snapshot: now, forecasts, limits, lastRebalanceAt: null };
    const plan = decide(input) as Plan;
    expect(plan.action, plan.reason).to.equal("rebalance");
    const pools = plan.moves.filter(({ minimum }) => minimum > 0n);
    expect(pools.map(({ venue }) => venue).sort()).to.deep.equal([...VENUES].sort());
    const record = recordOf(input, plan);
    const replayed = replay(record.json, record.hash, decide);
    expect(replayed.recomputed.json).to.equal(record.json);
    expect(encodePlan(replayed.output as Plan, record.hash)).to.equal(encodePlan(plan, record.hash));
    // Another tolerance is another decision.
    const strict = decide({ ...input, limits: { ...LIMITS, moveToleranceBps: 0.25 } }) as Plan;
    for (const move of pools) {
      const stricter = strict.moves.find(({ venue }) => venue === move.venue);
      expect((stricter?.minimum ?? 0n) > move.minimum, move.venue).to.equal(true);
    }

    // What a dry run says of a plan whose pool was pushed.
    const settings = {
      ...{ maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, gasLimit: GAS.gasLimit },
    };
    const options = { provider: chain.provider, chainId: made.chainId, vault: made.vault, keeper: KEEPER, settings };
    const run = async (): Promise<Simulation> => {
      const block = await chain.provider.getBlock("latest");
      const { number = 0, hash, timestamp = 0, baseFeePerGas } = block ?? {};
      const head = { number, hash: hash ?? "", timestamp, baseFeePerGas: baseFeePerGas ?? 0n };
      return (await dryRun(options, { plan: { ...plan, deadline: 2 ** 40 }, recordHash: record.hash }, head))
        .simulation;
    };
    expect(await run()).to.deep.equal({ kind: "succeeds" });
    await exchange(2_000_000n * USDC);
    const told = await run();
    expect(told.kind === "reverts" && told.reason).to.match(/^FloorMissed\(/);
  });
});

/** In the asset's unit, at what the adapter counts a receipt with. */
function receiptsWorth({ state }: AdapterSnapshot, receipts: bigint): number {
  if (state?.kind !== "curve-3pool") throw new Error("no pool");
  return Number((receipts * state.virtualPrice) / WAD) / 1e12;
}
