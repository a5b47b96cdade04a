// Asks a venue what it is before money is ever sent there: a wrong address in a network file is found here.
import { getAddress, Interface, type Provider } from "ethers";
import {
  IAaveV3Pool__factory,
  IComet__factory,
  IERC20Metadata__factory,
  IERC4626__factory,
  ISkyPsm__factory,
} from "../typechain-types";
import { InputFailure, WorldFailure } from "../keeper/config/failure";
import type { VenueParameters, VenuePlace } from "./networks/network";

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
  const decimals = await ask(provider, asset.address, ERC20, "decimals");
  if (decimals !== undefined && Number(decimals) === asset.decimals) return;
  throw new InputFailure("ASSET_WRONG", `${asset.address} is no token with ${asset.decimals} decimals`, {
    field: "asset",
    remedy: "Correct the address or the decimals.",
  });
}

/**
 * The venue is what its kind says, and takes `asset`.
 * @throws InputFailure NO_CODE, VENUE_WRONG with the field `venues.<id>`.
 */
export async function requireVenue(provider: Provider, venue: VenueParameters, asset: string): Promise<void> {
  const field = `venues.${venue.id}`;
  await requireCode(provider, venue.venue, field);
  if (venue.kind === "sky-savings") await requireCode(provider, venue.psm, `${field}.psm`);
  const problem = await problemOf(provider, venue, asset);
  if (problem === null) return;
  throw new InputFailure("VENUE_WRONG", `${venue.venue} ${problem}`, { field, remedy: "Correct the venue's address." });
}

/** What is wrong with a venue, or null. */
export async function problemOf(provider: Provider, place: VenuePlace, asset: string): Promise<string | null> {
  const { venue } = place;
  const differs = (answer: unknown): boolean => typeof answer !== "string" || getAddress(answer) !== getAddress(asset);
  switch (place.kind) {
    case "aave-v3": {
      const reserve = await ask(provider, venue, AAVE_POOL, "getReserveData", [asset]);
      const aToken = (reserve as { aTokenAddress?: unknown } | undefined)?.aTokenAddress;
      if (typeof aToken !== "string") return "is no Aave V3 pool";
      if (BigInt(aToken) === 0n) return "is an Aave V3 pool without a reserve of the asset";
      if (differs(await ask(provider, aToken, A_TOKEN, "UNDERLYING_ASSET_ADDRESS"))) {
        return "names an aToken of another asset";
      }
      const pool = await ask(provider, aToken, A_TOKEN, "POOL");
      return typeof pool === "string" && getAddress(pool) === getAddress(venue)
        ? null
        : "names an aToken of another pool";
    }
    case "compound-v3": {
      const base = await ask(provider, venue, COMET, "baseToken");
      if (base === undefined) return "is no Comet";
      return differs(base) ? `is a Comet whose base token is ${String(base)}` : null;
    }
    case "erc4626": {
      const of = await ask(provider, venue, ERC4626, "asset");
      if (of === undefined) return "is no ERC-4626 vault";
      return differs(of) ? `is an ERC-4626 vault of ${String(of)}` : null;
    }
    case "sky-savings": {
      const of = await ask(provider, venue, ERC4626, "asset");
      if (typeof of !== "string") return "is no ERC-4626 vault";
      const [gem, stable] = [
        await ask(provider, place.psm, SKY_PSM, "gem"),
        await ask(provider, place.psm, SKY_PSM, "dai"),
      ];
      if (typeof stable !== "string" || gem === undefined)
        return `is to be reached through ${place.psm}, which is no PSM`;
      if (differs(gem)) return `is to be reached through ${place.psm}, a PSM whose gem is ${String(gem)}`;
      return getAddress(of) === getAddress(stable)
        ? null
        : `is a savings vault of ${of}, while the PSM ${place.psm} deals in ${stable}`;
    }
  }
}

/** One value of the answer; undefined when there is no such answer to have. A node that is down throws. */
async function ask(
  provider: Provider,
  to: string,
  abi: Interface,
  method: string,
  args: readonly unknown[] = [],
): Promise<unknown> {
  let answer: string;
  try {
    answer = await provider.call({ to, data: abi.encodeFunctionData(method, [...args]) });
  } catch (error) {
    if ((error as { code?: unknown }).code === "CALL_EXCEPTION") return undefined;
    throw new WorldFailure("NODE_REFUSED", `the node did not answer ${method}`, {
      remedy: "See whether the node is up and holds this state.",
      cause: error,
    });
  }
  try {
    return abi.decodeFunctionResult(method, answer)[0];
  } catch {
    return undefined;
  }
}
