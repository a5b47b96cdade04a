// What a venue has at hand of the vault's asset, whoever asks for it, and what all its suppliers hold together.
import type { VenueState } from "../chain/snapshot";

/** In the asset's unit. Null: an ERC-4626 does not say. */
export function cashOf(state: VenueState): bigint | null {
  switch (state.kind) {
    case "erc4626":
      return null;
    case "curve-3pool":
      return state.balances[state.place] ?? 0n;
    default:
      return state.cash;
  }
}

/** In the asset's unit. Null: positions in a pool of traders are no claims on its cash. */
export function suppliedOf(state: VenueState): bigint | null {
  switch (state.kind) {
    case "aave-v3":
      return state.cash + state.borrowed;
    case "compound-v3":
      return state.supplied;
    case "erc4626":
    case "sky-savings":
      return state.totalAssets;
    case "curve-3pool":
    case "uniswap-v3":
      return null;
  }
}
