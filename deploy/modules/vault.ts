// The vault with its whole first configuration, and its opening.
import { encodeBytes32String } from "ethers";
import { IERC20__factory, Vault__factory } from "../../typechain-types";
import type { IVault } from "../../typechain-types/contracts/Vault";
import { InputFailure } from "../../keeper/config/failure";
import { artifactOf } from "../artifacts";
import type { NetworkParameters, Roles } from "../networks/network";
import type { Step } from "../transactions";
import type { Creation } from "./creation";

export const VAULT_ARTIFACT = "contracts/Vault.sol:Vault";

/** @param parts addresses that are there when the vault is created; `adapters` in the order of the venues. */
export function vaultConfiguration(
  network: NetworkParameters,
  roles: Roles,
  parts: { readonly timelock: string; readonly adapters: readonly string[]; readonly conditions: readonly string[] },
): IVault.ConfigurationStruct {
  const { limits } = network;
  return {
    asset: network.asset.address,
    name: network.share.name,
    symbol: network.share.symbol,
    owner: parts.timelock,
    guardian: roles.guardian,
    keepers: [...roles.keepers],
    feeRecipient: limits.feeRecipient,
    managementFee: limits.managementFee,
    performanceFee: limits.performanceFee,
    maxRate: limits.maxRate,
    depositCap: limits.depositCap,
    minimumIdle: limits.minimumIdle,
    lossPerCall: limits.lossPerCall,
    lossBudget: { limit: limits.lossBudget.limit, window: limits.lossBudget.windowSeconds },
    turnoverBudget: { limit: limits.turnoverBudget.limit, window: limits.turnoverBudget.windowSeconds },
    emergencyBudget: { limit: limits.emergencyBudget.limit, window: limits.emergencyBudget.windowSeconds },
    adapters: network.venues.map((venue, index) => ({
      adapter: parts.adapters[index] ?? "",
      absoluteCap: venue.absoluteCap,
      relativeCap: venue.relativeCap,
      groupMask: groupMask(network, venue.groups),
    })),
    groups: network.groups.map(({ name, relativeCap }) => ({ name: encodeBytes32String(name), relativeCap })),
    conditions: [...parts.conditions],
  };
}

/** Bit i is set for membership in group i. @throws InputFailure GROUP_UNKNOWN */
export function groupMask(network: Pick<NetworkParameters, "groups">, members: readonly string[]): bigint {
  return members.reduce((mask, name) => {
    const index = network.groups.findIndex((group) => group.name === name);
    if (index >= 0) return mask | (1n << BigInt(index));
    throw new InputFailure("GROUP_UNKNOWN", `no group is called ${name}`, {
      field: "venues.groups",
      remedy: "Name a group of the network, or add it there.",
    });
  }, 0n);
}

export function vault(configuration: IVault.ConfigurationStruct): Creation {
  return {
    id: "vault",
    artifact: artifactOf(VAULT_ARTIFACT),
    arguments: Vault__factory.createInterface().encodeDeploy([configuration]),
  };
}

export interface OpeningState {
  opened(): Promise<boolean>;
  allowance(): Promise<bigint>;
}

/** The two calls that start the vault: the seed's allowance, and the opening that takes it and burns its shares. */
export function opening(
  at: { readonly vault: string; readonly asset: string },
  seed: bigint,
  state: OpeningState,
): readonly Step[] {
  return [
    {
      id: "approve-seed",
      to: at.asset,
      data: IERC20__factory.createInterface().encodeFunctionData("approve", [at.vault, seed]),
      done: async () => (await state.opened()) || (await state.allowance()) >= seed,
    },
    {
      id: "open",
      to: at.vault,
      data: Vault__factory.createInterface().encodeFunctionData("open", [seed]),
      done: () => state.opened(),
    },
  ];
}
