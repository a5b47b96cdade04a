// Sky's other form, which no network here uses: DAI by the LitePSM into sDAI, in a vault that is otherwise the local one's, deployed
// and run as that is. Over models (test/models/Sky*.sol); what the adapter does by itself is in skySavings.test.ts.
import { expect } from "chai";
import { MaxUint256, encodeBytes32String, type Signer } from "ethers";
import { deployVault } from "../../deploy/deployVault";
import type { LocalRole } from "../../deploy/networks/localAccounts";
import { localWallet } from "../../deploy/networks/localWallet";
import type { AddressFile } from "../../keeper/config/addressFile";
import { FIRST_PRICES } from "../../scripts/localnet/protocols/parameters";
import {
  IAdapter__factory,
  IERC20__factory,
  PotModel__factory,
  PriceFeedModel__factory,
  SavingsDaiModel__factory,
  SkyPsmModel__factory,
  SkySavingsAdapter__factory,
  SkyStableModel__factory,
  Vault__factory,
  type SkySavingsAdapter,
} from "../../typechain-types";
import { TestChain } from "./localChain";

const USDC = 10n ** 6n;
const STABLE = 10n ** 18n;
const DAY = 86_400;
const GAS = { gasLimit: 6_000_000n };
/** RAY a second: 4.5 % a year. */
const RATE = 1000000001395766281313196627n;
const PLACED = 600_000n * USDC;
const HALTED = MaxUint256;
const ALL = -(2n ** 255n);
const VAULT = Vault__factory.createInterface();
const ADAPTER = SkySavingsAdapter__factory.createInterface();

type Leg = readonly [adapter: string, assets: bigint];

describe("a vault with savings in DAI", function () {
  this.timeout(60_000);
  let chain: TestChain;
  let made: AddressFile;
  let dai: SkySavingsAdapter;
  let sDai: string;

  let clean: unknown;

  before(async () => {
    chain = await TestChain.start();
    await invest();
    clean = await chain.provider.send("evm_snapshot", []);
  });
  after(() => chain.stop());
  afterEach(async () => {
    await chain.provider.send("evm_revert", [clean]);
    clean = await chain.provider.send("evm_snapshot", []);
  });

  const as = (role: LocalRole): Signer => localWallet(role).connect(chain.provider);
  const who = (role: LocalRole): string => localWallet(role).address;
  const vaultAs = (role: LocalRole) => Vault__factory.connect(made.vault, as(role));
  const held = (token: string, holder: string): Promise<bigint> =>
    IERC20__factory.connect(token, chain.provider).balanceOf(holder);
  const mined = async (sent: Promise<{ wait(): Promise<unknown> }>): Promise<void> => void (await (await sent).wait());
  const adapterOf = (id: string): string => made.adapters.find((entry) => entry.id === id)?.adapter ?? "";

  /** Time passes, and Chainlink reports what it reported last. */
  async function pass(seconds: number): Promise<void> {
    await chain.provider.send("evm_increaseTime", [seconds]);
    await chain.provider.send("evm_mine", []);
    for (const [feed, address] of Object.entries(chain.protocols.feeds)) {
      const contract = PriceFeedModel__factory.connect(address, as("market"));
      await mined(contract.push(FIRST_PRICES[feed as keyof typeof FIRST_PRICES]));
    }
  }

  async function guard() {
    const nonce = await vaultAs("keeper").nextNonce(who("keeper"));
    return { nonce, deadline: MaxUint256, maxLoss: MaxUint256, decision: `0x${"0".repeat(64)}` };
  }

  const moves = (legs: readonly Leg[]) => legs.map(([adapter, assets]) => ({ adapter, assets, data: "0x" }));

  async function plan(...legs: readonly Leg[]): Promise<void> {
    await mined(vaultAs("keeper").rebalance(moves(legs), await guard(), GAS));
  }

  /** The name of the error, the vault's or the adapter's, that a call is refused with. */
  async function refusal(call: Promise<unknown>): Promise<string> {
    try {
      await call;
      return "none";
    } catch (error) {
      const data = (error as { data?: string }).data ?? "0x";
      return (VAULT.parseError(data) ?? ADAPTER.parseError(data))?.name ?? String(error);
    }
  }

  /** Two depositors bring 1,500,000; 600,000 of it are in sDAI and 300,000 with Aave. */
  async function invest(): Promise<void> {
    const options = chain.deployment(await chain.reset());
    const { sky, tokens } = chain.protocols;
    const market = as("market");
    const pot = await new PotModel__factory(market).deploy(RATE);
    await pot.waitForDeployment();
    const savings = await new SavingsDaiModel__factory(market).deploy(sky.dai, pot);
    await savings.waitForDeployment();
    sDai = await savings.getAddress();
    await mined(SkyStableModel__factory.connect(sky.dai, market).rely(sDai));
    const venues = options.network.venues.map((venue) =>
      venue.kind === "sky-savings" ? { ...venue, id: "sky-sdai", venue: sDai, psm: sky.litePsm } : venue,
    );
    made = await deployVault({ ...options, network: { ...options.network, venues } });
    dai = SkySavingsAdapter__factory.connect(adapterOf("sky-sdai"), chain.provider);
    for (const [role, assets] of [
      ["depositor", 1_000_000n * USDC],
      ["secondDepositor", 500_000n * USDC],
    ] as const) {
      await mined(IERC20__factory.connect(tokens.usdc, as(role)).approve(made.vault, MaxUint256));
      await mined(vaultAs(role)["deposit(uint256,address)"](assets, who(role), GAS));
    }
    // Limits are shares of what there was at an earlier accrual.
    await pass(12);
    await mined(vaultAs("depositor").accrue(GAS));
    await plan([adapterOf("sky-sdai"), PLACED], [adapterOf("aave-v3-usdc"), 300_000n * USDC]);
  }

  it("is deployed with the LitePSM itself, and worth what was put in", async () => {
    expect(await dai.psm()).to.equal(chain.protocols.sky.litePsm);
    expect(await dai.litePsm()).to.equal(chain.protocols.sky.litePsm);
    expect(await dai.stable()).to.equal(chain.protocols.sky.dai);
    expect(await dai.venue()).to.equal(sDai);
    expect(Number((await dai.fairValue()) - PLACED)).to.be.within(-1, 100_000);
  });

  it("earns DAI's savings rate, which every holder leaves with by the queue", async () => {
    await pass(30 * DAY);
    // 4.5 % a year of 600,000, for thirty days and some blocks.
    const value = await dai.fairValue();
    expect(Number(value - PLACED) / 1e6).to.be.closeTo(600_000 * (1.045 ** (30 / 365) - 1), 1);
    await mined(vaultAs("keeper").accrue(GAS));
    const total = await vaultAs("keeper").totalAssets();
    let paid = 0n;
    for (const role of ["depositor", "secondDepositor"] as const) {
      const before = await held(chain.protocols.tokens.usdc, who(role));
      const shares = await vaultAs(role).balanceOf(who(role));
      await mined(vaultAs(role)["redeem(uint256,address,address)"](shares, who(role), who(role), GAS));
      paid += (await held(chain.protocols.tokens.usdc, who(role))) - before;
    }
    // The seed's part stays.
    expect(Number(total - paid) / 1e6).to.be.within(99, 101);
    expect(Number(await dai.fairValue()) / 1e6).to.be.lessThan(101);
    await plan([await dai.getAddress(), ALL]);
    expect(await held(sDai, await dai.getAddress())).to.equal(0n);
  });

  it("is kept under its own cap and its group's", async () => {
    const at = await dai.getAddress();
    const call = vaultAs("keeper").rebalance;
    // A half of 1,500,100, and 55 % together with the 3pool.
    expect(await refusal(call.staticCall(moves([[at, 160_000n * USDC]]), await guard(), GAS))).to.equal(
      "RelativeCapExceeded",
    );
    await plan([at, 140_000n * USDC]);
    const pool = adapterOf("curve-3pool");
    expect(await refusal(call.staticCall(moves([[pool, 100_000n * USDC]]), await guard(), GAS))).to.equal(
      "GroupCapExceeded",
    );
    await plan([pool, 80_000n * USDC]);
  });

  it("leaves in kind as sDAI, halted or not, which its holder redeems for DAI", async () => {
    await mined(
      SkyPsmModel__factory.connect(chain.protocols.sky.litePsm, as("market")).file(encodeBytes32String("tout"), HALTED),
    );
    const whole = await held(sDai, await dai.getAddress());
    const vault = vaultAs("secondDepositor");
    const me = who("secondDepositor");
    const [shares, supply] = [await vault.balanceOf(me), await vault.totalSupply()];
    await mined(vault.redeemInKind(shares, me, [], GAS));
    const got = await held(sDai, me);
    expect(Number(got) / Number((whole * shares) / supply)).to.be.within(0.999_99, 1);
    const savings = SavingsDaiModel__factory.connect(sDai, as("secondDepositor"));
    await mined(savings.redeem(got, me, me));
    expect(Number(await held(chain.protocols.sky.dai, me)) / Number(STABLE)).to.be.closeTo(200_000, 20);
  });

  it("as a claim it is paid later, in sDAI to the wei", async () => {
    const at = await dai.getAddress();
    const vault = vaultAs("secondDepositor");
    const me = who("secondDepositor");
    await mined(vault.redeemInKind(await vault.balanceOf(me), me, [at], GAS));
    expect(await held(sDai, me)).to.equal(0n);
    await pass(30 * DAY);
    const { claimUnits, totalUnits } = await vault.adapter(at);
    const whole = await held(sDai, at);
    await mined(vault.redeemClaim(at, claimUnits, me, GAS));
    expect(await held(sDai, me)).to.equal((whole * claimUnits) / totalUnits);
    expect((await vault.adapter(at)).totalUnits).to.equal(0n);
  });

  it("halted, exits are paid from the rest; what is only there waits until buying goes on", async () => {
    const psm = SkyPsmModel__factory.connect(chain.protocols.sky.litePsm, as("market"));
    await mined(psm.file(encodeBytes32String("tout"), HALTED));
    const vault = vaultAs("depositor");
    const me = who("depositor");
    const before = await vault.totalAssets();
    expect(Number(before) / 1e6).to.be.closeTo(1_500_100, 30);
    await mined(vault["withdraw(uint256,address,address)"](890_000n * USDC, me, me, GAS));
    expect(await refusal(vault["withdraw(uint256,address,address)"].staticCall(100_000n * USDC, me, me, GAS))).to.equal(
      "InsufficientLiquidity",
    );
    expect(
      await refusal(vaultAs("keeper").rebalance.staticCall(moves([[await dai.getAddress(), -USDC]]), await guard())),
    ).to.equal("BuyingHalted");
    await mined(psm.file(encodeBytes32String("tout"), 0n));
    await mined(vault["withdraw(uint256,address,address)"](100_000n * USDC, me, me, GAS));
  });

  it("in quarantine it counts for nothing and nobody enters; lifted, it counts again with what it earned", async () => {
    const at = await dai.getAddress();
    const before = await vaultAs("guardian").totalAssets();
    await mined(vaultAs("guardian").quarantine(at, GAS));
    const without = await vaultAs("guardian").totalAssets();
    expect(Number(before - without) / 1e6).to.be.closeTo(600_000, 30);
    expect(await vaultAs("depositor").maxDeposit(who("depositor"))).to.equal(0n);
    expect(await refusal(vaultAs("keeper").rebalance.staticCall(moves([[at, USDC]]), await guard(), GAS))).to.equal(
      "AdapterQuarantined",
    );
    // Who leaves in kind takes a part of it along.
    const vault = vaultAs("secondDepositor");
    const me = who("secondDepositor");
    await mined(vault.redeemInKind((await vault.balanceOf(me)) / 2n, me, [], GAS));
    expect(Number(await held(sDai, me)) / Number(STABLE)).to.be.closeTo(100_000, 20);

    await pass(30 * DAY);
    await chain.provider.send("anvil_impersonateAccount", [made.timelock]);
    await chain.provider.send("anvil_setBalance", [made.timelock, "0xde0b6b3a7640000"]);
    const owner = await chain.provider.getSigner(made.timelock);
    await mined(Vault__factory.connect(made.vault, owner).liftQuarantine(at, GAS));
    await pass(DAY);
    await mined(vaultAs("keeper").accrue(GAS));
    // Five sixths of it, and thirty-one days of savings.
    const value = await dai.fairValue();
    expect(Number(value) / 1e6).to.be.closeTo(500_000 * 1.045 ** (31 / 365), 30);
    const aave = IAdapter__factory.connect(adapterOf("aave-v3-usdc"), chain.provider);
    const counted = (await vaultAs("guardian").totalAssets()) - (await vaultAs("guardian").idle());
    expect(Number(counted - value - (await aave.fairValue())) / 1e6).to.be.closeTo(0, 1);
    expect((await vaultAs("depositor").maxDeposit(who("depositor"))) > 0n).to.equal(true);
  });
});
