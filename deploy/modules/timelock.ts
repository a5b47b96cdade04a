// The vault's owner: whatever makes it riskier waits here for a day or more.
import { VaultTimelock__factory } from "../../typechain-types";
import { artifactOf } from "../artifacts";
import type { NetworkParameters, Roles } from "../networks/network";
import type { Creation } from "./creation";

export const TIMELOCK_ARTIFACT = "contracts/VaultTimelock.sol:VaultTimelock";

/** The owner proposes and executes; nobody else may execute, so that the moment of a change is the owner's too. */
export function timelock(network: NetworkParameters, roles: Roles): Creation {
  return {
    id: "timelock",
    artifact: artifactOf(TIMELOCK_ARTIFACT),
    arguments: VaultTimelock__factory.createInterface().encodeDeploy([
      network.timelockDelaySeconds,
      [roles.owner],
      [roles.owner],
      roles.guardian,
    ]),
  };
}
