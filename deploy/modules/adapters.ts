// One adapter a venue. An adapter answers to one vault for ever, so it is built for the vault's address, before the
// vault is.
import { ZeroAddress } from "ethers";
import {
  AaveV3Adapter__factory,
  CompoundV3Adapter__factory,
  ERC4626Adapter__factory,
  SkySavingsAdapter__factory,
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
  }
}

/** @param auction where rewards are sold for this vault; by default nowhere. */
export function adapter(venue: VenueParameters, vault: string, asset: string, auction = ZeroAddress): Creation {
  const encoded = encode(venue, vault, asset, auction);
  return { id: `adapter:${venue.id}`, artifact: adapterArtifact(venue.kind), arguments: encoded };
}

function encode(place: VenuePlace, vault: string, asset: string, auction: string): string {
  switch (place.kind) {
    case "aave-v3":
      return AaveV3Adapter__factory.createInterface().encodeDeploy([vault, place.venue, asset]);
    case "compound-v3":
      return CompoundV3Adapter__factory.createInterface().encodeDeploy([vault, place.venue, auction]);
    case "erc4626":
      return ERC4626Adapter__factory.createInterface().encodeDeploy([vault, place.venue]);
    case "sky-savings":
      return SkySavingsAdapter__factory.createInterface().encodeDeploy([vault, place.psm, place.venue]);
  }
}
