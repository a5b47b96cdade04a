// What happens in the keeper, as typed events. Every room is given a sink; logs, the page, alerts and metrics hang on
// it. An event never holds a secret, a URL with credentials or a response body.

export type KeeperEvent =
  | { readonly name: "keeper.started"; readonly vault: string; readonly keeper: string; readonly chainId: number }
  | { readonly name: "keeper.stopped"; readonly reason: string }
  | {
      /** The one wide line of a loop tick. */
      readonly name: "tick.end";
      readonly block: number;
      readonly action: "rebalance" | "hold" | "busy" | "standby" | "skipped";
      readonly reason: string;
      readonly totalAssets: string;
      readonly snapshotMs: number;
      /** Forecasts, with what a model keeps of them, and the decision. */
      readonly decideMs: number;
      readonly storeMs: number;
      readonly submitMs: number;
    }
  | { readonly name: "tick.failed"; readonly block: number | null; readonly code: string; readonly message: string }
  | {
      readonly name: "decision.made";
      readonly id: string;
      readonly action: "rebalance" | "hold";
      readonly reason: string;
    }
  | {
      readonly name: "intent.state";
      readonly intentId: string;
      readonly decisionId: string;
      readonly state: string;
      readonly reason: string | null;
    }
  | { readonly name: "bundle.sent"; readonly intentId: string; readonly relay: string; readonly targetBlock: number }
  | {
      readonly name: "bundle.refused";
      readonly intentId: string;
      readonly relay: string;
      readonly targetBlock: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly name: "bundle.missed"; readonly intentId: string; readonly targetBlock: number }
  | { readonly name: "bundle.included"; readonly intentId: string; readonly block: number; readonly txHash: string }
  /** Once an outage, not once an attempt; `rpc.recovered` ends it. Likewise `store.trouble`. */
  | { readonly name: "rpc.trouble"; readonly code: string; readonly message: string }
  | { readonly name: "rpc.recovered"; readonly endpoint: string; readonly outageMs: number }
  | { readonly name: "store.trouble"; readonly code: string; readonly message: string }
  | { readonly name: "store.recovered"; readonly outageMs: number }
  /** Of a source of data: once when a bucket is lost, not for each; `source.recovered` ends it. */
  | { readonly name: "source.trouble"; readonly source: string; readonly code: string; readonly message: string }
  | { readonly name: "source.recovered"; readonly source: string; readonly outageMs: number }
  | {
      /** Buckets that nothing was collected for, starts of the first and last in unix seconds. */
      readonly name: "source.gap";
      readonly source: string;
      readonly from: number;
      readonly to: number;
      readonly buckets: number;
      readonly reason: string;
    }
  | {
      /** An endpoint that is not with the others, once until `quorum.joined`. */
      readonly name: "quorum.dissent";
      readonly endpoint: string;
      readonly method: string;
      readonly dissent: "disagreed" | "lagged" | "failed" | "silent";
    }
  | { readonly name: "quorum.joined"; readonly endpoint: string }
  /** Too few endpoints agree on what this method answers: once, until `quorum.recovered`. */
  | { readonly name: "quorum.trouble"; readonly method: string; readonly message: string }
  | { readonly name: "quorum.recovered"; readonly method: string; readonly outageMs: number }
  /** Of all processes with one database, one collects a chain. Once at each change. */
  | { readonly name: "collect.state"; readonly chainId: number; readonly state: "collecting" | "standby" }
  /** Everything of a block was read and stored. */
  | {
      readonly name: "collect.swept";
      readonly block: number;
      readonly observedAt: number;
      readonly readings: number;
      readonly failures: number;
      readonly stored: number;
    }
  | {
      /** A trained model forecasts from now on. */
      readonly name: "model.served";
      readonly model: string;
      readonly hash: string;
      readonly horizonsHours: readonly number[];
    }
  /** No model can be served, or not all: the EWMA stands in. Once, until the trouble is another. */
  | { readonly name: "model.trouble"; readonly code: string; readonly message: string }
  /** The baseline stands in for the model at a series and horizon, until `model.trusted`. */
  | {
      readonly name: "model.distrusted";
      readonly series: string;
      readonly horizonHours: number;
      readonly reason: string;
    }
  | { readonly name: "model.trusted"; readonly series: string; readonly horizonHours: number }
  /** The model of rates is being fitted on what is stored; the next event of these says how it ended. */
  | { readonly name: "refit.begun"; readonly chainId: number }
  | {
      /** A challenger more, in the shadow. */
      readonly name: "refit.done";
      readonly model: string;
      readonly hash: string;
      readonly horizonsHours: readonly number[];
    }
  | { readonly name: "refit.failed"; readonly code: string; readonly message: string }
  /** A model foretells an event at a venue, or of a pool's price: once, until `risk.unlikely`. `note`: it is there already, in words. */
  | {
      readonly name: "risk.likely";
      readonly series: string;
      readonly event: string;
      readonly horizonHours: number;
      readonly probability: number | null;
      readonly usual: number;
      readonly note: string | null;
    }
  | {
      readonly name: "risk.unlikely";
      readonly series: string;
      readonly event: string;
      readonly horizonHours: number;
      readonly probability: number | null;
    }
  /** The keeper's own breaker: once a trip, not once a block. */
  | { readonly name: "breaker.tripped"; readonly cause: string; readonly reason: string; readonly block: number }
  /** What an earlier process left tripped, once at the start. */
  | { readonly name: "breaker.open"; readonly causes: readonly string[]; readonly reason: string }
  | { readonly name: "breaker.reset"; readonly reason: string }
  /** Events of a pool are stored up to a block. */
  | {
      readonly name: "collect.followed";
      readonly source: string;
      readonly block: number;
      readonly blocks: number;
      readonly rows: number;
    }
  /** Blocks that nothing was collected of while nobody ran: left to the backfill. */
  | {
      readonly name: "collect.gap";
      readonly source: string;
      readonly fromBlock: number;
      readonly toBlock: number;
    }
  | { readonly name: "serve.listening"; readonly url: string }
  | { readonly name: "serve.trouble"; readonly code: string; readonly message: string };

export interface Sink {
  emit(event: KeeperEvent): void;
}

export const silent: Sink = { emit: () => undefined };
