// One subgraph read at one block, page by page, every answer checked: that the index has the block, has had no indexing
// errors and is the same version of the subgraph all along.
import type { z } from "zod";
import type { WorldFailure } from "../config/failure";
import type { EventRow } from "../store/historyRecords";
import type { BlockLookup } from "./chainBlocks";
import { type HttpSource, failure, garbage } from "./httpSource";
import { type PoolEvent, type PoolEnds, crossedSpan, liquidityAfter } from "./subgraphLiquidity";
import {
  LARGEST_PAGE,
  POOL_QUERY,
  TICKS,
  type IndexMeta,
  type Listing,
  type SubgraphPool,
  graphqlAnswer,
  pageData,
  poolData,
} from "./theGraphAnswers";

export interface Subgraph {
  /** At the subgraph's own address, for example `https://gateway.thegraph.com/api/subgraphs/id/…`. */
  readonly source: HttpSource;
  readonly chainId: number;
  readonly blocks: BlockLookup;
  /** At most 1,000. */
  readonly pageSize?: number;
}

export interface PoolRange {
  readonly pool: string;
  /** Both included. */
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the subgraph at one block. */
export class PinnedReader {
  readonly #subgraph: Subgraph;
  readonly #range: PoolRange;
  #deployment: string | null = null;

  constructor(subgraph: Subgraph, range: PoolRange) {
    this.#subgraph = subgraph;
    this.#range = range;
  }

  /** The pool before the range and at its end. */
  async ends(): Promise<{ readonly start: SubgraphPool | null; readonly end: SubgraphPool }> {
    const { source } = this.#subgraph;
    const { pool, fromBlock, toBlock } = this.#range;
    const at = async (block: number): Promise<SubgraphPool | null> =>
      (await this.#ask(POOL_QUERY, { pool: pool.toLowerCase(), block }, poolData)).pool;
    const end = await at(toBlock);
    if (end !== null) return { start: fromBlock === 0 ? null : await at(fromBlock - 1), end };
    const remedy = "Check its address, and begin after the block in which it was made.";
    throw failure(source, "SOURCE_POOL_UNKNOWN", `knows no pool ${pool} at block ${toBlock}`, remedy);
  }

  /** Every item of the range of blocks, or between two ticks, as it is at a block; each once. */
  async list<T extends { readonly id: string }>(
    listing: Listing<T>,
    { from, to, block }: { readonly from: number; readonly to: number; readonly block: number } = {
      from: this.#range.fromBlock,
      to: this.#range.toBlock,
      block: this.#range.toBlock,
    },
  ): Promise<T[]> {
    const { source, pageSize = LARGEST_PAGE } = this.#subgraph;
    const items: T[] = [];
    for (let after = ""; ; after = items.at(-1)?.id ?? "") {
      const variables = {
        pool: this.#range.pool.toLowerCase(),
        block,
        first: pageSize,
        after,
        from: String(from),
        to: String(to),
      };
      const { page } = await this.#ask(listing.query, variables, pageData(listing.item));
      for (const item of page) {
        // Ids are compared as bytes, here as there: they are ASCII.
        if (item.id <= (items.at(-1)?.id ?? "")) throw garbage(source, "gives pages whose ids do not go up");
        items.push(item);
      }
      if (page.length > pageSize) throw garbage(source, "gives pages that are longer than asked for");
      if (page.length < pageSize) return items;
    }
  }

  /** For each row the liquidity in range after it; null of mints and burns; null altogether: events are missing. */
  async liquidity(rows: readonly EventRow[], ends: PoolEnds): Promise<(bigint | null)[] | null> {
    const events = rows.map((row): PoolEvent => ({ ...row, liquidity: BigInt(row.liquidity ?? 0) }));
    const span = crossedSpan(events, ends);
    const netsAt = async (block: number): Promise<Map<number, bigint>> => {
      const ticks = span === null ? [] : await this.list(TICKS, { from: span.low, to: span.high, block });
      return new Map(ticks.map(({ tickIdx, liquidityNet }) => [tickIdx, liquidityNet]));
    };
    const { fromBlock, toBlock } = this.#range;
    const before = ends.start === null ? new Map<number, bigint>() : await netsAt(fromBlock - 1);
    return liquidityAfter(events, ends, { before, after: await netsAt(toBlock) });
  }

  incomplete(): WorldFailure {
    const { fromBlock, toBlock } = this.#range;
    const what = `gives events of blocks ${fromBlock} to ${toBlock} that do not lead from its state before to that after`;
    return contradiction(this.#subgraph.source, what);
  }

  async #ask<D extends { readonly _meta: IndexMeta }>(
    query: string,
    variables: Readonly<Record<string, string | number>> & { readonly block: number },
    data: z.ZodType<D>,
  ): Promise<D> {
    const { source } = this.#subgraph;
    const body = { query, variables };
    const answer = await source.ask({ path: "", body, shape: graphqlAnswer(data), signal: this.#range.signal });
    const errors = answer.errors ?? [];
    if (errors.length > 0) throw refused(source, variables.block, errors.map(({ message }) => message).join("; "));
    if (answer.data == null) throw garbage(source, "answers with neither data nor errors");
    this.#check(answer.data._meta);
    return answer.data;
  }

  #check({ block, deployment, hasIndexingErrors }: IndexMeta): void {
    const { source } = this.#subgraph;
    if (hasIndexingErrors) throw broken(source);
    if (block.number < this.#range.toBlock) throw behind(source, this.#range.toBlock, block.number);
    if (this.#deployment !== null && this.#deployment !== deployment) {
      throw contradiction(source, "changed to another version of the subgraph between two pages");
    }
    this.#deployment = deployment;
  }
}

/** graph-node and the gateway tell errors apart by words only (graph-node issue 1559); they are read, never shown. */
function refused(source: HttpSource, block: number, message: string): WorldFailure {
  if (/only has data starting at|before minimum/i.test(message)) {
    const what = `has no state of block ${block}`;
    return failure(source, "SOURCE_PRUNED", what, "Use a deployment that is not pruned, or the chain's logs.");
  }
  if (/has only indexed up to|not yet available|missing block/i.test(message)) return behind(source, block, null);
  if (/indexing_error/i.test(message)) return broken(source);
  if (/bad indexers|no indexers/i.test(message)) {
    const remedy = "Wait for its indexers, or use the chain's logs; it is asked again by itself.";
    return failure(source, "SOURCE_UNREACHABLE", "has no indexer that answers", remedy);
  }
  if (/auth error|api key|unauthori[sz]ed|payment required/i.test(message)) {
    return failure(source, "SOURCE_REFUSED", "refuses the API key", "Check the key and what it may spend.");
  }
  return failure(source, "SOURCE_ERROR", "answers the query with an error", "Check that it is a Uniswap V3 subgraph.");
}

function behind(source: HttpSource, wanted: number, at: number | null): WorldFailure {
  const where = at === null ? "has not come to" : `is at block ${at}, not yet at`;
  return failure(
    source,
    "SOURCE_BEHIND",
    `${where} block ${wanted}`,
    "Wait for the index; it is asked again by itself.",
  );
}

function broken(source: HttpSource): WorldFailure {
  const remedy = "Use another deployment of the subgraph, or the chain's logs.";
  return failure(source, "SOURCE_INDEX_BROKEN", "has had indexing errors", remedy);
}

export function contradiction(source: HttpSource, what: string): WorldFailure {
  return failure(source, "SOURCE_CONTRADICTION", what, "Ask again once the blocks are final, or use the chain's logs.");
}
