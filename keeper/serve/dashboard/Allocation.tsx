/** @jsxRuntime automatic */
// Where the money is: one bar for the whole, one row for each venue.
import type { AllocationView, PageView } from "../../app/view";
import { amountText, percentText } from "./amounts";
import { shareOf } from "./Figures";
import { VENUE_KIND } from "./words";

const BAR_WIDTH = 1000;

export function Allocation({ view }: { readonly view: PageView }) {
  const { allocations, totalAssets, asset, idle } = view;
  return (
    <section className="panel" aria-labelledby="allocation">
      <h2 id="allocation">Where the money is</h2>
      {totalAssets === "0" ? (
        <p className="empty">
          {allocations.length === 0
            ? "The vault is empty and has no venue yet: the timelock adds them."
            : "The vault is empty. What is deposited stays idle until the keeper’s next plan."}
        </p>
      ) : (
        <Bar view={view} />
      )}
      <table className="allocation">
        <caption className="hidden">Venues of the vault: amounts in {asset.symbol}, rates a year</caption>
        <thead>
          <tr>
            <th scope="col">Venue</th>
            <th scope="col" className="number">
              Assets
            </th>
            <th scope="col" className="number">
              Share
            </th>
            <th scope="col" className="number">
              Cap
            </th>
            <th scope="col" className="number">
              Rate now
            </th>
            <th scope="col" className="number">
              Forecast
            </th>
            <th scope="col">Utilisation</th>
          </tr>
        </thead>
        <tbody>
          {allocations.map((allocation, index) => (
            <tr key={allocation.venue}>
              <th scope="row">
                <span className={`swatch series-${index % 10}`} aria-hidden="true" />
                <span className="venue">
                  {allocation.venue}
                  <span className="kind">{VENUE_KIND[allocation.kind]}</span>
                  {allocation.quarantined && <span className="chip tone-warn">quarantined</span>}
                </span>
              </th>
              <td className="number" data-label="Assets">
                {amountText(allocation.assets, asset.decimals)}
              </td>
              <td className="number" data-label="Share">
                {percentText(shareOf(allocation.assets, totalAssets), 1)}
              </td>
              <td className="number" data-label="Cap">
                {allocation.cap === null ? "none" : amountText(allocation.cap, asset.decimals, 0)}
              </td>
              <td className="number" data-label="Rate now">
                {allocation.supplyApr === null ? "unread" : percentText(allocation.supplyApr)}
              </td>
              <td className="number" data-label="Forecast">
                {allocation.forecastApr === null ? "—" : percentText(allocation.forecastApr)}
              </td>
              <td data-label="Utilisation">
                <Utilisation allocation={allocation} />
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">
              <span className="swatch series-idle" aria-hidden="true" />
              <span className="venue">
                idle
                <span className="kind">in the vault itself</span>
              </span>
            </th>
            <td className="number" data-label="Assets">
              {amountText(idle, asset.decimals)}
            </td>
            <td className="number" data-label="Share">
              {percentText(shareOf(idle, totalAssets), 1)}
            </td>
            <td className="number" data-label="Cap">
              none
            </td>
            <td className="number" data-label="Rate now">
              {percentText(0)}
            </td>
            <td className="number" data-label="Forecast">
              {percentText(0)}
            </td>
            <td data-label="Utilisation">—</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

/** Proportions only; the table beneath has the numbers, so it is hidden from those who cannot see it. */
function Bar({ view }: { readonly view: PageView }) {
  const parts = [
    ...view.allocations.map(({ venue, assets }, index) => ({ id: venue, assets, series: `series-${index % 10}` })),
    { id: "idle", assets: view.idle, series: "series-idle" },
  ];
  let x = 0;
  return (
    <svg className="bar" viewBox={`0 0 ${BAR_WIDTH} 10`} preserveAspectRatio="none" aria-hidden="true">
      {parts.map(({ id, assets, series }) => {
        const width = shareOf(assets, view.totalAssets) * BAR_WIDTH;
        const from = x;
        x += width;
        return (
          <rect key={id} className={series} x={from.toFixed(2)} width={width.toFixed(2)} height="10">
            <title>{`${id}: ${percentText(shareOf(assets, view.totalAssets), 1)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function Utilisation({ allocation: { utilisation, kink } }: { readonly allocation: AllocationView }) {
  if (utilisation === null) {
    return <>—</>;
  }
  const above = kink !== null && utilisation > kink;
  return (
    <span className={above ? "meter above" : "meter"}>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="track" width="100" height="8" />
        <rect className="fill" width={(Math.min(1, utilisation) * 100).toFixed(2)} height="8" />
        {kink !== null && <rect className="kink" x={(kink * 100 - 0.75).toFixed(2)} width="1.5" height="8" />}
      </svg>
      <span>
        {percentText(utilisation, 1)}
        <span className="kind">
          {kink === null ? "no kink" : `${above ? "above" : "below"} its kink at ${percentText(kink, 0)}`}
        </span>
      </span>
    </span>
  );
}
