// The protocols on the forked state, through their own interfaces only: what the fork answers must be what their chain
// would. The figures are those that came out when the composite state was put together, by other programs.
import { expect } from "chai";
import { Contract, MaxUint256, type ContractTransactionReceipt, type HDNodeWallet } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import { skip } from "../skip";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";

const ERC20 = [
  "function approve(address, uint256) returns (bool)",
  "function balanceOf(address) view returns (uint256)",
  "function totalSupply() view returns (uint256)",
];
const AAVE_POOL = [
  "function getReserveNormalizedIncome(address) view returns (uint256)",
  "function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)",
  "function withdraw(address asset, uint256 amount, address to) returns (uint256)",
  "function getReserveData(address) view returns (tuple(uint256 configuration, uint128 liquidityIndex, uint128 currentLiquidityRate, uint128 variableBorrowIndex, uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, uint16 id, address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress, address interestRateStrategyAddress, uint128 accruedToTreasury, uint128 unbacked, uint128 isolationModeTotalDebt))",
];
const COMET = [
  ...ERC20,
  "function supply(address asset, uint256 amount)",
  "function withdraw(address asset, uint256 amount)",
  "function getUtilization() view returns (uint256)",
  "function getSupplyRate(uint256) view returns (uint64)",
  "function getBorrowRate(uint256) view returns (uint64)",
];
const FEED = [
  "function latestRoundData() view returns (uint80, int256 answer, uint256, uint256 updatedAt, uint80)",
  "function decimals() view returns (uint8)",
  "function description() view returns (string)",
];
const CURVE_POOL = [
  "function add_liquidity(uint256[3] amounts, uint256 min_mint_amount)",
  "function get_virtual_price() view returns (uint256)",
];

const THREE_POOL = "0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7";
const THREE_CRV = "0x6c3F90f043a72FA612cbac8115EE7e52BDe6E490";
const SECONDS_PER_YEAR = 31_536_000;
const COMPOSITE_SHA256 = "af6349087345bf4031772323710a72880134cfd3c88590216b1e88df584adb53";

const amount = 500_000n * USDC;
const whole = (units: bigint, digits = 2): string => (Number(units) / 1e6).toFixed(digits);

describeOnFork("protocols", (fork) => {
  let user: HDNodeWallet;
  before(() => {
    user = localWallet("depositor").connect(fork().provider);
  });

  const at = (address: string, abi: readonly string[]): Contract => new Contract(address, abi, user);

  async function run(contract: Contract, method: string, ...args: unknown[]): Promise<ContractTransactionReceipt> {
    const sent = (await contract.getFunction(method)(...args)) as { wait(): Promise<ContractTransactionReceipt> };
    return sent.wait();
  }

  const balance = async (token: string, of = user.address): Promise<bigint> =>
    (await at(token, ERC20).getFunction("balanceOf")(of)) as bigint;

  /** Skips a test whose figures are of one state only. */
  function onlyOnComposite(context: Mocha.Context): void {
    if (fork().tapeReport()?.tape.sha256 === COMPOSITE_SHA256) return;
    skip(context, "the figures are of the recorded state composite.json.gz: set TILLER_TAPE to it");
  }

  it("Aave V3 pays interest for 30 days and gives all of it back", async () => {
    const { usdc, aavePool, aUsdc } = fork().places;
    await fork().fundUsdc(user.address, amount);
    const start = await balance(usdc);
    await run(at(usdc, ERC20), "approve", aavePool, amount);
    await run(at(aavePool, AAVE_POOL), "supply", usdc, amount, user.address, 0);
    expect(await balance(usdc)).to.equal(start - amount);
    await fork().increaseTime(30 * DAY);
    const grown = await balance(aUsdc);
    expect(Number(grown)).to.be.within(Number(amount) * 1.0005, Number(amount) * 1.05);
    await run(at(aavePool, AAVE_POOL), "withdraw", usdc, MaxUint256, user.address);
    expect(await balance(aUsdc)).to.equal(0n);
    expect(Number((await balance(usdc)) - start - (grown - amount))).to.be.within(0, 100_000);
  });

  it("Compound V3 pays interest for 30 days and gives all of it back", async function () {
    await skipWithoutComet(this, fork());
    const { usdc, comet } = fork().places;
    await fork().fundUsdc(user.address, amount);
    const start = await balance(usdc);
    await run(at(usdc, ERC20), "approve", comet, amount);
    await run(at(comet, COMET), "supply", usdc, amount);
    expect(await balance(usdc)).to.equal(start - amount);
    await fork().increaseTime(30 * DAY);
    const grown = await balance(comet);
    expect(Number(grown)).to.be.within(Number(amount) * 1.0005, Number(amount) * 1.05);
    await run(at(comet, COMET), "withdraw", usdc, MaxUint256);
    expect(await balance(comet)).to.equal(0n);
    expect(Number((await balance(usdc)) - start - (grown - amount))).to.be.within(0, 100_000);
  });

  it("Aave V3 gives the figures of block 20,000,000", async function () {
    onlyOnComposite(this);
    const { usdc, aavePool, aUsdc } = fork().places;
    const reserve = (await at(aavePool, AAVE_POOL).getFunction("getReserveData")(usdc)) as unknown as {
      currentLiquidityRate: bigint;
      currentVariableBorrowRate: bigint;
    };
    expect((Number(reserve.currentLiquidityRate) / 1e25).toFixed(5)).to.equal("7.05178");
    expect((Number(reserve.currentVariableBorrowRate) / 1e25).toFixed(5)).to.equal("8.75499");
    const income = (await at(aavePool, AAVE_POOL).getFunction("getReserveNormalizedIncome")(usdc)) as bigint;
    expect((Number(income) / 1e27).toFixed(6)).to.equal("1.069124");
    expect(whole((await at(aUsdc, ERC20).getFunction("totalSupply")()) as bigint, 0)).to.equal("1395911798");
    expect(whole(await balance(usdc, aUsdc), 0)).to.equal("146644275");

    // Other USDC stays with the user: a balance that becomes or leaves zero would change the gas.
    await fork().fundUsdc(user.address, 2n * amount);
    await run(at(usdc, ERC20), "approve", aavePool, MaxUint256);
    const supply = await run(at(aavePool, AAVE_POOL), "supply", usdc, amount, user.address, 0);
    await fork().increaseTime(30 * DAY);
    expect(whole(await balance(aUsdc))).to.equal("502895.92");
    const withdraw = await run(at(aavePool, AAVE_POOL), "withdraw", usdc, MaxUint256, user.address);
    expect(whole((await balance(usdc)) - 2n * amount)).to.equal("2895.92");
    expect([supply.gasUsed, withdraw.gasUsed]).to.deep.equal([225_817n, 190_385n]);
  });

  it("Compound V3 gives the figures of block 20,000,000", async function () {
    onlyOnComposite(this);
    const { usdc, comet } = fork().places;
    const market = at(comet, COMET);
    const utilization = (await market.getFunction("getUtilization")()) as bigint;
    const percentAYear = (perSecond: unknown): string => ((Number(perSecond) * SECONDS_PER_YEAR) / 1e16).toFixed(5);
    expect((Number(utilization) / 1e18).toFixed(6)).to.equal("0.891789");
    expect(percentAYear(await market.getFunction("getSupplyRate")(utilization))).to.equal("6.68842");
    expect(percentAYear(await market.getFunction("getBorrowRate")(utilization))).to.equal("8.92861");

    await fork().fundUsdc(user.address, 2n * amount);
    await run(at(usdc, ERC20), "approve", comet, MaxUint256);
    const supply = await run(market, "supply", usdc, amount);
    await fork().increaseTime(30 * DAY);
    expect(whole(await balance(comet))).to.equal("502746.14");
    await run(market, "withdraw", usdc, 100_000n * USDC);
    const withdraw = await run(market, "withdraw", usdc, MaxUint256);
    expect(whole((await balance(usdc)) - 2n * amount)).to.equal("2746.14");
    expect([supply.gasUsed, withdraw.gasUsed]).to.deep.equal([109_520n, 89_770n]);
  });

  // Its tokens are Vyper's, whose mappings lie elsewhere.
  it("Curve's 3pool gives the figures of the composite state", async function () {
    onlyOnComposite(this);
    const { usdc } = fork().places;
    const pool = at(THREE_POOL, CURVE_POOL);
    expect((Number(await pool.getFunction("get_virtual_price")()) / 1e18).toFixed(7)).to.equal("1.0322049");
    await fork().fundUsdc(user.address, 2n * amount);
    await run(at(usdc, ERC20), "approve", THREE_POOL, MaxUint256);
    await run(pool, "add_liquidity", [0, amount, 0], 0);
    expect((Number(await balance(THREE_CRV)) / 1e18).toFixed(2)).to.equal("484355.79");
  });

  it("Chainlink's feeds give the recorded answers", async function () {
    onlyOnComposite(this);
    const feeds: [address: string, description: string, price: string][] = [
      ["0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6", "USDC / USD", "0.99991586"],
      ["0x3E7d1eAB13ad0104d2750B8863b489D65364e32D", "USDT / USD", "1.00041221"],
      ["0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9", "DAI / USD", "1.00026000"],
      ["0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419", "ETH / USD", "3813.10"],
    ];
    for (const [address, description, price] of feeds) {
      const feed = at(address, FEED);
      const { answer } = (await feed.getFunction("latestRoundData")()) as unknown as { answer: bigint };
      expect(await feed.getFunction("description")()).to.equal(description);
      expect((Number(answer) / 1e8).toFixed(price.split(".")[1]?.length)).to.equal(price);
    }
  });
});
