// The executor's surface: one plan at a time, from its intent to its final block.
import type { Plan } from "../decide/strategy";
import type { DecisionRow, IntentRow } from "../store/records";
import type { BundleDeps } from "./bundle";
import { Lifecycle } from "./lifecycle";

/** As much of a head as execution needs; the heads of `chain/` have it. */
export interface ExecutionHead {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Wei. */
  readonly baseFeePerGas: bigint;
}

export interface ExecutorDeps extends BundleDeps {
  readonly settings: BundleDeps["settings"] & {
    /** Target blocks that a plan is tried for. */
    readonly blocks: number;
    /** Blocks on top of an inclusion after which it counts as final. */
    readonly finalityBlocks: number;
  };
}

/** Calls wait for each other: one plan is signed at a time. */
export interface Executor {
  /**
   * Stores the intent, simulates it and sends its first bundle, for the block after `head`.
   * @returns the intent as it stands then; `abandoned` when its simulation reverts or the policy refuses it.
   * @throws WorldFailure `STORE_INTENT_LIVE` and what store and node throw; what was stored is taken up by `advance`.
   */
  begin(decision: DecisionRow, plan: Plan, head: ExecutionHead): Promise<IntentRow>;
  /** Settles every live intent at a new head: included, final, reorganised away, sent again, or abandoned. */
  advance(head: ExecutionHead): Promise<void>;
  /** `advance` for the first head of a process: takes up what an earlier one left, wherever it died. */
  recover(head: ExecutionHead): Promise<void>;
}

export function createExecutor(deps: ExecutorDeps): Executor {
  const lifecycle = new Lifecycle(deps);
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  return {
    begin: (decision, plan, head) => inTurn(() => lifecycle.begin(decision, plan, head)),
    advance: (head) => inTurn(() => lifecycle.advance(head)),
    recover: (head) => inTurn(() => lifecycle.recover(head)),
  };
}
