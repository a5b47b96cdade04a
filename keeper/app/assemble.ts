// Builds the keeper from its configuration: the one place where rooms meet the files, keys and servers that they need.
import { headStream, type Head } from "../chain/heads";
import { checkDeployment } from "../chain/checkDeployment";
import { connectChain, type Chain } from "../chain/connect";
import { connectByQuorum } from "../chain/quorumProvider";
import { readLatestSnapshot, readSnapshot } from "../chain/readSnapshot";
import { sharedHeads } from "../chain/sharedHeads";
import { snapshotFromJson } from "../chain/snapshotJson";
import type { VaultSnapshot } from "../chain/snapshot";
import type { AddressFile } from "../config/addressFile";
import { loadAddresses } from "../config/addresses";
import { InputFailure, WorldFailure } from "../config/failure";
import { LOCAL_CHAIN_ID, loadKeeperWallet, loadRelayAuthWallet } from "../config/keys";
import type { Config } from "../config/load";
import { decide } from "../decide/decide";
import type { MemorySettings } from "../decide/memory";
import { lookbackSeconds } from "../decide/rateHistory";
import type { Sink } from "../events/events";
import { noCheckpoint, type Checkpoint } from "../events/steps";
import { dryRun } from "../execute/dryRun";
import { createExecutor } from "../execute/executor";
import { flashbotsRelay } from "../execute/flashbotsRelay";
import { unableToLeave } from "../execute/leaving";
import { policyLimitsOf } from "../execute/policy";
import type { BundleRelay } from "../execute/relay";
import { walletSigner, type KeeperSigner } from "../execute/signer";
import type { Store } from "../store/records";
import { Forecasting } from "./forecasting";
import { unknownVenues } from "./knownVenues";
import { Keeper, type Execution } from "./keeper";
import { registryOf } from "./modelRegistry";
import { riskLookbackSeconds, riskSources, RiskWatch } from "./riskWatch";
import { storeOf } from "./withStore";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A block is of its slot, which its nodes do not let begin before its time (consensus-specs, p2p interface: half a second of
 * disparity); so much of it is what a machine's clock may be behind.
 */
const MOST_AHEAD_SECONDS = 60;

/** Local chains and forks run as fast as somebody likes. */
const keepsTime = ({ network, chainId }: ChainIdentity): boolean =>
  network === undefined ? chainId !== LOCAL_CHAIN_ID : network === "mainnet";

/** What is known of a chain before it is connected to: all that an address file says, or the id alone. */
export type ChainIdentity = Pick<AddressFile, "chainId"> & {
  readonly network?: AddressFile["network"] | undefined;
  readonly genesisHash?: AddressFile["genesisHash"] | undefined;
};

export function chainOf(config: Config, of: ChainIdentity, sink: Sink): Promise<Chain> {
  const { rpcUrls, requestTimeoutMs, requestsPerSecond, quorum: needed } = config.chain;
  const options = {
    rpcUrls,
    expectedChainId: of.chainId,
    // A fork's recorded state has no block 0 to ask for.
    genesisHash: of.network === "fork" ? undefined : of.genesisHash,
    requestTimeoutMs,
    requestsPerSecond,
    aheadSeconds: keepsTime(of) ? MOST_AHEAD_SECONDS : undefined,
    sink,
  };
  return needed === 1 ? connectChain(options) : connectByQuorum({ ...options, needed });
}

/**
 * The vault as it is now, or, when no node answers, as it was stored last.
 * @throws the node's failure when nothing is stored either.
 */
export async function currentSnapshot(
  config: Config,
  at: { readonly addresses: AddressFile; readonly store: Store; readonly sink: Sink },
): Promise<{ readonly snapshot: VaultSnapshot; readonly trouble: string | null }> {
  const { addresses, store } = at;
  try {
    const chain = await chainOf(config, addresses, at.sink);
    try {
      return {
        snapshot: await readLatestSnapshot(chain, { addresses, keeper: keeperAddress(addresses) }),
        trouble: null,
      };
    } finally {
      chain.close();
    }
  } catch (error) {
    if (!(error instanceof WorldFailure)) throw error;
    const stored = await store.latestSnapshot(addresses.chainId, addresses.vault);
    if (stored === null) throw error;
    return { snapshot: snapshotFromJson(JSON.parse(stored.payload)), trouble: error.line() };
  }
}

/** The keeper that a reader without a key looks at. */
function keeperAddress(addresses: AddressFile): string {
  const [first] = addresses.keepers;
  if (first === undefined) throw new TypeError("an address file names at least one keeper");
  return first;
}

export interface AssembleOptions {
  readonly env: Environment;
  readonly dryRun: boolean;
  /** With `dryRun`: what closing all positions would be for; they are planned to idle instead of what rates say. */
  readonly closing?: string;
  readonly sink: Sink;
  readonly checkpoint?: Checkpoint;
  /** This machine's clock, milliseconds. Default: `Date.now`. */
  readonly clock?: () => number;
}

export interface Assembled {
  readonly addresses: AddressFile;
  readonly chain: Chain;
  readonly store: Store;
  readonly keeper: Keeper;
  readonly risk: RiskWatch;
  /** Address whose plans these are. */
  readonly account: string;
  /** The loop and the collector follow the chain by one poll. */
  heads(signal: AbortSignal): AsyncIterable<Head>;
  close(): Promise<void>;
}

/** Everything that a run needs, checked: key, deployment, node and database. Closes what it opened when it fails. */
export async function assemble(config: Config, options: AssembleOptions): Promise<Assembled> {
  const { sink, env } = options;
  const checkpoint = options.checkpoint ?? noCheckpoint;
  const addresses = loadAddresses(config.addresses);
  // A dry run needs no key; it looks through the eyes of the first keeper.
  const wallet = options.dryRun ? null : await loadKeeperWallet(config.keeper.key, addresses, env);
  const account = wallet?.address ?? keeperAddress(addresses);
  unknownVenues(config, addresses);
  const sources = riskSources(config, addresses);
  if (!options.dryRun) requireRelays(config);
  const chain = await chainOf(config, addresses, sink);
  let store: Store | null = null;
  try {
    await checkDeployment(chain, addresses);
    const opened = await storeOf(config, sink);
    store = opened;
    // The signing policy looks at the newest block that the keeper has read.
    let newest: VaultSnapshot | null = null;
    const persist = !options.dryRun;
    const { closing, clock = Date.now } = options;
    const risk = new RiskWatch({ addresses, config, sources, chain, store: opened, sink, persist, closing, clock });
    const keeper = new Keeper({
      chainId: addresses.chainId,
      vault: addresses.vault,
      keeper: account,
      readSnapshot: async (head) => (newest = await readSnapshot(chain, head, { addresses, keeper: account })),
      store: opened,
      execution: executionOf(config, {
        chain,
        store: opened,
        vault: addresses.vault,
        account,
        signer: wallet === null ? null : walletSigner(wallet),
        relays: wallet === null ? [] : relaysOf(config, env),
        newest: () => newest,
        risk,
        sink,
        checkpoint,
      }),
      strategy: decide,
      risk,
      limits: config.limits,
      memory: memoryOf(config),
      forecasting: forecastingOf(config, { addresses, store: opened, sink, persist }),
      repeatHoldSeconds: REPEAT_HOLD_SECONDS,
      sink,
      checkpoint,
      clock,
    });
    return {
      addresses,
      chain,
      store: opened,
      keeper,
      risk,
      account,
      heads: sharedHeads((signal) => headStream(chain, { pollMs: config.chain.pollMs, signal })),
      async close() {
        chain.close();
        await opened.close();
      },
    };
  } catch (error) {
    chain.close();
    await store?.close();
    throw error;
  }
}

/** Null where the config wants the EWMA alone. */
function forecastingOf(
  config: Config,
  parts: { readonly addresses: AddressFile; readonly store: Store; readonly sink: Sink; readonly persist: boolean },
): Forecasting | null {
  if (config.forecast.model === "ewma") return null;
  const { addresses, store, sink, persist } = parts;
  const { horizonHours, assetUsd } = config.limits;
  return new Forecasting({
    ...{ chainId: addresses.chainId, venues: addresses.adapters.map(({ id }) => id), horizonHours, assetUsd },
    ...{ registry: registryOf(config, store), store, sink, persist },
  });
}

function memoryOf(config: Config): MemorySettings {
  const { halfLifeHours, gasPatienceHours } = config.forecast;
  return {
    halfLifeHours,
    reachSeconds: Math.max(lookbackSeconds(halfLifeHours), riskLookbackSeconds(config)),
    gasPatienceSeconds: gasPatienceHours * 3_600,
  };
}

/** An unchanged hold is stored again after an hour of chain time; the log has every one. */
const REPEAT_HOLD_SECONDS = 3600;

interface ExecutionParts {
  readonly chain: Chain;
  readonly store: Store;
  readonly vault: string;
  readonly account: string;
  /** Null: a dry run. */
  readonly signer: KeeperSigner | null;
  readonly relays: readonly BundleRelay[];
  readonly newest: () => VaultSnapshot | null;
  readonly risk: RiskWatch;
  readonly sink: Sink;
  readonly checkpoint: Checkpoint;
}

function executionOf(config: Config, parts: ExecutionParts): Execution {
  const { chain, store, vault, signer, relays, sink, checkpoint } = parts;
  const leaving: Pick<Execution, "unableToLeave"> = {
    unableToLeave: (plan, head) => {
      const call = { vault, keeper: parts.account, gasLimit: config.fees.gasLimit, block: head.number };
      return unableToLeave(chain.provider, plan, call);
    },
  };
  if (signer === null) {
    const options = {
      provider: chain.provider,
      chainId: chain.chainId,
      vault,
      keeper: parts.account,
      settings: config.fees,
    };
    return {
      ...leaving,
      kind: "dry-run",
      rehearse: (plan, recordHash, head) => dryRun(options, { plan, recordHash }, head),
    };
  }
  const executor = createExecutor({
    chain,
    vault,
    store,
    relays,
    signer,
    policyLimits: () => {
      const snapshot = parts.newest();
      if (snapshot === null) throw new TypeError("nothing is signed before a block was read");
      return policyLimitsOf(snapshot, config.limits, { onlyToIdle: parts.risk.isTripped });
    },
    settings: {
      ...config.fees,
      blocks: config.bundle.blocks,
      simulateOnRelay: config.bundle.simulateOnRelay,
      finalityBlocks: config.chain.finalityBlocks,
    },
    sink,
    checkpoint,
  });
  return { ...leaving, kind: "live", executor };
}

function relaysOf(config: Config, env: Environment): BundleRelay[] {
  const auth = loadRelayAuthWallet(config.relayAuth, env);
  return config.relays.map((relay) => flashbotsRelay({ ...relay, auth }));
}

/** A keeper that has nowhere to send is refused at the start, not at its first plan. */
function requireRelays(config: Config): void {
  if (config.relays.length > 0) return;
  throw new InputFailure("NO_RELAY", "no relay is configured, and plans are never sent to the public pool", {
    field: "relays",
    remedy: "Name at least one, for example https://relay.flashbots.net, or use --dry-run.",
  });
}
