// One forked chain for a test or a demonstration: an upstream, Hardhat's node on it, money for users, time. What it was
// asked and could not answer comes out at the end, because the fork itself may not tell: see `forkFailures`.
import { JsonRpcProvider, toBeHex, toQuantity, zeroPadValue, Contract } from "ethers";
import { WorldFailure } from "../../keeper/config/failure";
import { entrySlot } from "./freshEntries";
import { HardhatNode } from "./hardhatNode";
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
  /** Block that was forked: the last one that is not the fork's own. */
  readonly block: number;
  /** USDC, or on the local chain the model that stands for it. */
  readonly usdc: string;
  readonly provider: JsonRpcProvider;
  /** Gives `address` that much more USDC (6 decimals) out of nothing. */
  fundUsdc(address: string, amount: bigint): Promise<void>;
  /** Makes a block whose time is `seconds` after the last one's. */
  increaseTime(seconds: number): Promise<void>;
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

const FIAT_TOKEN_BALANCES = 9;
/** FiatTokenV2_2 keeps the blacklist flag in the balance's highest bit. */
const BLACKLIST_BIT = 1n << 255n;

/** @throws InputFailure or WorldFailure if the upstream or the node does not start; nothing is left running then. */
export async function startFork(options: ForkOptions = {}): Promise<Fork> {
  const upstream = await openUpstream(options.upstream ?? chosenUpstream());
  let node: HardhatNode;
  try {
    node = await HardhatNode.start({
      upstreamUrl: upstream.url,
      chainId: upstream.chainId,
      block: upstream.block,
      relayMines: options.relayMines ?? false,
    });
  } catch (error) {
    await upstream.close();
    throw error;
  }
  // A forking node answers slowly while it loads state; polling faster than the default only helps short tests.
  const provider = new JsonRpcProvider(node.url, upstream.chainId, {
    staticNetwork: true,
    batchMaxCount: 1,
    cacheTimeout: -1,
    pollingInterval: 50,
  });
  let stopping: Promise<ForkReport> | undefined;
  return {
    url: node.url,
    chainId: upstream.chainId,
    upstream: upstream.kind,
    description: upstream.description,
    block: upstream.block,
    usdc: upstream.usdc,
    provider,
    fundUsdc: (address, amount) => fundUsdc(upstream, provider, { address, amount }),
    increaseTime: async (seconds) => {
      const latest = await provider.getBlock("latest");
      await provider.send("evm_setNextBlockTimestamp", [toQuantity((latest?.timestamp ?? 0) + seconds)]);
      await provider.send("evm_mine", []);
    },
    stop: () => (stopping ??= stopFork(upstream, node, provider)),
  };
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
  throw new WorldFailure("fork.unsound", `the run on ${report.description} is worth nothing: ${first}${more}`, {
    remedy: "Record what it read (npm run fork:record), or keep the run to what the recorded state holds.",
  });
}

async function fundUsdc(
  upstream: Upstream,
  provider: JsonRpcProvider,
  { address, amount }: { readonly address: string; readonly amount: bigint },
): Promise<void> {
  if (upstream.mint) return upstream.mint(provider, address, amount);
  // A recorded state answers zero for a fresh account's entry only once it knows of the account.
  await provider.getBalance(address);
  const usdc = new Contract(upstream.usdc, ["function balanceOf(address) view returns (uint256)"], provider);
  const balance = (await usdc.getFunction("balanceOf")(address)) as bigint;
  const funded = balance + amount;
  if (funded >= BLACKLIST_BIT) throw new RangeError(`no USDC balance holds ${funded}`);
  const slot = entrySlot(address, toBeHex(FIAT_TOKEN_BALANCES, 32));
  await provider.send("hardhat_setStorageAt", [upstream.usdc, slot, zeroPadValue(toBeHex(funded), 32)]);
}
