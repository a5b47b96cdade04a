// `npm run gas`: what measure.ts, pools.ts and rewards.ts measure, beside the marks. --json for programs; --write replaces
// snapshot.json; --check instead names every number that is not the snapshot's, and fails if there is one.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { table } from "../../keeper/cli/printing";
import { MARKS, SLOPE_AIM, TWO_LEGS_AIM } from "./marks";
import { VENUES, measure, type Gas, type Venues } from "./measure";
import { measurePools } from "./pools";
import { measureRewards } from "./rewards";

const SNAPSHOT = path.join(__dirname, "snapshot.json");
const DEPOSIT = "deposit, existing holder, to idle";
const TWO_LEGS = "rebalance of two legs";

const grouped = (value: number): string => value.toLocaleString("en-US");

/** Gas that each venue beyond the first two adds, or undefined where it was not measured. */
function slope(row: Gas[string] | undefined, [from, to]: readonly [Venues, Venues] = [3, 5]): number | undefined {
  const [less, more] = [row?.[from], row?.[to]];
  return less === undefined || more === undefined ? undefined : (more - less) / (to - from);
}

function comparison(gas: Gas): string {
  const marked = VENUES.filter((venues) => Object.values(MARKS).some((mark) => mark[venues] !== undefined));
  const head = [
    "operation",
    ...VENUES.flatMap((venues) => [`N=${venues}`, ...(marked.includes(venues) ? ["mark", "ratio"] : [])]),
    "per venue",
    "mark",
  ];
  const number = (value: number | undefined): string => (value === undefined ? "" : grouped(Math.round(value)));
  const rows = Object.entries(gas).map(([name, row]) => {
    const mark = MARKS[name];
    const cells = VENUES.flatMap((venues) => {
      const [ours, theirs] = [row[venues], mark?.[venues]];
      if (!marked.includes(venues)) return [number(ours)];
      const ratio = ours === undefined || theirs === undefined ? "" : (ours / theirs).toFixed(3);
      return [number(ours), number(theirs), ratio];
    });
    return [name, ...cells, number(slope(row)), number(slope(mark))];
  });
  return table(head, rows, head.slice(1));
}

/** A line for each thing aimed at, and what to know of them. */
function verdicts(gas: Gas): string[] {
  const above = Object.entries(MARKS).flatMap(([name, mark]) =>
    VENUES.filter((venues) => (gas[name]?.[venues] ?? 0) >= (mark[venues] ?? Infinity)).map((n) => `${name} at N=${n}`),
  );
  const perVenue = slope(gas[DEPOSIT]) ?? NaN;
  const [atThree, atFive] = [gas[TWO_LEGS]?.[3], gas[TWO_LEGS]?.[5]].map((value) => value ?? NaN) as [number, number];
  const part = atFive / (MARKS[TWO_LEGS]?.[5] ?? NaN);
  const line = (met: boolean, what: string): string => `${met ? "met    " : "NOT MET"}  ${what}`;
  return [
    "At N=1 the mark of two legs is out of the one venue and into it again: no plan here, where each adapter moves once.",
    line(above.length === 0, `below every mark${above.length === 0 ? "" : `: not ${above.join("; ")}`}`),
    line(perVenue <= SLOPE_AIM, `a deposit costs ${grouped(perVenue)} a venue, at most ${grouped(SLOPE_AIM)}`),
    line(atThree === atFive, `two legs cost ${grouped(atThree)} at N=3, ${grouped(atFive)} at N=5: the same`),
    line(part <= TWO_LEGS_AIM, `two legs at N=5 are ${part.toFixed(3)} of the mark, at most ${TWO_LEGS_AIM}`),
  ];
}

/** What differs between the snapshot and now, a line each. */
function drift(before: Gas, now: Gas): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.flatMap((name) =>
    VENUES.flatMap((venues) => {
      const [was, is] = [before[name]?.[venues], now[name]?.[venues]];
      if (was === is) return [];
      const by =
        was === undefined || is === undefined ? "" : ` (${is > was ? "+" : "-"}${grouped(Math.abs(is - was))})`;
      const [from, to] = [was, is].map((value) => (value === undefined ? "nothing" : grouped(value)));
      return [`${name}, N=${venues}: ${from} → ${to}${by}`];
    }),
  );
}

async function main(): Promise<void> {
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({ options: { json: flag, write: flag, check: flag } });
  const gas = { ...(await measure()), ...(await measurePools()), ...(await measureRewards()) };
  if (values.check) {
    const drifted = drift(JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Gas, gas);
    for (const line of drifted) process.stdout.write(`${line}\n`);
    if (drifted.length === 0) return;
    process.stdout.write("Gas is not what the snapshot says. If it should be so: npm run gas -- --write\n");
    process.exitCode = 1;
    return;
  }
  if (values.write) writeFileSync(SNAPSHOT, `${JSON.stringify(gas, null, 2)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ gas, marks: MARKS })}\n`);
  else process.stdout.write(`${comparison(gas)}\n${verdicts(gas).join("\n")}\n`);
}

void main();
