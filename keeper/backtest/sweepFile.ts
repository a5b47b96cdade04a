// Trials that were run, a line of JSON each, so that a sweep that was stopped goes on where it was.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { InputFailure } from "../config/failure";
import type { Parameters } from "./parameters";
import type { SweepRoom } from "./sweepWorker";
import type { Trial } from "./trial";

/** What a trial's result depends on besides the code. */
export function trialKey(of: object): string {
  // Prices of gas are columns of numbers, of which the first may be in force since ever.
  const text = JSON.stringify(of, (_key, value: unknown) => {
    if (value instanceof Float64Array) return [...value];
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** Of each trial of a sweep. */
export function trialKeys(of: {
  readonly dataHash: string;
  readonly room: SweepRoom;
  readonly trials: readonly Parameters[];
}): string[] {
  const { dataHash, trials } = of;
  const { folder: _, now: __, ...settings } = of.room;
  return trials.map((parameters) => trialKey({ dataHash, settings, parameters }));
}

const BEGIN = '{"key":"';

export class SweepFile {
  readonly #file: string | undefined;
  readonly #known = new Map<string, Omit<Trial, "index">>();

  /** @throws InputFailure `SWEEP_FILE` where the file holds something else. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, "utf8").split("\n");
    lines.forEach((line, k) => {
      if (line === "") return;
      try {
        const { key, daily, ...rest } = JSON.parse(line) as { key: string; daily: number[] } & Omit<
          Trial,
          "daily" | "index"
        >;
        if (typeof key !== "string" || !daily.every(Number.isFinite)) throw new TypeError("no trial");
        this.#known.set(key, { ...rest, daily: Float64Array.from(daily) });
      } catch (cause) {
        // A last line that was cut off is a trial that was not run; a file of something else is left as it is.
        if (k === lines.length - 1 && (line.startsWith(BEGIN) || BEGIN.startsWith(line))) {
          truncateSync(file, Buffer.byteLength(lines.slice(0, k).join("\n")));
          return;
        }
        throw new InputFailure("SWEEP_FILE", `line ${k + 1} is no trial of a sweep`, {
          field: "--out",
          remedy: "Name a file that a sweep wrote, or a new one.",
          cause,
        });
      }
    });
  }

  get(key: string): Omit<Trial, "index"> | undefined {
    return this.#known.get(key);
  }

  add(key: string, { index: _, daily, ...rest }: Trial): void {
    if (this.#file === undefined) return;
    appendFileSync(this.#file, `\n${JSON.stringify({ key, ...rest, daily: [...daily] })}`);
  }
}
