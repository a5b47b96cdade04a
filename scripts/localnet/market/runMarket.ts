// The market's loop: at each turn read the chain, plan, send. It keeps nothing that the chain does not hold, so it can
// be killed at any point and started again.
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonRpcProvider } from "ethers";
import { WorldFailure } from "../../../keeper/config/failure";
import type { Protocols } from "../protocols/protocolsFile";
import { bindContracts, localProvider, type MarketContracts } from "./contracts";
import type { MarketAction } from "./marketState";
import { nextActions } from "./plan";
import { randomFor } from "./random";
import { readMarket } from "./readMarket";
import { hasPending, sendAction } from "./sendAction";

const POLL_MS = 200;
/** A node that restarts is back within this. */
const NODE_PATIENCE_MS = 30_000;

export interface SentAction {
  /** The block that the actor looked at. */
  readonly block: number;
  readonly action: MarketAction;
  /** Null when the node refused it. */
  readonly hash: string | null;
}

export interface MarketSettings {
  readonly url: string;
  readonly protocols: Protocols;
  readonly seed: number;
  /** A turn every so many blocks. */
  readonly everyBlocks: number;
}

export interface MarketOptions extends MarketSettings {
  readonly signal: AbortSignal;
  readonly onAction?: (sent: SentAction) => void;
}

/**
 * Acts on the local chain until `signal` aborts; blocks are made by somebody else.
 * @throws WorldFailure LOCALNET_NODE_GONE when the node has not answered for half a minute.
 */
export async function runMarket(options: MarketOptions): Promise<void> {
  const market = openMarket(options);
  let reachedAt = Date.now();
  try {
    while (!options.signal.aborted) {
      try {
        for (const sent of await market.turn()) options.onAction?.(sent);
        reachedAt = Date.now();
      } catch (cause) {
        if (Date.now() - reachedAt > NODE_PATIENCE_MS) {
          throw new WorldFailure("LOCALNET_NODE_GONE", "the local chain has not answered for 30 seconds", {
            remedy: "Start it again; the market goes on from what the chain holds.",
            cause,
          });
        }
      }
      await sleep(POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  } finally {
    market.close();
  }
}

export interface Market {
  /** Acts if the chain has come to a new turn and nothing of the market's waits in the pool; else does nothing. */
  turn(): Promise<readonly SentAction[]>;
  close(): void;
}

export function openMarket(settings: MarketSettings): Market {
  const provider = localProvider(settings.url);
  const contracts = bindContracts(provider, settings.protocols);
  let lastSlot = -1;
  const turn = async (): Promise<readonly SentAction[]> => {
    const number = await provider.getBlockNumber();
    const slot = Math.floor(number / settings.everyBlocks);
    if (slot === lastSlot || (await hasPending(provider))) return [];
    const sent = await act(settings, { provider, contracts, number, slot });
    lastSlot = slot;
    return sent;
  };
  return { turn, close: () => provider.destroy() };
}

async function act(
  { protocols, seed }: MarketSettings,
  on: {
    readonly provider: JsonRpcProvider;
    readonly contracts: MarketContracts;
    readonly number: number;
    readonly slot: number;
  },
): Promise<readonly SentAction[]> {
  const header = await on.provider.getBlock(on.number);
  if (header === null) return [];
  const state = await readMarket(on.contracts, protocols, {
    ...{ number: on.number, timestamp: header.timestamp, slot: on.slot },
  });
  const sent: SentAction[] = [];
  for (const action of nextActions(state, randomFor(seed, on.slot))) {
    const hash = await sendAction(on.provider, action, { contracts: on.contracts, protocols }).catch(() => null);
    sent.push({ block: on.number, action, hash });
  }
  return sent;
}
