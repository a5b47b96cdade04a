// Checks, before anything else, that the address file is about this chain and that what it names is there.
import type { AddressFile } from "../config/addressFile";
import { InputFailure } from "../config/failure";
import type { Chain } from "./connect";
import { blockAt } from "./heads";

/**
 * @throws InputFailure `CHAIN_WRONG`, `CHAIN_STARTED_AFRESH`, `ADDRESS_WITHOUT_CODE` naming the entry of the file;
 * WorldFailure `RPC_…`.
 */
export async function checkDeployment(chain: Chain, addresses: AddressFile): Promise<void> {
  if (chain.chainId !== addresses.chainId) {
    throw new InputFailure(
      "CHAIN_WRONG",
      `the deployment is on chain ${addresses.chainId}, the endpoint is of chain ${chain.chainId}`,
      { field: "chain.rpcUrls", remedy: "Name an endpoint of that chain, or the address file of this one." },
    );
  }
  // A fork's recorded state has no block 0 to ask for.
  const genesis = addresses.network === "fork" ? null : await blockAt(chain, 0);
  // A node that dropped its first blocks cannot tell.
  if (genesis !== null && genesis.hash !== addresses.genesisHash) {
    throw new InputFailure("CHAIN_STARTED_AFRESH", "the chain's first block is another than the deployment's", {
      field: "addresses",
      remedy: "Deploy again on this chain, or name the endpoint of the chain of the address file.",
    });
  }
  const contracts: readonly (readonly [string, string])[] = [
    ["vault", addresses.vault],
    ["lens", addresses.lens],
    ["timelock", addresses.timelock],
    ["asset.address", addresses.asset.address],
    ...addresses.adapters.flatMap((entry, index): [string, string][] => [
      [`adapters.${index}.adapter (${entry.id})`, entry.adapter],
      [`adapters.${index}.venue (${entry.id})`, entry.venue],
    ]),
  ];
  const codes = await Promise.all(
    contracts.map(([, address]) => chain.request("eth_getCode", [address, "latest"]) as Promise<string | null>),
  );
  const missing = contracts.filter((_, index) => (codes[index] ?? "0x") === "0x");
  const [first] = missing;
  if (first === undefined) return;
  const others = missing.length === 1 ? "" : `, and ${missing.length - 1} more`;
  throw new InputFailure("ADDRESS_WITHOUT_CODE", `there is no contract at ${first[1]}${others}`, {
    field: `addresses: ${first[0]}`,
    remedy: "Deploy on this chain, or name the address file of this chain's deployment.",
  });
}
