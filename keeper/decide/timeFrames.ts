// What a change of place gains over an hour, four hours, a day and a week, each by what is expected of that time, and whether the
// short of it and the long of it say the same.
import type { AllocationProblem } from "../allocate/problem";
import { incomeOf, type Target } from "./income";

/** Hours, the shortest first. */
export const TIME_FRAMES = [1, 4, 24, 168] as const;
const LONGEST = 168;
const HOURS_PER_YEAR = 8760;

/**
 * Half-life of the mean that speaks for a time frame: what a rate was lately says more of the next hour than of the next
 * week. It grows with the square root of the time, and the week's is that of the forecast.
 */
export function halfLifeOf(hours: number, halfLifeHours: number): number {
  return halfLifeHours * Math.sqrt(hours / LONGEST);
}

/** The problem with the rates that are expected over so many hours. */
export interface TimeFrame {
  readonly hours: number;
  readonly world: AllocationProblem;
}

export interface FrameGain {
  readonly hours: number;
  /** USD over these hours, before costs; below zero: it loses. */
  readonly gain: number;
}

export function frameGains(target: Target, frames: readonly TimeFrame[]): FrameGain[] {
  return frames.map(({ hours, world }) => ({
    hours,
    gain: ((incomeOf(world, target) - incomeOf(world)) * hours) / HOURS_PER_YEAR,
  }));
}

/** Most that any frame says is lost, USD; zero where none does. */
export function mostLost(frames: readonly FrameGain[]): number {
  return frames.reduce((most, { gain }) => Math.max(most, -gain), 0);
}
