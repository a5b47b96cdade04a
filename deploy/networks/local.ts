// The local chain: the same limits as mainnet wherever the place does not force others.
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
import {
  LEAST_TIMELOCK_DELAY_SECONDS,
  percent,
  type NetworkParameters,
  type SaleTerms,
  type ThreePoolTerms,
  type VenueLimits,
  type VenuePlace,
} from "./network";

const USDC = 10n ** 6n;

/** What of the local chain's protocols (protocols.json) the vault uses. */
export interface LocalProtocols {
  readonly tokens: { readonly usdc: string; readonly usdt: string; readonly comp: string; readonly aave: string };
  readonly feeds: Readonly<Record<"usdc" | "usdt" | "dai" | "comp" | "aave", string>>;
  readonly aave: { readonly pool: string };
  readonly uniswap: { readonly factory: string; readonly usdcUsdtPool: string };
  readonly comet: string;
  readonly savings: string;
  readonly sky: { readonly psmWrapper: string; readonly sUsds: string };
  readonly threePool: { readonly pool: string; readonly token: string };
}

/** A third of what the local markets hold: the vault moves their rates, which is what there is to see, and owns none. */
const DEPOSIT_CAP = 30_000_000n * USDC;

const venue = <Kind extends VenuePlace["kind"]>(
  id: keyof typeof RELATIVE_CAPS,
  kind: Kind,
  limits: Pick<VenueLimits, "absoluteCap" | "groups">,
): VenueLimits & { readonly id: keyof typeof RELATIVE_CAPS; readonly kind: Kind } => ({
  id,
  kind,
  relativeCap: RELATIVE_CAPS[id],
  ...limits,
});

/** The local market reports all stablecoins alike, so DAI's feed has USDC's heartbeat: time may run fast. */
const LOCAL_HEARTBEAT_SECONDS = UNISWAP_STABLE_TERMS.heartbeatSeconds[0];
const LOCAL_THREE_POOL_TERMS: ThreePoolTerms = {
  ...THREE_POOL_TERMS,
  heartbeatSeconds: [LOCAL_HEARTBEAT_SECONDS, LOCAL_HEARTBEAT_SECONDS, LOCAL_HEARTBEAT_SECONDS],
};

/** As DAI's, and lots that a vault of some hundred thousand earns in days. */
const LOCAL_SALE: SaleTerms = { ...REWARD_SALE, minimumLot: 50n * USDC, heartbeatSeconds: LOCAL_HEARTBEAT_SECONDS };

/** All but the addresses. Absolute caps are a quarter of what the market opens with in each place. */
export const LOCAL_LIMITS = {
  network: "local",
  chainId: 31_337,
  share: { name: "Tiller USDC", symbol: "tilUSDC" },
  // The least that the vault accepts.
  timelockDelaySeconds: LEAST_TIMELOCK_DELAY_SECONDS,
  seed: 100n * USDC,
  confirmations: 1,
  limits: {
    ...COMMON_LIMITS,
    depositCap: DEPOSIT_CAP,
    // The local market drives venues over their kinks on purpose, where they pay several times mainnet's usual rate.
    maxRate: percent(100),
  },
  groups: GROUPS,
  auction: {
    heartbeatSeconds: AUCTION_ASSET_HEARTBEAT_SECONDS,
    rewards: [
      { symbol: "COMP", ...LOCAL_SALE },
      { symbol: "AAVE", ...LOCAL_SALE },
    ],
  },
  venues: [
    venue("aave-v3-usdc", "aave-v3", { absoluteCap: 15_000_000n * USDC, groups: [LENDING_GROUP.name] }),
    venue("compound-v3-usdc", "compound-v3", { absoluteCap: 5_000_000n * USDC, groups: [LENDING_GROUP.name] }),
    venue("savings-usdc", "erc4626", { absoluteCap: 2_500_000n * USDC, groups: [] }),
    venue("sky-susds", "sky-savings", { absoluteCap: 2_500_000n * USDC, groups: [DAI_USDS_GROUP.name] }),
    {
      ...venue("curve-3pool", "curve-3pool", { absoluteCap: 4_500_000n * USDC, groups: THREE_POOL_GROUPS }),
      ...LOCAL_THREE_POOL_TERMS,
    },
    {
      ...venue("uniswap-v3-usdc-usdt", "uniswap-v3", { absoluteCap: 5_000_000n * USDC, groups: UNISWAP_STABLE_GROUPS }),
      ...UNISWAP_STABLE_TERMS,
    },
  ],
} as const;

/** Parameters of the vault on the local chain whose protocols are at these addresses. */
export function localNetwork(protocols: LocalProtocols): NetworkParameters {
  const [aave, comet, savings, sky, curve, uniswap] = LOCAL_LIMITS.venues;
  const [comp, aaveToken] = LOCAL_LIMITS.auction.rewards;
  const { tokens, feeds, threePool } = protocols;
  return {
    ...LOCAL_LIMITS,
    asset: { address: protocols.tokens.usdc, symbol: "USDC", decimals: 6 },
    venues: [
      { ...aave, venue: protocols.aave.pool },
      { ...comet, venue: protocols.comet },
      { ...savings, venue: protocols.savings },
      { ...sky, venue: protocols.sky.sUsds, psm: protocols.sky.psmWrapper },
      {
        ...curve,
        ...{ venue: threePool.pool, receipt: threePool.token, feeds: [feeds.dai, feeds.usdc, feeds.usdt] },
      },
      {
        ...uniswap,
        ...{ venue: protocols.uniswap.usdcUsdtPool, factory: protocols.uniswap.factory },
        ...{ paired: tokens.usdt, feeds: [feeds.usdc, feeds.usdt] },
      },
    ],
    auction: {
      ...LOCAL_LIMITS.auction,
      feed: feeds.usdc,
      rewards: [
        { ...comp, token: tokens.comp, feed: feeds.comp },
        { ...aaveToken, token: tokens.aave, feed: feeds.aave },
      ],
    },
    conditions: conditionsOn(feeds.usdc),
  };
}
