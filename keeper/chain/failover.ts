// One ethers provider over several endpoints of one chain. Endpoints are asked in order of preference; one that fails
// rests for a while, longer each time. An endpoint is asked nothing before it has shown that it is of the right chain.
import {
  FetchRequest,
  type FetchResponse,
  JsonRpcProvider,
  Network,
  type JsonRpcError,
  type JsonRpcPayload,
  type JsonRpcResult,
} from "ethers";
import { Failure, InputFailure } from "../config/failure";
import { redactUrl } from "../config/redact";
import type { Sink } from "../events/events";
import { TimeIsUp, type Clock, wallClock, within } from "./clock";
import { garbage, limited, unreachable, wrongChain } from "./failures";
import { getUrl } from "./getUrl";
import { RequestRate } from "./requestRate";

const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

/** JSON-RPC error codes that speak of the endpoint, not of the request: limit exceeded, and providers' own of HTTP 429. */
const ENDPOINT_ERRORS = new Set([-32005, 429]);

interface Endpoint {
  readonly request: FetchRequest;
  readonly field: string;
  /** For people: no path, no key. */
  readonly shown: string;
  /** Unknown, right, or of another chain and never asked again. */
  chain: "unchecked" | "right" | "wrong";
  restsUntil: number;
  failures: number;
}

export interface FailoverOptions {
  readonly rpcUrls: readonly string[];
  readonly chainId: number;
  /** Hash of block 0; null: any. */
  readonly genesisHash: string | null;
  readonly requestTimeoutMs: number;
  /** Most of this process to each endpoint. Absent: no such limit. */
  readonly requestsPerSecond?: number | undefined;
  /** See `ChainOptions`. */
  readonly aheadSeconds?: number | undefined;
  readonly sink: Sink;
  readonly clock?: Clock | undefined;
}

const BLOCKS: ReadonlySet<string> = new Set(["eth_getBlockByNumber", "eth_getBlockByHash"]);

/** A request that finds so many before it is not made: what it would read would be of another time. */
const LONGEST_TURN_MS = 60_000;

/** An answer of the endpoint that says the endpoint is no good. Its message is safe to show. */
class EndpointTrouble extends Error {}

export class FailoverProvider extends JsonRpcProvider {
  readonly #endpoints: Endpoint[];
  readonly #options: FailoverOptions;
  readonly #clock: Clock;
  readonly #rate: RequestRate | null;
  #downSince: number | null = null;
  #nextId = 1_000_000;

  constructor(options: FailoverOptions) {
    const network = Network.from(options.chainId);
    super(requestTo(options.rpcUrls[0] ?? "", options.requestTimeoutMs), network, {
      staticNetwork: network,
      // Every request on its own: a batch fails whole, and some nodes refuse batches. No cache: a pinned read must not
      // be answered from an earlier block.
      batchMaxCount: 1,
      cacheTimeout: -1,
    });
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    const { requestsPerSecond } = options;
    // Evenly: providers count by the second, and a burst after a rest would be over it.
    this.#rate =
      requestsPerSecond === undefined
        ? null
        : new RequestRate({ perMinute: 60 * requestsPerSecond, burst: 1 }, this.#clock);
    this.#endpoints = options.rpcUrls.map((url, index) => ({
      request: requestTo(url, options.requestTimeoutMs),
      field: `chain.rpcUrls[${index}]`,
      shown: redactUrl(url),
      chain: "unchecked",
      restsUntil: 0,
      failures: 0,
    }));
  }

  /**
   * Asks every endpoint for its chain. Those that do not answer are asked again before their first use.
   *
   * @throws InputFailure `CHAIN_WRONG`, `CHAIN_STARTED_AFRESH`; WorldFailure `RPC_UNREACHABLE` when none answers.
   */
  async checkEndpoints(): Promise<void> {
    const results = await Promise.allSettled(this.#endpoints.map((endpoint) => this.#identify(endpoint)));
    for (const result of results)
      if (result.status === "rejected" && result.reason instanceof InputFailure) throw result.reason;
    if (results.some((result) => result.status === "fulfilled")) return;
    const [first] = results;
    throw unreachable(first?.status === "rejected" ? reasonOf(first.reason) : "there is none");
  }

  /** ethers' way in; it tells results from errors itself. */
  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    const payloads = Array.isArray(payload) ? payload : [payload];
    return (await Promise.all(payloads.map((single) => this.exchange(single)))) as JsonRpcResult[];
  }

  /** One request, answered by the first endpoint that can. @throws WorldFailure `RPC_UNREACHABLE`, `RPC_LIMITED`. */
  async exchange(payload: JsonRpcPayload): Promise<JsonRpcResult | JsonRpcError> {
    await this.turn();
    let reason = "every endpoint rests after failures";
    for (const endpoint of this.#inOrder()) {
      try {
        if (endpoint.chain === "unchecked") await this.#identify(endpoint);
        const answer = await post(endpoint, payload);
        this.#refuseAhead(payload, answer);
        this.#worked(endpoint);
        return answer;
      } catch (error) {
        if (!(error instanceof EndpointTrouble) && !(error instanceof Failure)) throw error;
        reason = `${endpoint.shown} ${reasonOf(error)}`;
        this.#failed(endpoint);
      }
    }
    this.#trouble(reason);
    throw unreachable(reason);
  }

  /** Waits until our own rate lets a request go. @throws WorldFailure `RPC_LIMITED`. */
  protected async turn(): Promise<void> {
    const rate = this.#rate;
    if (rate === null) return;
    try {
      await within({ ms: LONGEST_TURN_MS, clock: this.#clock }, (signal) => rate.turn(signal));
    } catch (error) {
      if (error instanceof TimeIsUp) throw limited(LONGEST_TURN_MS / 1_000);
      throw error;
    }
  }

  /** An endpoint whose blocks are of times to come is no good, nor is one to a clock that is behind. */
  #refuseAhead({ method }: JsonRpcPayload, answer: JsonRpcResult | JsonRpcError): void {
    const { aheadSeconds } = this.#options;
    if (aheadSeconds === undefined || !BLOCKS.has(method) || "error" in answer) return;
    const { timestamp } = (answer.result ?? {}) as { readonly timestamp?: unknown };
    const ahead = Number(timestamp) - this.#clock.now() / 1_000;
    if (!(ahead > aheadSeconds)) return;
    throw new EndpointTrouble(`has a block of ${Math.round(ahead)} s from now, by this machine's clock`);
  }

  /** Preferred first; those that rest come last rather than never, so that a lone endpoint is asked each time. */
  #inOrder(): Endpoint[] {
    const now = Date.now();
    const usable = this.#endpoints.filter((endpoint) => endpoint.chain !== "wrong");
    return [
      ...usable.filter((endpoint) => endpoint.restsUntil <= now),
      ...usable.filter((endpoint) => endpoint.restsUntil > now).sort((a, b) => a.restsUntil - b.restsUntil),
    ];
  }

  async #identify(endpoint: Endpoint): Promise<void> {
    const ask = async (method: string, params: unknown[]): Promise<unknown> => {
      const answer = await post(endpoint, { id: this.#nextId++, jsonrpc: "2.0", method, params });
      if ("error" in answer) throw new EndpointTrouble(`answers ${method} with an error`);
      return answer.result;
    };
    const id = Number(await ask("eth_chainId", []));
    if (!Number.isSafeInteger(id)) throw garbage("eth_chainId");
    if (id !== this.#options.chainId) {
      this.#refuse(endpoint, wrongChain(this.#options.chainId, id, endpoint.field));
    }
    const expected = this.#options.genesisHash;
    if (expected !== null) {
      const block = (await ask("eth_getBlockByNumber", ["0x0", false])) as { hash?: unknown } | null;
      // Some nodes drop old blocks: an absent one says nothing about the chain.
      if (block !== null && block.hash !== expected) {
        this.#refuse(
          endpoint,
          new InputFailure("CHAIN_STARTED_AFRESH", "the chain's first block is another than the deployment's", {
            field: endpoint.field,
            remedy: "Deploy again on this chain, or name the endpoint of the chain of the address file.",
          }),
        );
      }
    }
    endpoint.chain = "right";
  }

  #refuse(endpoint: Endpoint, failure: InputFailure): never {
    endpoint.chain = "wrong";
    this.#options.sink.emit({
      name: "rpc.trouble",
      code: failure.code,
      message: `${endpoint.shown}: ${failure.message}`,
    });
    throw failure;
  }

  #worked(endpoint: Endpoint): void {
    endpoint.failures = 0;
    endpoint.restsUntil = 0;
    if (this.#downSince === null) return;
    const outageMs = Date.now() - this.#downSince;
    this.#downSince = null;
    this.#options.sink.emit({ name: "rpc.recovered", endpoint: endpoint.shown, outageMs });
  }

  #failed(endpoint: Endpoint): void {
    endpoint.failures += 1;
    const rest = Math.min(FIRST_REST_MS * 2 ** (endpoint.failures - 1), LONGEST_REST_MS);
    endpoint.restsUntil = Date.now() + rest;
  }

  /** Only when nothing answers any more: as long as one does, the others' trouble is not an outage. */
  #trouble(reason: string): void {
    if (this.#downSince !== null) return;
    this.#downSince = Date.now();
    const failure = unreachable(reason);
    this.#options.sink.emit({ name: "rpc.trouble", code: failure.code, message: failure.message });
  }
}

function requestTo(url: string, timeoutMs: number): FetchRequest {
  const request = new FetchRequest(url);
  request.timeout = timeoutMs;
  request.getUrlFunc = getUrl;
  // ethers would wait and repeat on HTTP 429, up to twelve times; another endpoint is asked instead.
  request.setThrottleParams({ maxAttempts: 1 });
  return request;
}

async function post(endpoint: Endpoint, payload: JsonRpcPayload): Promise<JsonRpcResult | JsonRpcError> {
  const request = endpoint.request.clone();
  request.body = JSON.stringify(payload);
  request.setHeader("content-type", "application/json");
  let body: unknown;
  try {
    const response = await request.send();
    if (!response.ok() && !isRefusal(response)) throw new EndpointTrouble(`answers with HTTP ${response.statusCode}`);
    body = jsonOf(response);
  } catch (error) {
    if (error instanceof EndpointTrouble) throw error;
    throw new EndpointTrouble(transportReason(error));
  }
  const answer = (Array.isArray(body) ? body[0] : body) as Partial<JsonRpcResult & JsonRpcError> | null;
  if (typeof answer !== "object" || answer === null || !("result" in answer || "error" in answer)) {
    throw new EndpointTrouble("answers with something that is not JSON-RPC");
  }
  if (answer.error !== undefined && answer.error !== null) {
    const { code, message } = answer.error;
    // Of eth_getLogs, "limit exceeded" means that too many were asked for at once: the caller's business. Unless it speaks of
    // requests and their rate.
    const ofLogs = payload.method === "eth_getLogs" && !/rate|requests?\b|per second/i.test(String(message));
    const limited = ENDPOINT_ERRORS.has(code) && !ofLogs;
    if (limited) throw new EndpointTrouble("has had enough of us (rate limit)");
    return { id: payload.id, error: answer.error };
  }
  return { id: payload.id, result: answer.result };
}

/** Some providers refuse a request, as one for too many logs, by HTTP 400 with a JSON-RPC error: that is an answer. */
function isRefusal(response: FetchResponse): boolean {
  if (response.statusCode !== 400) return false;
  try {
    const { error } = jsonOf(response) as { error?: { code?: unknown } };
    return typeof error?.code === "number";
  } catch {
    return false;
  }
}

/** The runtime's own decoder: ethers' takes half a second for a megabyte, and logs come by the megabyte. */
function jsonOf({ body }: FetchResponse): unknown {
  return body === null ? null : JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
}

function transportReason(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message : "";
  if (code === "TIMEOUT" || /timeout/i.test(text)) return "does not answer in time";
  if (code === "SERVER_ERROR") return "answers with a server error";
  if (/JSON/i.test(text)) return "answers with something that is not JSON";
  return typeof code === "string" ? `cannot be reached (${code})` : "cannot be reached";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
