// One adapter a venue. An adapter answers to one vault for ever, so it is built for the vault's address, before the
// vault is.
import { AaveV3Adapter__factory, CompoundV3Adapter__factory, ERC4626Adapter__factory } from "../../typechain-types";
import { artifactOf, type Artifact } from "../artifacts";
import type { VenueParameters } from "../networks/network";
import type { Creation } from "./creation";

export function adapterArtifact(kind: VenueParameters["kind"]): Artifact {
  switch (kind) {
    case "aave-v3":
      return artifactOf("contracts/adapters/AaveV3Adapter.sol:AaveV3Adapter");
    case "compound-v3":
      return artifactOf("contracts/adapters/CompoundV3Adapter.sol:CompoundV3Adapter");
    case "erc4626":
      return artifactOf("contracts/adapters/ERC4626Adapter.sol:ERC4626Adapter");
  }
}

export function adapter({ id, kind, venue }: VenueParameters, vault: string, asset: string): Creation {
  return { id: `adapter:${id}`, artifact: adapterArtifact(kind), arguments: encode(kind, { vault, venue, asset }) };
}

function encode(
  kind: VenueParameters["kind"],
  { vault, venue, asset }: { readonly vault: string; readonly venue: string; readonly asset: string },
): string {
  switch (kind) {
    case "aave-v3":
      return AaveV3Adapter__factory.createInterface().encodeDeploy([vault, venue, asset]);
    case "compound-v3":
      return CompoundV3Adapter__factory.createInterface().encodeDeploy([vault, venue]);
    case "erc4626":
      return ERC4626Adapter__factory.createInterface().encodeDeploy([vault, venue]);
  }
}
