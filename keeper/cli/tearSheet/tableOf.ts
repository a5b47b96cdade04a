// Tables and shares of reports, in HTML.
import { escaped } from "./svg";

/** The first column is the rows' head. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map(
    (row) =>
      `<tr>${row.map((text, k) => (k === 0 ? `<th>${escaped(text)}</th>` : `<td>${escaped(text)}</td>`)).join("")}</tr>`,
  );
  return `<div class="wide"><table>
<thead><tr>${head.map((text) => `<th>${escaped(text)}</th>`).join("")}</tr></thead>
<tbody>${body.join("\n")}</tbody>
</table></div>`;
}

/** @param step Between two ticks: enough digits to tell them apart. */
export function percentage(share: number, step = 1e-3): string {
  const places = Math.min(6, Math.max(0, -Math.floor(Math.log10(step * 100) + 1e-9)));
  return `${(100 * share).toFixed(places)} %`;
}
