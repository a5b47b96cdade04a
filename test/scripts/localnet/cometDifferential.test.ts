// CometModel against the genuine Comet's bytecode, on the totals of recorded mainnet state. Both live on one local node
// and get the same calls in the same block; every answer, balance, event and refusal must be the same to the wei.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { Contract, Interface, MaxUint256, type Wallet, toBeHex, zeroPadValue, type TransactionReceipt } from "ethers";
import type { LocalRole } from "../../../deploy/networks/localAccounts";
import { cometRate } from "../../../keeper/venues/compoundV3";
import { callNode } from "../../../scripts/localnet/jsonRpc";
import { randomFor } from "../../../scripts/localnet/market/random";
import { CometModel__factory, PriceFeedModel__factory } from "../../../typechain-types";
import { skip } from "../../skip";
import { passTime, startTemporaryChain, transact, type TemporaryChain } from "./temporaryChain";

const COMET_PROXY = "0xc3d688b66703497daa19211eedff47f25384cdc3";
const COMET_CODE = "0x9743591b23b83ed41e6abcc84016a4c7702c706e";
const COMET_EXT = "0x285617313887d43256f852cae0ee4de4b68d45b0";
const MAINNET_WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";
/** Where the genuine code is put: storage is the address's, so no proxy is needed. */
const GENUINE = "0x00000000000000000000000000000000000c03e7";
const SECONDS_PER_YEAR = 31_536_000n;
const STEPS = 80;

interface Tape {
  readonly accounts: Record<string, { readonly codeHash: string }>;
  readonly code: Record<string, string>;
  readonly patches: readonly { readonly address: string; readonly slot: string; readonly value: string }[];
}

const tapeFile = process.env["TILLER_TAPE"];

describe("CometModel beside the genuine Comet", function () {
  this.timeout(180_000);
  const roles: readonly LocalRole[] = ["depositor", "secondDepositor", "borrower"];
  let local: TemporaryChain;
  let genuine: Contract;
  let model: Contract;
  let usdc: string;

  before(async function () {
    if (tapeFile === undefined) skip(this, "TILLER_TAPE names no recorded mainnet state to take Comet's code from");
    const tape = JSON.parse(gunzipSync(readFileSync(tapeFile)).toString()) as Tape;
    const codeOf = (address: string): string | undefined => tape.code[tape.accounts[address]?.codeHash ?? ""];
    const [code, extension] = [codeOf(COMET_CODE), codeOf(COMET_EXT)];
    if (code === undefined || extension === undefined) skip(this, "the tape of TILLER_TAPE does not hold Comet");
    local = await startTemporaryChain();
    await callNode(local.chain.url, "anvil_setCode", [GENUINE, code]);
    await callNode(local.chain.url, "anvil_setCode", [COMET_EXT, extension]);
    genuine = new Contract(GENUINE, CometModel__factory.abi, local.provider);
    usdc = await placeTokensAndFeeds(local, genuine);
    model = await deployTwin(local, genuine);
    await copyTotals(local, tape, [GENUINE, await model.getAddress()]);
    await openAccounts(local, usdc, [genuine, model], roles);
    await local.automine(false);
  });
  after(() => local?.end());

  it("has the same curve at every utilisation", async () => {
    const utilizations = Array.from({ length: 131 }, (_, percent) => BigInt(percent) * 10n ** 16n + 7n);
    const curve = (comet: Contract, method: string): Promise<unknown[]> =>
      Promise.all(utilizations.map((utilization) => comet.getFunction(method)(utilization)));
    for (const method of ["getSupplyRate", "getBorrowRate"]) {
      expect(await curve(model, method)).to.deep.equal(await curve(genuine, method));
    }
  });

  it("pays and asks what the keeper works out, at random utilisations on both sides of the kinks and beyond all of it", async () => {
    const random = randomFor(20_000_001, 0);
    for (const [side, method] of [
      ["supply", "getSupplyRate"],
      ["borrow", "getBorrowRate"],
    ] as const) {
      const ask = async (name: string): Promise<bigint> => (await genuine.getFunction(name)()) as bigint;
      const curve = {
        kink: await ask(`${side}Kink`),
        base: await ask(`${side}PerSecondInterestRateBase`),
        slopeLow: await ask(`${side}PerSecondInterestRateSlopeLow`),
        slopeHigh: await ask(`${side}PerSecondInterestRateSlopeHigh`),
      };
      const drawn = Array.from({ length: 120 }, () => BigInt(Math.floor(random() * 1.3e15)) * 1_000n);
      expect(drawn.filter((utilization) => utilization > curve.kink).length).to.be.within(20, 100);
      for (const utilization of [...drawn, 0n, curve.kink - 1n, curve.kink, curve.kink + 1n, 10n ** 18n]) {
        expect(cometRate(curve, utilization), `${side} at ${utilization}`).to.equal(
          await genuine.getFunction(method)(utilization),
        );
      }
    }
  });

  it(`agrees over ${STEPS} random supplies, withdrawals, transfers, loans and repayments`, async () => {
    const random = randomFor(20_000_000, 0);
    const below = (n: number): number => Math.floor(random() * n);
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
    const seen = { mined: 0, refused: 0 };

    for (let step = 0; step < STEPS; step += 1) {
      const who = pick(roles);
      const other = pick(roles.filter((role) => role !== who));
      const amount = pick([1n, BigInt(below(1_000)), BigInt(below(2 ** 31)) * 1_000n, MaxUint256]);
      const [method, args] = pick<readonly [string, readonly unknown[]]>([
        ["supply", [usdc, amount]],
        ["supply", [usdc, amount]],
        ["supplyTo", [local.signer(other).address, usdc, amount]],
        ["withdraw", [usdc, amount]],
        ["withdraw", [usdc, amount]],
        ["withdrawTo", [local.signer(other).address, usdc, amount]],
        ["transfer", [local.signer(other).address, amount]],
        ["withdraw", [MAINNET_WETH, BigInt(below(2 ** 31)) * 10n ** 12n]],
        ["accrueAccount", [local.signer(other).address]],
      ]);
      const label = `step ${step}: ${who} ${method}(${args.map(String).join(", ")})`;
      const [onGenuine, onModel] = await inOneBlock(local, local.signer(who), [genuine, model], {
        ...{ method, args, seconds: pick([1, 12, 3_600, 86_400 * 20]) },
      });
      expect(onModel.status, label).to.equal(onGenuine.status);
      expect(eventsOf(onModel), label).to.deep.equal(eventsOf(onGenuine));
      expect(await pictureOf(model, local, roles), label).to.deep.equal(await pictureOf(genuine, local, roles));
      seen[onGenuine.status === 1 ? "mined" : "refused"] += 1;
    }
    // A run in which everything is refused would agree, too.
    expect(seen.mined).to.be.above(STEPS / 2);
    expect(seen.refused).to.be.above(3);
    expect(Number(await genuine.getFunction("totalBorrow")())).to.be.above(0);
    const earned = await Promise.all(
      roles.map((role) => genuine.getFunction("baseTrackingAccrued")(local.signer(role).address) as Promise<bigint>),
    );
    expect(earned.every((rewards) => rewards > 0n)).to.equal(true);
  });

  it("refuses with the same errors", async () => {
    const stranger = local.signer("keeper");
    const attempts: readonly (readonly [string, readonly unknown[]])[] = [
      ["withdraw", [usdc, 50_000_000n]],
      ["withdraw", [usdc, 500_000_000n]],
      ["transfer", [stranger.address, 1n]],
      ["withdrawFrom", [local.signer("depositor").address, stranger.address, usdc, 1n]],
      ["approve", [local.signer("depositor").address, 5n]],
      ["supply", [local.protocols.tokens.usdt, 1n]],
    ];
    for (const [method, args] of attempts) {
      const [expected, found] = await Promise.all(
        [genuine, model].map((comet) => refusalOf(comet.connect(stranger) as Contract, method, args)),
      );
      expect(expected, method).to.match(/^0x[0-9a-f]{8}/);
      expect(found, method).to.equal(expected);
    }
  });
});

/** Gives the addresses that Comet's code has built in what it expects there, and returns its base token. */
async function placeTokensAndFeeds(local: TemporaryChain, genuine: Contract): Promise<string> {
  const place = async (address: string, like: string): Promise<void> => {
    await callNode(local.chain.url, "anvil_setCode", [address, await local.provider.getCode(like)]);
  };
  const { tokens, feeds } = local.protocols;
  const usdc = (await genuine.getFunction("baseToken")()) as string;
  const usdcFeed = (await genuine.getFunction("baseTokenPriceFeed")()) as string;
  const collateral = (await genuine.getFunction("getAssetInfoByAddress")(MAINNET_WETH)) as { priceFeed: string };
  await place(usdc, tokens.usdc);
  await place(MAINNET_WETH, tokens.weth);
  // Unlike the other tokens here, WETH9 keeps its decimals in storage.
  const decimalsSlot = toBeHex(2, 32);
  await callNode(local.chain.url, "anvil_setStorageAt", [MAINNET_WETH, decimalsSlot, toBeHex(18, 32)]);
  for (const [feed, like, price] of [
    [usdcFeed, feeds.usdc, 1_00000000n],
    [collateral.priceFeed, feeds.eth, 3_000_00000000n],
  ] as const) {
    await place(feed, like);
    await transact(new Contract(feed, PriceFeedModel__factory.abi, local.signer("market")), "push", price);
  }
  return usdc;
}

async function deployTwin(local: TemporaryChain, genuine: Contract): Promise<Contract> {
  const ask = async <T>(method: string, ...args: readonly unknown[]): Promise<T> =>
    (await genuine.getFunction(method)(...args)) as T;
  // Comet keeps rates a second; the year's that give them exactly are their multiples.
  const perYear = async (method: string): Promise<bigint> => (await ask<bigint>(method)) * SECONDS_PER_YEAR;
  const asset = await ask<Record<string, bigint>>("getAssetInfoByAddress", MAINNET_WETH);
  const twin = await new CometModel__factory(local.signer("market")).deploy({
    governor: await ask("governor"),
    pauseGuardian: await ask("pauseGuardian"),
    baseToken: await ask("baseToken"),
    baseTokenPriceFeed: await ask("baseTokenPriceFeed"),
    supplyKink: await ask("supplyKink"),
    supplyPerYearInterestRateSlopeLow: await perYear("supplyPerSecondInterestRateSlopeLow"),
    supplyPerYearInterestRateSlopeHigh: await perYear("supplyPerSecondInterestRateSlopeHigh"),
    supplyPerYearInterestRateBase: await perYear("supplyPerSecondInterestRateBase"),
    borrowKink: await ask("borrowKink"),
    borrowPerYearInterestRateSlopeLow: await perYear("borrowPerSecondInterestRateSlopeLow"),
    borrowPerYearInterestRateSlopeHigh: await perYear("borrowPerSecondInterestRateSlopeHigh"),
    borrowPerYearInterestRateBase: await perYear("borrowPerSecondInterestRateBase"),
    baseTrackingSupplySpeed: await ask("baseTrackingSupplySpeed"),
    baseTrackingBorrowSpeed: await ask("baseTrackingBorrowSpeed"),
    baseMinForRewards: await ask("baseMinForRewards"),
    baseBorrowMin: await ask("baseBorrowMin"),
    targetReserves: await ask("targetReserves"),
    collateral: MAINNET_WETH,
    collateralPriceFeed: String(asset["priceFeed"]),
    borrowCollateralFactor: asset["borrowCollateralFactor"] ?? 0n,
    liquidateCollateralFactor: asset["liquidateCollateralFactor"] ?? 0n,
    liquidationFactor: asset["liquidationFactor"] ?? 0n,
    collateralSupplyCap: asset["supplyCap"] ?? 0n,
  });
  return new Contract(await twin.getAddress(), CometModel__factory.abi, local.provider);
}

/** Starts both from the recorded indices and principals, accrued now. */
async function copyTotals(local: TemporaryChain, tape: Tape, comets: readonly string[]): Promise<void> {
  const recorded = (slot: number): bigint => {
    const found = tape.patches.find(({ address, slot: at }) => address === COMET_PROXY && BigInt(at) === BigInt(slot));
    if (found === undefined) throw new Error(`the tape has no totals in slot ${slot}`);
    return BigInt(found.value);
  };
  const now = BigInt((await local.provider.getBlock("latest"))?.timestamp ?? 0);
  const timeShift = 208n;
  const principals = recorded(1) & ((1n << timeShift) - 1n);
  const words = [recorded(0), principals | (now << timeShift)];
  for (const comet of comets) {
    for (const [slot, word] of words.entries()) {
      const args = [comet, toBeHex(slot, 32), zeroPadValue(toBeHex(word), 32)];
      await callNode(local.chain.url, "anvil_setStorageAt", args);
    }
  }
}

async function openAccounts(
  local: TemporaryChain,
  usdc: string,
  comets: readonly Contract[],
  roles: readonly LocalRole[],
): Promise<void> {
  const token = new Interface([
    "function configureMinter(address,bool)",
    "function mint(address,uint256)",
    "function approve(address,uint256)",
    "function deposit() payable",
  ]);
  const base = new Contract(usdc, token, local.signer("market"));
  await transact(base, "configureMinter", local.signer("market").address, true);
  for (const comet of comets) await transact(base, "mint", await comet.getAddress(), 10n ** 15n);
  for (const role of roles) {
    const signer = local.signer(role);
    await transact(base, "mint", signer.address, 10n ** 16n);
    const weth = new Contract(MAINNET_WETH, token, signer);
    const wrapped = await weth.getFunction("deposit").send({ value: 4_000n * 10n ** 18n });
    await wrapped.wait(1, 20_000);
    for (const comet of comets) {
      await transact(base.connect(signer) as Contract, "approve", await comet.getAddress(), MaxUint256 / 2n);
      await transact(weth, "approve", await comet.getAddress(), MaxUint256);
      if (role !== "depositor") {
        await transact(comet.connect(signer) as Contract, "supply", MAINNET_WETH, 1_000n * 10n ** 18n);
      }
    }
  }
}

/** Makes the same call on both in one block, `seconds` after the last. */
async function inOneBlock(
  local: TemporaryChain,
  signer: Wallet,
  comets: readonly [Contract, Contract],
  call: { readonly method: string; readonly args: readonly unknown[]; readonly seconds: number },
): Promise<readonly [TransactionReceipt, TransactionReceipt]> {
  const hashes: string[] = [];
  let nonce = await signer.getNonce("latest");
  for (const comet of comets) {
    const signed = await signer.signTransaction({
      ...{ type: 2, chainId: 31337, nonce, to: await comet.getAddress(), gasLimit: 1_000_000 },
      ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n },
      data: comet.interface.encodeFunctionData(call.method, call.args),
    });
    hashes.push((await callNode(local.chain.url, "eth_sendRawTransaction", [signed])) as string);
    nonce += 1;
  }
  await passTime(local.chain.url, call.seconds);
  const [first, second] = await Promise.all(hashes.map((hash) => local.provider.getTransactionReceipt(hash)));
  if (!first || !second) throw new Error("a call was not mined");
  return [first, second];
}

/** Events with the comets' own addresses taken out. */
function eventsOf(receipt: TransactionReceipt): readonly unknown[] {
  const self = receipt.to?.slice(2).toLowerCase() ?? "";
  return receipt.logs.map(({ topics, data }) =>
    [...topics, data].map((word) => word.toLowerCase().replaceAll(self, "self")),
  );
}

async function pictureOf(
  comet: Contract,
  local: TemporaryChain,
  roles: readonly LocalRole[],
): Promise<Record<string, unknown>> {
  const ask = async (method: string, ...args: readonly unknown[]): Promise<string> =>
    String(await comet.getFunction(method)(...args));
  const accounts = roles.map((role) => local.signer(role).address);
  const [totals, basic, ...held] = await Promise.all([
    Promise.all(["totalSupply", "totalBorrow", "getUtilization", "getReserves"].map((method) => ask(method))),
    ask("totalsBasic"),
    ...accounts.map((account) =>
      Promise.all([
        ask("balanceOf", account),
        ask("borrowBalanceOf", account),
        ask("userBasic", account),
        ask("collateralBalanceOf", account, MAINNET_WETH),
        ask("isBorrowCollateralized", account),
        ask("isLiquidatable", account),
      ]),
    ),
  ]);
  return {
    totals,
    basic,
    accounts: held.map((account) => account.map((answer, index) => (index === 2 ? countedIn(answer) : answer))),
  };
}

/** Principal and what it earned; which collateral an account has, Comet says by a place that the model's only one has not. */
function countedIn(userBasic: string): string {
  return userBasic.split(",").slice(0, 3).join(",");
}

async function refusalOf(comet: Contract, method: string, args: readonly unknown[]): Promise<string> {
  try {
    await comet.getFunction(method).staticCall(...args);
    return "accepted";
  } catch (problem) {
    return String((problem as { data?: unknown }).data);
  }
}
