// Speaks to a relay as any searcher would: signs the raw body, posts it, hands back status and parsed answer.
import { Transaction, Wallet, id } from "ethers";
import { account } from "./devNodes";

export interface RelayAnswer {
  readonly status: number;
  readonly result: unknown;
  readonly error: unknown;
}

export async function post(url: string, body: string, header: string | null): Promise<RelayAnswer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(header === null ? {} : { "X-Flashbots-Signature": header }) },
    body,
  });
  const text = await response.text();
  let parsed: { result?: unknown; error?: unknown } = {};
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    parsed = { error: "not JSON" };
  }
  return { status: response.status, result: parsed.result, error: parsed.error };
}

export const authKey = new Wallet(id("relay test auth key"));

export async function ask(
  url: string,
  method: string,
  params: unknown[],
  signer: Wallet = authKey,
): Promise<RelayAnswer> {
  const body = JSON.stringify({ method, params, id: 1, jsonrpc: "2.0" });
  return post(url, body, `${signer.address}:${await signer.signMessage(id(body))}`);
}

export interface TransactionWish {
  readonly nonce: number;
  readonly to?: string | null;
  readonly value?: bigint;
  readonly data?: string;
  readonly gasLimit?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
  readonly chainId?: number;
}

/** A signed type 2 transaction of the account with this index; by default one wei to account 9. */
export async function signed(index: number, wish: TransactionWish): Promise<{ raw: string; hash: string }> {
  const wallet = account(index);
  const raw = await wallet.signTransaction({
    type: 2,
    chainId: wish.chainId ?? 31337,
    nonce: wish.nonce,
    to: wish.to === undefined ? account(9).address : wish.to,
    value: wish.value ?? 1n,
    data: wish.data ?? "0x",
    gasLimit: wish.gasLimit ?? 100_000n,
    maxFeePerGas: wish.maxFeePerGas ?? 100_000_000_000n,
    maxPriorityFeePerGas: wish.maxPriorityFeePerGas ?? 1_000_000_000n,
  });
  return { raw, hash: Transaction.from(raw).hash ?? "" };
}
