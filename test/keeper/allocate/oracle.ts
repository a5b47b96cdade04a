// The allocation objective and limits written a second time, from the text of the command's contract, with nothing
// shared with the allocator, and searches that know no structure: a fine grid with refinement, many starts of a pattern
// search, and what somebody in a hurry would do. Right about any point that they name.
import type { AllocationProblem, AllocationVenue } from "../../../keeper/allocate/problem";
import type { RateModel } from "../../../keeper/venues/rateModel";
import type { Random } from "../../../scripts/bench/randomProblems";

export function aprOf(model: RateModel, x: number): number {
  if (model.kind === "fixed") return model.apr;
  if (model.kind === "liquidity") return model.apr + (model.pool === 0 ? 0 : model.fees / (model.pool + x));
  const pool = model.supplied + x;
  const u = model.borrowed === 0 ? 0 : pool === 0 ? 1 : Math.min(1, model.borrowed / pool);
  if (model.kind === "kinked-supply") {
    return u <= model.kink
      ? model.base + model.slopeLow * u
      : model.base + model.slopeLow * model.kink + model.slopeHigh * (u - model.kink);
  }
  const borrow =
    u <= model.kink
      ? model.base + (model.slope1 * u) / model.kink
      : model.base + model.slope1 + (model.slope2 * (u - model.kink)) / (1 - model.kink);
  return borrow * u * (1 - model.reserveFactor);
}

export function gainOf(problem: AllocationProblem, venue: AllocationVenue, x: number): number {
  const years = problem.horizonHours / 8760;
  const held = years * x * (aprOf(venue.model, x) - venue.expectedLossApr);
  if (x === venue.current) return held;
  const moved = Math.abs(x - venue.current);
  const bps = venue.costBps + ((venue.impactBpsPerMillion ?? 0) * moved) / 1e6;
  return held - (bps / 1e4) * moved - problem.gasUsdPerMove;
}

export function objective(problem: AllocationProblem, amounts: readonly number[]): number {
  return problem.venues.reduce((sum, venue, i) => sum + gainOf(problem, venue, amounts[i] as number), 0);
}

export function leastOf(venue: AllocationVenue): number {
  const { model } = venue;
  const lent = model.kind === "fixed" || model.kind === "liquidity" ? 0 : model.borrowed - model.supplied;
  return Math.max(0, venue.floor ?? 0, Math.min(lent, venue.current));
}

/** Largest amount by which any limit is passed; 0 where all hold. */
export function violation(problem: AllocationProblem, amounts: readonly number[]): number {
  let worst = amounts.reduce((sum, x) => sum + x, 0) + problem.minIdle - problem.total;
  problem.venues.forEach((venue, i) => {
    const x = amounts[i] as number;
    worst = Math.max(worst, x - venue.cap, leastOf(venue) - x);
  });
  for (const { ids, cap } of problem.groups) {
    const held = problem.venues.reduce((sum, { id }, i) => sum + (ids.includes(id) ? (amounts[i] as number) : 0), 0);
    worst = Math.max(worst, held - cap);
  }
  return Math.max(0, worst);
}

interface Found {
  amounts: number[];
  value: number;
}

const GRID_POINTS: Readonly<Record<number, number>> = { 1: 4000, 2: 300, 3: 48, 4: 18 };

/** Up to four venues: every point of a grid that holds the amounts where something happens, the best ones refined. */
export function bruteForce(problem: AllocationProblem): Found {
  const { venues, total, minIdle, groups } = problem;
  const n = venues.length;
  const size = GRID_POINTS[n] ?? 10;
  const budget = total - minIdle;
  const grids = venues.map((venue) => {
    const low = leastOf(venue);
    const high = Math.min(venue.cap, budget);
    const points = new Set([low, high]);
    for (let k = 1; k < size; k++) points.add(low + ((high - low) * k) / size);
    const { model } = venue;
    const special = [venue.current];
    if (model.kind !== "fixed" && model.kind !== "liquidity")
      special.push(model.borrowed / model.kink - model.supplied, model.borrowed - model.supplied);
    for (const x of special) if (x >= low && x <= high) points.add(x);
    return [...points].sort((a, b) => a - b);
  });
  const gains = grids.map((grid, i) => grid.map((x) => gainOf(problem, venues[i] as AllocationVenue, x)));
  const caps = groups.map(({ cap }) => cap);
  const member = venues.map(({ id }) => groups.map(({ ids }) => ids.includes(id)));
  const top: Found[] = [];
  const amounts = new Array<number>(n).fill(0);
  const inGroup = caps.map(() => 0);
  const visit = (i: number, spent: number, value: number): void => {
    if (i === n) {
      if (top.length < 6 || value > (top[top.length - 1] as Found).value) {
        top.push({ amounts: [...amounts], value });
        top.sort((a, b) => b.value - a.value);
        if (top.length > 6) top.pop();
      }
      return;
    }
    const grid = grids[i] as number[];
    const gain = gains[i] as number[];
    const groupsHere = member[i] as boolean[];
    for (let k = 0; k < grid.length; k++) {
      const x = grid[k] as number;
      if (spent + x > budget) break;
      if (groupsHere.some((in_, g) => in_ && (inGroup[g] as number) + x > (caps[g] as number))) break;
      groupsHere.forEach((in_, g) => in_ && (inGroup[g] = (inGroup[g] as number) + x));
      amounts[i] = x;
      visit(i + 1, spent + x, value + (gain[k] as number));
      groupsHere.forEach((in_, g) => in_ && (inGroup[g] = (inGroup[g] as number) - x));
    }
  };
  visit(0, 0, 0);
  return best(top.map(({ amounts: start }) => refine(problem, start)));
}

/** Any number of venues: pattern searches from staying, from empty and from random feasible points. */
export function multiStart(problem: AllocationProblem, random: Random, starts: number): Found {
  const found: Found[] = [];
  const low = problem.venues.map(leastOf);
  const add = (start: number[]): void => {
    if (violation(problem, start) <= 1e-12 * problem.total) found.push(refine(problem, start));
  };
  add(low);
  add(problem.venues.map(({ current }) => current));
  for (let s = 0; s < starts; s++) {
    // In random order each venue takes a random share of what it still may take, or stays where it is if it can.
    const amounts = [...low];
    const order = problem.venues.map((_, i) => i).sort(() => random() - 0.5);
    for (const i of order) {
      const venue = problem.venues[i] as AllocationVenue;
      const room = roomFor(problem, amounts, i);
      if (random() < 0.4 && venue.current - (low[i] as number) <= room && venue.current >= (low[i] as number)) {
        amounts[i] = venue.current;
      } else amounts[i] = (amounts[i] as number) + room * (random() < 0.4 ? 1 : random() < 0.3 ? 0 : random());
    }
    add(amounts);
  }
  return best(found);
}

/** Slices that a greedy split hands out. */
const SLICES = 1_000;

/**
 * Slice by slice to the venue where it gains most, until none gains anything: from what has to stay where it is, and, where that
 * is allowed, from staying. Gas is part of a venue's first slice.
 */
export function greedy(problem: AllocationProblem): Found {
  const { venues, total } = problem;
  const staying = venues.map(({ current }) => current);
  const starts = [venues.map(leastOf), ...(violation(problem, staying) <= 1e-12 * total ? [staying] : [])];
  return best(starts.map((start) => handOut(problem, start)));
}

function handOut(problem: AllocationProblem, start: readonly number[]): Found {
  const { venues, total, minIdle } = problem;
  const slice = (total - minIdle) / SLICES;
  const x = [...start];
  for (;;) {
    let [place, most, to] = [-1, 0, 0];
    venues.forEach((venue, i) => {
      const here = x[i] as number;
      const amount = here + Math.min(slice, roomFor(problem, x, i));
      const gained = gainOf(problem, venue, amount) - gainOf(problem, venue, here);
      if (amount > here && gained > most) [place, most, to] = [i, gained, amount];
    });
    if (place < 0) return { amounts: x, value: objective(problem, x) };
    x[place] = to;
  }
}

function roomFor(problem: AllocationProblem, amounts: readonly number[], i: number): number {
  const venue = problem.venues[i] as AllocationVenue;
  let room = Math.min(
    venue.cap - (amounts[i] as number),
    problem.total - problem.minIdle - amounts.reduce((sum, x) => sum + x, 0),
  );
  for (const { ids, cap } of problem.groups) {
    if (!ids.includes(venue.id)) continue;
    room = Math.min(
      room,
      problem.venues.reduce((left, { id }, k) => (ids.includes(id) ? left - (amounts[k] as number) : left), cap),
    );
  }
  return Math.max(0, room);
}

function best(found: readonly Found[]): Found {
  return found.reduce((a, b) => (b.value > a.value ? b : a), { amounts: [], value: Number.NEGATIVE_INFINITY });
}

/** Pattern search: single changes, exchanges between two venues, and going back to what is held, in shrinking steps. */
export function refine(problem: AllocationProblem, start: readonly number[]): Found {
  const { venues } = problem;
  const x = [...start];
  const n = x.length;
  const low = venues.map(leastOf);
  const gain = (i: number, amount: number): number => gainOf(problem, venues[i] as AllocationVenue, amount);
  const now = x.map((amount, i) => gain(i, amount));
  let step = problem.total / 4;
  const set = (i: number, amount: number): void => {
    x[i] = amount;
    now[i] = gain(i, amount);
  };
  // What an improvement has to be so that rounding alone cannot go round in circles.
  const worth = 1e-13 * (Math.abs(objective(problem, x)) + now.reduce((sum, g) => sum + Math.abs(g), 0));
  while (step > 1e-9 * problem.total) {
    let improved = false;
    for (let i = 0; i < n; i++) {
      const room = roomFor(problem, x, i);
      const here = x[i] as number;
      const current = (venues[i] as AllocationVenue).current;
      const options = [here + Math.min(step, room), Math.max(low[i] as number, here - step)];
      if (current >= (low[i] as number) && current <= here + room) options.push(current);
      for (const option of options) {
        if (option !== x[i] && gain(i, option) > (now[i] as number) + worth) {
          set(i, option);
          improved = true;
          break;
        }
      }
      for (let j = 0; j < n; j++) {
        if (i === j) continue;
        const from = x[j] as number;
        const to = x[i] as number;
        const wanted = Math.min(step, from - (low[j] as number));
        if (!(wanted > 0)) continue;
        x[j] = from - wanted;
        const moved = Math.min(wanted, roomFor(problem, x, i));
        x[j] = from;
        if (!(moved > 0)) continue;
        const after = gain(i, to + moved) + gain(j, from - moved);
        const before = (now[i] as number) + (now[j] as number);
        if (after > before + worth) {
          set(i, to + moved);
          set(j, from - moved);
          improved = true;
        }
      }
    }
    if (!improved) step /= 2;
  }
  return { amounts: x, value: objective(problem, x) };
}
