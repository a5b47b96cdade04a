// Which chain a node is of, beyond its id: a local chain that was begun afresh has the id of the one before.
import { ZeroHash, type Provider } from "ethers";
import { InputFailure, WorldFailure } from "../keeper/config/failure";
import type { AddressFile } from "../keeper/config/addressFile";

/**
 * Hash of block 0; zero on a fork, whose recorded state has no block 0 to ask for.
 * @throws InputFailure CHAIN_WRONG, WorldFailure NODE_REFUSED
 */
export async function identify(
  provider: Provider,
  expected: Pick<AddressFile, "network" | "chainId">,
): Promise<string> {
  let chainId: bigint;
  let genesisHash: string | null;
  try {
    chainId = (await provider.getNetwork()).chainId;
    genesisHash = expected.network === "fork" ? ZeroHash : ((await provider.getBlock(0))?.hash ?? null);
  } catch (cause) {
    throw new WorldFailure("NODE_REFUSED", "the node does not answer", {
      field: "RPC_URL",
      remedy: "See whether the node is up and the URL right.",
      cause,
    });
  }
  if (chainId !== BigInt(expected.chainId)) {
    throw new InputFailure("CHAIN_WRONG", `the node is of chain ${chainId}, not ${expected.chainId}`, {
      field: "RPC_URL",
      remedy: `Connect to a node of chain ${expected.chainId}.`,
    });
  }
  if (genesisHash === null) {
    throw new WorldFailure("NODE_REFUSED", "the node does not hold block 0", {
      field: "RPC_URL",
      remedy: "Use a node that has all blocks' headers.",
    });
  }
  return genesisHash;
}
