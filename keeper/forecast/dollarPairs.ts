// Which pools are of two dollars, and how their coins count: by the coins' addresses where a pool was read, by a file's name where
// it was imported.
import { z } from "zod";
import { POOL_STATE } from "../collect/poolFiles";
import type { PoolStateRow, PoolSubject } from "../store/poolFileRecords";
import type { ReadingRow } from "../store/historyRecords";
import type { Decimals, PegState } from "./pegFeatures";

/** Coins that are meant to be worth a dollar, on Ethereum. */
const DOLLARS: Readonly<Record<string, { readonly address: string; readonly decimals: number }>> = {
  crvusd: { address: "0xf939E0A03FB07F59A73314E73794Be0E57ac1b4E", decimals: 18 },
  dai: { address: "0x6B175474E89094C44Da98b954EedeAC495271d0F", decimals: 18 },
  frax: { address: "0x853d955aCEf822Db058eb8505911ED77F175b99e", decimals: 18 },
  gho: { address: "0x40D16FC0246aD3160Ccc09B8D0D3A2cD28aE6C2f", decimals: 18 },
  lusd: { address: "0x5f98805A4E8be255a32880FDeC7F6728C6568bA0", decimals: 18 },
  pyusd: { address: "0x6c3ea9036406852006290770BEdFcAbA0e23A0e8", decimals: 6 },
  tusd: { address: "0x0000000000085d4780B73119b644AE5ecd22b376", decimals: 18 },
  usdc: { address: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", decimals: 6 },
  usde: { address: "0x4c9EDD5852cd905f086C759E8383e09bff1E68B3", decimals: 18 },
  usds: { address: "0xdC035D45d973E3EC169d2276DDab16f1e407384F", decimals: 18 },
  usdt: { address: "0xdAC17F958D2ee523a2206206994597C13D831ec7", decimals: 6 },
};
const ADDRESSES: ReadonlySet<string> = new Set(Object.values(DOLLARS).map(({ address }) => address.toLowerCase()));

/** Of a file's name as those who publish such files write it: `v3-usdc-usdt-1bp-…`, coins in the pool's order. */
const POOL_NAME = /^v3-([a-z0-9]+)-([a-z0-9]+)-\d+bp(-|$)/;

/** @returns the decimals of an imported pool's coins; null: its states are no prices, or it is not known for two dollars. */
export function importedDollars({ source, subject }: PoolSubject): Decimals | null {
  const [, first, second] = POOL_NAME.exec(subject) ?? [];
  if (source !== POOL_STATE || first === undefined || second === undefined || first === second) return null;
  if (!Object.hasOwn(DOLLARS, first) || !Object.hasOwn(DOLLARS, second)) return null;
  return [DOLLARS[first]?.decimals ?? NaN, DOLLARS[second]?.decimals ?? NaN];
}

const numberText = z.string().regex(/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/);
const importedSchema = z.looseObject({ tick: numberText, liquidity: numberText });

/** @throws ZodError: the row is not of a file of states. */
export function importedState({ observedAt, availableAt, state }: PoolStateRow): PegState {
  const { tick, liquidity } = importedSchema.parse(JSON.parse(state));
  return { observedAt, availableAt, tick: Number(tick), liquidity: Number(liquidity) };
}

const readSchema = z.looseObject({
  tokens: z.tuple([z.string(), z.string()]),
  decimals: z.tuple([z.number().int(), z.number().int()]),
  tick: z.number().int(),
  liquidity: z.string().regex(/^\d+$/),
});

/** What a reading of a Uniswap pool says of the peg of its coins; null: nothing, or they are not known for two dollars. */
export function readDollars(
  row: Pick<ReadingRow, "observedAt" | "availableAt" | "state">,
): { readonly decimals: Decimals; readonly state: PegState } | null {
  const parsed = readSchema.safeParse(JSON.parse(row.state));
  if (!parsed.success) return null;
  const { tokens, decimals, tick, liquidity } = parsed.data;
  if (!tokens.every((token) => ADDRESSES.has(token.toLowerCase()))) return null;
  const { observedAt, availableAt } = row;
  return { decimals, state: { observedAt, availableAt, tick, liquidity: Number(liquidity) } };
}
