// Which block a chain was at when: enough to see that a file's blocks are those of another chain.
import { utcDay } from "./utcDay";

interface Anchor {
  readonly block: number;
  readonly time: number;
}

/** Blocks of Ethereum mainnet and their times; between two of them, and after the last, time goes evenly. */
const MAINNET: readonly Anchor[] = [
  { block: 0, time: 1_438_269_988 },
  // Homestead, Byzantium, Istanbul, London, Paris (the first of proof of stake), and the block that the tests' fork is of.
  { block: 1_150_000, time: 1_457_981_393 },
  { block: 4_370_000, time: 1_508_131_331 },
  { block: 9_069_000, time: 1_575_764_709 },
  { block: 12_965_000, time: 1_628_166_822 },
  { block: 15_537_394, time: 1_663_224_179 },
  { block: 20_000_000, time: 1_717_281_407 },
];

/** After the last known block: a slot of 12 s, of which about one in a hundred is missed. */
const MAINNET_BLOCK_SECONDS = 12.1;

/** Far more than the pace between two anchors ever left the line, far less than another chain does. */
const TOLERANCE_SECONDS = 45 * 86_400;

/** Blocks came a second apart at least, and come a slot apart at least since the first of proof of stake. */
const LEAST_BLOCK_SECONDS = 1;
const SLOT_SECONDS = 12;
const FIRST_OF_SLOTS = 15_537_394;

/**
 * When a block can have been at all, unix seconds: between the blocks around it whose times are known, and as far from them as
 * the blocks between take at least. Of mainnet's blocks that is within a year and a half before September 2022, within six days
 * later.
 * `latest` null: no later block is known. Null of chains without known times.
 */
export function blockTimeSpan(
  chainId: number,
  block: number,
): { readonly earliest: number; readonly latest: number | null } | null {
  if (chainId !== 1) return null;
  const next = MAINNET.findIndex((anchor) => block <= anchor.block);
  const from = MAINNET.at(next < 0 ? -1 : Math.max(0, next - 1)) as Anchor;
  const apart = from.block >= FIRST_OF_SLOTS ? SLOT_SECONDS : LEAST_BLOCK_SECONDS;
  const to = MAINNET[next];
  const latest = to === undefined ? null : to.time - (to.block - block) * apart;
  if (to?.block === block) return { earliest: to.time, latest };
  return { earliest: from.time + (block - from.block) * apart, latest };
}

/**
 * What is wrong with a row of that block and time (unix seconds): the block cannot have been then. Null where nothing is, and of
 * chains without known times.
 */
export function blockTimeTrouble(chainId: number, block: number, observedAt: number): string | null {
  if (chainId !== 1) return null;
  const expected = mainnetTime(block);
  if (Math.abs(observedAt - expected) <= TOLERANCE_SECONDS) return null;
  return `block ${block} of Ethereum mainnet is of about ${utcDay(expected)}, and the row of ${utcDay(observedAt)}`;
}

function mainnetTime(block: number): number {
  for (let k = 1; k < MAINNET.length; k += 1) {
    const to = MAINNET[k] as Anchor;
    if (block > to.block) continue;
    const from = MAINNET[k - 1] as Anchor;
    return from.time + ((block - from.block) / (to.block - from.block)) * (to.time - from.time);
  }
  const last = MAINNET.at(-1) as Anchor;
  return last.time + (block - last.block) * MAINNET_BLOCK_SECONDS;
}
