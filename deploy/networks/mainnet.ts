// Ethereum mainnet, and forks of it.
import { DAY_SECONDS, percent, type NetworkParameters } from "./network";
import { COMMON_LIMITS, conditionsOn, LENDING_GROUP, RELATIVE_CAPS } from "./limits";

const USDC = 10n ** 6n;

/** A guarded launch: what the first depositors can lose together. Raised by the timelock as the record grows. */
const DEPOSIT_CAP = 5_000_000n * USDC;

const shareOfDepositCap = (ratio: bigint): bigint => (DEPOSIT_CAP * ratio) / 10n ** 18n;

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
  groups: [LENDING_GROUP],
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
      groups: [],
    },
  ],
  // Chainlink's feed registry, USDC / USD
  conditions: conditionsOn("0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6"),
};

/**
 * Mainnet's parameters on a fork: one confirmation, for nobody reorganises it, and without Sky, which the recorded state
 * does not hold.
 */
export const MAINNET_FORK: NetworkParameters = {
  ...MAINNET,
  network: "fork",
  confirmations: 1,
  venues: MAINNET.venues.filter(({ kind }) => kind !== "sky-savings"),
};
