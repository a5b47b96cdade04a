// A relay through @flashbots/ethers-provider-bundle v1, which is not maintained. Used: its envelope and its signature.
// Not used: its signing and nonces (wrong fee type, no chain id), wait() (unhandled rejections, no reorgs), statistics
// (403 since 2025), its default timeout of five minutes. Everything it throws is turned into a RelayFailure.
import { FlashbotsBundleProvider } from "@flashbots/ethers-provider-bundle";
import { AbstractProvider, type BaseWallet, FetchRequest, Network, concat, isHexString, keccak256 } from "ethers";
import {
  type BundleRelay,
  RelayFailure,
  type RelayFailureCode,
  type RelaySimulation,
  type SendOptions,
  type SimulationOptions,
} from "./relay";

export interface FlashbotsRelayOptions {
  readonly name: string;
  readonly url: string;
  /** Of the whole answer, wall milliseconds. */
  readonly timeoutMs: number;
  /** Signs `X-Flashbots-Signature`: a long-lived key without money, from `loadRelayAuthWallet`. */
  readonly auth: BaseWallet;
}

/** What relays call a bundle: keccak256 of the concatenated transaction hashes. */
export function bundleHashOf(signedTransactions: readonly string[]): string {
  return keccak256(concat(signedTransactions.map((raw) => keccak256(raw))));
}

export function flashbotsRelay(options: FlashbotsRelayOptions): BundleRelay {
  const request = new FetchRequest(options.url);
  request.timeout = options.timeoutMs;
  // Not `create`: it replaces this by a callback that prints to the console.
  request.retryFunc = async () => false;
  // The library wants a node of a network. For signed transactions and block numbers it asks neither.
  const network = new Network("none", 0);
  const library = new FlashbotsBundleProvider(new AbstractProvider(network), options.auth, request, network);
  const ask = <T>(work: () => Promise<T>): Promise<T> => answered(options, work);

  return {
    name: options.name,
    async send(signedTransactions, targetBlock, { maxTimestamp }: SendOptions) {
      const answer: unknown = await ask(() =>
        library.sendRawBundle([...signedTransactions], targetBlock, {
          ...(maxTimestamp === undefined ? {} : { maxTimestamp }),
        }),
      );
      refuseErrorAnswer(options.name, answer);
      const { bundleHash } = answer as { bundleHash?: unknown };
      if (!isHexString(bundleHash, 32)) {
        throw new RelayFailure(options.name, "RELAY_GARBAGE", "answered without a bundle hash");
      }
      if (bundleHash.toLowerCase() !== bundleHashOf(signedTransactions)) {
        throw new RelayFailure(options.name, "RELAY_WRONG_HASH", "acknowledged another bundle");
      }
      return { bundleHash: bundleHash.toLowerCase() };
    },
    async simulate(signedTransactions, targetBlock, { stateBlock, timestamp }: SimulationOptions) {
      const answer = await ask(() => library.simulate([...signedTransactions], targetBlock, stateBlock, timestamp));
      refuseErrorAnswer(options.name, answer);
      return simulationOf(options.name, answer);
    },
  };
}

/** JSON-RPC errors come back as an answer, not as an exception. */
function refuseErrorAnswer(relay: string, answer: unknown): void {
  const { error } = answer as { error?: { code?: unknown } | null };
  if (error === undefined || error === null) return;
  const code = typeof error.code === "number" ? ` with error ${error.code}` : "";
  throw new RelayFailure(relay, "RELAY_REFUSED", `refused the bundle${code}`);
}

function simulationOf(relay: string, answer: unknown): RelaySimulation {
  const { firstRevert, totalGasUsed } = answer as { firstRevert?: { revert?: unknown } | null; totalGasUsed?: unknown };
  if (firstRevert !== undefined && firstRevert !== null) {
    const data = firstRevert.revert;
    // Only return data is repeated: a relay's own words are not ours to print.
    return { kind: "reverts", reason: isHexString(data) ? data : "0x" };
  }
  if (typeof totalGasUsed !== "number" || !Number.isSafeInteger(totalGasUsed)) {
    throw new RelayFailure(relay, "RELAY_GARBAGE", "answered a simulation without its gas");
  }
  return { kind: "succeeds", gasUsed: BigInt(totalGasUsed) };
}

/** The timeout of the library's transport is one of silence; this one is of the whole answer. */
async function answered<T>(options: FlashbotsRelayOptions, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(failure(options, "RELAY_TIMEOUT", `did not answer within ${options.timeoutMs} ms`));
    }, options.timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (thrown) {
    throw thrown instanceof RelayFailure ? thrown : relayFailure(options, thrown);
  } finally {
    clearTimeout(timer);
  }
}

function relayFailure(options: FlashbotsRelayOptions, thrown: unknown): RelayFailure {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const status = /^Request failed with status (\d{3})/.exec(String(message))?.[1];
  if (status === "429") return failure(options, "RELAY_RATE_LIMITED", "is being asked too often (HTTP 429)");
  if (status?.startsWith("5") === true) return failure(options, "RELAY_DOWN", `answered HTTP ${status}`);
  if (status !== undefined) return failure(options, "RELAY_REFUSED", `answered HTTP ${status}`);
  if (code === "TIMEOUT") return failure(options, "RELAY_TIMEOUT", `did not answer within ${options.timeoutMs} ms`);
  if (typeof code === "string" && /^(E[A-Z]+|SERVER_ERROR|NETWORK_ERROR|UND_ERR.*|CERT.*)$/.test(code)) {
    return failure(options, "RELAY_UNREACHABLE", "cannot be reached");
  }
  return failure(options, "RELAY_GARBAGE", "gave an answer that is no answer of a relay");
}

function failure(options: FlashbotsRelayOptions, code: RelayFailureCode, detail: string): RelayFailure {
  return new RelayFailure(options.name, code, detail);
}
