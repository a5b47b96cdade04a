// `npm run mutate`: small changes to the contracts, one at a time; the contract tests should notice each.
//   npm run mutate -- --sample 200            a sample over all mutated files, in proportion to their mutants
//   npm run mutate -- --files libraries/      only files whose path contains it (may be repeated)
//   npm run mutate -- --list                  the chosen mutants as diffs, without a run
//   npm run mutate -- --survivors             those of the chosen that live, as diffs, without a run
// Results are kept in .tiller/mutation/results.jsonl under the hash of the mutated file; a run takes up where the last
// one ended. The checkout's sources are never written: a mutant is compiled from memory into a folder of its own.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { createCompiler, freshArtifacts, removeArtifacts, writeArtifacts } from "./compiler";
import { applyTo, diffOf, hashOf, keyOf, type Mutant } from "./mutant";
import { mutantsOf } from "./operators";
import { summaryOf, summaryText } from "./report";
import { appendResult, isFinished, readResults, type Outcome, type Result } from "./results";
import { sampleOf } from "./sample";
import { dependentsOf, filesBelow, isMutated, readSources, type Sources } from "./sources";
import { contractTests, inOrder, runTests, type Trial } from "./trial";

const ROOT = path.join(__dirname, "..", "..");
const STATE = path.join(ROOT, ".tiller", "mutation");
const RESULTS = path.join(STATE, "results.jsonl");

const DEFAULT_SEED = 4;
/** A mutant may run so many times longer than the unchanged contracts before it counts as killed by time-out. */
const PATIENCE = 6;
const CLEAN_LIMIT_MS = 20 * 60_000;
const SHORTEST_LIMIT_MS = 120_000;

interface Options {
  readonly seed: number;
  readonly sample: number | undefined;
  readonly files: readonly string[];
  readonly workers: number;
  readonly mode: "run" | "list" | "survivors";
  readonly json: boolean;
}

class UsageError extends Error {}

function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${name} is a whole number from ${least}, not ${text}`);
  }
  return value;
}

function parseOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        sample: { type: "string" },
        files: { type: "string", multiple: true },
        workers: { type: "string" },
        list: { type: "boolean" },
        survivors: { type: "boolean" },
        json: { type: "boolean" },
      },
    });
    return {
      seed: wholeNumber("seed", values.seed, 0) ?? DEFAULT_SEED,
      sample: wholeNumber("sample", values.sample, 1),
      files: values.files ?? [],
      workers: wholeNumber("workers", values.workers, 1) ?? 1,
      mode: values.list === true ? "list" : values.survivors === true ? "survivors" : "run",
      json: values.json ?? false,
    };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Of tests and of what they deploy besides the contracts. */
function hashTests(): string {
  const files = [".test.ts", ".ts", ".sol"].flatMap((ending) => filesBelow(ROOT, "test/contracts", ending));
  return hashOf([...new Set(files)].map((file) => file + readFileSync(path.join(ROOT, file), "utf8")).join("\n"));
}

function chooseMutants(sources: Sources, { files, seed, sample }: Options): Mutant[] {
  const chosen = [...sources].filter(
    ([file]) => isMutated(file) && (files.length === 0 || files.some((part) => file.includes(part))),
  );
  if (chosen.length === 0) throw new UsageError(`no mutated file's path contains ${files.join(" or ")}`);
  const mutants = chosen.flatMap(([file, source]) => mutantsOf(file, source));
  return sampleOf(mutants, { seed, ...(sample === undefined ? {} : { size: sample }) });
}

const sourceOf = (sources: Sources, mutant: Mutant): string => sources.get(mutant.file) ?? "";

function outcomeOf(trial: Exclude<Trial, { outcome: "interrupted" }>): Pick<Result, "outcome" | "by"> {
  switch (trial.outcome) {
    case "green":
      return { outcome: "survived", by: "" };
    case "red":
      return { outcome: "killed", by: `${trial.test}: ${trial.reason}` };
    case "timeout":
      return { outcome: "timeout", by: "" };
  }
}

const MARKS: Readonly<Record<Outcome, string>> = {
  killed: "killed",
  timeout: "killed by time-out",
  survived: "SURVIVED",
  uncompiled: "does not compile",
};

async function runMutants(waiting: readonly Mutant[], sources: Sources, options: Options): Promise<boolean> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  const { signal } = interrupted;
  const tests = contractTests(ROOT);
  const testsHash = hashTests();
  const compile = createCompiler(ROOT);
  const clean = compile(sources);
  if (!clean.ok) throw new UsageError(`The unchanged contracts do not compile: ${clean.error}`);

  const folderOf = (worker: number): string => path.join(STATE, `artifacts-${process.pid}-${worker}`);
  const tidy = (): void => {
    for (let worker = 0; worker < options.workers; worker++) removeArtifacts(folderOf(worker));
  };
  const begun = Date.now();
  freshArtifacts(folderOf(0), clean.artifacts);
  const unchanged = await runTests(tests, { root: ROOT, artifacts: folderOf(0), limitMs: CLEAN_LIMIT_MS, signal });
  if (unchanged.outcome !== "green") tidy();
  if (unchanged.outcome === "interrupted") return false;
  if (unchanged.outcome !== "green") {
    const why = unchanged.outcome === "red" ? `${unchanged.test}: ${unchanged.reason}` : "it takes too long";
    throw new UsageError(`The unchanged contracts fail their tests, so that no mutant can be judged: ${why}`);
  }
  const limitMs = Math.max(PATIENCE * (Date.now() - begun), SHORTEST_LIMIT_MS);
  console.error(
    `unchanged contracts: green in ${((Date.now() - begun) / 1000).toFixed(0)} s; ${waiting.length} mutants to run`,
  );

  const queue = [...waiting];
  const judge = async (mutant: Mutant, folder: string): Promise<Pick<Result, "outcome" | "by"> | undefined> => {
    const source = sourceOf(sources, mutant);
    const mutated = new Map(sources).set(mutant.file, applyTo(source, mutant));
    const affected = dependentsOf(mutant.file, sources);
    const compiled = compile(mutated, affected);
    if (!compiled.ok) return { outcome: "uncompiled", by: compiled.error.split("\n", 1)[0] ?? "" };
    writeArtifacts(folder, compiled.artifacts);
    const trial = await runTests(inOrder(tests, mutant.file), { root: ROOT, artifacts: folder, limitMs, signal });
    writeArtifacts(folder, new Map([...clean.artifacts].filter(([file]) => compiled.artifacts.has(file))));
    return trial.outcome === "interrupted" ? undefined : outcomeOf(trial);
  };
  let done = 0;
  const work = async (worker: number): Promise<void> => {
    if (worker > 0) freshArtifacts(folderOf(worker), clean.artifacts);
    for (let mutant = queue.shift(); mutant !== undefined && !signal.aborted; mutant = queue.shift()) {
      const start = Date.now();
      const verdict = await judge(mutant, folderOf(worker));
      if (verdict === undefined) return;
      const seconds = Math.round((Date.now() - start) / 1000);
      const key = keyOf(mutant, sourceOf(sources, mutant));
      appendResult(RESULTS, { key, ...mutant, ...verdict, seconds, testsHash });
      const change = `${mutant.original} => ${mutant.replacement}`.replace(/\s+/g, " ").slice(0, 90);
      console.error(
        `${++done}/${waiting.length} ${MARKS[verdict.outcome]} (${seconds} s) ${mutant.file}:${mutant.line} ${change}`,
      );
    }
  };
  await Promise.all(Array.from({ length: options.workers }, (_, worker) => work(worker)));
  tidy();
  return !signal.aborted;
}

async function main(): Promise<void> {
  const options = parseOptions();
  const sources = readSources(ROOT);
  const chosen = chooseMutants(sources, options);
  if (options.mode === "list") {
    for (const mutant of chosen) console.log(`${diffOf(sourceOf(sources, mutant), mutant)}\n`);
    console.log(`${chosen.length} mutants`);
    return;
  }
  const keyed = chosen.map((mutant) => ({ mutant, key: keyOf(mutant, sourceOf(sources, mutant)) }));
  if (options.mode === "run") {
    const known = readResults(RESULTS);
    const testsHash = hashTests();
    // What lived under other tests is asked first: it is what somebody wrote tests for.
    const waiting = keyed
      .filter(({ key }) => !isFinished(known.get(key), testsHash))
      .sort((a, b) => Number(known.has(b.key)) - Number(known.has(a.key)))
      .map(({ mutant }) => mutant);
    if (waiting.length > 0 && !(await runMutants(waiting, sources, options))) process.exitCode = 130;
  }
  const known = readResults(RESULTS);
  const results = keyed.flatMap(({ key }) => known.get(key) ?? []);
  if (options.mode === "survivors") {
    const alive = results.filter(({ outcome }) => outcome === "survived");
    for (const mutant of alive) console.log(`${diffOf(sourceOf(sources, mutant), mutant)}\n`);
    console.log(`${alive.length} survivors of ${results.length} finished`);
    return;
  }
  const summary = summaryOf(results, chosen.length);
  console.log(options.json ? JSON.stringify(summary, undefined, 2) : summaryText(summary));
}

main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
