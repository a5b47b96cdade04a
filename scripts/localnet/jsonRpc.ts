// One JSON-RPC call without a provider around it: for the moments when the node may not be there yet or any more.

/**
 * Calls `method` on the node at `url` and returns its result. Throws when the node is not there, does not answer
 * within `timeoutMs`, or answers with an error.
 */
export async function callNode(
  url: string,
  method: string,
  params: readonly unknown[],
  timeoutMs = 2000,
): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message?: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message ?? "error without a message"}`);
  return answer.result;
}

/** Hash of block 0, or null when nothing that speaks JSON-RPC answers at `url`. */
export async function genesisHashAt(url: string): Promise<string | null> {
  try {
    const block = (await callNode(url, "eth_getBlockByNumber", ["0x0", false])) as { hash?: unknown } | null;
    return typeof block?.hash === "string" ? block.hash : null;
  } catch {
    return null;
  }
}
