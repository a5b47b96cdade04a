// One forked chain for a test or a demonstration: an upstream, Hardhat's node on it, money for users, time. What it was
// asked and could not answer comes out at the end, because the fork itself may not tell: see `assertForkSound`.
import { JsonRpcProvider, toQuantity } from "ethers";
import { WorldFailure } from "../../keeper/config/failure";
import type { Protocols } from "../localnet/protocols/protocolsFile";
import { mintUsdc, writeUsdc } from "./fundUsdc";
import { HardhatNode } from "./hardhatNode";
import { localPlaces, MAINNET_PLACES, type ForkPlaces } from "./places";
import type { TapeReport } from "./tapeReport";
import { chosenUpstream, openUpstream, type Upstream, type UpstreamChoice, type UpstreamKind } from "./upstream";

export interface ForkOptions {
  /** Default: what the environment asks for, see `chosenUpstream`. */
  readonly upstream?: UpstreamChoice;
  /** True: a relay or the test makes the blocks. False (default): each transaction makes one. */
  readonly relayMines?: boolean;
}

export interface Fork {
  /** JSON-RPC of the forked chain. */
  readonly url: string;
  readonly chainId: number;
  readonly upstream: UpstreamKind;
  /** For people: what the fork stands on. */
  readonly description: string;
  /** Whether blocks are made by `evm_mine` only. */
  readonly relayMines: boolean;
  /** Block that was forked: the last one that is not the fork's own. */
  readonly block: number;
  /** USDC and the venues, or on the local chain what stands for them. */
  readonly places: ForkPlaces;
  /** Everything on the local chain, if that is what was forked; null on mainnet's state. */
  readonly localProtocols: Protocols | null;
  readonly provider: JsonRpcProvider;
  /** Gives `address` that much more USDC (6 decimals) out of nothing. */
  fundUsdc(address: string, amount: bigint): Promise<void>;
  /** Makes a block whose time is `seconds` after the last one's. */
  increaseTime(seconds: number): Promise<void>;
  /** What the tape was asked so far; null if the upstream is none. */
  tapeReport(): TapeReport | null;
  /** Ends the fork and everything under it. Safe to call twice. */
  stop(): Promise<ForkReport>;
}

export interface ForkReport {
  readonly upstream: UpstreamKind;
  readonly description: string;
  /** Null unless the upstream was a tape. */
  readonly tape: TapeReport | null;
  /** What makes the run worthless, one line each, whatever its own outcome: reads that were not answered, a dead node. */
  readonly failures: readonly string[];
}

/** @throws InputFailure or WorldFailure if the upstream or the node does not start; nothing is left running then. */
export async function startFork(options: ForkOptions = {}): Promise<Fork> {
  const upstream = await openUpstream(options.upstream ?? chosenUpstream());
  const relayMines = options.relayMines ?? false;
  let node: HardhatNode;
  try {
    node = await HardhatNode.start({
      upstreamUrl: upstream.url,
      chainId: upstream.chainId,
      block: upstream.block,
      relayMines,
    });
  } catch (error) {
    await upstream.close();
    throw error;
  }
  const provider = connect(node.url, upstream.chainId);
  const places = upstream.localProtocols ? localPlaces(upstream.localProtocols) : MAINNET_PLACES;
  let stopping: Promise<ForkReport> | undefined;
  return {
    url: node.url,
    chainId: upstream.chainId,
    upstream: upstream.kind,
    description: upstream.description,
    relayMines,
    block: upstream.block,
    places,
    localProtocols: upstream.localProtocols,
    provider,
    fundUsdc: (holder, amount) => {
      const funding = { usdc: places.usdc, holder, amount };
      return upstream.localProtocols ? mintUsdc(provider, funding, relayMines) : writeUsdc(provider, funding);
    },
    increaseTime: async (seconds) => {
      const latest = await provider.getBlock("latest");
      await provider.send("evm_setNextBlockTimestamp", [toQuantity((latest?.timestamp ?? 0) + seconds)]);
      await provider.send("evm_mine", []);
    },
    tapeReport: () => upstream.tapeReport(),
    stop: () => (stopping ??= stopFork(upstream, node, provider)),
  };
}

/** A client of a node whose blocks are made on demand: nothing is cached or batched, and a receipt is there at once. */
export function connect(url: string, chainId: number): JsonRpcProvider {
  return new JsonRpcProvider(url, chainId, {
    staticNetwork: true,
    batchMaxCount: 1,
    cacheTimeout: -1,
    pollingInterval: 50,
  });
}

async function stopFork(upstream: Upstream, node: HardhatNode, provider: JsonRpcProvider): Promise<ForkReport> {
  const trouble = await node.trouble();
  provider.destroy();
  await node.stop();
  await upstream.close();
  return {
    upstream: upstream.kind,
    description: upstream.description,
    tape: upstream.tapeReport(),
    failures: [...upstream.failures(), ...(trouble === undefined ? [] : [trouble])],
  };
}

/**
 * Holds a run on a fork to what its fork says. A read that the recorded state does not hold panics EDR's worker: a test
 * may then see a time-out, a closed connection, or nothing at all, and a script may end with status 0.
 * @throws WorldFailure naming the first failure.
 */
export function assertForkSound(report: ForkReport): void {
  const [first] = report.failures;
  if (first === undefined) return;
  const more = report.failures.length === 1 ? "" : ` (and ${report.failures.length - 1} more)`;
  throw new WorldFailure("FORK_UNSOUND", `the run on ${report.description} is worth nothing: ${first}${more}`, {
    remedy: "Record what it read (npm run fork:record), or keep the run to what the recorded state holds.",
  });
}
