// Swaps, mints and burns of a Uniswap V3 pool from a subgraph of The Graph, as rows that equal what the chain's own logs
// give. Everything is read at one block, paged by id, and checked: the index has that block and no indexing errors, each
// event lies in a block of our chain, and all together lead from the pool's volume, price and liquidity before to those after.
import { InputFailure } from "../config/failure";
import type { EventRow } from "../store/historyRecords";
import { ratio } from "../venues/exact";
import type { ChainBlock } from "./chainBlocks";
import { unlessAborted } from "../chain/clock";
import { unitsOf } from "./decimalAmount";
import { garbage } from "./httpSource";
import { PinnedReader, type PoolRange, type Subgraph, contradiction } from "./subgraphReader";
import {
  BURNS,
  MINTS,
  SWAPS,
  type SubgraphBurn,
  type SubgraphMint,
  type SubgraphPool,
  type SubgraphSwap,
} from "./theGraphAnswers";
import { OF_TICKS } from "./uniswapLogs";

export const THE_GRAPH = "the-graph";

/**
 * The header that holds the API key (The Graph docs, Managing API keys): never in the address, which others log.
 *
 * @throws InputFailure `SOURCE_KEY_MISSING`, `SOURCE_KEY_MALFORMED`.
 */
export function graphKeyHeader(
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const key = env[variable]?.trim() ?? "";
  const remedy = `Put the API key of Subgraph Studio into ${variable}.`;
  if (key === "") throw new InputFailure("SOURCE_KEY_MISSING", "there is no API key", { field: variable, remedy });
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new InputFailure("SOURCE_KEY_MALFORMED", "that is no API key", { field: variable, remedy });
  }
  return { authorization: `Bearer ${key}` };
}

/**
 * Every swap, mint and burn of the range, in order of the chain.
 *
 * @throws WorldFailure `SOURCE_BEHIND` (the index has not come to `toBlock`), `SOURCE_PRUNED` (it has no state of that block
 * or of the one before the range), `SOURCE_INDEX_BROKEN` (indexing errors), `SOURCE_POOL_UNKNOWN`, `SOURCE_CONTRADICTION`
 * (events are missing, twice at one place, or not of our chain), `SOURCE_ERROR` (GraphQL errors), `SOURCE_GARBAGE`, and as
 * `HttpSource.ask` and `Chain.request`.
 */
export async function poolEvents(subgraph: Subgraph, range: PoolRange): Promise<EventRow[]> {
  const reader = new PinnedReader(subgraph, range);
  const { start, end } = await reader.ends();
  const [swaps, mints, burns] = [await reader.list(SWAPS), await reader.list(MINTS), await reader.list(BURNS)];
  const units: Units = (amount, which) => {
    const value = unitsOf(amount, which === 0 ? end.token0.decimals : end.token1.decimals);
    if (value === null) throw garbage(subgraph.source, "gives an amount that is not an exact number of units");
    return value;
  };
  const drafts = [
    ...swaps.map((swap) => swapDraft(swap, units)),
    ...mints.map((mint) => changeDraft("mint", mint, { units, sender: mint.sender, recipient: mint.owner })),
    ...burns.map((burn) => changeDraft("burn", burn, { units, sender: burn.owner, recipient: null })),
  ].sort((a, b) => a.block - b.block || a.logIndex - b.logIndex);
  const blocks = await blocksOf(subgraph, range, drafts);
  const placed = drafts.map((draft) => placedDraft(subgraph, range, { draft, block: blocks.get(draft.block) }));
  refuseTwins(subgraph, placed);
  if (!tradedAll(placed, { start, end })) throw reader.incomplete();
  const liquidity = await reader.liquidity(placed, { start, end });
  if (liquidity === null) throw reader.incomplete();
  return withLiquidity(placed, liquidity, start?.sqrtPrice ?? 0n);
}

type Ends = { readonly start: SubgraphPool | null; readonly end: SubgraphPool };

/** Whether the swaps account for the pool's volume in the range, to the unit. */
function tradedAll(rows: readonly EventRow[], { start, end }: Ends): boolean {
  const decimals = end.token0.decimals;
  const before = start === null ? "0" : unitsOf(start.volumeToken0, decimals);
  const after = unitsOf(end.volumeToken0, decimals);
  // More digits than the index keeps: it cannot tell.
  if (before === null || after === null) return true;
  const traded = rows.reduce((sum, { kind, amount0 }) => (kind === "swap" ? sum + magnitude(amount0) : sum), 0n);
  return traded === BigInt(after) - BigInt(before);
}

const magnitude = (amount: string): bigint => BigInt(amount.replace("-", ""));

type Units = (amount: string, which: 0 | 1) => string;

/** What the entity itself says of a row. */
type Draft = Omit<EventRow, "chainId" | "source" | "pool" | "blockHash" | "txIndex" | "availableAt" | "priceImpactBps">;

function draftOf(entity: SubgraphSwap | SubgraphBurn, kind: EventRow["kind"]) {
  return {
    kind,
    block: entity.transaction.blockNumber,
    txHash: entity.transaction.id,
    logIndex: entity.logIndex,
    observedAt: entity.timestamp,
    // The mapping has no receipts: it writes 0, in its first versions the gas limit.
    gasUsed: null,
    ...OF_TICKS,
    gasPriceWei: entity.transaction.gasPrice,
  };
}

function swapDraft(swap: SubgraphSwap, units: Units): Draft {
  return {
    ...draftOf(swap, "swap"),
    sender: swap.sender,
    recipient: swap.recipient,
    amount0: units(swap.amount0, 0),
    amount1: units(swap.amount1, 1),
    sqrtPriceX96: swap.sqrtPriceX96,
    liquidity: "0",
    tick: swap.tick,
    tickLower: null,
    tickUpper: null,
  };
}

function changeDraft(
  kind: "mint" | "burn",
  change: SubgraphMint | SubgraphBurn,
  { units, sender, recipient }: { units: Units; sender: string | null; recipient: string | null },
): Draft {
  const signed = (amount: string): string => (kind === "mint" || amount === "0" ? amount : `-${amount}`);
  return {
    ...draftOf(change, kind),
    sender,
    recipient,
    amount0: signed(units(change.amount0, 0)),
    amount1: signed(units(change.amount1, 1)),
    sqrtPriceX96: null,
    liquidity: change.amount,
    tick: null,
    tickLower: change.tickLower,
    tickUpper: change.tickUpper,
  };
}

/** At a time, so that a node is not flooded. */
const BLOCKS_AT_ONCE = 8;

async function blocksOf(
  { blocks }: Subgraph,
  { signal }: PoolRange,
  drafts: readonly Draft[],
): Promise<Map<number, ChainBlock | null>> {
  const numbers = [...new Set(drafts.map(({ block }) => block))];
  const found = new Map<number, ChainBlock | null>();
  for (let from = 0; from < numbers.length; from += BLOCKS_AT_ONCE) {
    const some = numbers.slice(from, from + BLOCKS_AT_ONCE);
    const answers = await unlessAborted(Promise.all(some.map((number) => blocks(number))), signal);
    some.forEach((number, index) => found.set(number, answers[index] ?? null));
  }
  return found;
}

/** A row at its place in the chain, which must be where the chain has it. */
function placedDraft(
  { source, chainId }: Subgraph,
  { pool, fromBlock, toBlock }: PoolRange,
  { draft, block }: { readonly draft: Draft; readonly block: ChainBlock | null | undefined },
): EventRow {
  if (draft.block < fromBlock || draft.block > toBlock) {
    throw garbage(source, `gives an event of block ${draft.block}, outside what was asked for`);
  }
  const txIndex = block?.transactions.indexOf(draft.txHash) ?? -1;
  if (block == null || txIndex < 0 || block.timestamp !== draft.observedAt) {
    throw contradiction(source, `has an event in block ${draft.block} that our chain does not have there`);
  }
  const place = { chainId, source: THE_GRAPH, pool: pool.toLowerCase(), blockHash: block.hash, txIndex };
  // Whoever watched the chain knew it with the block.
  return { ...draft, ...place, availableAt: draft.observedAt, priceImpactBps: null };
}

function refuseTwins({ source }: Subgraph, rows: readonly EventRow[]): void {
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    if (before?.block !== row.block || before.logIndex !== row.logIndex) return;
    throw contradiction(source, `has two events at log ${row.logIndex} of block ${row.block}`);
  });
}

/** @param firstPrice Square root of the price before the first row; zero: none. */
function withLiquidity(rows: readonly EventRow[], after: readonly (bigint | null)[], firstPrice: bigint): EventRow[] {
  let priceBefore = firstPrice;
  return rows.map((row, index) => {
    const liquidity = after[index] ?? null;
    if (row.sqrtPriceX96 === null || liquidity === null) return row;
    const price = BigInt(row.sqrtPriceX96);
    const priceImpactBps = priceBefore === 0n ? null : impactBps(priceBefore, price);
    priceBefore = price;
    return { ...row, liquidity: liquidity.toString(), priceImpactBps };
  });
}

/** Of square roots of prices: the price is the square; the difference is taken before anything is rounded. */
function impactBps(before: bigint, after: bigint): number {
  return 1e4 * ratio(after * after - before * before, before * before);
}
