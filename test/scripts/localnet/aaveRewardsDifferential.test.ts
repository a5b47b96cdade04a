// AaveRewardsModel against the genuine bytecode of Aave's RewardsController, and the adapter of Aave V3 with the genuine
// rewards contract behind the genuine aToken. No package carries that code; recorded mainnet state does.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { Contract, Interface, JsonRpcSigner, MaxUint256, ZeroAddress, type TransactionReceipt } from "ethers";
import type { LocalRole } from "../../../deploy/networks/localAccounts";
import { callNode } from "../../../scripts/localnet/jsonRpc";
import { randomFor } from "../../../scripts/localnet/market/random";
import { USDC } from "../../../scripts/localnet/protocols/parameters";
import {
  AaveRewardsModel__factory,
  AaveV3Adapter__factory,
  IERC20__factory,
  PayingStrategy__factory,
  RewardAuction__factory,
  RewardTokenModel__factory,
  TwiceRewardedToken__factory,
} from "../../../typechain-types";
import { skip } from "../../skip";
import { startTemporaryChain, transact, type TemporaryChain } from "./temporaryChain";

/** Aave V3's RewardsController on mainnet, the code behind its proxy (bgd-labs/aave-address-book). */
const RECORDED_CODE = "0xe7b67f44ea304dd7f6d215b13686637ff64cd2b2";
/** Where the genuine code is put: storage is the address's, so no proxy is needed. */
const GENUINE = "0x00000000000000000000000000000000000aa3e5";
const STEPS = 60;
const COIN = 10n ** 18n;

/** The genuine contract's functions beside those of the model. */
const CONTROLLER = new Interface([
  ...AaveRewardsModel__factory.createInterface().format(false),
  "function getEmissionManager() view returns (address)",
  "function configureAssets((uint88 emissionPerSecond, uint256 totalSupply, uint32 distributionEnd, address asset, address reward, address transferStrategy, address rewardOracle)[])",
]);

interface Tape {
  readonly accounts: Record<string, { readonly codeHash: string }>;
  readonly code: Record<string, string>;
}

const tapeFile = process.env["TILLER_TAPE"];

describe("AaveRewardsModel beside Aave's genuine rewards contract", function () {
  this.timeout(180_000);
  const roles: readonly LocalRole[] = ["depositor", "secondDepositor", "borrower"];
  let local: TemporaryChain;
  let genuine: Contract;
  let model: Contract;
  let strategy: string;
  let rewards: readonly string[];
  const now = async (): Promise<number> => (await local.provider.getBlock("latest"))?.timestamp ?? 0;

  before(async function () {
    if (tapeFile === undefined) skip(this, "TILLER_TAPE names no recorded mainnet state to take Aave's code from");
    const tape = JSON.parse(gunzipSync(readFileSync(tapeFile)).toString()) as Tape;
    const code = tape.code[tape.accounts[RECORDED_CODE]?.codeHash ?? ""];
    if (code === undefined) skip(this, "the tape of TILLER_TAPE does not hold Aave's rewards contract");
    local = await startTemporaryChain();
    const market = local.signer("market");
    await callNode(local.chain.url, "anvil_setCode", [GENUINE, code]);
    const manager = (await new Contract(GENUINE, CONTROLLER, local.provider).getFunction(
      "getEmissionManager",
    )()) as string;
    await callNode(local.chain.url, "anvil_impersonateAccount", [manager]);
    await callNode(local.chain.url, "anvil_setBalance", [manager, "0xde0b6b3a7640000"]);
    genuine = new Contract(GENUINE, CONTROLLER, new JsonRpcSigner(local.provider, manager));
    const made = await new AaveRewardsModel__factory(market).deploy(market.address);
    model = new Contract(await made.getAddress(), CONTROLLER, market);
    strategy = await (await new PayingStrategy__factory(market).deploy()).getAddress();
    const tokens = [];
    for (const symbol of ["ONE", "TWO"]) {
      const token = await new RewardTokenModel__factory(market).deploy(symbol, symbol, 10n ** 30n);
      for (const payer of [strategy, await model.getAddress()]) await (await token.transfer(payer, 10n ** 29n)).wait();
      tokens.push(await token.getAddress());
    }
    rewards = tokens;
  });
  after(() => local?.end());

  async function configure(asset: string, reward: string, perSecond: bigint, end: number): Promise<void> {
    const input = [perSecond, 0n, end, asset, reward, strategy, strategy];
    // In one block, so that both begin in the same second.
    await local.automine(false);
    const sent = [
      await genuine.getFunction("configureAssets").send([input], { gasLimit: 1_000_000 }),
      await model.getFunction("configure").send(asset, reward, perSecond, end, { gasLimit: 1_000_000 }),
    ];
    await local.pass(1);
    await local.automine(true);
    for (const one of sent) expect((await one.wait())?.status).to.equal(1);
  }

  it(`agrees over ${STEPS} random mints, burns, transfers and claims, of rewards that change and end`, async () => {
    const market = local.signer("market");
    const made = await new TwiceRewardedToken__factory(market).deploy(GENUINE, await model.getAddress());
    const token = new Contract(await made.getAddress(), TwiceRewardedToken__factory.abi, local.provider);
    const asset = await made.getAddress();
    const [one = "", two = ""] = rewards;
    const random = randomFor(20_000_000, 1);
    const below = (n: number): number => Math.floor(random() * n);
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
    const addresses = roles.map((role) => local.signer(role).address);
    const claimed = { genuine: 0n, model: 0n };
    await configure(asset, one, COIN / 7n, (await now()) + 90_000_000);

    const picture = async (controller: Contract): Promise<unknown> => ({
      rewards: [...((await controller.getFunction("getRewardsByAsset")(asset)) as string[])],
      owed: await Promise.all(
        addresses.flatMap((who) =>
          [one, two].map((reward) => controller.getFunction("getUserRewards")([asset], who, reward) as Promise<bigint>),
        ),
      ),
    });

    for (let step = 0; step < STEPS; step += 1) {
      const who = pick(roles);
      const signer = local.signer(who);
      const amount = BigInt(below(2 ** 31)) * pick([1n, 1_000n, 1_000_000n]);
      const held = (await token.getFunction("balanceOf")(signer.address)) as bigint;
      const as = token.connect(signer) as Contract;
      const label = `step ${step}: ${who}`;
      await local.pass(pick([1, 12, 3_600, 86_400 * 20]));
      switch (below(6)) {
        case 0:
        case 1:
          await transact(as, "mint", signer.address, amount);
          break;
        case 2:
          await transact(as, "burn", signer.address, amount < held ? amount : held);
          break;
        case 3:
          await transact(as, "transfer", pick(addresses), held / 2n);
          break;
        case 4: {
          const reward = pick([one, two]);
          const most = pick([MaxUint256, amount]);
          const receipts = await claimOnBoth(reward, [[asset], most, signer.address, reward], who);
          const [first, second] = receipts.map((receipt) => eventsOf(receipt));
          expect(second, label).to.deep.equal(first);
          claimed.genuine += paidBy(receipts[0], strategy);
          claimed.model += paidBy(receipts[1], await model.getAddress());
          break;
        }
        default:
          if (step % 5 === 0) await configure(asset, two, BigInt(below(2 ** 31)), (await now()) + below(5_000_000));
          else await configure(asset, one, BigInt(below(2 ** 31)) * 10n ** 6n, (await now()) + 3_000_000);
      }
      expect(await picture(model), label).to.deep.equal(await picture(genuine));
    }
    expect(claimed.model).to.equal(claimed.genuine);
    expect(claimed.genuine > 0n).to.equal(true);
  });

  it("refuses to send rewards nowhere, and to be configured by anybody", async () => {
    const stranger = local.signer("keeper");
    const [reward = ""] = rewards;
    for (const controller of [genuine, model]) {
      const as = controller.connect(stranger) as Contract;
      for (const call of [
        as.getFunction("claimRewards").staticCall([], 1n, ZeroAddress, reward),
        as.getFunction("claimAllRewards").staticCall([], ZeroAddress),
      ]) {
        expect(await reasonOf(call)).to.equal("INVALID_TO_ADDRESS");
      }
    }
    const asked = (genuine.connect(stranger) as Contract).getFunction("configureAssets").staticCall([]);
    expect(await reasonOf(asked)).to.equal("ONLY_EMISSION_MANAGER");
    const told = (model.connect(stranger) as Contract).getFunction("configure").staticCall(reward, reward, 1n, 1n);
    expect(await reasonOf(told)).to.equal("ONLY_EMISSION_MANAGER");
  });

  it("pays the adapter of Aave V3, by the genuine contract behind the genuine aToken, as by the model", async () => {
    const { tokens, aave, feeds, rewards: payers } = local.protocols;
    const { aToken } = aave.reserves.usdc;
    const vault = local.signer("depositor");
    const auction = await new RewardAuction__factory(vault).deploy(vault.address, tokens.usdc, feeds.usdc, 90_000n, []);
    const adapter = await new AaveV3Adapter__factory(vault).deploy(vault.address, aave.pool, tokens.usdc, auction);
    const usdc = IERC20__factory.connect(tokens.usdc, vault);
    await (await usdc.transfer(adapter, 1_000_000n * USDC)).wait();
    await (await adapter.deposit(1_000_000n * USDC, "0x")).wait();
    const [reward = ""] = rewards;
    const named = new Contract(aToken, ["function setIncentivesController(address)"], local.signer("market"));
    // The model first, as the local chain has it; then Aave names the genuine contract.
    for (const [controller, token] of [
      [payers.aave, tokens.aave],
      [GENUINE, reward],
    ] as const) {
      await transact(named, "setIncentivesController", controller);
      if (controller === GENUINE) {
        const input = [COIN, 0n, (await now()) + 1_000_000, aToken, reward, strategy, strategy];
        await transact(genuine, "configureAssets", [input]);
      }
      await local.pass(86_400);
      const asked = new Contract(controller, CONTROLLER, local.provider);
      const owed = (await asked.getFunction("getUserRewards")([aToken], await adapter.getAddress(), token)) as bigint;
      expect(owed > COIN / 100n).to.equal(true);
      await (await adapter.connect(local.signer("keeper")).claimRewards(token)).wait();
      const came = await IERC20__factory.connect(token, vault).balanceOf(adapter);
      // A few seconds more than a day of 86,400.
      expect(came >= owed && came < owed + owed / 5_000n, `${came} of ${owed}`).to.equal(true);
      await (await adapter.releaseRewards(token)).wait();
      expect(await IERC20__factory.connect(token, vault).balanceOf(auction)).to.equal(came);
    }
  });

  /** In one block, so that both count the same seconds. */
  async function claimOnBoth(
    reward: string,
    args: readonly unknown[],
    who: LocalRole,
  ): Promise<readonly TransactionReceipt[]> {
    const signer = local.signer(who);
    await local.automine(false);
    let nonce = await signer.getNonce("latest");
    const sent = [];
    for (const controller of [genuine, model]) {
      const as = controller.connect(signer) as Contract;
      sent.push(await as.getFunction("claimRewards").send(...args, { gasLimit: 1_000_000, nonce: nonce++ }));
    }
    await local.pass(1);
    await local.automine(true);
    const receipts = await Promise.all(sent.map((one) => one.wait()));
    return receipts.map((receipt) => {
      if (receipt?.status !== 1) throw new Error(`a claim of ${reward} was not mined`);
      return receipt;
    });
  }
});

/** What the rewards contract itself says; transfers are said by the tokens. */
function eventsOf(receipt: TransactionReceipt): readonly unknown[] {
  return receipt.logs
    .filter(({ address }) => address.toLowerCase() === receipt.to?.toLowerCase())
    .map((log) => CONTROLLER.parseLog(log))
    .filter((event) => event?.name === "RewardsClaimed")
    .map((event) => [event?.name, ...(event?.args ?? [])]);
}

function paidBy(receipt: TransactionReceipt | undefined, payer: string): bigint {
  const erc20 = IERC20__factory.createInterface();
  return (receipt?.logs ?? []).reduce((sum, log) => {
    const event = erc20.parseLog(log);
    return event?.name === "Transfer" && event.args["from"] === payer ? sum + (event.args["value"] as bigint) : sum;
  }, 0n);
}

async function reasonOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "accepted",
    (problem: unknown) => String((problem as { reason?: unknown }).reason),
  );
}
