// Files of single swaps, each with its transaction, and of what their pools are: samples of a chain's blocks, as they are used to
// study what is done around a swap. They have no times: of a chain whose blocks' times are known, they are bounded.
import { InputFailure } from "../config/failure";
import type { DescribedPool, SampledSwap } from "../store/poolFileRecords";
import { blockTimeSpan } from "./blockTimes";
import { readNumberCsv, type CsvRow } from "./numberCsv";

export interface FileOfChain {
  /** Shown in failures. */
  readonly file: string;
  readonly chainId: number;
  /** Unix seconds. */
  readonly now: number;
  /** Goes into each row. */
  readonly source: string;
}

const SWAP_COLUMNS = [
  ...["block", "tx_index", "log_index", "tx_hash", "from", "to", "pool", "protocol", "amount0", "amount1"],
  ...["sqrt_price_x96", "liquidity", "tick", "reserve0", "reserve1", "gas_price_paid", "coinbase_tip_wei"],
];
const [BLOCK, TX_INDEX, LOG_INDEX, TX_HASH, FROM, TO] = [0, 1, 2, 3, 4, 5] as const;
const [POOL, PROTOCOL, AMOUNT0, AMOUNT1] = [6, 7, 8, 9] as const;
const [SQRT_PRICE, LIQUIDITY, TICK, RESERVE0, RESERVE1, GAS_PRICE, TIP] = [10, 11, 12, 13, 14, 15, 16] as const;
/** By which a file of swaps is known, whatever else it has. */
const OF_SWAPS = ["block", "log_index", "pool", "amount0", "amount1"];

const POOL_COLUMNS = [
  ...["pool", "protocol", "token0", "token1", "fee_pips", "tick_spacing", "decimals0", "decimals1"],
];

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const INTEGER = /^-?\d{1,78}$/;
const WHOLE = /^\d{1,78}$/;
/** What a pool keeps: uint160, uint128, uint112. */
const PRICE = /^(?!0+$)\d{1,49}$/;
const IN_RANGE = /^\d{1,39}$/;
const RESERVE = /^\d{1,34}$/;
const SMALL_INTEGER = /^-?\d{1,7}$/;

export const isOfSwaps = (header: readonly string[]): boolean => OF_SWAPS.every((column) => header.includes(column));
export const isOfPools = (header: readonly string[]): boolean =>
  POOL_COLUMNS.every((column) => header.includes(column)) && !isOfSwaps(header);

/**
 * Swaps in the file's order, which is the chain's.
 *
 * @throws InputFailure as `readNumberCsv`, `IMPORT_UNSORTED`, `IMPORT_TWICE`; `IMPORT_WRONG_CHAIN` of a block that the chain has
 * not come to, and of a chain whose blocks' times are not known: no row could say then from when it was known.
 */
export function parseSwaps(bytes: Buffer, of: FileOfChain): SampledSwap[] {
  const rows: SampledSwap[] = [];
  readNumberCsv(bytes, { file: of.file, columns: SWAP_COLUMNS }, (row) => {
    const block = row.whole(BLOCK);
    const [txIndex, logIndex] = [row.whole(TX_INDEX), row.whole(LOG_INDEX)];
    const last = rows.at(-1);
    const txHash = matching(row, TX_HASH, HASH);
    if (last?.block === block) {
      if (logIndex === last.logIndex) throw refused(row, of, TWICE);
      if (logIndex < last.logIndex || txIndex < last.txIndex) throw refused(row, of, UNSORTED);
      if ((txIndex === last.txIndex) !== (txHash === last.txHash)) {
        throw row.malformed(TX_HASH, "is not the transaction that the row above has at this place");
      }
    } else if (last !== undefined && block < last.block) throw refused(row, of, UNSORTED);
    const protocol = matching(row, PROTOCOL, /^v[23]$/) as "v2" | "v3";
    const [ofTicks, ofReserves] = [protocol === "v3", protocol === "v2"];
    const tick = only(row, TICK, { where: ofTicks, pattern: SMALL_INTEGER });
    rows.push({
      ...{ chainId: of.chainId, block, txIndex, logIndex, txHash, source: of.source, ...timesOf(row, block, of) },
      sender: matching(row, FROM, ADDRESS),
      recipient: row.text(TO) === "" ? null : matching(row, TO, ADDRESS),
      ...{ pool: matching(row, POOL, ADDRESS), protocol },
      ...{ amount0: matching(row, AMOUNT0, INTEGER), amount1: matching(row, AMOUNT1, INTEGER) },
      sqrtPriceX96: only(row, SQRT_PRICE, { where: ofTicks, pattern: PRICE }),
      liquidity: only(row, LIQUIDITY, { where: ofTicks, pattern: IN_RANGE }),
      tick: tick === null ? null : Number(tick),
      reserve0: only(row, RESERVE0, { where: ofReserves, pattern: RESERVE }),
      reserve1: only(row, RESERVE1, { where: ofReserves, pattern: RESERVE }),
      ...{ gasPriceWei: matching(row, GAS_PRICE, WHOLE), tipWei: matching(row, TIP, INTEGER) },
    });
  });
  return rows;
}

/** @throws InputFailure as `readNumberCsv`, `IMPORT_TWICE`. */
export function parsePools(bytes: Buffer, of: FileOfChain): DescribedPool[] {
  const rows = new Map<string, DescribedPool>();
  const whole = (row: CsvRow, column: number): number | null => (row.text(column) === "" ? null : row.whole(column));
  readNumberCsv(bytes, { file: of.file, columns: POOL_COLUMNS }, (row) => {
    const pool = matching(row, 0, ADDRESS);
    if (rows.has(pool)) throw refused(row, of, TWICE);
    rows.set(pool, {
      ...{ chainId: of.chainId, pool, source: of.source, protocol: matching(row, 1, /^v[23]$/) as "v2" | "v3" },
      ...{ token0: matching(row, 2, ADDRESS), token1: matching(row, 3, ADDRESS) },
      ...{ feePips: whole(row, 4), tickSpacing: whole(row, 5), decimals0: whole(row, 6), decimals1: whole(row, 7) },
    });
  });
  return [...rows.values()];
}

/** What is known of when a block was; `availableAt` is late rather than early, so that nothing is used before it was known. */
function timesOf(row: CsvRow, block: number, of: FileOfChain): { observedAt: number; availableAt: number } {
  const span = blockTimeSpan(of.chainId, block);
  if (span === null) {
    throw refused(row, of, {
      code: "IMPORT_WRONG_CHAIN",
      what: `swaps have no times in a file, and when blocks of chain ${of.chainId} were is not known here`,
      remedy: "Name the chain that the file is of (--chain 1), or collect the swaps from a node: tiller backfill.",
    });
  }
  if (span.earliest > of.now) {
    throw refused(row, of, {
      code: "IMPORT_WRONG_CHAIN",
      what: `Ethereum mainnet has not come to block ${block} yet`,
      remedy: "Import the file under the chain that it is of, or correct the block.",
    });
  }
  return { observedAt: span.earliest, availableAt: Math.min(span.latest ?? of.now, of.now) };
}

function matching(row: CsvRow, column: number, pattern: RegExp): string {
  const text = row.text(column);
  if (pattern.test(text)) return text;
  throw row.malformed(column, "is not what this column has");
}

/** What only one kind of pool has; null of the other, whose field must be empty. */
function only(
  row: CsvRow,
  column: number,
  { where, pattern }: { readonly where: boolean; readonly pattern: RegExp },
): string | null {
  if (where) return matching(row, column, pattern);
  if (row.text(column) === "") return null;
  throw row.malformed(column, "is of the other kind of pool");
}

interface Refusal {
  readonly code: string;
  readonly what: string;
  readonly remedy: string;
}

const TWICE: Refusal = { code: "IMPORT_TWICE", what: "is there already", remedy: "Keep one of the two." };
const UNSORTED: Refusal = {
  code: "IMPORT_UNSORTED",
  what: "is before the row above",
  remedy: "Sort the rows by block, tx_index and log_index.",
};

function refused(row: CsvRow, { file }: FileOfChain, { code, what, remedy }: Refusal): InputFailure {
  return new InputFailure(code, what, { field: `${file}: line ${row.line}, column 1`, remedy });
}
