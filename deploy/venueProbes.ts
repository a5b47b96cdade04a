// Asks a venue what it is before money is ever sent there: a wrong address in a network file is found here.
import { Interface, ZeroAddress, type Provider } from "ethers";
import {
  IAaveV3Pool__factory,
  IComet__factory,
  IERC20Metadata__factory,
  IERC4626__factory,
  ISkyPsm__factory,
} from "../typechain-types";
import { InputFailure } from "../keeper/config/failure";
import { ask, refusalOf } from "./contractCall";
import { adapter, adapterInterface } from "./modules/adapters";
import type { VenueParameters, VenuePlace } from "./networks/network";
import { problemOfThreePool, problemOfUniswapPool } from "./poolProbes";
import type { Problem } from "./problem";
import { sameAddress } from "./sameAddress";

const AAVE_POOL = IAaveV3Pool__factory.createInterface();
const A_TOKEN = new Interface([
  "function UNDERLYING_ASSET_ADDRESS() view returns (address)",
  "function POOL() view returns (address)",
]);
const COMET = IComet__factory.createInterface();
const ERC4626 = IERC4626__factory.createInterface();
const SKY_PSM = ISkyPsm__factory.createInterface();
const ERC20 = IERC20Metadata__factory.createInterface();

/** @throws InputFailure NO_CODE; `field` is where the operator wrote the address. */
export async function requireCode(provider: Provider, address: string, field: string): Promise<void> {
  if ((await provider.getCode(address)) !== "0x") return;
  throw new InputFailure("NO_CODE", `${address} has no code on this chain`, {
    field,
    remedy: "Correct the address, or connect to the network that it belongs to.",
  });
}

/** @throws InputFailure ASSET_WRONG if the token counts in other decimals than the parameters say. */
export async function requireAsset(
  provider: Provider,
  asset: { readonly address: string; readonly decimals: number },
): Promise<void> {
  await requireCode(provider, asset.address, "asset.address");
  const decimals = await ask(provider, { to: asset.address, abi: ERC20, method: "decimals" });
  if (decimals !== undefined && Number(decimals) === asset.decimals) return;
  throw new InputFailure("ASSET_WRONG", `${asset.address} is no token with ${asset.decimals} decimals`, {
    field: "asset",
    remedy: "Correct the address or the decimals.",
  });
}

/**
 * The venue is what its kind says and takes `asset`, and its adapter can be built with these parameters.
 * @throws InputFailure NO_CODE, VENUE_WRONG with the field `venues.<id>`, or that of the parameter under it.
 */
export async function requireVenue(provider: Provider, venue: VenueParameters, asset: string): Promise<void> {
  const field = `venues.${venue.id}`;
  await requireCode(provider, venue.venue, field);
  for (const [part, address] of partsOf(venue)) await requireCode(provider, address, `${field}.${part}`);
  const problem = (await problemOf(provider, venue, asset)) ?? (await refused(provider, venue, asset));
  if (problem === null) return;
  throw new InputFailure("VENUE_WRONG", `${venue.venue} ${problem.what}`, {
    field: problem.part === undefined ? field : `${field}.${problem.part}`,
    remedy: problem.remedy ?? "Correct the venue's address.",
  });
}

/** Contracts that the adapter is told of beside the venue. */
function partsOf(place: VenuePlace): readonly (readonly [part: string, address: string])[] {
  switch (place.kind) {
    case "aave-v3":
    case "compound-v3":
    case "erc4626":
      return [];
    case "sky-savings":
      return [["psm", place.psm]];
    case "curve-3pool":
      return [["receipt", place.receipt], ...place.feeds.map((feed, k) => [`feeds.${k}`, feed] as const)];
    case "uniswap-v3":
      return [
        ["factory", place.factory],
        ["paired", place.paired],
        ...place.feeds.map((feed, k) => [`feeds.${k}`, feed] as const),
      ];
  }
}

/** What the adapter's constructor says to these parameters where it does not take them. Nothing is sent. */
async function refused(provider: Provider, venue: VenueParameters, asset: string): Promise<Problem | null> {
  // Which vault it is for, it does not ask.
  const creation = adapter(venue, { vault: ZeroAddress, asset, auction: ZeroAddress });
  const said = await refusalOf(provider, creation, adapterInterface(venue.kind));
  return said === null
    ? null
    : {
        what: `is refused by its adapter ${said}`,
        remedy: `Correct the parameters of ${venue.id} in deploy/networks/.`,
      };
}

/** What is wrong with a venue, or null. */
export async function problemOf(provider: Provider, place: VenuePlace, asset: string): Promise<Problem | null> {
  const { venue } = place;
  const differs = (answer: unknown): boolean => !sameAddress(answer, asset);
  const wrong = (what: string): Problem => ({ what });
  switch (place.kind) {
    case "aave-v3": {
      const reserve = await ask(provider, { to: venue, abi: AAVE_POOL, method: "getReserveData", args: [asset] });
      const aToken = (reserve as { aTokenAddress?: unknown } | undefined)?.aTokenAddress;
      if (typeof aToken !== "string") return wrong("is no Aave V3 pool");
      if (BigInt(aToken) === 0n) return wrong("is an Aave V3 pool without a reserve of the asset");
      if (differs(await ask(provider, { to: aToken, abi: A_TOKEN, method: "UNDERLYING_ASSET_ADDRESS" }))) {
        return wrong("names an aToken of another asset");
      }
      const pool = await ask(provider, { to: aToken, abi: A_TOKEN, method: "POOL" });
      return sameAddress(pool, venue) ? null : wrong("names an aToken of another pool");
    }
    case "compound-v3": {
      const base = await ask(provider, { to: venue, abi: COMET, method: "baseToken" });
      if (base === undefined) return wrong("is no Comet");
      return differs(base) ? wrong(`is a Comet whose base token is ${String(base)}`) : null;
    }
    case "erc4626": {
      const of = await ask(provider, { to: venue, abi: ERC4626, method: "asset" });
      if (of === undefined) return wrong("is no ERC-4626 vault");
      return differs(of) ? wrong(`is an ERC-4626 vault of ${String(of)}`) : null;
    }
    case "sky-savings": {
      const of = await ask(provider, { to: venue, abi: ERC4626, method: "asset" });
      if (typeof of !== "string") return wrong("is no ERC-4626 vault");
      const [gem, stable] = [
        await ask(provider, { to: place.psm, abi: SKY_PSM, method: "gem" }),
        await ask(provider, { to: place.psm, abi: SKY_PSM, method: "dai" }),
      ];
      if (typeof stable !== "string" || gem === undefined)
        return wrong(`is to be reached through ${place.psm}, which is no PSM`);
      if (differs(gem)) return wrong(`is to be reached through ${place.psm}, a PSM whose gem is ${String(gem)}`);
      return sameAddress(of, stable)
        ? null
        : wrong(`is a savings vault of ${of}, while the PSM ${place.psm} deals in ${stable}`);
    }
    case "curve-3pool":
      return problemOfThreePool(provider, place, asset);
    case "uniswap-v3":
      return problemOfUniswapPool(provider, place, asset);
  }
}
