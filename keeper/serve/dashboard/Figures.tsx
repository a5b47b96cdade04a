/** @jsxRuntime automatic */
// The figures a depositor looks for first: how much is there, what a share is worth, what it earns.
import type { PageView } from "../../app/view";
import { amountNumber, amountText, growthText, percentText, priceText } from "./amounts";
import { Sparkline } from "./Sparkline";
import { spanText } from "./times";
import { BREAKER } from "./words";
import { Dot } from "./Frame";

const YEAR = 31_536_000;
/** Below this length a pace a year would be noise. */
const SHORTEST_PACE_SECONDS = 3_600;

export function Figures({ view }: { readonly view: PageView }) {
  const { asset } = view;
  const growth = growthOf(view);
  const rate = ratesNow(view);
  const breaker = BREAKER[view.breaker];
  return (
    <section className="panel figures" aria-labelledby="figures">
      <h1 id="figures" className="hidden">
        The vault now
      </h1>
      <dl>
        <div className="figure">
          <dt>Total assets</dt>
          <dd>
            <data className="big" value={view.totalAssets}>
              {amountText(view.totalAssets, asset.decimals)}
            </data>{" "}
            <span className="unit">{asset.symbol}</span>
          </dd>
          <dd className="note">
            {`Idle ${amountText(view.idle, asset.decimals)} · ${percentText(shareOf(view.idle, view.totalAssets), 1)}`}
          </dd>
        </div>
        <div className="figure">
          <dt>Share price</dt>
          <dd>
            <data className="big" value={view.sharePrice} title={view.sharePrice}>
              {priceText(view.sharePrice)}
            </data>{" "}
            <span className="unit">{asset.symbol}</span>
          </dd>
          <dd className="note growth">
            {growth === null ? (
              "Growth shows after the second reading."
            ) : (
              <>
                <span>
                  <strong className={growth.change < 0 ? "loss" : "gain"}>{growthText(growth.change)}</strong>
                  {` in ${spanText(growth.seconds)}`}
                </span>
                {growth.pace !== null && <span>{`${percentText(growth.pace)} a year at that pace`}</span>}
              </>
            )}
          </dd>
          {growth !== null && (
            <dd className="spark">
              <Sparkline
                points={view.history.map((point) => ({ at: point.at, value: Number(point.sharePrice) }))}
                label={`Share price over ${spanText(growth.seconds)}: ${growthText(growth.change)}`}
              />
            </dd>
          )}
        </div>
        <div className="figure">
          <dt>Rate now, whole vault</dt>
          <dd>
            <span className="big">{rate.blended === null ? "—" : percentText(rate.blended)}</span>{" "}
            <span className="unit">a year</span>
          </dd>
          <dd className="note">
            {rate.equal === null
              ? "Not known: a venue could not be read, or there is none."
              : `An equal split at today’s rates: ${percentText(rate.equal)}`}
          </dd>
        </div>
        <div className="figure">
          <dt>Circuit breaker</dt>
          <dd className="condition">
            <Dot tone={breaker.tone} />
            {breaker.word}
          </dd>
          <dd className="note">{breaker.meaning}</dd>
        </div>
      </dl>
    </section>
  );
}

interface Growth {
  readonly change: number;
  readonly seconds: number;
  /** Simple, a year; null where the history is too short to say. */
  readonly pace: number | null;
}

function growthOf({ history }: PageView): Growth | null {
  const first = history[0];
  const last = history.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at || Number(first.sharePrice) === 0) {
    return null;
  }
  const change = Number(last.sharePrice) / Number(first.sharePrice) - 1;
  const seconds = last.at - first.at;
  return { change, seconds, pace: seconds < SHORTEST_PACE_SECONDS ? null : (change * YEAR) / seconds };
}

/** What all of the money earns now, idle included; beside it what the same venues would at equal parts. */
function ratesNow({ allocations, totalAssets, asset }: PageView): { blended: number | null; equal: number | null } {
  const total = amountNumber(totalAssets, asset.decimals);
  const read = allocations.flatMap(({ supplyApr }) => (supplyApr === null ? [] : [supplyApr]));
  const unread = allocations.some(({ supplyApr, assets }) => supplyApr === null && assets !== "0");
  if (total === 0 || unread || read.length === 0) {
    return { blended: null, equal: read.length === 0 || unread ? null : mean(read) };
  }
  const income = allocations.reduce(
    (sum, { assets, supplyApr }) => sum + amountNumber(assets, asset.decimals) * (supplyApr ?? 0),
    0,
  );
  return { blended: income / total, equal: mean(read) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `part` of `total` as a fraction; zero of nothing. */
export function shareOf(part: string, total: string): number {
  return total === "0" ? 0 : Number(part) / Number(total);
}
