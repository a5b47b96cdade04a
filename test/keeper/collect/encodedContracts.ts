// Contracts that neither the local chain nor the recorded state has, as what they answer, encoded as those contracts encode it: Aave
// V3 from 3.2 on, sDAI with its pot, a vault of MetaMorpho's kind, whose shares have more decimals than its asset.
import { AbiCoder, Interface, ZeroAddress, getAddress } from "ethers";
import { locateAaveV3 } from "../../../keeper/collect/aaveV3";
import { locateErc4626 } from "../../../keeper/collect/erc4626";
import type { LocatingStep } from "../../../keeper/collect/locate";
import type { ChainCollector, ContractCall } from "../../../keeper/collect/reading";

const placed = (digits: string): string => getAddress(`0x${digits.repeat(20)}`);
export const RAY = 10n ** 27n;

/** By contract and signature: the values that it answers with; nothing else answers. */
export type World = Record<string, Record<string, readonly unknown[]>>;

export function answersIn(world: World, calls: readonly ContractCall[]): (string | null)[] {
  return calls.map(({ to, data }) => {
    for (const [signature, values] of Object.entries(world[getAddress(to)] ?? {})) {
      const fragment = new Interface([`function ${signature}`]).getFunction(signature.slice(0, signature.indexOf("(")));
      if (fragment?.selector !== data.slice(0, 10)) continue;
      return AbiCoder.defaultAbiCoder().encode(fragment.outputs, values);
    }
    return null;
  });
}

/** The collector that is found in `world`. */
export function located(start: LocatingStep, world: World): ChainCollector {
  let step: LocatingStep | ChainCollector = start;
  while ("locating" in step) step = step.next(answersIn(world, step.locating));
  return step;
}

export const AAVE_PLACES = { pool: placed("a1"), asset: placed("a2"), strategy: placed("a5") };
const { pool, asset, strategy } = AAVE_PLACES;
const [aToken, debt] = [placed("a3"), placed("a4")];
// Decimals 6; active, borrowing; reserve factor 10 %; borrow cap 5, supply cap 9.
const configuration = (6n << 48n) | (1n << 56n) | (1n << 58n) | (1_000n << 64n) | (5n << 80n) | (9n << 116n);
/** The values of `getReserveData`. */
export const RESERVE =
  "(uint256,uint128,uint128,uint128,uint128,uint128,uint40,uint16,address,address,address,address,uint128,uint128,uint128)";
/** Without stable debt, with a virtual balance and one strategy for all reserves. */
export const AAVE_3_2: World = {
  [pool]: {
    [`getReserveData(address) view returns ${RESERVE}`]: [
      ...[configuration, RAY + 1n, RAY / 20n, RAY + 2n, RAY / 10n, 0n, 1_749_999_000n, 3n],
      ...[aToken, ZeroAddress, debt, strategy, 11n, 12n, 13n],
    ],
    "getReserveNormalizedIncome(address) view returns (uint256)": [RAY + 5n],
    "getReserveNormalizedVariableDebt(address) view returns (uint256)": [2n * RAY],
    "getVirtualUnderlyingBalance(address) view returns (uint128)": [77n],
    "getReserveDeficit(address) view returns (uint256)": [3n],
  },
  [asset]: { "balanceOf(address) view returns (uint256)": [80n] },
  [aToken]: { "totalSupply() view returns (uint256)": [4_000_000n] },
  [debt]: { "scaledTotalSupply() view returns (uint256)": [1_500_000n] },
  [strategy]: {
    "getInterestRateDataBps(address) view returns (uint16,uint32,uint32,uint32)": [9_200n, 0n, 550n, 4_000n],
  },
};

export const VAULT = placed("b1");
const [vaultAsset, pot] = [placed("b2"), placed("b3")];
export const vaultOf = (decimals: { readonly share: bigint; readonly asset: bigint }, index: bigint): World => ({
  [VAULT]: {
    "asset() view returns (address)": [vaultAsset],
    "decimals() view returns (uint8)": [decimals.share],
    "totalAssets() view returns (uint256)": [1_250_000n * 10n ** decimals.asset],
    "totalSupply() view returns (uint256)": [10n ** 24n],
    "convertToAssets(uint256) view returns (uint256)": [index],
  },
  [vaultAsset]: { "decimals() view returns (uint8)": [decimals.asset] },
});

const savings = vaultOf({ share: 18n, asset: 18n }, 1_150_000_000_000_000_000n);
/** 1.000000001547125957863212448 a second: 5 % compounded, 4.879 % simple. */
export const DSR = RAY + 1_547_125_957_863_212_448n;
export const SDAI: World = {
  ...savings,
  [VAULT]: { ...savings[VAULT], "pot() view returns (address)": [pot] },
  [pot]: { "dsr() view returns (uint256)": [DSR] },
};
export const METAMORPHO = vaultOf({ share: 18n, asset: 6n }, 1_050_000_000_000_000_000n);

/** One source of each, with what it is located and read in. */
export const ENCODED: readonly { readonly start: LocatingStep; readonly world: World }[] = [
  { start: locateAaveV3({ subject: "aave-v3.2", pool, asset, usd: 1 }), world: AAVE_3_2 },
  { start: locateErc4626({ subject: "sdai", vault: VAULT, usd: 1 }), world: SDAI },
  { start: locateErc4626({ subject: "metamorpho", vault: VAULT, usd: 1 }), world: METAMORPHO },
];
