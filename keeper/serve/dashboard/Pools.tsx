/** @jsxRuntime automatic */
// Positions in pools of traders: whether anything goes in or out, what leaving would bring beside what is counted, and where
// the price stands.
import type { PageView } from "../../app/view";
import type { PoolPosition } from "../../venues/poolPosition";
import { amountText, growthText } from "./amounts";
import { marketWords, steadinessWord } from "./words";

export function Pools({ view }: { readonly view: PageView }) {
  const { asset } = view;
  const rows = view.allocations.flatMap(({ venue, pool }, index) =>
    pool === undefined ? [] : [{ venue, pool, index }],
  );
  if (rows.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="pools">
      <div className="title">
        <h2 id="pools">Positions in pools of traders</h2>
        <p className="note">Both values hold the fees that are owed. Withdrawals never sell these positions.</p>
      </div>
      <table className="allocation">
        <caption className="hidden">Pools of traders: amounts and prices in {asset.symbol}</caption>
        <thead>
          <tr>
            <th scope="col">Venue</th>
            <th scope="col">Price</th>
            <th scope="col" className="number">
              Fair value
            </th>
            <th scope="col" className="number">
              If it left now
            </th>
            <th scope="col">Market</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ venue, pool, index }) => (
            <tr key={venue}>
              <th scope="row">
                <span className={`swatch series-${index % 10}`} aria-hidden="true" />
                <span className="venue">{venue}</span>
              </th>
              {pool === null ? (
                <td colSpan={4} data-label="Price">
                  <span className="chip tone-warn">could not be read</span>
                </td>
              ) : (
                <Position pool={pool} decimals={asset.decimals} />
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Position({ pool, decimals }: { readonly pool: PoolPosition; readonly decimals: number }) {
  const { steady, fairValue, exitValue, market } = pool;
  return (
    <>
      <td data-label="Price">
        <span className={`chip ${steady ? "tone-good" : "tone-warn"}`}>{steadinessWord(steady)}</span>
        {!steady && <span className="kind">no moves until it is back</span>}
      </td>
      <td className="number" data-label="Fair value">
        {amountText(fairValue, decimals)}
      </td>
      <td className="number" data-label="If it left now">
        {amountText(exitValue, decimals)}
        {fairValue !== "0" && <span className="kind">{growthText(Number(exitValue) / Number(fairValue) - 1)}</span>}
      </td>
      <td data-label="Market">
        <Market market={market} />
      </td>
    </>
  );
}

function Market({ market }: { readonly market: PoolPosition["market"] }) {
  const [first, ...beside] = marketWords(market);
  const words = (
    <>
      {first}
      {beside.map((text) => (
        <span key={text} className="kind">
          {text}
        </span>
      ))}
    </>
  );
  if (market.kind === "curve-3pool" || market.range === null) return words;
  const { low, high, inRange } = market.range;
  const place = (value: number): number => 100 * Math.min(1, Math.max(0, (value - low) / (high - low)));
  return (
    <span className={inRange ? "meter" : "meter above"}>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="track" width="100" height="8" />
        <rect className="fill" x={(place(market.mean) - 0.4).toFixed(2)} width="0.8" height="8" />
        <rect className="kink" x={(place(market.spot) - 0.75).toFixed(2)} width="1.5" height="8" />
      </svg>
      <span>{words}</span>
    </span>
  );
}
