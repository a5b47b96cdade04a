// Made-up lending markets long enough to train on, and the Python that trains.
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Context } from "mocha";
import { TRAINER_PYTHON } from "../../../keeper/app/trainer";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import type { Store } from "../../../keeper/store/records";
import { seeded } from "../../../scripts/bench/randomProblems";
import { pythonOf } from "../../../scripts/testRun";
import { skip } from "../../skip";

const HOUR = 3_600;
export const BEGIN = 1_700_002_800;
const ROOT = path.join(__dirname, "..", "..", "..");
export const SERIES = ["aave-v3-usdc", "aave-v3-usdt", "compound-v3-usdc"];
/** Two half-years to be judged on, and half a year before them. */
export const ENOUGH_HOURS = 14_500;

/** Hourly rows, at half past, of a kinked curve whose utilisation comes back to four fifths. */
export function marketRows(number: number, hours: number): HistoryRow[] {
  const random = seeded(number + 1);
  let used = 0.8;
  return Array.from({ length: hours }, (_, k) => {
    used = Math.min(0.99, Math.max(0.4, used + 0.003 * (0.8 - used) + 0.012 * (random() - 0.5)));
    const borrowApr = used < 0.9 ? (0.04 * used) / 0.9 : 0.04 + (0.6 * (used - 0.9)) / 0.1;
    const at = BEGIN + HOUR / 2 + k * HOUR;
    return {
      ...{ observedAt: at, availableAt: at, block: k, blockHash: null, source: "made-up", index: null, flags: 0 },
      ...{ suppliedUsd: 5e7, borrowedUsd: 5e7 * used, borrowApr, supplyApr: borrowApr * used * 0.9 },
    };
  });
}

export async function storeMarkets(store: Store, chainId: number, hours: number): Promise<void> {
  for (const [number, name] of SERIES.entries()) {
    await store.history.addHistory({ chainId, name }, marketRows(number, hours));
  }
}

/**
 * A Python that can train, or the test is skipped.
 * @param folder Where a program is put that is this Python with few trees: the trainer otherwise as it is, in seconds.
 */
export function trainerPython(context: Context, folder: string): string {
  const env = { ...process.env, PYTHONPATH: path.join(ROOT, "ml") };
  const found = [pythonOf(ROOT), TRAINER_PYTHON].find(
    (python) => spawnSync(python, ["-m", "tillerml", "--help"], { env }).status === 0,
  );
  if (found === undefined) skip(context, "no Python with ml/requirements.txt here: .ci/run makes one in .venv");
  const file = path.join(folder, "python-of-few-trees");
  const few = "trees.POINT_ROUNDS, trees.SCALE_ROUNDS = 20, 10";
  const code = `import sys; from tillerml import trees, __main__ as trainer; ${few}; sys.argv[1:3] = []; trainer.main()`;
  writeFileSync(file, `#!/bin/sh\nexec ${found} -c '${code}' "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}
