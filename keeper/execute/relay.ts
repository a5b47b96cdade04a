// What the keeper asks of a relay, and how a relay can fail. Whether a bundle landed is never asked here: that is read
// from the chain.
import { WorldFailure } from "../config/failure";

export interface SendOptions {
  /** Chain time after which the bundle is void, unix seconds. */
  readonly maxTimestamp?: number;
}

export interface SimulationOptions {
  readonly stateBlock: number;
  /** Of the simulated block, unix seconds. */
  readonly timestamp?: number;
}

export type RelaySimulation =
  { readonly kind: "succeeds"; readonly gasUsed: bigint } | { readonly kind: "reverts"; readonly reason: string };

export interface BundleRelay {
  /** As in the config; names the relay in rows, events and messages. */
  readonly name: string;
  /**
   * Hands signed transactions over as one bundle for one block.
   * @returns hash of the bundle, equal to {@link bundleHashOf} of its transactions.
   * @throws RelayFailure; after `RELAY_TIMEOUT`, `RELAY_GARBAGE` and `RELAY_WRONG_HASH` the bundle may land all the same.
   */
  send(
    signedTransactions: readonly string[],
    targetBlock: number,
    options: SendOptions,
  ): Promise<{ readonly bundleHash: string }>;
  /** `eth_callBundle`. @throws RelayFailure, also where the relay does not have it. */
  simulate(
    signedTransactions: readonly string[],
    targetBlock: number,
    options: SimulationOptions,
  ): Promise<RelaySimulation>;
}

export type RelayFailureCode =
  | "RELAY_TIMEOUT"
  | "RELAY_UNREACHABLE"
  | "RELAY_REFUSED"
  | "RELAY_RATE_LIMITED"
  | "RELAY_DOWN"
  | "RELAY_GARBAGE"
  | "RELAY_WRONG_HASH";

const REMEDIES: Readonly<Record<RelayFailureCode, string>> = {
  RELAY_TIMEOUT: "Nothing to do if it is rare; else raise the relay's timeoutMs or take it out of the config.",
  RELAY_UNREACHABLE: "Check the relay's url in the config and the network.",
  RELAY_REFUSED: "Check that the relay is of this chain and accepts the keeper's bundles.",
  RELAY_RATE_LIMITED: "Send less often, or ask the relay for a higher limit.",
  RELAY_DOWN: "Nothing to do if it is rare; else take the relay out of the config.",
  RELAY_GARBAGE: "Check that the relay's url is that of a bundle relay.",
  RELAY_WRONG_HASH: "The relay acknowledged another bundle than it was sent: take it out of the config.",
};

/** One relay failed for one bundle. Never holds the relay's words, its URL or a transaction. */
export class RelayFailure extends WorldFailure {
  constructor(
    readonly relay: string,
    override readonly code: RelayFailureCode,
    detail: string,
  ) {
    super(code, `relay ${relay} ${detail}`, { field: `relays.${relay}`, remedy: REMEDIES[code] });
  }
}
