import { expect } from "chai";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { Contract, ContractFactory, JsonRpcSigner, Wallet, type TransactionRequest } from "ethers";
import { deployVault, type DeployOptions } from "../../deploy/deployVault";
import { inspect } from "../../deploy/inspect";
import { localWallet } from "../../deploy/networks/localWallet";
import { MAINNET } from "../../deploy/networks/mainnet";
import type { VenueParameters } from "../../deploy/networks/network";
import type { DeploymentEvent } from "../../deploy/transactions";
import { addressFileSchema } from "../../keeper/config/addressFile";
import { Failure } from "../../keeper/config/failure";
import {
  CometModel__factory,
  ICondition__factory,
  IERC20__factory,
  RewardAuction__factory,
  SavingsModel__factory,
  SharePriceFall__factory,
  SkyPsmModel__factory,
  ThreePoolModel__factory,
  UsdcModel__factory,
  Vault__factory,
  VenueIlliquid__factory,
} from "../../typechain-types";
import { npmArtifact } from "../../scripts/localnet/protocols/npmArtifact";
import { UNISWAP_OBSERVATIONS } from "../../scripts/localnet/protocols/parameters";
import { UNISWAP_FACTORY, UNISWAP_POOL } from "../../scripts/localnet/protocols/uniswap";
import { TestChain } from "./localChain";

class Interruption extends Error {}

/** Which signature of a deployment with four libraries, timelock, lens, auction, six adapters and five conditions each is. */
const AUCTION = 7;
const SECOND_ADAPTER = 9;
const CREATION = 19;
const OPENING = 21;

describe("the deployment of a vault", () => {
  let chain: TestChain;
  let options: DeployOptions;
  const deployer = localWallet("deployer").address;
  const nonce = (): Promise<number> => chain.provider.getTransactionCount(deployer);

  before(async () => {
    chain = await TestChain.start();
  });
  after(() => chain.stop());
  beforeEach(async () => {
    options = chain.deployment(await chain.reset());
  });

  async function failureOf(deployment: DeployOptions): Promise<Failure> {
    const before = await nonce();
    try {
      await deployVault(deployment);
    } catch (error) {
      expect(error).to.be.instanceOf(Failure);
      expect(await nonce(), "nothing was sent").to.equal(before);
      expect(existsSync(deployment.addressFile), "no address file").to.equal(false);
      return error as Failure;
    }
    throw new Error("the deployment did not fail");
  }

  function withVenue(id: string, change: Pick<VenueParameters, "venue">): DeployOptions {
    const venues = options.network.venues.map((venue) => (venue.id === id ? { ...venue, ...change } : venue));
    return { ...options, network: { ...options.network, venues } };
  }

  it("opens a vault with the parameters, roles and adapters that were asked for, and writes its addresses", async () => {
    const signed: string[] = [];
    const log = (event: DeploymentEvent): void => void (event.kind === "step.signed" && signed.push(event.step));
    const made = await deployVault({ ...options, log });

    const written = addressFileSchema.parse(JSON.parse(readFileSync(options.addressFile, "utf8")));
    expect(written).to.deep.equal(made);
    const { checks, parameters } = await inspect(chain.provider, made);
    expect(checks.filter((check) => !check.ok)).to.deep.equal([]);
    const otherwise = parameters.filter(({ value, declared }) => declared !== null && declared !== value);
    expect(otherwise).to.deep.equal([]);
    const vault = Vault__factory.connect(made.vault, chain.provider);
    expect(await vault.opened()).to.equal(true);
    expect(await vault.totalAssets()).to.equal(options.network.seed);
    expect(await vault.isKeeper(localWallet("keeper").address)).to.equal(true);
    expect(signed.indexOf("auction") + 1).to.equal(AUCTION);
    expect(signed.indexOf("adapter:compound-v3-usdc") + 1).to.equal(SECOND_ADAPTER);
    expect(signed.indexOf("vault") + 1).to.equal(CREATION);
    expect(signed.indexOf("open") + 1).to.equal(OPENING);
    expect(made.conditions?.map(({ id }) => id)).to.deep.equal([
      "share-price-fall",
      "usdc-oracle",
      "aave-v3-usdc-illiquid",
      "compound-v3-usdc-illiquid",
      "venue-reverting",
    ]);
    expect(made.adapters.map(({ id }) => id)).to.deep.equal([
      "aave-v3-usdc",
      "compound-v3-usdc",
      "savings-usdc",
      "sky-susds",
      "curve-3pool",
      "uniswap-v3-usdc-usdt",
    ]);
    const receipt = await chain.provider.getBlock(made.deployedAtBlock);
    expect(receipt?.transactions).to.have.length(1);
    expect(await chain.provider.getCode(made.vault, made.deployedAtBlock)).to.not.equal("0x");
    expect(await chain.provider.getCode(made.vault, made.deployedAtBlock - 1)).to.equal("0x");
  });

  it("has conditions that read the market, and do not hold in a sound one", async () => {
    const made = await deployVault(options);
    const watcher = localWallet("trader").connect(chain.provider);
    const at = new Map((made.conditions ?? []).map(({ kind, condition }) => [kind, condition]));
    const price = SharePriceFall__factory.connect(at.get("share-price-fall") ?? "", watcher);
    const illiquid = (["aave-v3-illiquid", "compound-v3-illiquid"] as const).map((kind) =>
      VenueIlliquid__factory.connect(at.get(kind) ?? "", watcher),
    );
    await (await price.observe(made.vault, { gasLimit: 3_000_000n })).wait();
    for (const condition of illiquid) await (await condition.observe()).wait();
    await chain.provider.send("evm_increaseTime", [1_800]);
    await chain.provider.send("evm_mine", []);
    for (const condition of illiquid) {
      const [ok, rate] = await condition.averageRate();
      // At 85 and 87 % utilisation both curves ask for 4 to 6 % a year.
      expect([ok, rate > 3n * 10n ** 16n && rate < 7n * 10n ** 16n], String(rate)).to.deep.equal([true, true]);
    }
    for (const [kind, condition] of at) {
      const holds = await ICondition__factory.connect(condition, watcher).holds(made.vault);
      expect(holds, kind).to.equal(false);
    }
  });

  it("finds a condition that is registered no more, and one that the file does not know", async () => {
    const made = await deployVault(options);
    const [first] = made.conditions ?? [];
    await chain.provider.send("anvil_impersonateAccount", [made.timelock]);
    await chain.provider.send("anvil_setBalance", [made.timelock, "0xde0b6b3a7640000"]);
    const vault = Vault__factory.connect(made.vault, new JsonRpcSigner(chain.provider, made.timelock));
    await (await vault.setCondition(first?.condition ?? "", false)).wait();
    await (await vault.setCondition(deployer, true)).wait();
    const failed = (await inspect(chain.provider, made)).checks.filter((check) => !check.ok);
    expect(failed.map(({ name, detail }) => [name, detail])).to.deep.equal([
      ["conditions are those of the file", `not in the file: ${deployer}`],
      ["condition share-price-fall", "is not registered"],
    ]);
  });

  it("refuses a condition about a venue that there is not", async () => {
    const venues = options.network.venues.filter(({ id }) => id !== "aave-v3-usdc");
    const failure = await failureOf({ ...options, network: { ...options.network, venues } });
    expect([failure.code, failure.field]).to.deep.equal(["VENUE_UNKNOWN", "conditions.venue"]);
  });

  it("lets depositors in afterwards", async () => {
    const made = await deployVault(options);
    const depositor = localWallet("depositor").connect(chain.provider);
    const vault = Vault__factory.connect(made.vault, depositor);
    await (await IERC20__factory.connect(made.asset.address, depositor).approve(made.vault, 5_000_000n)).wait();
    // An estimate in the second of the last accrual knows nothing of the accrual that the next second needs.
    const gasLimit = 3_000_000n;
    await (await vault["deposit(uint256,address)"](5_000_000n, depositor.address, { gasLimit })).wait();
    expect(await vault.balanceOf(depositor.address)).to.equal(5n * 10n ** 18n);
  });

  it("sends nothing when it is run again", async () => {
    const first = await deployVault(options);
    const [count, block] = [await nonce(), await chain.provider.getBlockNumber()];
    const second = await deployVault(options);
    expect(second).to.deep.equal(first);
    expect(await nonce()).to.equal(count);
    expect(await chain.provider.getBlockNumber()).to.equal(block);
  });

  it("sends nothing when only the address file was lost", async () => {
    const first = await deployVault(options);
    const count = await nonce();
    rmSync(options.addressFile);
    expect(await deployVault(options)).to.deep.equal(first);
    expect(await nonce()).to.equal(count);
  });

  for (const [mining, automine] of [
    ["each transaction is mined at once", true],
    ["transactions wait for a block", false],
  ] as const) {
    it(`continues after an interruption anywhere and sends each step once, where ${mining}`, async () => {
      const before = await nonce();
      const foretold = await deployVault({ ...options, dryRun: true });
      await chain.provider.send("evm_setAutomine", [automine]);
      const miner = automine ? null : setInterval(() => void chain.provider.send("evm_mine", []), 150);
      try {
        // Every run is cut at the first thing that no run before has come to.
        const reached = new Set<string>();
        const cut = (event: DeploymentEvent): void => {
          const place = JSON.stringify(event, ["kind", "step"]);
          if (reached.has(place)) return;
          reached.add(place);
          throw new Interruption(place);
        };
        let made;
        while (made === undefined) {
          made = await deployVault({ ...options, log: cut }).catch((error: unknown) => {
            if (!(error instanceof Interruption)) throw error;
            return undefined;
          });
        }
        const steps = [...reached].filter((place) => place.includes("step.signed")).length;
        expect(steps, "library, timelock, lens, adapters, vault, opening").to.be.greaterThan(8);
        expect(reached.size, "cut when signed, sent and mined, and at the end").to.equal(3 * steps + 1);
        expect((await nonce()) - before, "each step took one transaction").to.equal(steps);
        expect({ ...foretold, deployedAtBlock: made.deployedAtBlock }).to.deep.equal(made);
        expect((await inspect(chain.provider, made)).checks.filter((check) => !check.ok)).to.deep.equal([]);
      } finally {
        if (miner !== null) clearInterval(miner);
      }
      // Some sixty runs of the whole.
    }).timeout(180_000);
  }

  /** A deployer whose key is used by somebody else too, once, just before the signature of the `nth` transaction. */
  class BusyWallet extends Wallet {
    private signatures = 0;
    constructor(private readonly nth: number) {
      super(localWallet("deployer").privateKey, chain.provider);
    }
    override async signTransaction(transaction: TransactionRequest): Promise<string> {
      if (++this.signatures === this.nth) {
        const other = localWallet("deployer").connect(chain.provider);
        await (await other.sendTransaction({ to: other.address, value: 0n })).wait();
      }
      return super.signTransaction(transaction);
    }
  }

  for (const [nth, step, again] of [
    [1, "a library's", 0],
    [AUCTION, "the auction's", 1],
    [SECOND_ADAPTER, "an adapter's", 1],
    [CREATION, "the vault's", 1],
    [OPENING, "the opening's", 0],
  ] as const) {
    it(`ends with a sound vault when a foreign transaction takes ${step} nonce`, async () => {
      const events: DeploymentEvent[] = [];
      const signer = new BusyWallet(nth);
      const made = await deployVault({ ...options, signer, log: (event) => events.push(event) });
      expect((await inspect(chain.provider, made)).checks.filter((check) => !check.ok)).to.deep.equal([]);
      expect(events.filter(({ kind }) => kind === "adapters.again")).to.have.length(again);
    });
  }

  it("builds the adapters again when the nonce was taken between two runs", async () => {
    const cut = (event: DeploymentEvent): void => {
      if (event.kind === "step.mined" && event.step === "adapter:savings-usdc") throw new Interruption();
    };
    await deployVault({ ...options, log: cut }).catch((error: unknown) => expect(error).to.be.instanceOf(Interruption));
    const other = localWallet("deployer").connect(chain.provider);
    await (await other.sendTransaction({ to: other.address, value: 0n })).wait();
    const made = await deployVault(options);
    expect((await inspect(chain.provider, made)).checks.filter((check) => !check.ok)).to.deep.equal([]);
  });

  it("opens the vault although the opening costs more in its block than when it was estimated", async () => {
    /** Keeps the clock still until the opening is signed, so that it is estimated in the second of the creation. */
    class LateWallet extends Wallet {
      private signatures = 0;
      constructor() {
        super(localWallet("deployer").privateKey, chain.provider);
      }
      override async signTransaction(transaction: TransactionRequest): Promise<string> {
        this.signatures += 1;
        if (this.signatures === 1) await chain.provider.send("anvil_setBlockTimestampInterval", [0]);
        if (this.signatures === OPENING) {
          await chain.provider.send("anvil_removeBlockTimestampInterval", []);
          await chain.provider.send("evm_increaseTime", [60]);
        }
        return super.signTransaction(transaction);
      }
    }
    const made = await deployVault({ ...options, signer: new LateWallet() });
    expect(await Vault__factory.connect(made.vault, chain.provider).opened()).to.equal(true);
  });

  it("refuses another chain", async () => {
    const failure = await failureOf({ ...options, network: { ...options.network, chainId: 1 } });
    expect([failure.code, failure.field, failure.exitCode]).to.deep.equal(["CHAIN_WRONG", "RPC_URL", 2]);
  });

  it("refuses mainnet's addresses where they have no code", async () => {
    const failure = await failureOf({ ...options, network: { ...options.network, asset: MAINNET.asset } });
    expect([failure.code, failure.field, failure.exitCode]).to.deep.equal(["NO_CODE", "asset.address", 2]);
    const venue = await failureOf(withVenue("compound-v3-usdc", { venue: MAINNET.asset.address }));
    expect([venue.code, venue.field]).to.deep.equal(["NO_CODE", "venues.compound-v3-usdc"]);
  });

  it("refuses an asset that counts in other decimals", async () => {
    const asset = { ...options.network.asset, decimals: 18 };
    expect((await failureOf({ ...options, network: { ...options.network, asset } })).code).to.equal("ASSET_WRONG");
  });

  it("refuses a venue that is of another kind, or of another asset", async () => {
    const market = localWallet("market").connect(chain.provider);
    const other = await new UsdcModel__factory(market).deploy(market.address);
    const savings = await new SavingsModel__factory(market).deploy(await other.getAddress(), 10n ** 27n);
    const comet = CometModel__factory.connect(chain.protocols.comet, chain.provider);
    const cases: [string, Pick<VenueParameters, "venue">, RegExp][] = [
      ["aave-v3-usdc", { venue: chain.protocols.comet }, /is no Aave V3 pool/],
      ["compound-v3-usdc", { venue: chain.protocols.savings }, /is no Comet/],
      ["savings-usdc", { venue: await comet.getAddress() }, /is no ERC-4626 vault/],
      ["savings-usdc", { venue: await savings.getAddress() }, /is an ERC-4626 vault of 0x/],
    ];
    for (const [id, change, message] of cases) {
      const failure = await failureOf(withVenue(id, change));
      expect([failure.code, failure.field]).to.deep.equal(["VENUE_WRONG", `venues.${id}`]);
      expect(failure.message).to.match(message);
    }
    // The asset itself is another one: Aave has no reserve of it, and each of the others counts in USDC.
    const asset = { ...options.network.asset, address: await other.getAddress() };
    for (const [id, message] of [
      ["aave-v3-usdc", /without a reserve of the asset/],
      ["compound-v3-usdc", /is a Comet whose base token is 0x/],
    ] as const) {
      const venues = options.network.venues.filter((venue) => venue.id === id);
      const failure = await failureOf({ ...options, network: { ...options.network, asset, venues, conditions: [] } });
      expect(failure.message).to.match(message);
    }
  });

  it("finds Sky's savings in order: the PSM that was asked for, and none of the four allowances on the way open", async () => {
    const made = await deployVault(options);
    const { checks, parameters } = await inspect(chain.provider, made);
    const { psmWrapper } = chain.protocols.sky;
    expect(parameters.find(({ name }) => name === "sky-susds: PSM")?.value).to.equal(psmWrapper);
    const open = checks.find(({ name }) => name === "no allowance stands open at sky-susds");
    expect(open?.detail).to.equal("0, 0, 0, 0");
  });

  it("refuses Sky's savings that do not go with their PSM, and a PSM of another gem or none", async () => {
    const market = localWallet("market").connect(chain.provider);
    const { tokens, sky } = chain.protocols;
    const other = await new SkyPsmModel__factory(market).deploy(tokens.usdt, sky.usds);
    const cases: [string, string, string, string, RegExp][] = [
      [sky.sUsds, sky.litePsm, "VENUE_WRONG", "venues.sky-susds", /is a savings vault of 0x.*deals in 0x/],
      [sky.sUsds, await other.getAddress(), "VENUE_WRONG", "venues.sky-susds", /a PSM whose gem is 0x/],
      [sky.sUsds, sky.dai, "VENUE_WRONG", "venues.sky-susds", /which is no PSM/],
      [sky.dai, sky.psmWrapper, "VENUE_WRONG", "venues.sky-susds", /is no ERC-4626 vault/],
      [sky.sUsds, deployer, "NO_CODE", "venues.sky-susds.psm", /has no code/],
    ];
    const [limits] = options.network.venues.filter((venue) => venue.kind === "sky-savings");
    if (limits === undefined) throw new Error("no Sky on the local chain");
    for (const [venue, psm, code, field, message] of cases) {
      const venues = [{ ...limits, venue, psm }];
      const failure = await failureOf({ ...options, network: { ...options.network, venues, conditions: [] } });
      expect([failure.code, failure.field]).to.deep.equal([code, field]);
      expect(failure.message).to.match(message);
    }
  });

  it("shows every term of the pools' adapters as it was asked for, what they pay as inexact, and no allowance open", async () => {
    const made = await deployVault(options);
    const { checks, parameters } = await inspect(chain.provider, made);
    const { tokens, feeds, threePool } = chain.protocols;
    const day = "90000";
    const shown = {
      "curve-3pool": {
        ...{ "pays exact amounts": "false", receipts: threePool.token, "place of the asset": "1" },
        ...{ slippage: "1000000000000000", steadiness: "7500000000000000" },
        ...{ "feed of 0": feeds.dai, "feed of 1": feeds.usdc, "feed of 2": feeds.usdt },
        ...{ "heartbeat of 0": day, "heartbeat of 1": day, "heartbeat of 2": day, groups: "usdt dai-usds" },
      },
      "uniswap-v3-usdc-usdt": {
        ...{ "pays exact amounts": "false", "paired coin": tokens.usdt, slippage: "1000000000000000" },
        ...{ "half width": "10", window: "1800", "spot bound": "5", "oracle bound": "60" },
        ...{ "feed of asset": feeds.usdc, "feed of paired coin": feeds.usdt },
        ...{ "heartbeat of asset": day, "heartbeat of paired coin": day, groups: "usdt" },
      },
    };
    const unsaid = ["receipts", "place of the asset", "paired coin"];
    for (const [id, wanted] of Object.entries(shown)) {
      for (const [name, value] of Object.entries(wanted)) {
        const found = parameters.find((parameter) => parameter.name === `${id}: ${name}`);
        expect(found?.value, `${id}: ${name}`).to.equal(value);
        // No network file says where things are on the local chain.
        const declared = unsaid.includes(name) || name.startsWith("feed of") ? null : value;
        expect(found?.declared, `${id}: ${name} as declared`).to.equal(declared);
      }
    }
    const open = (id: string) => checks.find(({ name }) => name === `no allowance stands open at ${id}`)?.detail;
    expect([open("curve-3pool"), open("uniswap-v3-usdc-usdt")]).to.deep.equal(["0, 0", "0, 0, 0"]);
  });

  it("finds an allowance that a pool's adapter has left open", async () => {
    const made = await deployVault(options);
    for (const [id, token] of [
      ["curve-3pool", chain.protocols.tokens.usdc],
      ["uniswap-v3-usdc-usdt", chain.protocols.tokens.usdt],
    ] as const) {
      const entry = made.adapters.find((known) => known.id === id);
      const [adapter, pool] = [entry?.adapter ?? "", entry?.venue ?? ""];
      await chain.provider.send("anvil_impersonateAccount", [adapter]);
      await chain.provider.send("anvil_setBalance", [adapter, "0xde0b6b3a7640000"]);
      const owner = new JsonRpcSigner(chain.provider, adapter);
      await (await IERC20__factory.connect(token, owner).approve(pool, 7n)).wait();
      const { checks } = await inspect(chain.provider, made);
      const failed = checks.find((check) => !check.ok);
      expect(failed?.name).to.equal(`no allowance stands open at ${id}`);
      expect(failed?.detail).to.match(/\b7\b/);
      await (await IERC20__factory.connect(token, owner).approve(pool, 0n)).wait();
    }
  });

  /** The network with nothing but one venue, changed. */
  function withPool<Kind extends "curve-3pool" | "uniswap-v3">(
    kind: Kind,
    change: Partial<Extract<VenueParameters, { readonly kind: Kind }>>,
  ): DeployOptions {
    const [pool] = options.network.venues.filter((venue) => venue.kind === kind);
    const venues = [{ ...pool, ...change } as VenueParameters];
    return { ...options, network: { ...options.network, venues, conditions: [] } };
  }

  it("refuses Curve's pool that is none, of other coins or other receipts, and feeds of other coins, before anything is sent", async () => {
    const market = localWallet("market").connect(chain.provider);
    const { tokens, feeds, sky, threePool, comet, uniswap } = chain.protocols;
    const others = [sky.dai, sky.usds, tokens.usdt] as [string, string, string];
    const other = await new ThreePoolModel__factory(market).deploy(others, threePool.token, 2_000n, 0n, 0n);
    const { dai, usdc, usdt } = feeds;
    const hour = 3_600;
    const cases: [Parameters<typeof withPool<"curve-3pool">>[1], string, string, RegExp][] = [
      [{ venue: comet }, "VENUE_WRONG", "", /is no pool of three coins/],
      [{ venue: uniswap.usdcUsdtPool }, "VENUE_WRONG", "", /is no pool of three coins/],
      [{ venue: await other.getAddress() }, "VENUE_WRONG", "", /is a pool of 0x.*, 0x.*, 0x/],
      [{ receipt: sky.dai }, "VENUE_WRONG", ".receipt", /does not count with the receipts 0x/],
      [{ feeds: [dai, usdt, usdc] }, "VENUE_WRONG", ".feeds.1", /has for USDC the feed 0x.*, which is USDT \/ USD/],
      [{ feeds: [dai, usdc, tokens.weth] }, "VENUE_WRONG", ".feeds.2", /has for USDT the feed 0x.*, which is none/],
      [{ receipt: deployer }, "NO_CODE", ".receipt", /has no code/],
      [{ feeds: [deployer, usdc, usdt] }, "NO_CODE", ".feeds.0", /has no code/],
      [{ slippage: 0n }, "VENUE_WRONG", "", /is refused by its adapter with BoundOutOfRange\(0, 1/],
      [{ steadiness: 10n ** 18n }, "VENUE_WRONG", "", /is refused by its adapter with BoundOutOfRange\(1000/],
      [{ heartbeatSeconds: [hour, 0, hour] }, "VENUE_WRONG", "", /is refused by its adapter with NoHeartbeat\(1\)/],
    ];
    for (const [change, code, part, message] of cases) {
      const failure = await failureOf(withPool("curve-3pool", change));
      expect([failure.code, failure.field], String(message)).to.deep.equal([code, `venues.curve-3pool${part}`]);
      expect(failure.message).to.match(message);
      expect(failure.remedy).to.match(/^Correct /);
    }
  });

  it("refuses Uniswap's pool that is none, of other coins or of another factory, and feeds of other coins, before anything is sent", async () => {
    const market = localWallet("market").connect(chain.provider);
    const { tokens, feeds, sky, threePool, aave } = chain.protocols;
    const { abi, bytecode } = npmArtifact(UNISWAP_FACTORY);
    const factory = await new ContractFactory(abi, bytecode, market).deploy();
    await factory.waitForDeployment();
    const pools = new Contract(await factory.getAddress(), abi, market);
    const poolOf = async (one: string, other: string): Promise<string> => {
      await (await pools.getFunction("createPool")(one, other, 500)).wait();
      return (await pools.getFunction("getPool")(one, other, 500)) as string;
    };
    const [foreign, twin] = [await poolOf(tokens.usdt, tokens.weth), await poolOf(tokens.usdc, tokens.usdt)];
    const id = "uniswap-v3-usdc-usdt";
    const cases: [Parameters<typeof withPool<"uniswap-v3">>[1], string, string, RegExp][] = [
      [{ venue: threePool.pool }, "VENUE_WRONG", "", /is no pool of Uniswap V3/],
      [{ venue: foreign }, "VENUE_WRONG", "", /trades 0x.* for 0x/],
      [{ paired: sky.dai }, "VENUE_WRONG", ".paired", /trades the asset for 0x/],
      // Of the same coins, and made by another's factory, or a factory that is none.
      [{ venue: twin }, "VENUE_WRONG", ".factory", /is not the pool that the factory 0x.* knows/],
      [{ factory: aave.pool }, "VENUE_WRONG", ".factory", /is not the pool that the factory 0x.* knows/],
      [
        { feeds: [feeds.usdt, feeds.usdc] },
        "VENUE_WRONG",
        ".feeds.0",
        /has for USDC the feed 0x.*, which is USDT \/ USD/,
      ],
      [
        { feeds: [feeds.usdc, feeds.dai] },
        "VENUE_WRONG",
        ".feeds.1",
        /has for USDT the feed 0x.*, which is DAI \/ USD/,
      ],
      [{ factory: deployer }, "NO_CODE", ".factory", /has no code/],
      [{ paired: deployer }, "NO_CODE", ".paired", /has no code/],
      [{ feeds: [feeds.usdc, deployer] }, "NO_CODE", ".feeds.1", /has no code/],
      [{ halfWidth: 0 }, "VENUE_WRONG", "", /is refused by its adapter with HalfWidthOffSpacing\(0, 1\)/],
      [{ spotBound: 0 }, "VENUE_WRONG", "", /is refused by its adapter with BoundOutOfBounds\(0, 1000\)/],
      [{ slippage: 10n ** 18n }, "VENUE_WRONG", "", /is refused by its adapter with SlippageOutOfBounds\(1000/],
    ];
    for (const [change, code, part, message] of cases) {
      const failure = await failureOf(withPool("uniswap-v3", change));
      expect([failure.code, failure.field], String(message)).to.deep.equal([code, `venues.${id}${part}`]);
      expect(failure.message).to.match(message);
      expect(failure.remedy).to.match(/^Correct /);
    }
  });

  it("refuses a Uniswap pool that keeps too few observations, or is younger than the window, and says what to do", async () => {
    const { usdc, usdt } = chain.protocols.tokens;
    const market = localWallet("market").connect(chain.provider);
    const few = await failureOf(withPool("uniswap-v3", { leastObservations: UNISWAP_OBSERVATIONS + 1 }));
    expect([few.code, few.field]).to.deep.equal(["VENUE_WRONG", "venues.uniswap-v3-usdc-usdt.leastObservations"]);
    expect(few.message).to.match(/keeps 300 observations of its price, not 301/);
    expect(few.remedy).to.match(/increaseObservationCardinalityNext\(301\)/);

    // The same coins at another fee: a pool that has just begun, and remembers one price.
    const { factory } = chain.protocols.uniswap;
    const pools = new Contract(factory, npmArtifact(UNISWAP_FACTORY).abi, market);
    await (await pools.getFunction("createPool")(usdc, usdt, 500)).wait();
    const venue = (await pools.getFunction("getPool")(usdc, usdt, 500)) as string;
    const pool = new Contract(venue, npmArtifact(UNISWAP_POOL).abi, market);
    await (await pool.getFunction("initialize")(2n ** 96n)).wait();
    const young = await failureOf(withPool("uniswap-v3", { venue, leastObservations: 1 }));
    expect([young.code, young.field]).to.deep.equal(["VENUE_WRONG", "venues.uniswap-v3-usdc-usdt.windowSeconds"]);
    expect(young.message).to.match(/does not remember its price of 1800 s ago/);
    expect(young.remedy).to.match(/^Wait/);
  });

  it("builds the auction that every reward goes to, with its tokens and terms, and finds them in order", async () => {
    const made = await deployVault(options);
    const { tokens, feeds } = chain.protocols;
    expect(made.auction?.rewards).to.deep.equal([
      { symbol: "COMP", token: tokens.comp },
      { symbol: "AAVE", token: tokens.aave },
    ]);
    const auction = RewardAuction__factory.connect(made.auction?.auction ?? "", chain.provider);
    expect([await auction.vault(), await auction.asset()]).to.deep.equal([made.vault, made.asset.address]);
    const [, , comp] = [...(await auction.assetFeed()), await auction.termsOf(tokens.comp)];
    expect([comp.feed, comp.premium, comp.floor, comp.duration, comp.minimumLot]).to.deep.equal([
      ...[feeds.comp, 105n * 10n ** 16n, 95n * 10n ** 16n, 21_600n, 50_000_000n],
    ]);
    const { checks, parameters } = await inspect(chain.provider, made);
    const found = checks.filter(({ name }) => /auction/.test(name));
    expect(found.map(({ name, ok }) => [name, ok])).to.deep.equal(
      [
        ...["code of the auction", "rewards of aave-v3-usdc go to the auction"],
        ...["rewards of compound-v3-usdc go to the auction", "auction pays the vault and obeys its owner"],
        ...["auction sells for the asset", "auction: price of the asset"],
        ...["auction sells what the file says", "auction: COMP", "auction: AAVE"],
      ].map((name) => [name, true]),
    );
    expect(parameters.find(({ name }) => name === "COMP: sold down to")?.shown).to.equal("95 %");
  });

  it("names what is wrong with an auction that differs", async () => {
    const made = await deployVault(options);
    const { tokens, feeds } = chain.protocols;
    const address = made.auction?.auction ?? "";
    await chain.provider.send("anvil_impersonateAccount", [made.timelock]);
    await chain.provider.send("anvil_setBalance", [made.timelock, "0xde0b6b3a7640000"]);
    const auction = RewardAuction__factory.connect(address, new JsonRpcSigner(chain.provider, made.timelock));
    const wrong = async (file: typeof made = made): Promise<readonly (readonly string[])[]> => {
      const { checks } = await inspect(chain.provider, file);
      return checks.filter(({ ok }) => !ok).map(({ name, detail }) => [name, detail]);
    };
    const terms = async (token: string) => {
      const { feed, heartbeat, premium, floor, duration, minimumLot } = await auction.termsOf(token);
      return { feed, heartbeat, premium, floor, duration, minimumLot };
    };

    // Higher is safer, and shown; lower is a fault.
    await (await auction.list(tokens.comp, { ...(await terms(tokens.comp)), floor: 10n ** 18n })).wait();
    expect(await wrong()).to.deep.equal([]);
    await (await auction.list(tokens.comp, { ...(await terms(tokens.comp)), floor: 9n * 10n ** 17n })).wait();
    expect(await wrong()).to.deep.equal([
      ["auction: COMP", "is sold down to 90.0 % of its feed's price, under the declared 95.0 %"],
    ]);
    await (await auction.list(tokens.comp, { ...(await terms(tokens.aave)), heartbeat: 1n })).wait();
    const [[name, detail] = []] = await wrong();
    expect([name, detail]).to.deep.equal(["auction: COMP", `has for COMP the feed ${feeds.aave}, which is AAVE / USD`]);

    // What the guardian took off sale, and what the file does not know.
    const guardian = localWallet("guardian").connect(chain.provider);
    await (await auction.connect(guardian).unlist(tokens.comp)).wait();
    await (await auction.list(tokens.weth, await terms(tokens.aave))).wait();
    await (await auction.setAssetFeed(feeds.eth, 90_000n)).wait();
    expect(await wrong()).to.deep.equal([
      ["auction: price of the asset", `has for USDC the feed ${feeds.eth}, which is ETH / USD`],
      ["auction sells what the file says", `not in the file: ${tokens.weth}`],
      ["auction: COMP", "is not for sale"],
    ]);

    // Another auction: of the same code, for nobody's vault.
    const trader = localWallet("trader").connect(chain.provider);
    const other = await new RewardAuction__factory(trader).deploy(trader.address, tokens.usdt, feeds.usdt, 90_000n, []);
    const elsewhere = { ...made, auction: { auction: await other.getAddress(), rewards: [] } };
    expect((await wrong(elsewhere)).map(([called]) => called)).to.deep.equal([
      ...["rewards of aave-v3-usdc go to the auction", "rewards of compound-v3-usdc go to the auction"],
      ...["auction pays the vault and obeys its owner", "auction sells for the asset", "auction: price of the asset"],
    ]);
    expect(
      (await wrong({ ...made, auction: { auction: made.lens, rewards: [] } })).map(([called]) => called),
    ).to.deep.equal(["code of the auction"]);
    const { auction: _none, ...without } = made;
    expect((await wrong(without)).map(([called]) => called)).to.deep.equal([
      ...["rewards of aave-v3-usdc go to the auction", "rewards of compound-v3-usdc go to the auction"],
    ]);
  });

  it("builds no auction where none is asked for, and keeps rewards with who owes them", async () => {
    const made = await deployVault({ ...options, network: { ...options.network, auction: null } });
    expect(made.auction).to.equal(undefined);
    expect((await inspect(chain.provider, made)).checks.filter(({ ok }) => !ok)).to.deep.equal([]);
    const other = await deployVault(options).then(
      () => null,
      (error: unknown) => error as Failure,
    );
    expect([other?.code, other?.message.includes("auction")]).to.deep.equal(["DEPLOYED_OTHERWISE", true]);
  });

  it("refuses an auction of what is no reward, at another token's price, or on terms that it does not take", async () => {
    const { tokens, feeds } = chain.protocols;
    const [comp] = options.network.auction?.rewards ?? [];
    if (comp === undefined || options.network.auction === null) throw new Error("no auction");
    const { auction } = options.network;
    const withReward = (change: Partial<typeof comp>): typeof auction => ({
      ...auction,
      rewards: [{ ...comp, ...change }],
    });
    const cases: [typeof auction, string, string, RegExp][] = [
      [{ ...auction, feed: deployer }, "NO_CODE", "auction.feed", /has no code/],
      [{ ...auction, feed: feeds.eth }, "REWARD_WRONG", "auction.feed", /USDC the feed 0x\w+, which is ETH \/ USD/],
      [withReward({ token: deployer }), "NO_CODE", "auction.rewards.COMP", /has no code/],
      [withReward({ token: tokens.aave }), "REWARD_WRONG", "auction.rewards.COMP", /is not COMP: it calls itself AAVE/],
      [withReward({ feed: deployer }), "NO_CODE", "auction.rewards.COMP.feed", /has no code/],
      [withReward({ feed: feeds.aave }), "REWARD_WRONG", "auction.rewards.COMP.feed", /which is AAVE \/ USD/],
      [withReward({ feed: tokens.weth }), "REWARD_WRONG", "auction.rewards.COMP.feed", /which is none/],
      [
        withReward({ symbol: "USDC", token: tokens.usdc, feed: feeds.usdc }),
        ...(["REWARD_WRONG", "auction.rewards.USDC", /is the vault's asset/] as const),
      ],
      [withReward({ floor: 1n }), "REWARD_WRONG", "auction", /are refused by it with OutOfRange\(0x666c6f6f72/],
      [{ ...auction, heartbeatSeconds: 0 }, "REWARD_WRONG", "auction", /are refused by it with NoHeartbeat\(/],
    ];
    for (const [asked, code, field, message] of cases) {
      const failure = await failureOf({ ...options, network: { ...options.network, auction: asked } });
      expect([failure.code, failure.field], String(message)).to.deep.equal([code, field]);
      expect(failure.message).to.match(message);
      expect(failure.remedy).to.match(/^Correct /);
    }
  });

  it("refuses roles that would join powers which are to be apart", async () => {
    const { roles } = options;
    const cases: [Partial<typeof roles>, string][] = [
      [{ owner: deployer }, "roles.owner"],
      [{ guardian: roles.owner }, "roles.guardian"],
      [{ guardian: roles.keepers[0] }, "roles.guardian"],
      [{ keepers: [] }, "roles.keepers"],
      [{ keepers: [deployer] }, "roles.keepers.0"],
      [{ guardian: "0x12" }, "roles.guardian"],
    ];
    for (const [change, field] of cases) {
      const failure = await failureOf({ ...options, roles: { ...roles, ...change } });
      expect([failure.code, failure.field]).to.deep.equal(["ROLES_WRONG", field]);
    }
  });

  it("refuses to begin without the seed", async () => {
    const failure = await failureOf({ ...options, seed: 10n ** 18n });
    expect([failure.code, failure.exitCode]).to.deep.equal(["DEPLOYER_POOR", 2]);
  });

  it("refuses to continue a deployment with other parameters", async () => {
    const cut = (event: DeploymentEvent): void => {
      if (event.kind === "step.mined") throw new Interruption();
    };
    await deployVault({ ...options, log: cut }).catch((error: unknown) => expect(error).to.be.instanceOf(Interruption));
    expect((await failureOf({ ...options, seed: 101_000_000n })).code).to.equal("JOURNAL_OTHER");
    await deployVault(options);
  });

  it("refuses a finished deployment that is another one than asked for", async () => {
    await deployVault(options);
    const roles = { ...options.roles, guardian: localWallet("trader").address };
    const failure = await deployVault({ ...options, roles }).then(
      () => null,
      (error: unknown) => error as Failure,
    );
    expect(failure?.code).to.equal("DEPLOYED_OTHERWISE");
    expect(failure?.message).to.contain("guardian");
  });

  it("writes no address file when what stands is not what was sent, and refuses a file whose vault has changed", async () => {
    let lens = "";
    const cut = (event: DeploymentEvent): void => {
      if (event.kind !== "step.mined") return;
      if (event.step === "lens") lens = event.creates ?? "";
      if (event.step === "open") throw new Interruption();
    };
    await deployVault({ ...options, log: cut }).catch((error: unknown) => expect(error).to.be.instanceOf(Interruption));
    const code = await chain.provider.getCode(lens);
    await chain.provider.send("anvil_setCode", [lens, `${code}00`]);
    const unsound = await failureOf(options);
    expect([unsound.code, unsound.exitCode]).to.deep.equal(["DEPLOYMENT_UNSOUND", 1]);
    expect(unsound.message).to.match(/^code of the lens: 0x/);

    await chain.provider.send("anvil_setCode", [lens, code]);
    await deployVault(options);
    await chain.provider.send("anvil_setCode", [lens, `${code}00`]);
    const changed = await deployVault(options).then(
      () => null,
      (error: unknown) => error as Failure,
    );
    expect(changed?.code).to.equal("DEPLOYMENT_UNSOUND");
  });

  it("sends and writes nothing in a dry run, and foretells the addresses", async () => {
    const count = await nonce();
    const planned: string[] = [];
    const foretold = await deployVault({
      ...options,
      dryRun: true,
      log: (event) => event.kind === "step.planned" && planned.push(event.step),
    });
    expect(await nonce()).to.equal(count);
    expect(existsSync(options.addressFile)).to.equal(false);
    expect(existsSync(path.join(path.dirname(options.addressFile), "addresses.journal.json"))).to.equal(false);
    const made = await deployVault(options);
    expect({ ...foretold, deployedAtBlock: made.deployedAtBlock }).to.deep.equal(made);
    expect((await nonce()) - count).to.equal(planned.length);
  });
});
