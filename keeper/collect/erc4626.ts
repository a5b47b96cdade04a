// One ERC-4626 vault: what it holds, its shares, and the index that is its yield. Of Sky's savings also the rate in force:
// the protocol mints by it, so there it is a fact and no promise. Source: EIP-4626; sky-ecosystem/sdai (sUSDS: `ssr`, sDAI:
// `pot`), makerdao/dss (pot.sol: `dsr`).
import { ZeroAddress } from "ethers";
import { wholeUnits } from "../venues/exact";
import { skyApr } from "../venues/skySavings";
import type { LocatingStep } from "./locate";
import { Questions, ask, askIfThere, decimalsOf, garbageOf, movedOf } from "./questions";
import type { ChainCollector } from "./reading";

const SOURCE = "erc4626";

const UINT = "view returns (uint256)";
const INDEX_DIGITS = 18;
const RAY = 10n ** 27n;
/** Twice a second: nothing grows like that, so it is not a rate a second. */
const MOST_RATE = 2n * RAY;

export interface Erc4626Target {
  readonly subject: string;
  readonly vault: string;
  /** USD for one whole unit of the asset. */
  readonly usd: number;
}

interface Units {
  readonly asset: string;
  readonly assetDecimals: number;
  readonly shareDecimals: number;
  /** Where the savings rate of DAI is; null of others. */
  readonly pot: string | null;
}

/** Finds the asset, the decimals and sDAI's pot, then reads the vault. */
export function locateErc4626(target: Erc4626Target): LocatingStep {
  const { subject, vault } = target;
  const of = `${SOURCE} ${subject}`;
  const questions = new Questions(of, {
    asset: ask(vault, "function asset() view returns (address)"),
    decimals: ask(vault, "function decimals() view returns (uint8)"),
    pot: askIfThere(vault, "function pot() view returns (address)"),
  });
  return {
    source: SOURCE,
    subject,
    locating: questions.calls,
    next: (answers) => {
      const found = questions.read(answers);
      const asset = found.asset.address();
      const shareDecimals = decimalsOf(found.decimals, of);
      const pot = found.pot?.address() ?? null;
      const decimals = new Questions(of, { asset: ask(asset, "function decimals() view returns (uint8)") });
      return {
        source: SOURCE,
        subject,
        locating: decimals.calls,
        next: (second) => {
          const assetDecimals = decimalsOf(decimals.read(second).asset, of);
          return erc4626Collector(target, { asset, assetDecimals, shareDecimals, pot });
        },
      };
    },
  };
}

function erc4626Collector({ subject, vault, usd }: Erc4626Target, units: Units): ChainCollector {
  const of = `${SOURCE} ${subject}`;
  const { asset, assetDecimals, shareDecimals, pot } = units;
  // So many shares that their assets are a share's price with 18 digits: of one share of an asset with 6 decimals a vault
  // names 7 digits, in which a block's growth does not show.
  const shares = 10n ** BigInt(shareDecimals + Math.max(0, INDEX_DIGITS - assetDecimals));
  const questions = new Questions(of, {
    asset: ask(vault, "function asset() view returns (address)"),
    totalAssets: ask(vault, `function totalAssets() ${UINT}`),
    totalShares: ask(vault, `function totalSupply() ${UINT}`),
    index: ask(vault, `function convertToAssets(uint256) ${UINT}`, [shares]),
    ssr: askIfThere(vault, `function ssr() ${UINT}`),
    // Where there is no pot, nobody is asked and nobody answers.
    dsr: askIfThere(pot ?? ZeroAddress, `function dsr() ${UINT}`),
  });
  return {
    source: SOURCE,
    subject,
    calls: () => questions.calls,
    decode: (answers) => {
      const read = questions.read(answers);
      if (read.asset.address() !== asset) throw movedOf(of, "the asset");
      const [totalAssets, index] = [read.totalAssets.uint(), read.index.uint()];
      const ratePerSecond = (read.ssr ?? read.dsr)?.uint() ?? null;
      if (ratePerSecond !== null && (ratePerSecond < RAY || ratePerSecond > MOST_RATE)) throw garbageOf(of, "the rate");
      return {
        source: SOURCE,
        subject,
        state: {
          asset,
          assetDecimals,
          shareDecimals,
          totalAssets: String(totalAssets),
          totalShares: String(read.totalShares.uint()),
          // Whole assets for a whole share, times 10^18 (of assets with more decimals: times 10^decimals).
          index: String(index),
          // RAY: 1e27 is no interest.
          ratePerSecond: ratePerSecond === null ? null : String(ratePerSecond),
        },
        rates: {
          suppliedUsd: wholeUnits(totalAssets, assetDecimals) * usd,
          borrowedUsd: null,
          supplyApr: ratePerSecond === null ? null : skyApr({ ratePerSecond }),
          borrowApr: null,
          index: String(index),
        },
      };
    },
  };
}
