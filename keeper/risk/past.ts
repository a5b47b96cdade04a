// What was observed of each venue lately, thinned to a point for each stretch of time: enough for paces of cash, returns and
// the error of forecasts, and bounded in memory however fast blocks come. Pure: rows are passed in.
import type { ObservationRow } from "../store/records";

/** One point a stretch: the last observation of it. */
export const STRETCH_SECONDS = 600;

export interface PastPoint {
  /** Unix seconds. */
  readonly at: number;
  /** When the keeper knew it. */
  readonly availableAt: number;
  /** As the venue would pay it without us, fraction a year; null: not known. */
  readonly apr: number | null;
  /** Cash of a venue that lends, in the asset's unit; null where supply and debt do not say it. */
  readonly cash: number | null;
  /** What it has lent out, likewise. */
  readonly debt: number | null;
  /** Fair value of our own position, in the asset's unit. */
  readonly ours: number;
  /** The venue's growth index; null: it has none. */
  readonly index: number | null;
}

export class VenuePast {
  readonly #points = new Map<string, PastPoint[]>();
  readonly #keepSeconds: number;

  /** @param keepSeconds How far back points are kept. */
  constructor({ keepSeconds }: { readonly keepSeconds: number }) {
    this.#keepSeconds = keepSeconds;
  }

  /** Rows of any venue, oldest first; rows that are older than what is held are ignored. */
  add(rows: readonly ObservationRow[]): void {
    for (const row of rows) {
      const points = this.#points.get(row.venue) ?? [];
      this.#points.set(row.venue, points);
      const last = points.at(-1);
      if (last !== undefined && row.observedAt < last.at) continue;
      if (last !== undefined && stretchOf(row.observedAt) === stretchOf(last.at)) points.pop();
      points.push(pointOf(row));
      const oldest = row.observedAt - this.#keepSeconds;
      while ((points[0]?.at ?? Infinity) < oldest) points.shift();
    }
  }

  /** Oldest first. */
  of(venue: string): readonly PastPoint[] {
    return this.#points.get(venue) ?? [];
  }
}

function stretchOf(at: number): number {
  return Math.floor(at / STRETCH_SECONDS);
}

function pointOf(row: ObservationRow): PastPoint {
  const { supplied, borrowed } = row;
  return {
    at: row.observedAt,
    availableAt: row.availableAt,
    apr: row.supplyAprWithoutUs,
    debt: borrowed === null ? null : Number(borrowed),
    cash: supplied === null || borrowed === null ? null : Number(BigInt(supplied) - BigInt(borrowed)),
    ours: Number(row.vaultAssets),
    index: row.index === null || row.index === undefined ? null : Number(row.index),
  };
}
