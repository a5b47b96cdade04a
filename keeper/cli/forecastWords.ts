// Figures of forecasts in words: in the table of a terminal and on the page of a report alike.

/** As people say it: 24 h, 7 d. */
export function horizon(hours: number): string {
  return hours % 24 === 0 && hours > 24 ? `${hours / 24} d` : `${hours} h`;
}

export function decimals(value: number | null, places: number): string {
  return value === null ? "–" : value.toFixed(places);
}

export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}
