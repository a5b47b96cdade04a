// One adapter a venue. An adapter answers to one vault for ever, so it is built for the vault's address, before the
// vault is.
import type { Interface } from "ethers";
import {
  AaveV3Adapter__factory,
  CompoundV3Adapter__factory,
  Curve3PoolAdapter__factory,
  ERC4626Adapter__factory,
  SkySavingsAdapter__factory,
  UniswapV3Adapter__factory,
} from "../../typechain-types";
import { artifactOf, type Artifact } from "../artifacts";
import type { VenueParameters, VenuePlace } from "../networks/network";
import type { Creation } from "./creation";

export function adapterArtifact(kind: VenuePlace["kind"]): Artifact {
  switch (kind) {
    case "aave-v3":
      return artifactOf("contracts/adapters/AaveV3Adapter.sol:AaveV3Adapter");
    case "compound-v3":
      return artifactOf("contracts/adapters/CompoundV3Adapter.sol:CompoundV3Adapter");
    case "erc4626":
      return artifactOf("contracts/adapters/ERC4626Adapter.sol:ERC4626Adapter");
    case "sky-savings":
      return artifactOf("contracts/adapters/SkySavingsAdapter.sol:SkySavingsAdapter");
    case "curve-3pool":
      return artifactOf("contracts/adapters/Curve3PoolAdapter.sol:Curve3PoolAdapter");
    case "uniswap-v3":
      return artifactOf("contracts/adapters/UniswapV3Adapter.sol:UniswapV3Adapter");
  }
}

/** Whether the kind pays amounts to the unit; of a pool what comes depends on its price. */
export function isExact(kind: VenuePlace["kind"]): boolean {
  return kind !== "curve-3pool" && kind !== "uniswap-v3";
}

/** The adapter's functions and errors. */
export function adapterInterface(kind: VenuePlace["kind"]): Interface {
  switch (kind) {
    case "aave-v3":
      return AaveV3Adapter__factory.createInterface();
    case "compound-v3":
      return CompoundV3Adapter__factory.createInterface();
    case "erc4626":
      return ERC4626Adapter__factory.createInterface();
    case "sky-savings":
      return SkySavingsAdapter__factory.createInterface();
    case "curve-3pool":
      return Curve3PoolAdapter__factory.createInterface();
    case "uniswap-v3":
      return UniswapV3Adapter__factory.createInterface();
  }
}

/** For whom an adapter holds what. */
export interface Served {
  readonly vault: string;
  readonly asset: string;
  /** Where rewards are sold for the vault; zero: nowhere. */
  readonly auction: string;
}

export function adapter(venue: VenueParameters, served: Served): Creation {
  return { id: `adapter:${venue.id}`, artifact: adapterArtifact(venue.kind), arguments: encode(venue, served) };
}

function encode(place: VenuePlace, { vault, asset, auction }: Served): string {
  switch (place.kind) {
    case "aave-v3":
      return AaveV3Adapter__factory.createInterface().encodeDeploy([vault, place.venue, asset, auction]);
    case "compound-v3":
      return CompoundV3Adapter__factory.createInterface().encodeDeploy([vault, place.venue, auction]);
    case "erc4626":
      return ERC4626Adapter__factory.createInterface().encodeDeploy([vault, place.venue]);
    case "sky-savings":
      return SkySavingsAdapter__factory.createInterface().encodeDeploy([vault, place.psm, place.venue]);
    case "curve-3pool": {
      const { venue, receipt, feeds, heartbeatSeconds, slippage, steadiness } = place;
      return Curve3PoolAdapter__factory.createInterface().encodeDeploy([
        ...([vault, venue, receipt, asset] as const),
        [...feeds],
        [...heartbeatSeconds],
        slippage,
        steadiness,
      ]);
    }
    case "uniswap-v3": {
      const { halfWidth, spotBound, oracleBound, slippage } = place;
      const [assetFeed, pairedFeed] = place.feeds;
      const [assetHeartbeat, pairedHeartbeat] = place.heartbeatSeconds;
      return UniswapV3Adapter__factory.createInterface().encodeDeploy([
        ...([vault, place.factory, place.venue, asset] as const),
        {
          ...{ halfWidth, window: place.windowSeconds, minimumCardinality: place.leastObservations },
          ...{ spotBound, oracleBound, slippage, assetFeed, assetHeartbeat, pairedFeed, pairedHeartbeat },
        },
      ]);
    }
  }
}
