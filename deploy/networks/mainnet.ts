// Ethereum mainnet, and forks of it.
import { DAY_SECONDS, percent, type NetworkParameters } from "./network";
import {
  AUCTION_ASSET_HEARTBEAT_SECONDS,
  COMMON_LIMITS,
  conditionsOn,
  DAI_USDS_GROUP,
  GROUPS,
  LENDING_GROUP,
  RELATIVE_CAPS,
  REWARD_SALE,
  THREE_POOL_GROUPS,
  THREE_POOL_TERMS,
  UNISWAP_STABLE_GROUPS,
  UNISWAP_STABLE_TERMS,
} from "./limits";

const USDC = 10n ** 6n;

/** A guarded launch: what the first depositors can lose together. Raised by the timelock as the record grows. */
const DEPOSIT_CAP = 5_000_000n * USDC;

const shareOfDepositCap = (ratio: bigint): bigint => (DEPOSIT_CAP * ratio) / 10n ** 18n;

/** Chainlink's feed registry, in US dollars. */
const FEEDS = {
  dai: "0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9",
  usdc: "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6",
  usdt: "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D",
  comp: "0xdbd020CAeF83eFd542f4De03e3cF0C28A4428bd5",
} as const;

export const MAINNET: NetworkParameters = {
  network: "mainnet",
  chainId: 1,
  asset: { address: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", symbol: "USDC", decimals: 6 },
  share: { name: "Tiller USDC", symbol: "tilUSDC" },
  // Twice the least that the vault accepts: a weekend is enough to notice and leave.
  timelockDelaySeconds: 2 * DAY_SECONDS,
  // Burned. With 18-decimal shares it makes moving the share price by a donation cost more than it can take.
  seed: 100n * USDC,
  // Past the reorganisations of one block that happen every day.
  confirmations: 3,
  limits: {
    ...COMMON_LIMITS,
    depositCap: DEPOSIT_CAP,
    // Twice the best month of any of the venues since 2023; a donation drips in no faster than this.
    maxRate: percent(30),
  },
  groups: GROUPS,
  venues: [
    {
      id: "aave-v3-usdc",
      kind: "aave-v3",
      // bgd-labs/aave-address-book, AaveV3Ethereum.POOL
      venue: "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2",
      absoluteCap: shareOfDepositCap(RELATIVE_CAPS["aave-v3-usdc"]),
      relativeCap: RELATIVE_CAPS["aave-v3-usdc"],
      groups: [LENDING_GROUP.name],
    },
    {
      id: "compound-v3-usdc",
      kind: "compound-v3",
      // compound-finance/comet, deployments/mainnet/usdc/roots.json
      venue: "0xc3d688B66703497DAA19211EEdff47f25384cdc3",
      absoluteCap: shareOfDepositCap(RELATIVE_CAPS["compound-v3-usdc"]),
      relativeCap: RELATIVE_CAPS["compound-v3-usdc"],
      groups: [LENDING_GROUP.name],
    },
    {
      id: "sky-susds",
      kind: "sky-savings",
      // Sky's chainlog, SUSDS
      venue: "0xa3931d71877C0E7a3148CB7Eb4463524FEc27fbD",
      // Sky's chainlog, WRAPPER_USDS_LITE_PSM_USDC_A
      psm: "0xA188EEC8F81263234dA3622A406892F3D630f98c",
      absoluteCap: shareOfDepositCap(RELATIVE_CAPS["sky-susds"]),
      relativeCap: RELATIVE_CAPS["sky-susds"],
      groups: [DAI_USDS_GROUP.name],
    },
    {
      id: "curve-3pool",
      kind: "curve-3pool",
      // Curve's registry, the pool of DAI, USDC and USDT
      venue: "0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7",
      // Curve's registry, 3Crv
      receipt: "0x6c3F90f043a72FA612cbac8115EE7e52BDe6E490",
      feeds: [FEEDS.dai, FEEDS.usdc, FEEDS.usdt],
      ...THREE_POOL_TERMS,
      // 0.4 % of what the pool held at block 19,807,136: the way in and out hardly moves it.
      absoluteCap: shareOfDepositCap(RELATIVE_CAPS["curve-3pool"]),
      relativeCap: RELATIVE_CAPS["curve-3pool"],
      groups: THREE_POOL_GROUPS,
    },
    {
      id: "uniswap-v3-usdc-usdt",
      kind: "uniswap-v3",
      // What the factory answers for USDC, USDT and a fee of 0.01 %
      venue: "0x3416cF6C708Da44DB2624D63ea0AAef7113527C6",
      // Uniswap's own list of deployments
      factory: "0x1F98431c8aD98523631AE4a59f267346ea31F984",
      // Tether's own list of tokens
      paired: "0xdAC17F958D2ee523a2206206994597C13D831ec7",
      feeds: [FEEDS.usdc, FEEDS.usdt],
      ...UNISWAP_STABLE_TERMS,
      absoluteCap: shareOfDepositCap(RELATIVE_CAPS["uniswap-v3-usdc-usdt"]),
      relativeCap: RELATIVE_CAPS["uniswap-v3-usdc-usdt"],
      groups: UNISWAP_STABLE_GROUPS,
    },
  ],
  auction: {
    feed: FEEDS.usdc,
    heartbeatSeconds: AUCTION_ASSET_HEARTBEAT_SECONDS,
    rewards: [
      // compound-finance/comet, deployments/mainnet/usdc/configuration.json, rewardTokenAddress
      { symbol: "COMP", token: "0xc00e94Cb662C3520282E6f5717214004A7f26888", feed: FEEDS.comp, ...REWARD_SALE },
    ],
  },
  conditions: conditionsOn(FEEDS.usdc),
};

/**
 * Mainnet's parameters on a fork: one confirmation, for nobody reorganises it, and without what the recorded state does not
 * hold: Sky, what Uniswap's pool remembers, and COMP with its feed, so that nothing is sold there.
 */
export const MAINNET_FORK: NetworkParameters = {
  ...MAINNET,
  network: "fork",
  confirmations: 1,
  auction: null,
  venues: MAINNET.venues.filter(({ kind }) => kind !== "sky-savings" && kind !== "uniswap-v3"),
};
