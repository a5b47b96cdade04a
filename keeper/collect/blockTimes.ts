// Which block a chain was at when: enough to see that a file's blocks are those of another chain.
import { utcDay } from "./utcDay";

/** Blocks of Ethereum mainnet and their times; between two of them, and after the last, time goes evenly. */
const MAINNET: readonly (readonly [block: number, time: number])[] = [
  [0, 1_438_269_988],
  // Homestead, Byzantium, Istanbul, London, Paris (the first of proof of stake), and the block that the tests' fork is of.
  [1_150_000, 1_457_981_393],
  [4_370_000, 1_508_131_331],
  [9_069_000, 1_575_764_709],
  [12_965_000, 1_628_166_822],
  [15_537_394, 1_663_224_179],
  [20_000_000, 1_717_281_407],
];

/** After the last known block: a slot of 12 s, of which about one in a hundred is missed. */
const MAINNET_BLOCK_SECONDS = 12.1;

/** Far more than the pace between two anchors ever left the line, far less than another chain does. */
const TOLERANCE_SECONDS = 45 * 86_400;

/**
 * @param refusal Makes the failure that is thrown.
 * @throws what `refusal` makes, when that block of that chain cannot have been at that time. Chains without known times
 * pass.
 */
export function checkBlockTime(
  chainId: number,
  row: { readonly block: number; readonly observedAt: number },
  refusal: (what: string) => Error,
): void {
  if (chainId !== 1) return;
  const expected = mainnetTime(row.block);
  if (Math.abs(row.observedAt - expected) <= TOLERANCE_SECONDS) return;
  throw refusal(
    `block ${row.block} of Ethereum mainnet is of about ${utcDay(expected)}, and the row of ${utcDay(row.observedAt)}`,
  );
}

function mainnetTime(block: number): number {
  for (let k = 1; k < MAINNET.length; k += 1) {
    const [[fromBlock, fromTime], [toBlock, toTime]] = [MAINNET[k - 1], MAINNET[k]] as [
      readonly [number, number],
      readonly [number, number],
    ];
    if (block <= toBlock) return fromTime + ((block - fromBlock) / (toBlock - fromBlock)) * (toTime - fromTime);
  }
  const [lastBlock, lastTime] = MAINNET.at(-1) as readonly [number, number];
  return lastTime + (block - lastBlock) * MAINNET_BLOCK_SECONDS;
}
