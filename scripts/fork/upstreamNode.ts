// A live node behind an address that may hold a key: the address never leaves this file, not in an error either.
import { setTimeout as pause } from "node:timers/promises";
import { InputFailure, WorldFailure } from "../../keeper/config/failure";

/** The environment variable, and the only way to give the address of a node: arguments are seen by other processes. */
export const UPSTREAM_VARIABLE = "MAINNET_RPC_URL";

const TIMEOUT_MS = 30_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 250;

export class UpstreamNode {
  private readonly endpoint: string;
  private readonly headers: Record<string, string> = { "content-type": "application/json" };
  private nextId = 1;

  /** @throws InputFailure if `url` is not an http(s) address. */
  constructor(url: string) {
    let parsed: URL;
    try {
      parsed = new URL(url);
    } catch {
      throw notAnAddress();
    }
    if (parsed.protocol !== "http:" && parsed.protocol !== "https:") throw notAnAddress();
    if (parsed.username !== "") {
      const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
      this.headers["authorization"] = `Basic ${Buffer.from(credentials).toString("base64")}`;
      parsed.username = "";
      parsed.password = "";
    }
    this.endpoint = parsed.href;
  }

  /**
   * One call, tried again with growing pauses while the node is unreachable, overloaded or limiting its rate: an error
   * that reached a forking node in the middle of a transaction would end that node.
   * @throws WorldFailure if the node answers an error, or nothing usable after the last attempt.
   */
  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(method, params);
      if (outcome.kind === "result") return outcome.result;
      if (outcome.kind === "refused" || attempt === ATTEMPTS) {
        throw new WorldFailure("UPSTREAM_FAILED", `the node did not answer ${method}: ${outcome.reason}`, {
          field: UPSTREAM_VARIABLE,
          remedy:
            "Check that the node is up, takes your key, and keeps the state of the pinned block (an archive node).",
        });
      }
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }

  private async attempt(
    method: string,
    params: readonly unknown[],
  ): Promise<{ kind: "result"; result: unknown } | { kind: "again" | "refused"; reason: string }> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.endpoint, {
        method: "POST",
        headers: this.headers,
        body: JSON.stringify({ jsonrpc: "2.0", id: this.nextId++, method, params }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      const timedOut = error instanceof Error && error.name === "TimeoutError";
      return { kind: "again", reason: timedOut ? `no answer in ${TIMEOUT_MS / 1000} s` : "it cannot be reached" };
    }
    if (response.status === 429 || response.status >= 500) return { kind: "again", reason: `HTTP ${response.status}` };
    if (!response.ok) return { kind: "refused", reason: `HTTP ${response.status}` };
    let body: { result?: unknown; error?: { code?: unknown } };
    try {
      body = JSON.parse(text) as typeof body;
    } catch {
      return { kind: "refused", reason: "the answer is not JSON" };
    }
    // Providers report rate limits in several ways; -32005 is the one that EIP-1474 gives a meaning.
    if (body.error) {
      return {
        kind: body.error.code === -32005 ? "again" : "refused",
        reason: `JSON-RPC error ${String(body.error.code)}`,
      };
    }
    if (body.result === undefined) return { kind: "refused", reason: "the answer has no result" };
    return { kind: "result", result: body.result };
  }
}

function notAnAddress(): InputFailure {
  return new InputFailure("UPSTREAM_ADDRESS", "not the address of a JSON-RPC node", {
    field: UPSTREAM_VARIABLE,
    remedy: "Set it to an http:// or https:// address.",
  });
}
