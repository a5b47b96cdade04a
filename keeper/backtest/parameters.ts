// The parameters of the live decision that a sweep varies, and every combination of what is to be tried of each.
import { InputFailure } from "../config/failure";
import { ewmaForecasts, live, type LiveLimits } from "./strategies/live";
import type { Strategy } from "./strategy";

export interface Parameters extends LiveLimits {
  readonly halfLifeHours: number;
}

/** By the names of the command's option; each a number above 0, or at 0 where that means something. */
export const VARIED: Readonly<
  Record<string, { readonly key: keyof Parameters; readonly scale: number; readonly least: number }>
> = {
  "half-life-hours": { key: "halfLifeHours", scale: 1, least: 0.01 },
  "horizon-hours": { key: "horizonHours", scale: 1, least: 0.01 },
  "min-gain-usd": { key: "minGainUsd", scale: 1, least: 0 },
  "band-bps": { key: "noTradeBandBps", scale: 1, least: 0 },
  "cooldown-hours": { key: "cooldownSeconds", scale: 3_600, least: 0 },
  "max-share": { key: "maxShareOfVenue", scale: 1, least: 0.001 },
};

/** What is tried where nothing is said. */
export const USUAL: readonly string[] = [
  "half-life-hours=6,24,72,168",
  "horizon-hours=24,168,720",
  "band-bps=0,1,5",
  "cooldown-hours=1,24",
];

/** @throws InputFailure `SWEEP_VARY` on a name or a number that is none; `SWEEP_TOO_LARGE`. */
export function combinations(base: Parameters, vary: readonly string[], most: number): Parameters[] {
  let all: Parameters[] = [base];
  for (const [key, values] of vary.map(axisOf)) {
    all = all.flatMap((one) => values.map((value) => ({ ...one, [key]: value })));
    if (all.length > most) {
      throw new InputFailure("SWEEP_TOO_LARGE", `there are more than ${most} combinations`, {
        field: "--vary",
        remedy: "Vary fewer things, or fewer values of each.",
      });
    }
  }
  return all;
}

function axisOf(text: string): [keyof Parameters, number[]] {
  const [name = "", list = ""] = text.split("=");
  const axis = Object.hasOwn(VARIED, name) ? VARIED[name] : undefined;
  const refuse = (why: string): InputFailure =>
    new InputFailure("SWEEP_VARY", `${JSON.stringify(text)}: ${why}`, {
      field: "--vary",
      remedy: `Write NAME=VALUE,VALUE…, NAME one of ${Object.keys(VARIED).join(", ")}.`,
    });
  if (axis === undefined) throw refuse("that cannot be varied");
  const { key, scale, least } = axis;
  const values = list.split(",").map((value) => (value.trim() === "" ? NaN : Number(value)));
  if (values.some((value) => !(value >= least && value < Infinity))) throw refuse(`values are numbers from ${least}`);
  if (new Set(values).size < values.length) throw refuse("a value is there twice");
  return [key, values.map((value) => value * scale)];
}

export function strategyWith(name: string, { halfLifeHours, ...limits }: Parameters): Strategy {
  return live(name, limits, ewmaForecasts(halfLifeHours));
}
