// Who is to hold which power: each an address, each apart from what it is to be apart from.
import { getAddress, ZeroAddress } from "ethers";
import { InputFailure } from "../keeper/config/failure";
import type { Roles } from "./networks/network";

/** Roles with checksums. @throws InputFailure ROLES_WRONG */
export function checkedRoles(roles: Roles, deployer: string): Roles {
  const wrong = (field: string, problem: string, remedy: string): InputFailure =>
    new InputFailure("ROLES_WRONG", problem, { field: `roles.${field}`, remedy });
  const checked = (field: string, value: string): string => {
    let address: string;
    try {
      address = getAddress(value);
    } catch {
      throw wrong(field, `${value} is not an address`, "Give 0x and 40 hex digits, with the right checksum.");
    }
    if (address === ZeroAddress) throw wrong(field, "is the zero address", "Name who holds the role.");
    if (address === deployer) {
      throw wrong(field, "is the deployer, who may hold nothing", "Name another account, or deploy from another.");
    }
    return address;
  };
  const owner = checked("owner", roles.owner);
  const guardian = checked("guardian", roles.guardian);
  const keepers = roles.keepers.map((keeper, index) => checked(`keepers.${index}`, keeper));
  if (keepers.length === 0) throw wrong("keepers", "no keeper is named", "Name at least one.");
  if (new Set(keepers).size !== keepers.length) throw wrong("keepers", "one is named twice", "Name each once.");
  for (const [field, holder] of [
    ["owner", owner],
    ["guardian", guardian],
  ] as const) {
    if (keepers.includes(holder)) {
      throw wrong(field, "is a keeper too", "Keep the keeper's key, which is online, apart from every other power.");
    }
  }
  if (owner === guardian) {
    throw wrong("guardian", "is the owner too", "Name an account that can act when the owner's cannot be trusted.");
  }
  return { owner, guardian, keepers };
}
