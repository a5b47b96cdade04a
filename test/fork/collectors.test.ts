// What the collectors read on the forked state is what the protocols' own views say there, to the unit. On the recorded state
// nothing is read that it does not hold: the collectors' optional calls end at the recorded contracts.
import { expect } from "chai";
import { locateAaveV3 } from "../../keeper/collect/aaveV3";
import { blockFees } from "../../keeper/collect/baseFee";
import { chainlinkCollector } from "../../keeper/collect/chainlink";
import { compoundV3Collector } from "../../keeper/collect/compoundV3";
import { locateCurvePool } from "../../keeper/collect/curvePool";
import { locate } from "../../keeper/collect/locate";
import { locateUniswapPool } from "../../keeper/collect/uniswapPool";
import { sweep } from "../../keeper/collect/sweep";
import { rayMul } from "../../keeper/venues/aaveV3";
import { skip } from "../skip";
import { collectingOn } from "./collectingOn";
import { DAY, describeOnFork, skipWithoutComet } from "./forkSuite";

/** curve-contract, deployments of pools/3pool; Chainlink's reference data directory; the 0.05 % pool of Uniswap's factory. */
const MAINNET = {
  threePool: "0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7",
  threeCrv: "0x6c3F90f043a72FA612cbac8115EE7e52BDe6E490",
  usdcFeed: "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6",
  usdcWethPool: "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
};
const UINT = "view returns (uint256)";
const AAVE = [
  "function getReserveData(address) view returns (tuple(uint256 configuration, uint128 liquidityIndex, uint128 currentLiquidityRate, uint128 variableBorrowIndex, uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, uint16 id, address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress, address interestRateStrategyAddress, uint128 accruedToTreasury, uint128 unbacked, uint128 isolationModeTotalDebt))",
  `function getReserveNormalizedIncome(address) ${UINT}`,
  `function getReserveNormalizedVariableDebt(address) ${UINT}`,
];
const STRATEGY = [
  `function OPTIMAL_USAGE_RATIO() ${UINT}`,
  `function getBaseVariableBorrowRate() ${UINT}`,
  `function getVariableRateSlope1() ${UINT}`,
  `function getVariableRateSlope2() ${UINT}`,
];
const TOKEN = [
  `function totalSupply() ${UINT}`,
  `function scaledTotalSupply() ${UINT}`,
  `function balanceOf(address) ${UINT}`,
];
const COMET = [
  ...TOKEN,
  `function totalBorrow() ${UINT}`,
  `function getUtilization() ${UINT}`,
  "function getSupplyRate(uint256) view returns (uint64)",
  "function getBorrowRate(uint256) view returns (uint64)",
  "function getReserves() view returns (int256)",
  "function totalsBasic() view returns (tuple(uint64 baseSupplyIndex, uint64 baseBorrowIndex, uint64 trackingSupplyIndex, uint64 trackingBorrowIndex, uint104 totalSupplyBase, uint104 totalBorrowBase, uint40 lastAccrualTime, uint8 pauseFlags))",
];
const POOL = [
  `function balances(uint256) ${UINT}`,
  `function A() ${UINT}`,
  `function fee() ${UINT}`,
  `function admin_fee() ${UINT}`,
  `function get_virtual_price() ${UINT}`,
];
const UNISWAP_POOL = [
  "function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16 observationIndex, uint16 observationCardinality, uint16 observationCardinalityNext, uint8 feeProtocol, bool unlocked)",
  "function token0() view returns (address)",
  "function token1() view returns (address)",
  "function fee() view returns (uint24)",
  "function tickSpacing() view returns (int24)",
  "function liquidity() view returns (uint128)",
  `function feeGrowthGlobal0X128() ${UINT}`,
  `function feeGrowthGlobal1X128() ${UINT}`,
  "function observe(uint32[]) view returns (int56[] tickCumulatives, uint160[])",
];
const FEED = ["function latestRoundData() view returns (uint80, int256, uint256, uint256, uint80)"];

/** Of doubles, here and there; the integers that they come from are compared exactly. */
const ROUNDING = 1e-16;
const INDEX_SCALE = 10n ** 15n;

type ReserveData = Record<string, bigint> &
  Record<"variableDebtTokenAddress" | "stableDebtTokenAddress" | "interestRateStrategyAddress", string>;

describeOnFork("collectors", (fork) => {
  const { chain, newBlock, read, view } = collectingOn(fork);

  const reserve = () =>
    locateAaveV3({ subject: "aave-v3-usdc", pool: fork().places.aavePool, asset: fork().places.usdc, usd: 1 });

  it("reads of Aave V3 what its own views say, also long after the last update", async () => {
    const { aavePool, usdc, aUsdc } = fork().places;
    for (const seconds of [12, 30 * DAY]) {
      const head = await newBlock(seconds);
      const { state, rates } = await read(head, reserve());
      const pool = view(head, aavePool, AAVE);
      const data = await pool<ReserveData>("getReserveData", usdc);
      const strategy = view(head, data.interestRateStrategyAddress, STRATEGY);
      const debtIndex = await pool("getReserveNormalizedVariableDebt", usdc);
      const debtToken = view(head, data.variableDebtTokenAddress, TOKEN);
      // The recorded state does not hold what the debt token's own total reads besides; the local chain does.
      const variableDebt =
        fork().upstream === "tape"
          ? rayMul(await debtToken("scaledTotalSupply"), debtIndex)
          : await debtToken("totalSupply");
      const stableDebt = await view(head, data.stableDebtTokenAddress, TOKEN)("totalSupply");
      const income = await pool("getReserveNormalizedIncome", usdc);
      expect(state).to.include({
        supplied: String(await view(head, aUsdc, TOKEN)("totalSupply")),
        variableDebt: String(variableDebt),
        stableDebt: String(stableDebt),
        cash: String(await view(head, usdc, TOKEN)("balanceOf", aUsdc)),
        normalizedIncome: String(income),
        normalizedVariableDebt: String(debtIndex),
        liquidityIndex: String(data["liquidityIndex"]),
        variableBorrowIndex: String(data["variableBorrowIndex"]),
        liquidityRate: String(data["currentLiquidityRate"]),
        variableBorrowRate: String(data["currentVariableBorrowRate"]),
        accruedToTreasuryScaled: String(data["accruedToTreasury"]),
        unbacked: String(data["unbacked"]),
        lastUpdate: Number(data["lastUpdateTimestamp"]),
        optimalUsage: String(await strategy("OPTIMAL_USAGE_RATIO")),
        baseRate: String(await strategy("getBaseVariableBorrowRate")),
        slope1: String(await strategy("getVariableRateSlope1")),
        slope2: String(await strategy("getVariableRateSlope2")),
        // Both come with 3.1 and later; this is 3.0.
        virtualBalance: null,
        deficit: null,
      });
      expect(rates?.supplyApr).to.be.closeTo(Number(data["currentLiquidityRate"]) / 1e27, ROUNDING);
      expect(rates?.borrowApr).to.be.closeTo(Number(data["currentVariableBorrowRate"]) / 1e27, ROUNDING);
      expect(rates?.borrowedUsd).to.be.closeTo(Number(variableDebt + stableDebt) / 1e6, 1e-6);
      expect(rates?.index).to.equal(String(income));
    }
  });

  it("reads of Compound V3 what its own views say, and computes its rates and indices to the unit", async function () {
    await skipWithoutComet(this, fork());
    for (const seconds of [12, 30 * DAY]) {
      const head = await newBlock(seconds);
      const { state, rates } = await read(
        head,
        compoundV3Collector({ subject: "compound-v3-usdc", comet: fork().places.comet, usd: 1 }),
      );
      const comet = view(head, fork().places.comet, COMET);
      const utilization = await comet("getUtilization");
      const totals = await comet<Record<string, bigint>>("totalsBasic");
      const [supplied, borrowed] = [await comet("totalSupply"), await comet("totalBorrow")];
      const supplyRate = await comet("getSupplyRate", utilization);
      const borrowRate = await comet("getBorrowRate", utilization);
      expect(state).to.include({
        supplied: String(supplied),
        borrowed: String(borrowed),
        utilization: String(utilization),
        reserves: String(await comet("getReserves")),
        cash: String(await view(head, fork().places.usdc, TOKEN)("balanceOf", fork().places.comet)),
        supplyRatePerSecond: String(supplyRate),
        borrowRatePerSecond: String(borrowRate),
        baseSupplyIndex: String(totals["baseSupplyIndex"]),
        baseBorrowIndex: String(totals["baseBorrowIndex"]),
      });
      // Comet shows its grown indices in its totals only.
      const present = (base: bigint | undefined, index: unknown) =>
        ((base ?? 0n) * BigInt(index as string)) / INDEX_SCALE;
      expect(present(totals["totalSupplyBase"], state["accruedSupplyIndex"])).to.equal(supplied);
      expect(present(totals["totalBorrowBase"], state["accruedBorrowIndex"])).to.equal(borrowed);
      if (seconds > DAY) expect(state["accruedSupplyIndex"]).to.not.equal(state["baseSupplyIndex"]);
      expect(rates?.supplyApr).to.be.closeTo((Number(supplyRate) * 31_536_000) / 1e18, ROUNDING);
      expect(rates?.borrowApr).to.be.closeTo((Number(borrowRate) * 31_536_000) / 1e18, ROUNDING);
      expect(rates?.index).to.equal(state["accruedSupplyIndex"]);
    }
  });

  it("reads of the 3pool what its own views say", async function () {
    const local = fork().localProtocols?.threePool;
    const at = local ?? { pool: MAINNET.threePool, token: MAINNET.threeCrv };
    if ((await fork().provider.getCode(at.pool)) === "0x") skip(this, `${fork().description} does not hold the 3pool`);
    const head = await newBlock();
    const { state, rates } = await read(
      head,
      locateCurvePool({ subject: "curve-3pool", pool: at.pool, receipts: { token: at.token }, coins: 3, usd: 1 }),
    );
    const pool = view(head, at.pool, POOL);
    const virtualPrice = await pool("get_virtual_price");
    const receipts = await view(head, at.token, TOKEN)("totalSupply");
    expect(state).to.deep.include({
      balances: [
        String(await pool("balances", 0)),
        String(await pool("balances", 1)),
        String(await pool("balances", 2)),
      ],
      decimals: [18, 6, 6],
      amplification: String(await pool("A")),
      fee: String(await pool("fee")),
      adminFee: String(await pool("admin_fee")),
      virtualPrice: String(virtualPrice),
      receipts: String(receipts),
    });
    expect(rates?.index).to.equal(String(virtualPrice));
    expect(rates?.suppliedUsd).to.be.closeTo((Number(receipts) * Number(virtualPrice)) / 1e36, 1);
  });

  it("reads of a Uniswap V3 pool what its own views say, and its mean tick where it remembers so long", async function () {
    const pool = fork().localProtocols?.uniswap.usdcUsdtPool ?? MAINNET.usdcWethPool;
    if ((await fork().provider.getCode(pool)) === "0x") skip(this, `${fork().description} does not hold the pool`);
    const head = await newBlock(DAY);
    const { state, rates } = await read(head, locateUniswapPool({ subject: "pool", pool }));
    const own = view(head, pool, UNISWAP_POOL);
    const slot0 = await own<Record<string, bigint>>("slot0");
    const tokens = [await own<string>("token0"), await own<string>("token1")];
    const balances = await Promise.all(tokens.map((token) => view(head, token, TOKEN)("balanceOf", pool)));
    const [then, now] = (await own<bigint[][]>("observe", [1_800, 0]))[0] as [bigint, bigint];
    expect(state).to.deep.include({
      tokens,
      balances: balances.map(String),
      feePips: Number(await own("fee")),
      tickSpacing: Number(await own("tickSpacing")),
      sqrtPriceX96: String(slot0["sqrtPriceX96"]),
      tick: Number(slot0["tick"]),
      observations: Number(slot0["observationCardinality"]),
      feeProtocol: Number(slot0["feeProtocol"]),
      liquidity: String(await own("liquidity")),
      feeGrowthGlobal0X128: String(await own("feeGrowthGlobal0X128")),
      feeGrowthGlobal1X128: String(await own("feeGrowthGlobal1X128")),
      meanSeconds: 1_800,
      meanTick: Math.floor(Number(now - then) / 1_800),
    });
    expect(rates).to.equal(null);
  });

  it("reads the last round of Chainlink's USDC feed, and that it is stale on the recorded state", async function () {
    const feed = fork().localProtocols?.feeds.usdc ?? MAINNET.usdcFeed;
    if ((await fork().provider.getCode(feed)) === "0x") skip(this, `${fork().description} holds no feed`);
    const head = await newBlock(2 * DAY);
    const collector = chainlinkCollector({ subject: "usdc-usd", feed, heartbeatSeconds: DAY });
    const { state, rates } = await read(head, collector);
    const round = await view(head, feed, FEED)<bigint[]>("latestRoundData");
    expect(state).to.include({
      roundId: String(round[0]),
      answer: String(round[1]),
      updatedAt: Number(round[3]),
      decimals: 8,
      ageSeconds: head.timestamp - Number(round[3]),
      stale: true,
    });
    expect(rates).to.equal(null);
  });

  it("takes one eth_call for everything, of one block", async function () {
    await skipWithoutComet(this, fork());
    const head = await newBlock();
    const { collectors } = await locate(chain(), head, [
      reserve(),
      compoundV3Collector({ subject: "compound-v3-usdc", comet: fork().places.comet, usd: 1 }),
    ]);
    const { readings, failures, requests, at } = await sweep(chain(), head, collectors);
    expect([readings.length, failures.length, requests]).to.deep.equal([2, 0, 1]);
    expect(at).to.deep.equal({
      chainId: fork().chainId,
      number: head.number,
      hash: head.hash,
      timestamp: head.timestamp,
    });
  });

  it("reads the block's fees", async () => {
    const head = await newBlock();
    const { state } = await blockFees.read(chain(), head);
    expect(state["baseFeePerGas"]).to.equal(String(head.baseFeePerGas));
  });
});
