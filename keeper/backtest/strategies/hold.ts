// Everything into one venue at the beginning, and nothing after: what every strategy has to beat.
import type { Strategy } from "../strategy";

/** @param venue Place among the market's venues. */
export function hold(series: string, venue: number): Strategy {
  return {
    name: `hold:${series}`,
    start: () => ({
      decide(now, wanted) {
        if (!now.first) return false;
        wanted[venue] = now.total;
        return true;
      },
    }),
  };
}
