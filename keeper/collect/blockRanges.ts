// Ranges of blocks, both ends included: what of one is missing, and how it is cut.

export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

export const blocksIn = ({ from, to }: BlockRange): number => to - from + 1;

export const sumOfBlocks = (ranges: readonly BlockRange[]): number =>
  ranges.reduce((sum, range) => sum + blocksIn(range), 0);

/** What of `range` none of `stored` covers, oldest first. The stored ranges may come in any order and overlap. */
export function missingRanges(range: BlockRange, stored: readonly BlockRange[]): BlockRange[] {
  const missing: BlockRange[] = [];
  let next = range.from;
  for (const { from, to } of [...stored].sort((a, b) => a.from - b.from)) {
    if (to < next) continue;
    if (from > range.to) break;
    if (from > next) missing.push({ from: next, to: from - 1 });
    next = to + 1;
  }
  if (next <= range.to) missing.push({ from: next, to: range.to });
  return missing;
}

/** The part of `range` from block `least` to block `most`; null where there is none. */
export function clipped(range: BlockRange, least: number, most: number): BlockRange | null {
  const cut = { from: Math.max(range.from, least), to: Math.min(range.to, most) };
  return cut.from <= cut.to ? cut : null;
}

/** `ranges` in parts of at most `size` blocks. */
export function cutRanges(ranges: readonly BlockRange[], size: number): BlockRange[] {
  return ranges.flatMap(({ from, to }) => {
    const parts: BlockRange[] = [];
    for (let start = from; start <= to; start += size) parts.push({ from: start, to: Math.min(start + size - 1, to) });
    return parts;
  });
}
