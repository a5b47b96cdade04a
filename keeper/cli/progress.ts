// How far a long piece of work is: on a terminal a bar that is drawn over and over, elsewhere a line now and then.
import pc from "picocolors";

export interface Standing {
  readonly blocks: number;
  readonly stored: number;
  readonly rows: number;
}

interface Sample extends Standing {
  readonly ms: number;
}

export interface Rates {
  readonly blocksPerSecond: number;
  readonly rowsPerSecond: number;
  /** Null: nothing moves. */
  readonly secondsLeft: number | null;
}

/** Rates are over the last so much: a node's speed changes with what its blocks hold. */
const WINDOW_MS = 15_000;
const DRAW_MS = 100;
const LINE_MS = 10_000;
const BAR_WIDTH = 28;

/** Speeds over the last seconds. Blocks that were stored before the first sample count for no speed. */
export class RateMeter {
  readonly #samples: Sample[] = [];

  add(standing: Standing, ms: number): Rates {
    this.#samples.push({ ...standing, ms });
    while ((this.#samples[1]?.ms ?? Infinity) <= ms - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? { ...standing, ms };
    const seconds = (ms - first.ms) / 1000;
    // A reorganisation takes blocks back: that is no speed.
    const speed = (gained: number): number => (seconds > 0 ? Math.max(0, gained) / seconds : 0);
    const blocksPerSecond = speed(standing.stored - first.stored);
    return {
      blocksPerSecond,
      rowsPerSecond: speed(standing.rows - first.rows),
      secondsLeft: blocksPerSecond > 0 ? (standing.blocks - standing.stored) / blocksPerSecond : null,
    };
  }
}

export interface ProgressOptions {
  readonly stream: Pick<NodeJS.WriteStream, "write" | "isTTY">;
  /** Nothing between start and end where nobody watches: another program reads the answer. */
  readonly quietUnlessTerminal: boolean;
  /** Milliseconds. Default: the process's clock. */
  readonly now?: () => number;
}

export class ProgressDisplay {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #meter = new RateMeter();
  #shownAt = -Infinity;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  update(standing: Standing): void {
    const ms = this.#now();
    const rates = this.#meter.add(standing, ms);
    const { stream, quietUnlessTerminal } = this.#options;
    const whole = standing.stored >= standing.blocks;
    if (!stream.isTTY && quietUnlessTerminal) return;
    if (!whole && ms - this.#shownAt < (stream.isTTY ? DRAW_MS : LINE_MS)) return;
    this.#shownAt = ms;
    const text = `${share(standing)}  ${described(standing, rates)}`;
    if (stream.isTTY) stream.write(`\r\x1b[K${bar(standing)} ${text}`);
    else stream.write(`${text}\n`);
    this.#drawn = stream.isTTY;
  }

  /** A line that stays. */
  note(line: string): void {
    this.end();
    this.#options.stream.write(`${line}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn) this.#options.stream.write("\r\x1b[K");
    this.#drawn = false;
  }
}

const count = (value: number): string => Math.round(value).toLocaleString("en-US");

function share({ stored, blocks }: Standing): string {
  // Rounded down: 100 % means all.
  return `${(Math.floor((1000 * stored) / Math.max(1, blocks)) / 10).toFixed(1).padStart(5)} %`;
}

function described({ stored, blocks }: Standing, rates: Rates): string {
  const left = rates.secondsLeft === null ? "" : `  ${duration(rates.secondsLeft)} left`;
  const { blocksPerSecond, rowsPerSecond } = rates;
  return `${count(stored)} of ${count(blocks)} blocks  ${count(blocksPerSecond)} blocks/s  ${count(rowsPerSecond)} rows/s${left}`;
}

function bar({ stored, blocks }: Standing): string {
  const full = Math.floor((BAR_WIDTH * stored) / Math.max(1, blocks));
  return pc.green("█".repeat(full)) + pc.dim("░".repeat(BAR_WIDTH - full));
}

/** 75 → "1:15", 3675 → "1:01:15". */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** Work that is counted in few steps: one line that is written over, on a terminal only. */
export function countOf(noun: string): (done: number, of: number) => void {
  return (done, of) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of} ${noun}${done === of ? "\r\u001b[K" : ""}`);
  };
}
