// The liquidity in range after each swap of a Uniswap V3 pool, which the subgraph does not keep: walked back from the pool
// and its ticks at the last block. In every state of a pool the liquidity in range is the sum of `liquidityNet` over all
// ticks up to the current one (Uniswap V3 core whitepaper, 6.2 and 6.3), so that nothing here is an estimate. Pure.

export interface PoolEvent {
  readonly kind: "swap" | "mint" | "burn";
  /** After a swap; null of the others. */
  readonly tick: number | null;
  /** Of a mint or burn; null of a swap. */
  readonly tickLower: number | null;
  readonly tickUpper: number | null;
  /** Minted or burnt; zero of a swap. */
  readonly liquidity: bigint;
}

export interface PoolState {
  /** Null: not initialised, without a swap ever. */
  readonly tick: number | null;
  readonly liquidity: bigint;
}

/** The pool around a range of blocks. */
export interface PoolEnds {
  /** Before the first event; null: the pool was not there. */
  readonly start: PoolState | null;
  /** After the last one. */
  readonly end: PoolState;
}

/** The ticks whose `liquidityNet` the walk crosses: above `low`, up to `high`. Null: none. */
export function crossedSpan(
  events: readonly PoolEvent[],
  { start, end }: PoolEnds,
): { readonly low: number; readonly high: number } | null {
  const ticks = [...events.map(({ tick }) => tick), end.tick, start?.tick ?? null].filter((tick) => tick !== null);
  const low = ticks.reduce((least, tick) => Math.min(least, tick), Infinity);
  const high = ticks.reduce((most, tick) => Math.max(most, tick), -Infinity);
  return low < high ? { low, high } : null;
}

/**
 * @param events Every event of the pool in a range of blocks, in order of the chain.
 * @param nets `liquidityNet` of the ticks of `crossedSpan`, before the events and after them; absent ones are zero.
 * @returns for each event the liquidity in range after it; null of a mint or burn. Null altogether: the events do not lead
 * from one end to the other, so that some are missing or wrong.
 */
export function liquidityAfter(
  events: readonly PoolEvent[],
  { start, end }: PoolEnds,
  nets: { readonly before: ReadonlyMap<number, bigint>; readonly after: ReadonlyMap<number, bigint> },
): (bigint | null)[] | null {
  const span = crossedSpan(events, { start, end });
  const net = new Map(nets.after);
  for (const { tickLower, tickUpper } of events) {
    for (const tick of [tickLower, tickUpper]) if (tick !== null && !net.has(tick)) net.set(tick, 0n);
  }
  const ticks = [...net.keys()].sort((a, b) => a - b);
  const swapTicks = events.flatMap(({ tick }) => (tick === null ? [] : [tick]));
  let tick = end.tick;
  let liquidity = end.liquidity;
  let swapsLeft = swapTicks.length;
  const after = events.map(() => null as bigint | null);
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (event === undefined || liquidity < 0n) return null;
    if (event.kind === "swap") {
      if (tick === null || event.tick !== tick) return null;
      after[index] = liquidity;
      swapsLeft -= 1;
      const before = swapTicks[swapsLeft - 1] ?? start?.tick ?? null;
      if (before !== null) {
        liquidity += before < tick ? -sumOver(ticks, net, [before, tick]) : sumOver(ticks, net, [tick, before]);
      }
      // Null before the first swap of a pool that was made in the range: its price then is not known, and not needed.
      tick = before;
      continue;
    }
    const change = event.kind === "mint" ? event.liquidity : -event.liquidity;
    const { tickLower, tickUpper } = event;
    if (tickLower === null || tickUpper === null) return null;
    if (tick !== null && tickLower <= tick && tick < tickUpper) liquidity -= change;
    net.set(tickLower, (net.get(tickLower) ?? 0n) - change);
    net.set(tickUpper, (net.get(tickUpper) ?? 0n) + change);
  }
  const known = start !== null && start.tick !== null;
  if (known && (tick !== start.tick || liquidity !== start.liquidity)) return null;
  const outside = (at: number): boolean => span === null || at <= span.low || at > span.high;
  const same = (at: number): boolean => (net.get(at) ?? 0n) === (nets.before.get(at) ?? 0n);
  return [...net.keys(), ...nets.before.keys()].every((at) => outside(at) || same(at)) ? after : null;
}

/** Over the ticks above `low`, up to `high`. */
function sumOver(
  ticks: readonly number[],
  net: ReadonlyMap<number, bigint>,
  [low, high]: readonly [number, number],
): bigint {
  let sum = 0n;
  for (let index = firstAbove(ticks, low); index < ticks.length; index += 1) {
    const tick = ticks[index];
    if (tick === undefined || tick > high) break;
    sum += net.get(tick) ?? 0n;
  }
  return sum;
}

function firstAbove(ticks: readonly number[], bound: number): number {
  let from = 0;
  let to = ticks.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ticks[middle] ?? Infinity) > bound) to = middle;
    else from = middle + 1;
  }
  return from;
}
