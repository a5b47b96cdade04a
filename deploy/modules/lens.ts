// Reads everything about a vault in one call. Without state or powers; one serves any number of vaults.
import { VaultLens__factory } from "../../typechain-types";
import { artifactOf } from "../artifacts";
import type { Creation } from "./creation";

export function lens(): Creation {
  return {
    id: "lens",
    artifact: artifactOf("contracts/lens/VaultLens.sol:VaultLens"),
    arguments: VaultLens__factory.createInterface().encodeDeploy([]),
  };
}
