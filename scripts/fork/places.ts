// Where the protocols are on the chain that was forked: mainnet's addresses, or the local chain's.
import type { Protocols } from "../localnet/protocols/protocolsFile";

/** Addresses with checksum. */
export interface ForkPlaces {
  readonly usdc: string;
  readonly aavePool: string;
  readonly aUsdc: string;
  /** The USDC market of Compound V3, or its model. */
  readonly comet: string;
}

/** bgd-labs/aave-address-book (AaveV3Ethereum); compound-finance/comet, deployments/mainnet/usdc. */
export const MAINNET_PLACES: ForkPlaces = {
  usdc: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
  aavePool: "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2",
  aUsdc: "0x98C23E9d8f34FEFb1B7BD6a91B7FF122F4e16F5c",
  comet: "0xc3d688B66703497DAA19211EEdff47f25384cdc3",
};

export function localPlaces(protocols: Protocols): ForkPlaces {
  return {
    usdc: protocols.tokens.usdc,
    aavePool: protocols.aave.pool,
    aUsdc: protocols.aave.reserves.usdc.aToken,
    comet: protocols.comet,
  };
}
