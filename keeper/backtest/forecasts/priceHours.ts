// Recorded prices of one dollar in another as the hours at which the keeper would have been asked about them.
import { pegFeaturesAt, type PegColumns } from "../../forecast/pegFeatures";
import { HOUR, type AskedHours } from "./hours";

/**
 * @param to Unix seconds; hours of later are left out.
 * @returns with the features of prices; null where nothing was known by then.
 */
export function priceHoursOf(name: string, columns: PegColumns, to: number): AskedHours | null {
  const from = Math.ceil((columns.availableAt[0] ?? Infinity) / HOUR) * HOUR;
  const last = Math.floor(Math.min(to, columns.availableAt.at(-1) ?? 0) / HOUR) * HOUR;
  if (from > last) return null;
  const count = (last - from) / HOUR + 1;
  const hours = Array.from({ length: count }, (_, k) => from + k * HOUR);
  return { name, from, count, features: pegFeaturesAt(columns, hours) };
}
