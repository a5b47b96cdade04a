// One pool of Curve of the 3pool's kind: a StableSwap of plain coins with a separate token for its receipts. Its yield is the
// growth of the virtual price; it has no rate of its own. Source: curve-contract, pools/3pool/StableSwap3Pool.vy.
import { wholeUnits } from "../venues/exact";
import type { LocatingStep } from "./locate";
import { Questions, ask, askIfThere, decimalsOf, garbageOf } from "./questions";
import type { ChainCollector } from "./reading";

const SOURCE = "curve";

const UINT = "view returns (uint256)";
const RECEIPT_DECIMALS = 18;

export interface CurvePoolTarget {
  readonly subject: string;
  readonly pool: string;
  /** The pool has no getter for its token: the token itself, or a contract that names it by `receipt()` (our adapter). */
  readonly receipts: { readonly token: string } | { readonly namedBy: string };
  readonly coins: number;
  /** USD for one unit of the invariant. */
  readonly usd: number;
}

interface Coin {
  readonly token: string;
  readonly decimals: number;
}

/** Finds the coins, their decimals and the receipts' token, then reads the pool. */
export function locateCurvePool(target: CurvePoolTarget): LocatingStep {
  const { subject, pool, receipts } = target;
  const of = `${SOURCE} ${subject}`;
  const places = Array.from({ length: target.coins }, (_, place) => place);
  const coins = new Questions(
    of,
    byPlace(places, (place) => ask(pool, "function coins(uint256) view returns (address)", [place])),
  );
  const naming = new Questions(
    of,
    "namedBy" in receipts ? { token: ask(receipts.namedBy, "function receipt() view returns (address)") } : {},
  );
  return {
    source: SOURCE,
    subject,
    locating: [...coins.calls, ...naming.calls],
    next: (answers) => {
      const found = coins.read(answers.slice(0, places.length));
      const tokens = places.map((place) => found[place]?.address() ?? "");
      const token =
        "token" in receipts ? receipts.token : (naming.read(answers.slice(places.length)).token?.address() ?? "");
      const decimals = new Questions(
        of,
        byPlace(places, (place) => ask(tokens[place] ?? "", "function decimals() view returns (uint8)")),
      );
      return {
        source: SOURCE,
        subject,
        locating: decimals.calls,
        next: (second) => {
          const read = decimals.read(second);
          const all = places.flatMap((place): Coin[] => {
            const answer = read[place];
            return answer === undefined ? [] : [{ token: tokens[place] ?? "", decimals: decimalsOf(answer, of) }];
          });
          return curvePoolCollector(target, { coins: all, token });
        },
      };
    },
  };
}

function curvePoolCollector(
  { subject, pool, usd }: CurvePoolTarget,
  { coins, token }: { readonly coins: readonly Coin[]; readonly token: string },
): ChainCollector {
  const of = `${SOURCE} ${subject}`;
  const balances = new Questions(
    of,
    byPlace([...coins.keys()], (place) => ask(pool, `function balances(uint256) ${UINT}`, [place])),
  );
  const questions = new Questions(of, {
    amplification: ask(pool, `function A() ${UINT}`),
    fee: ask(pool, `function fee() ${UINT}`),
    adminFee: ask(pool, `function admin_fee() ${UINT}`),
    // Reverts while the pool is empty.
    virtualPrice: askIfThere(pool, `function get_virtual_price() ${UINT}`),
    receipts: ask(token, `function totalSupply() ${UINT}`),
  });
  const calls = [...balances.calls, ...questions.calls];
  return {
    source: SOURCE,
    subject,
    calls: () => calls,
    decode: (answers) => {
      const held = balances.read(answers.slice(0, coins.length));
      const read = questions.read(answers.slice(coins.length));
      // The invariant needs one.
      if (read.amplification.uint() === 0n) throw garbageOf(of, "A");
      const [receipts, virtualPrice] = [read.receipts.uint(), read.virtualPrice?.uint() ?? null];
      return {
        source: SOURCE,
        subject,
        state: {
          coins: coins.map((coin) => coin.token),
          decimals: coins.map((coin) => coin.decimals),
          balances: coins.map((_, place) => String(held[place]?.uint() ?? 0n)),
          amplification: String(read.amplification.uint()),
          // Shares of 1e10; the admin's is of the fee.
          fee: String(read.fee.uint()),
          adminFee: String(read.adminFee.uint()),
          virtualPrice: virtualPrice === null ? null : String(virtualPrice),
          receipts: String(receipts),
        },
        rates: {
          suppliedUsd: virtualPrice === null ? null : wholeUnits(receipts * virtualPrice, 2 * RECEIPT_DECIMALS) * usd,
          borrowedUsd: null,
          supplyApr: null,
          borrowApr: null,
          index: virtualPrice === null ? null : String(virtualPrice),
        },
      };
    },
  };
}

function byPlace<T>(places: readonly number[], question: (place: number) => T): Record<number, T> {
  return Object.fromEntries(places.map((place) => [place, question(place)]));
}
