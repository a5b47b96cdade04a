// Branch and bound over what the relaxation leaves open: which venues move at all, and on which side of a convex kink
// they end. The bound of a node is the relaxation over concave envelopes, so only venues that sit between an envelope
// and their gain are ever branched on; with one budget that is at most one venue a node.
import type { Envelope } from "./envelope";
import { relaxGroups, type GroupLimit } from "./groupRelaxation";
import { waterFill, type Relaxation } from "./waterFill";

export interface SearchResult {
  readonly amounts: Float64Array;
  /** Gain over the horizon of `amounts`, costs included. */
  readonly value: number;
  /** No feasible allocation gains more than this. */
  readonly bound: number;
  /** Size of the gains that were added and compared, USD: what their rounding is relative to. */
  readonly scale: number;
}

export interface SearchLimits {
  readonly budget: number;
  readonly groups: readonly GroupLimit[];
}

/** A bound on the work, reached only by contrived ties; the gap is then reported. */
const MAX_NODES = 20_000;

/** Branches whose bound is within this share of the best are not worth a look: rounding is of that size. */
const TOLERANCE = 1e-12;

/** Sums of amounts may pass a limit by this share of the budget: the order of addition changes them by so much. */
const ROUNDING = 1e-12;

interface Node {
  readonly envelopes: readonly Envelope[];
  readonly relaxation: Relaxation;
  /** Venue with the largest gap between envelope and gain; −1: none. */
  readonly open: number;
}

/** Best-first search. The least amounts of the envelopes must satisfy all limits. */
export function search(envelopes: readonly Envelope[], limits: SearchLimits): SearchResult {
  let best = new Float64Array(0);
  let value = Number.NEGATIVE_INFINITY;
  let scale = 0;
  let unresolved = Number.NEGATIVE_INFINITY;
  let evaluated = 0;
  const queue: Node[] = [];

  const consider = (candidates: readonly Envelope[], guess: Float64Array | undefined): void => {
    const relaxation = relax(candidates, limits, guess);
    if (relaxation === undefined) return;
    evaluated++;
    const { amounts, prices } = relaxation;
    let gained = 0;
    let open = -1;
    let widest = 0;
    for (let i = 0; i < candidates.length; i++) {
      const envelope = candidates[i] as Envelope;
      const x = amounts[i] as number;
      const price = prices[i] as number;
      const real = envelope.curve.value(x);
      const gap = envelope.surplus(price) + price * x - real;
      gained += real;
      scale = Math.max(scale, Math.abs(real), Math.abs(price * limits.budget));
      if (gap > widest) {
        widest = gap;
        open = i;
      }
    }
    if (gained > value) {
      value = gained;
      best = amounts as Float64Array<ArrayBuffer>;
    }
    if (relaxation.bound - value <= TOLERANCE * scale) return;
    push(queue, { envelopes: candidates, relaxation, open: widest > TOLERANCE * scale ? open : -1 });
  };

  consider(envelopes, undefined);
  for (let node = pop(queue); node !== undefined; node = pop(queue)) {
    const { bound, amounts, prices } = node.relaxation;
    if (bound - value <= TOLERANCE * scale) break;
    const chosen = node.envelopes[node.open];
    const parts = evaluated < MAX_NODES ? chosen?.split(amounts[node.open] as number) : undefined;
    if (chosen === undefined || parts === undefined) {
      unresolved = Math.max(unresolved, bound);
      if (evaluated >= MAX_NODES) break;
      continue;
    }
    const [left, right] = parts;
    // Venues alike in everything may be ordered: if the first of them stays left, so do all.
    consider(
      node.envelopes.map((envelope) => (envelope === chosen ? left : envelope)),
      prices,
    );
    consider(
      node.envelopes.map((envelope, i) => (i === node.open ? right : envelope)),
      prices,
    );
  }
  return { amounts: best, value, bound: Math.max(value, unresolved), scale };
}

function relax(
  envelopes: readonly Envelope[],
  { budget, groups }: SearchLimits,
  guess: Float64Array | undefined,
): Relaxation | undefined {
  const leeway = ROUNDING * budget;
  let least = 0;
  for (const envelope of envelopes) least += envelope.domain.from;
  if (least > budget + leeway) return undefined;
  for (const group of groups) {
    let inGroup = 0;
    for (const i of group.members) inGroup += (envelopes[i] as Envelope).domain.from;
    if (inGroup > group.cap + leeway) return undefined;
  }
  const relaxation = waterFill(envelopes, budget, guess?.[0]);
  return groups.every((group) => held(relaxation.amounts, group) <= group.cap + leeway)
    ? relaxation
    : relaxGroups(envelopes, { budget, groups }, relaxation.prices[0] ?? 0);
}

function held(amounts: Float64Array, group: GroupLimit): number {
  let sum = 0;
  for (const i of group.members) sum += amounts[i] as number;
  return sum;
}

/** A heap ordered by bound, largest first. */
function push(queue: Node[], node: Node): void {
  let at = queue.length;
  queue.push(node);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = queue[parent] as Node;
    if (above.relaxation.bound >= node.relaxation.bound) break;
    queue[at] = above;
    at = parent;
  }
  queue[at] = node;
}

function pop(queue: Node[]): Node | undefined {
  const top = queue[0];
  const last = queue.pop();
  if (top === undefined || last === undefined || queue.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    const right = queue[child + 1];
    const left = queue[child];
    if (left === undefined) break;
    if (right !== undefined && right.relaxation.bound > left.relaxation.bound) child++;
    const larger = queue[child] as Node;
    if (larger.relaxation.bound <= last.relaxation.bound) break;
    queue[at] = larger;
    at = child;
  }
  queue[at] = last;
  return top;
}
