// `tiller allocate`: the exact allocation of a problem file. The shapes of input and output are a contract with others.
import { Command } from "commander";
import { allocate } from "../allocate/allocate";
import type { AllocationAnswer, AllocationProblem } from "../allocate/problem";
import { readProblem } from "../allocate/problemFile";
import { InputFailure } from "../config/failure";
import { supplyApr } from "../venues/rateModel";
import { table } from "./printing";

/** The command, to be mounted under `tiller`. Failures are thrown: the caller prints them and sets the exit code. */
export function allocateCommand(): Command {
  const command = new Command("allocate");
  return command
    .description("Work out the allocation that gains most, with our own effect on every rate")
    .option("--problem <file>", "JSON file with the problem (- for standard input)")
    .option("--json", "print one JSON object", false)
    .action(({ problem: file, json }: { problem?: string; json: boolean }) => {
      if (file === undefined) {
        throw new InputFailure("PROBLEM_FILE", "no problem is given", {
          field: "--problem",
          remedy: "Give the path of a JSON file with the problem, or - for standard input.",
        });
      }
      const problem = readProblem(file);
      const answer = allocate(problem);
      const text = json ? `${JSON.stringify(jsonShape(answer))}\n` : report(problem, answer);
      command.configureOutput().writeOut?.(text);
    });
}

/** The fixed shape; `gap` is said only where the answer may be short of the optimum by that much. */
function jsonShape({ gap, ...shape }: AllocationAnswer): object {
  return shape.exact ? shape : { ...shape, gap };
}

function report(problem: AllocationProblem, answer: AllocationAnswer): string {
  const head = ["venue", "now, USD", "then, USD", "change, USD", "APR then"];
  const idleNow = problem.total - problem.venues.reduce((sum, { current }) => sum + current, 0);
  const amounts = (now: number, then: number): string[] => [usd(now), usd(then), usd(then - now)];
  const rows = problem.venues.map(({ id, current, model }) => {
    const then = answer.allocation[id] ?? 0;
    return [id, ...amounts(current, then), `${(100 * supplyApr(model, then)).toFixed(3)} %`];
  });
  rows.push(["idle", ...amounts(idleNow, answer.idle), ""]);
  const moves = answer.moves.length;
  const lines = [
    `income ${usd(answer.incomePerYear)} USD a year`,
    `gain over ${problem.horizonHours} h against staying ${usd(answer.gainOverHorizon)} USD, costs of ${usd(answer.costUsd)} USD for ${moves} ${moves === 1 ? "move" : "moves"} included`,
    ...(answer.tailLossUsd === undefined
      ? []
      : [`mean loss over ${problem.horizonHours} h in the tail ${usd(answer.tailLossUsd)} USD`]),
    answer.exact
      ? "exact: no allocation gains more"
      : `not proven: another allocation could gain at most ${usd(answer.gap)} USD more`,
  ];
  return `${table(head, rows, head.slice(1))}\n${lines.join("\n")}\n`;
}

function usd(amount: number): string {
  const rounded = amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return rounded === "-0.00" ? "0.00" : rounded;
}
