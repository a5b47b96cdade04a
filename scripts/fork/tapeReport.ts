// What a tape was asked and what it could not answer. A fork can go on after an error of its upstream, or die without
// an exit status: this report, not the exit status, says whether a run was answered from recorded state alone.
import type { Refusal } from "./pinnedState";

/** Why a zero was given out without having been recorded. */
export type ZeroRule = "fresh-account" | "no-code" | "listed-slot" | "range" | "fresh-entry";

export interface ZeroGiven {
  readonly address: string;
  /** `balance`, `nonce`, `code`, or a slot of 32 bytes. */
  readonly item: string;
  readonly rule: ZeroRule;
  readonly why: string;
  readonly times: number;
}

export interface Miss {
  readonly method: string;
  readonly address: string | null;
  readonly slot: string | null;
  readonly message: string;
  readonly times: number;
}

export interface TapeReport {
  readonly format: "tiller-tape-report/1";
  readonly tape: { readonly sha256: string; readonly chainId: number; readonly block: number; readonly hash: string };
  readonly headerVerified: boolean;
  readonly requests: number;
  /** Answers that stand in the tape as recorded. */
  readonly hits: number;
  /** Answers that a patch gave: not recorded, see their reasons. */
  readonly patched: { readonly total: number; readonly given: readonly Omit<ZeroGiven, "rule">[] };
  readonly zeros: {
    readonly total: number;
    readonly byRule: Readonly<Record<ZeroRule, number>>;
    readonly given: readonly ZeroGiven[];
  };
  /** Logs, transactions and receipts answered as if there were none: tapes do not hold them. */
  readonly emptyHistory: number;
  readonly misses: { readonly total: number; readonly list: readonly Miss[] };
  /** True once the server was closed in good order. */
  readonly closed: boolean;
}

type Counted<T> = { -readonly [K in keyof T]: T[K] };

/** Collects a {@link TapeReport}. */
export class TapeTally {
  private requests = 0;
  private hits = 0;
  private emptyHistory = 0;
  private closed = false;
  private readonly patched = new Map<string, Counted<Omit<ZeroGiven, "rule">>>();
  private readonly zeros = new Map<string, Counted<ZeroGiven>>();
  private readonly misses = new Map<string, Counted<Miss>>();

  constructor(private readonly identity: Pick<TapeReport, "tape" | "headerVerified">) {}

  request(): void {
    this.requests++;
  }

  hit(): void {
    this.hits++;
  }

  history(): void {
    this.emptyHistory++;
  }

  patch(address: string, slot: string, why: string): void {
    count(this.patched, `${address} ${slot}`, { address, item: slot, why, times: 0 });
  }

  zero(address: string, item: string, given: { readonly rule: ZeroRule; readonly why: string }): void {
    count(this.zeros, `${address} ${item}`, { address, item, rule: given.rule, why: given.why, times: 0 });
  }

  /** @returns true the first time that this miss is seen. */
  miss(method: string, refusal: Refusal): boolean {
    const { address = null, slot = null } = refusal.at;
    const { message } = refusal;
    return count(this.misses, `${method} ${message}`, { method, address, slot, message, times: 0 }) === 1;
  }

  close(): void {
    this.closed = true;
  }

  report(): TapeReport {
    const byRule = { "fresh-account": 0, "no-code": 0, "listed-slot": 0, range: 0, "fresh-entry": 0 };
    for (const zero of this.zeros.values()) byRule[zero.rule] += zero.times;
    const given = <T extends object>(map: Map<string, T>): T[] => [...map.values()].map((entry) => ({ ...entry }));
    return {
      format: "tiller-tape-report/1",
      ...this.identity,
      requests: this.requests,
      hits: this.hits,
      patched: { total: sum(this.patched.values()), given: given(this.patched) },
      zeros: { total: sum(this.zeros.values()), byRule, given: given(this.zeros) },
      emptyHistory: this.emptyHistory,
      misses: { total: sum(this.misses.values()), list: given(this.misses) },
      closed: this.closed,
    };
  }
}

function count<T extends { times: number }>(map: Map<string, T>, key: string, entry: T): number {
  const known = map.get(key) ?? entry;
  known.times++;
  map.set(key, known);
  return known.times;
}

function sum(entries: Iterable<{ readonly times: number }>): number {
  let total = 0;
  for (const { times } of entries) total += times;
  return total;
}

/** The report as a person reads it, several lines. */
export function summarise(report: TapeReport): string {
  const { tape, zeros, misses, patched } = report;
  const rules = Object.entries(zeros.byRule)
    .filter(([, times]) => times > 0)
    .map(([rule, times]) => `${rule} ${times}`)
    .join(", ");
  const patches = new Map<string, number>();
  for (const { why, times } of patched.given) {
    const kind = why.split(/[\s:]/)[0] ?? "";
    patches.set(kind, (patches.get(kind) ?? 0) + times);
  }
  const kinds = [...patches].map(([kind, times]) => `${kind} ${times}`).join(", ");
  const lines = [
    `tape ${tape.sha256.slice(0, 16)}, chain ${tape.chainId}, block ${tape.block}` +
      (report.headerVerified ? "" : " (header not verified: it has fields that are unknown here)"),
    `${report.requests} requests, ${report.hits} recorded answers`,
    `${patched.total} patched answers${kinds ? ` (${kinds})` : ""}`,
    `${zeros.total} zeros given out${rules ? ` (${rules})` : ""}`,
    `${misses.total} misses${misses.total === 0 ? "" : ":"}`,
    ...misses.list.map((miss) => `  ${miss.message} (${miss.method}, ${miss.times} times)`),
  ];
  return lines.join("\n");
}
