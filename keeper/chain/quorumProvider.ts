// A chain as several of its endpoints have it: blocks, what contracts say at them, their logs, and whether a transaction landed
// are what enough of them agree on, so that no endpoint alone can make up a price or an event, hide a block or hold the chain's
// head back. What moves on or is sent goes to one endpoint after the other.
import type { JsonRpcError, JsonRpcPayload, JsonRpcResult } from "ethers";
import { WorldFailure } from "../config/failure";
import { redactUrl } from "../config/redact";
import { silent, type Sink } from "../events/events";
import { type Essence, essenceOf, essenceOfOutcome, headerOf } from "./agreedReads";
import { type Chain, type ChainOptions, chainOver, openChain, quantity } from "./connect";
import { FailoverProvider, type FailoverOptions } from "./failover";
import { RpcError, garbage } from "./failures";
import { isTooMany } from "./logs";
import { QUORUM_LACKING, Quorum, type QuorumEndpoint } from "./quorum";

interface Endpoint extends QuorumEndpoint {
  readonly chain: Chain;
}

export interface QuorumChainOptions extends ChainOptions {
  /** Endpoints that must agree. */
  readonly needed: number;
}

/**
 * @throws as `connectChain`, whose check of every endpoint this one makes too; InputFailure `QUORUM_IMPOSSIBLE`.
 * Requests and calls fail besides with WorldFailure `QUORUM_LACKING`, of which the sink is told once.
 */
export async function connectByQuorum(options: QuorumChainOptions): Promise<Chain> {
  const { rpcUrls, expectedChainId: chainId, genesisHash = null, needed, requestTimeoutMs, sink } = options;
  const { requestsPerSecond, aheadSeconds, clock } = options;
  // That one is down is the quorum's affair, which says so.
  const endpoints = rpcUrls.map((url): Endpoint => ({
    name: redactUrl(url),
    // A question takes one turn for all of them, and waits for it before any is asked: to wait is not to be silent.
    chain: openChain({ ...options, rpcUrls: [url], requestsPerSecond: undefined, sink: silent }),
  }));
  const quorum = new Quorum({ endpoints, needed, timeoutMs: requestTimeoutMs, sink });
  const provider = new QuorumProvider(
    { rpcUrls, chainId, genesisHash, requestTimeoutMs, requestsPerSecond, aheadSeconds, clock, sink },
    quorum,
  );
  const close = (): void => {
    provider.destroy();
    for (const { chain } of endpoints) chain.close();
  };
  try {
    await provider.checkEndpoints();
  } catch (error) {
    close();
    throw error;
  }
  return { ...chainOver(provider, chainId), close };
}

const BY_NUMBER = "eth_getBlockByNumber";

class QuorumProvider extends FailoverProvider {
  readonly #quorum: Quorum<Endpoint>;
  readonly #sink: Sink;
  /** Greatest number of a block that enough endpoints had. */
  #newest = -1;
  readonly #lackingSince = new Map<string, number>();

  constructor(options: FailoverOptions, quorum: Quorum<Endpoint>) {
    super(options);
    this.#quorum = quorum;
    this.#sink = options.sink;
  }

  /** ethers' way in: what execution asks. */
  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    const payloads = Array.isArray(payload) ? payload : [payload];
    const answers = payloads.map((single) => {
      const essence = essenceOfOutcome(single);
      return essence === null ? this.exchange(single) : this.#answer(single, () => this.#agreed(single, essence));
    });
    return (await Promise.all(answers)) as JsonRpcResult[];
  }

  override async exchange(payload: JsonRpcPayload): Promise<JsonRpcResult | JsonRpcError> {
    const [block] = payload.params as readonly unknown[];
    if (payload.method === BY_NUMBER && block === "latest") return this.#answer(payload, () => this.#head());
    const essence = essenceOf(payload);
    if (essence === null) return super.exchange(payload);
    return this.#answer(payload, () => this.#agreed(payload, essence));
  }

  async #agreed({ method, params }: Pick<JsonRpcPayload, "method" | "params">, essence: Essence): Promise<unknown> {
    await this.turn();
    let tooMany: unknown = null;
    const ask = async ({ chain }: Endpoint): Promise<unknown> => {
      try {
        return await chain.request(method, params as readonly unknown[]);
      } catch (error) {
        if (isTooMany(error)) tooMany = error;
        throw error;
      }
    };
    try {
      return await this.#quorum.agree(method, ask, { essence });
    } catch (error) {
      // Too few gave that many logs, and one says that fewer can be had: whoever asked may ask for fewer.
      if (isLacking(error) && tooMany !== null) throw tooMany;
      throw error;
    }
  }

  /** The highest block that enough endpoints have and describe alike, whatever others claim to have. */
  async #head(): Promise<unknown> {
    const { needed } = this.#quorum;
    const height = async ({ chain }: Endpoint): Promise<number> =>
      heightOf(await chain.request(BY_NUMBER, ["latest", false]));
    // A new block is not kept waiting for an endpoint that is silent or behind. Only the first time, when nothing tells a new
    // block from an old one, all are heard.
    const first = this.#newest < 0;
    const enough = (heights: readonly unknown[]): boolean =>
      !first && (sharedBy(heights, needed)[0] ?? -1) > this.#newest;
    await this.turn();
    const numbers = sharedBy(await this.#quorum.poll(BY_NUMBER, height, enough), needed);
    for (const [place, number] of numbers.entries()) {
      try {
        const head = await this.#agreed({ method: BY_NUMBER, params: [quantity(number), false] }, headerOf);
        if (head === null) continue;
        this.#newest = Math.max(this.#newest, number);
        return head;
      } catch (error) {
        // Some of those that claim to have it do not.
        if (!isLacking(error) || place === numbers.length - 1) throw error;
      }
    }
    throw garbage(BY_NUMBER);
  }

  /** As a node would answer. One event at each end of a time in which too few agree. */
  async #answer({ id, method }: JsonRpcPayload, work: () => Promise<unknown>): Promise<JsonRpcResult | JsonRpcError> {
    try {
      const result = await work();
      this.#agrees(method);
      return { id, result };
    } catch (error) {
      if (error instanceof RpcError) {
        this.#agrees(method);
        return { id, error: { code: error.rpcCode, message: error.nodeMessage, data: error.data ?? undefined } };
      }
      if (isLacking(error) && !this.#lackingSince.has(method)) {
        this.#lackingSince.set(method, Date.now());
        this.#sink.emit({ name: "quorum.trouble", method, message: error.message });
      }
      throw error;
    }
  }

  #agrees(method: string): void {
    const since = this.#lackingSince.get(method);
    if (since === undefined || !this.#lackingSince.delete(method)) return;
    this.#sink.emit({ name: "quorum.recovered", method, outageMs: Date.now() - since });
  }
}

const isLacking = (error: unknown): error is WorldFailure =>
  error instanceof WorldFailure && error.code === QUORUM_LACKING;

/** Heights that at least `needed` of the endpoints claim to have reached, the highest first. */
function sharedBy(heights: readonly unknown[], needed: number): number[] {
  const sorted = (heights as readonly number[]).toSorted((a, b) => b - a);
  return [...new Set(sorted.slice(needed - 1))];
}

/** @throws WorldFailure `RPC_GARBAGE`. */
function heightOf(block: unknown): number {
  const { number } = (block ?? {}) as { readonly number?: unknown };
  const height = typeof number === "string" && /^0x[0-9a-f]{1,13}$/i.test(number) ? Number(number) : NaN;
  if (!Number.isSafeInteger(height)) throw garbage(BY_NUMBER);
  return height;
}
