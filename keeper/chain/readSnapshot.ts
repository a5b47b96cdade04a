// Reads the vault's snapshot at one block, in one call.
import type { AddressFile } from "../config/addressFile";
import { WorldFailure } from "../config/failure";
import { atNewestBlock } from "./atNewestBlock";
import type { Chain } from "./connect";
import { decodeSnapshot, encodeSnapshotCall } from "./decodeSnapshot";
import { RpcError, isUnknownBlock } from "./failures";
import type { Head } from "./heads";
import type { VaultSnapshot } from "./snapshot";

/**
 * The snapshot at `head`: pinned by the block's hash where the node takes that, else by its number; either way the
 * lens's own reading of number, time and parent hash must be the head's.
 *
 * @throws WorldFailure `BLOCK_GONE` (reorganised away, or not yet at this endpoint), `LENS_REVERTED`,
 * `RPC_UNREACHABLE`, and what {@link decodeSnapshot} throws.
 */
export async function readSnapshot(
  chain: Chain,
  head: Head,
  of: { readonly addresses: AddressFile; readonly keeper: string },
): Promise<VaultSnapshot> {
  const { addresses, keeper } = of;
  const data = await lensAnswer(chain, head, { to: addresses.lens, data: encodeSnapshotCall(addresses.vault, keeper) });
  return decodeSnapshot(data, { addresses, head });
}

/**
 * The snapshot at the chain's newest block, or at the next one where that is gone.
 *
 * @throws as {@link readSnapshot}.
 */
export async function readLatestSnapshot(
  chain: Chain,
  of: { readonly addresses: AddressFile; readonly keeper: string },
): Promise<VaultSnapshot> {
  return atNewestBlock(chain, (head) => readSnapshot(chain, head, of));
}

async function lensAnswer(chain: Chain, head: Head, call: { to: string; data: string }): Promise<string> {
  try {
    return await chain.call(call, { hash: head.hash, number: head.number });
  } catch (error) {
    if (isUnknownBlock(error)) throw blockGone(head.number);
    if (!(error instanceof RpcError)) throw error;
    throw new WorldFailure("LENS_REVERTED", `the lens does not answer at block ${head.number}`, {
      field: "addresses.lens",
      remedy: "Check that the address file is of this chain and that its lens has code (tiller config check).",
      cause: error,
    });
  }
}

function blockGone(block: number): WorldFailure {
  return new WorldFailure("BLOCK_GONE", `the node does not have block ${block}`, {
    field: "chain.rpcUrls",
    remedy: "Nothing: it was reorganised away, or this endpoint lags; the next head is read anew.",
  });
}
