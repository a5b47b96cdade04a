// Sends the steps of a deployment, each at most once. Signed bytes are in the journal before they leave, and what came
// of them is read from the chain, never remembered.
import { getCreateAddress, isError, keccak256, Transaction, type Provider, type Signer } from "ethers";
import { Failure, InputFailure, WorldFailure } from "../keeper/config/failure";
import type { Journal, JournalEntry } from "./journal";

export interface Step {
  /** Unique in the deployment. */
  readonly id: string;
  /** Null: creates a contract. */
  readonly to: string | null;
  readonly data: string;
  /** True when the step's effect is there, whichever transaction brought it about. */
  readonly done: (creates: string | null) => Promise<boolean>;
}

export type DeploymentEvent =
  | { readonly kind: "step.signed"; readonly step: string; readonly nonce: number; readonly hash: string }
  | { readonly kind: "step.sent"; readonly step: string; readonly hash: string }
  | { readonly kind: "step.mined"; readonly step: string; readonly block: number; readonly creates: string | null }
  | { readonly kind: "step.planned"; readonly step: string; readonly nonce: number; readonly creates: string | null }
  | { readonly kind: "adapters.again"; readonly reason: string }
  | { readonly kind: "deployment.done"; readonly addressFile: string; readonly sent: number };

export interface Mined {
  readonly creates: string | null;
  readonly block: number;
}

/** The nonce that a step needs went to a transaction of somebody else's making. */
export class NonceTaken extends Error {}

export interface Transactions {
  readonly deployer: string;
  /** The nonce that the next fresh step gets. */
  nextNonce(): Promise<number>;
  /** Carries the step out, or finds that an earlier run did. @throws NonceTaken if `nonce` is given and gone. */
  run(step: Step, nonce?: number): Promise<Mined>;
  /** How many were signed and sent by this run. */
  readonly sent: number;
}

const POLL_MS = 100;
const SLOWEST_POLL_MS = 2_000;
/** Twice as long as ethers' providers answer from their cache. */
const CACHE_MS = 500;
const PATIENCE_MS = 10 * 60_000;
/** An estimate is made on the state before; another block may make the step a little dearer. */
const gasWithMargin = (estimate: bigint): bigint => (estimate * 115n) / 100n;

/** Really sends. The signer must be able to sign without sending, as a wallet or an HSM does. */
export class LiveTransactions implements Transactions {
  sent = 0;
  /** Above every nonce that was seen to be used: a provider may answer an older count from its cache. */
  private leastNonce = 0;

  constructor(
    private readonly signer: Signer,
    private readonly provider: Provider,
    private readonly on: {
      readonly deployer: string;
      readonly chainId: number;
      readonly journal: Journal;
      readonly confirmations: number;
      readonly log: (event: DeploymentEvent) => void;
      readonly patienceMs?: number;
    },
  ) {}

  get deployer(): string {
    return this.on.deployer;
  }

  async nextNonce(): Promise<number> {
    return Math.max(this.leastNonce, await this.provider.getTransactionCount(this.deployer, "pending"));
  }

  async run(step: Step, nonce?: number): Promise<Mined> {
    const entry = this.on.journal.entry(step.id);
    if (entry !== undefined && (nonce === undefined || entry.nonce === nonce)) {
      const mined = await this.settle(step, entry);
      if (mined !== null) return mined;
    }
    if (step.to !== null && (await step.done(null))) return { creates: null, block: await this.head() };
    const next = await this.nextNonce();
    if (nonce !== undefined && next !== nonce) throw new NonceTaken(step.id);
    const signed = await this.sign(step, next);
    return this.finish(step, signed, nonce !== undefined);
  }

  /** What came of bytes that an earlier run signed; null when they can never take effect. */
  private async settle(step: Step, entry: JournalEntry): Promise<Mined | null> {
    const receipt = await this.provider.getTransactionReceipt(entry.hash);
    if (receipt === null && (await this.count()) > entry.nonce && (await this.gone(entry))) {
      // Another transaction took its place, or the node was restarted from a saved state and forgot this one.
      return this.foundByEffect(step, entry);
    }
    if (receipt?.status === 0) return null;
    if (receipt === null) await this.broadcast(step, entry);
    return this.wait(step, entry).catch((error: unknown) => {
      if (error instanceof NonceTaken) return null;
      throw error;
    });
  }

  private async foundByEffect(step: Step, entry: JournalEntry): Promise<Mined | null> {
    if (!(await step.done(entry.creates))) return null;
    this.leastNonce = entry.nonce + 1;
    return { creates: entry.creates, block: await this.head() };
  }

  private async sign(step: Step, nonce: number): Promise<JournalEntry> {
    let populated;
    try {
      const { maxFeePerGas, maxPriorityFeePerGas } = await this.provider.getFeeData();
      const estimate = await this.provider.estimateGas({ from: this.deployer, to: step.to, data: step.data });
      populated = {
        type: 2,
        chainId: this.on.chainId,
        nonce,
        to: step.to,
        data: step.data,
        value: 0n,
        gasLimit: gasWithMargin(estimate),
        maxFeePerGas,
        maxPriorityFeePerGas,
      };
    } catch (error) {
      throw asFailure(step, error);
    }
    const raw = await this.signer.signTransaction(populated);
    const hash = Transaction.from(raw).hash ?? keccak256(raw);
    const creates = step.to === null ? getCreateAddress({ from: this.deployer, nonce }) : null;
    const entry = { nonce, hash, raw, creates };
    this.on.journal.record(step.id, entry);
    this.on.log({ kind: "step.signed", step: step.id, nonce, hash });
    return entry;
  }

  private async finish(step: Step, entry: JournalEntry, fixed: boolean): Promise<Mined> {
    try {
      this.sent += 1;
      await this.broadcast(step, entry);
      return await this.wait(step, entry);
    } catch (error) {
      if (!(error instanceof NonceTaken) || fixed) throw error;
      return this.run(step);
    }
  }

  private async broadcast(step: Step, entry: JournalEntry): Promise<void> {
    try {
      await this.provider.broadcastTransaction(entry.raw);
    } catch (error) {
      // The node has it already: from an earlier run, or from the try whose answer was lost.
      const known = /already known|already imported|known transaction/i.test(String((error as Error).message));
      const spent = isError(error, "NONCE_EXPIRED") || isError(error, "REPLACEMENT_UNDERPRICED");
      if (!known && !spent) throw asFailure(step, error);
      if (spent && (await this.provider.getTransaction(entry.hash)) === null) throw new NonceTaken(step.id);
    }
    this.on.log({ kind: "step.sent", step: step.id, hash: entry.hash });
  }

  private async wait(step: Step, entry: JournalEntry): Promise<Mined> {
    const end = Date.now() + (this.on.patienceMs ?? PATIENCE_MS);
    for (let pause = POLL_MS; Date.now() < end; pause = Math.min(pause * 1.5, SLOWEST_POLL_MS)) {
      const count = await this.count();
      const receipt = await this.provider.getTransactionReceipt(entry.hash);
      if (receipt?.status === 0) {
        throw new WorldFailure("STEP_REVERTED", `step ${step.id} was mined and reverted (${entry.hash})`, {
          remedy: "Look the transaction up, mend the cause, and run the same command again.",
        });
      }
      if (receipt !== null && (await this.head()) - receipt.blockNumber + 1 >= this.on.confirmations) {
        this.leastNonce = entry.nonce + 1;
        this.on.log({ kind: "step.mined", step: step.id, block: receipt.blockNumber, creates: entry.creates });
        return { creates: entry.creates, block: receipt.blockNumber };
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      // Somebody's transaction has used the nonce. Read again, for the provider may have answered from its cache.
      if (receipt === null && count > entry.nonce && (await this.gone(entry))) throw new NonceTaken(step.id);
    }
    throw new WorldFailure("STEP_NOT_MINED", `step ${step.id} is not in a block yet (${entry.hash})`, {
      remedy:
        "Run the same command again: it goes on from here. If the node makes no blocks by itself, start its miner.",
    });
  }

  private async gone(entry: JournalEntry): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, CACHE_MS));
    return (await this.provider.getTransactionReceipt(entry.hash)) === null;
  }

  private count(): Promise<number> {
    return this.provider.getTransactionCount(this.deployer, "latest");
  }

  private head(): Promise<number> {
    return this.provider.getBlockNumber();
  }
}

/** Sends nothing: tells which steps there would be, with the addresses that would come of them. */
export class PlannedTransactions implements Transactions {
  readonly sent = 0;

  constructor(
    readonly deployer: string,
    private next: number,
    private readonly log: (event: DeploymentEvent) => void,
  ) {}

  nextNonce(): Promise<number> {
    return Promise.resolve(this.next);
  }

  run(step: Step): Promise<Mined> {
    const nonce = this.next++;
    const creates = step.to === null ? getCreateAddress({ from: this.deployer, nonce }) : null;
    this.log({ kind: "step.planned", step: step.id, nonce, creates });
    return Promise.resolve({ creates, block: 0 });
  }
}

/** What a node says against a step, as one line without what it was asked. */
function asFailure(step: Step, error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (isError(error, "INSUFFICIENT_FUNDS")) {
    return new InputFailure("DEPLOYER_POOR", "the deployer cannot pay for gas", {
      field: "deployer",
      remedy: "Send it ether and run the same command again.",
      cause: error,
    });
  }
  if (isError(error, "CALL_EXCEPTION")) {
    const said = error.revert?.name ?? error.reason ?? (error.data?.slice(0, 10) || "no reason given");
    return new WorldFailure("STEP_WOULD_REVERT", `step ${step.id} would revert: ${said}`, {
      remedy: "Nothing was sent for it. Mend the cause and run the same command again.",
      cause: error,
    });
  }
  const code = (error as { code?: unknown }).code;
  return new WorldFailure("NODE_REFUSED", `the node did not take step ${step.id} (${String(code ?? "unknown")})`, {
    remedy: "See whether the node is up, and run the same command again: it goes on from here.",
    cause: error,
  });
}
