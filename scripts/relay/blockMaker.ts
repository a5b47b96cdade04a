// Makes the chain's blocks: the bundles for exactly this block first, each whole and in order or not at all, then the
// public pool. A bundle that does not land whole is undone with its block, and the block is made again without it.
import type { Bundle, BundleBook, BundleTransaction } from "./bundles";
import type { DevNode, Head, Mark, MinedBlock, PublicTransaction } from "./devNode";
import type { Faults } from "./faults";
import { NodeRefusal } from "./jsonRpc";

export interface ProducedBlock {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: number;
  /** Hashes of the bundles (and private transactions) in it, in order. */
  readonly bundles: readonly string[];
  readonly rejected: readonly { readonly bundle: string; readonly reason: string }[];
  /** Blocks that this call took back first. */
  readonly reorgedBlocks: number;
}

interface Attempt {
  readonly block: MinedBlock;
  readonly failures: ReadonlyMap<Bundle, string>;
  /** Hashes that waited in the public pool before: somebody may have made a bundle's transaction public. */
  readonly wasPublic: ReadonlySet<string>;
}

interface PlannedReorg {
  readonly mark: Mark;
  readonly bundles: readonly Bundle[];
  readonly wasPublic: ReadonlySet<string>;
  readonly depth: number;
}

/** A late public transaction may split a bundle by accident: so often it gets another chance in the same block. */
const SPLIT_RETRIES = 2;
const SPLIT = "a public transaction came in between";

export class BlockMaker {
  private readonly faults: () => Faults;
  private readonly node: DevNode;
  private readonly book: BundleBook;
  private readonly secondsPerBlock: number;
  private queue: Promise<unknown> = Promise.resolve();
  private reorg: PlannedReorg | null = null;

  constructor(node: DevNode, book: BundleBook, options: { secondsPerBlock: number; faults: () => Faults }) {
    this.node = node;
    this.book = book;
    this.secondsPerBlock = options.secondsPerBlock;
    this.faults = options.faults;
  }

  /** One block; calls wait for each other. */
  produce(): Promise<ProducedBlock> {
    const next = this.queue.then(() => this.produceNow());
    this.queue = next.catch(() => undefined);
    return next;
  }

  /** Resolves when no block is in the making. */
  async idle(): Promise<void> {
    await this.queue;
  }

  private async produceNow(): Promise<ProducedBlock> {
    const reorgedBlocks = await this.reorgIfDue();
    const head = await this.node.head();
    const timestamp = head.timestamp + this.secondsPerBlock;
    const rejected: { bundle: string; reason: string }[] = [];
    const waiting = this.faults().neverInclude ? [] : this.book.eligible(head.number + 1, timestamp);
    let candidates = waiting.length === 0 ? [] : await this.valid(waiting, head, rejected);
    let splitRetries = SPLIT_RETRIES;

    while (candidates.length > 0) {
      const mark = await this.node.mark();
      const { block, failures, wasPublic } = await this.attempt(candidates, timestamp);
      if (failures.size === 0) {
        this.book.remove(candidates);
        this.planReorg({ mark, bundles: candidates, wasPublic });
        return this.produced(block, { bundles: candidates, rejected, reorgedBlocks });
      }
      await this.takeBack(mark, candidates, wasPublic);
      const splitOnly = [...failures.values()].every((reason) => reason === SPLIT);
      if (splitOnly && splitRetries-- > 0) continue;
      for (const [bundle, reason] of failures) rejected.push({ bundle: bundle.hash, reason });
      candidates = candidates.filter((bundle) => !failures.has(bundle));
    }
    return this.produced(await this.node.mine(timestamp), { bundles: [], rejected, reorgedBlocks });
  }

  private produced(
    block: MinedBlock,
    outcome: { bundles: readonly Bundle[]; rejected: ProducedBlock["rejected"]; reorgedBlocks: number },
  ): ProducedBlock {
    this.book.expire(block.number);
    return {
      number: block.number,
      hash: block.hash,
      timestamp: block.timestamp,
      bundles: outcome.bundles.map((bundle) => bundle.hash),
      rejected: outcome.rejected,
      reorgedBlocks: outcome.reorgedBlocks,
    };
  }

  /**
   * Leaves out what cannot be mined at the top of the next block, so that it never touches the pool: a transaction with a
   * nonce gap would stay there, for everybody to see.
   */
  private async valid(
    bundles: readonly Bundle[],
    head: Head,
    rejected: { bundle: string; reason: string }[],
  ): Promise<Bundle[]> {
    const baseFee = await this.node.nextBaseFee();
    const nonces = new Map<string, number>();
    const costs = new Map<string, bigint>();
    let gas = 0n;
    const accepted: Bundle[] = [];
    for (const bundle of bundles) {
      const bundleNonces = new Map(nonces);
      const bundleCosts = new Map(costs);
      let bundleGas = gas;
      let reason: string | null = null;
      for (const transaction of bundle.transactions) {
        const { from, parsed } = transaction;
        const nonce = bundleNonces.get(from) ?? (await this.node.accountNonce(from));
        const cost = (bundleCosts.get(from) ?? 0n) + parsed.value + parsed.gasLimit * feeCap(transaction);
        bundleGas += parsed.gasLimit;
        if (parsed.chainId !== this.node.chainId) reason = "signed for another chain";
        else if (transaction.nonce !== nonce) reason = `nonce ${transaction.nonce}, the account is at ${nonce}`;
        else if (feeCap(transaction) < baseFee) reason = "its fee cap is below the base fee";
        else if (cost > (await this.node.balance(from))) reason = "the sender cannot pay for it";
        else if (bundleGas > head.gasLimit) reason = "no gas left in the block";
        if (reason !== null) break;
        bundleNonces.set(from, nonce + 1);
        bundleCosts.set(from, cost);
      }
      if (reason !== null) {
        rejected.push({ bundle: bundle.hash, reason });
        continue;
      }
      accepted.push(bundle);
      bundleNonces.forEach((value, key) => nonces.set(key, value));
      bundleCosts.forEach((value, key) => costs.set(key, value));
      gas = bundleGas;
    }
    return accepted;
  }

  private async attempt(bundles: readonly Bundle[], timestamp: number): Promise<Attempt> {
    const failures = new Map<Bundle, string>();
    const publicTransactions = await this.node.takePool();
    for (const bundle of bundles) {
      for (const { raw } of bundle.transactions) {
        if (!failures.has(bundle) && !(await this.offer(raw))) failures.set(bundle, "the node refuses it");
      }
    }
    await this.putBack(publicTransactions);
    const block = await this.node.mine(timestamp);
    for (const bundle of bundles) {
      const failure = failures.get(bundle) ?? (await this.failureOf(bundle, block));
      if (failure !== null) failures.set(bundle, failure);
    }
    if (failures.size === 0) await this.putBack(await this.lostOf(publicTransactions, block));
    return { block, failures, wasPublic: new Set(publicTransactions.map(({ hash }) => hash)) };
  }

  private async failureOf(bundle: Bundle, block: MinedBlock): Promise<string | null> {
    const positions = bundle.transactions.map(({ hash }) => block.transactions.indexOf(hash));
    if (positions.includes(-1)) return "a transaction of it did not get into the block";
    const first = positions[0] ?? 0;
    if (positions.some((position, index) => position !== first + index)) return SPLIT;
    for (const { hash } of bundle.transactions) {
      const receipt = await this.node.receipt(hash);
      if (receipt?.succeeded !== true && !bundle.mayRevert.has(hash)) return `transaction ${hash} reverts`;
    }
    return null;
  }

  /** Undoes the attempt; every public transaction is in the pool again, no bundle transaction is. */
  private async takeBack(mark: Mark, bundles: readonly Bundle[], wasPublic: ReadonlySet<string>): Promise<void> {
    const hashes = bundles.flatMap((bundle) => bundle.transactions.map(({ hash }) => hash));
    const ours = new Set(hashes.filter((hash) => !wasPublic.has(hash)));
    const { number } = await this.node.head();
    const mined: PublicTransaction[] = [];
    for (let height = mark.height + 1; height <= number; height++) {
      mined.push(...(await this.node.blockTransactions(height)));
    }
    const rescued = [...mined, ...(await this.node.poolTransactions())].filter(({ hash }) => !ours.has(hash));
    await this.node.undo(mark);
    for (const { hash } of await this.node.poolTransactions()) {
      if (ours.has(hash)) await this.node.drop(hash);
    }
    await this.putBack(rescued);
  }

  /** In order; one that is in the pool already, or whose nonce a bundle has used, is refused by the node, and rightly. */
  private async putBack(transactions: readonly PublicTransaction[]): Promise<void> {
    for (const { raw } of transactions) await this.offer(raw);
  }

  private async offer(raw: string): Promise<boolean> {
    try {
      await this.node.sendRaw(raw);
      return true;
    } catch (failure) {
      if (failure instanceof NodeRefusal) return false;
      throw failure;
    }
  }

  private async lostOf(taken: readonly PublicTransaction[], block: MinedBlock): Promise<PublicTransaction[]> {
    const mined = new Set(block.transactions);
    const missing = taken.filter(({ hash }) => !mined.has(hash));
    if (missing.length === 0) return [];
    const waiting = new Set((await this.node.poolTransactions()).map(({ hash }) => hash));
    return missing.filter(({ hash }) => !waiting.has(hash));
  }

  private planReorg(inclusion: Omit<PlannedReorg, "depth">): void {
    const depth = this.faults().reorgDepth;
    if (depth > 0 && this.reorg === null) this.reorg = { ...inclusion, depth };
  }

  /** Replaces the planned blocks by as many others without the bundle, so that the block of this call makes them longer. */
  private async reorgIfDue(): Promise<number> {
    const planned = this.reorg;
    if (planned === null) return 0;
    const { number } = await this.node.head();
    const depth = number - planned.mark.height;
    if (depth < planned.depth) return 0;
    this.reorg = null;
    const timestamps: number[] = [];
    for (let height = planned.mark.height + 1; height <= number; height++) {
      timestamps.push((await this.node.block(height)).timestamp);
    }
    await this.takeBack(planned.mark, planned.bundles, planned.wasPublic);
    // One second later than the originals: other blocks even where no transaction differs.
    for (const timestamp of timestamps) await this.node.mine(timestamp + 1);
    return depth;
  }
}

function feeCap({ parsed }: BundleTransaction): bigint {
  return parsed.maxFeePerGas ?? parsed.gasPrice ?? 0n;
}
