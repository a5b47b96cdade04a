// Events as log lines: one line an event, named like the event. JSON for machines (pino), or one short line for people.
import pino, { type DestinationStream } from "pino";
import picocolors from "picocolors";
import { redactText } from "../config/redact";
import type { KeeperEvent, Sink } from "./events";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "json" | "pretty";
  /** Default: standard error, so that a command's `--json` answer stays alone on standard output. */
  readonly destination?: DestinationStream;
  /** Default: whether standard error is a terminal. */
  readonly colour?: boolean;
}

const WARNINGS: ReadonlySet<KeeperEvent["name"]> = new Set([
  "tick.failed",
  "bundle.refused",
  "bundle.missed",
  "rpc.trouble",
  "store.trouble",
  "source.trouble",
  "source.gap",
  "collect.gap",
  "quorum.dissent",
  "quorum.trouble",
  "breaker.tripped",
  "breaker.open",
  "model.trouble",
  "model.distrusted",
  "refit.failed",
  "risk.likely",
]);

/** Level at which an event is logged. */
export function levelOf(event: KeeperEvent): "debug" | "info" | "warn" {
  if (WARNINGS.has(event.name)) return "warn";
  return event.name === "intent.state" ? "debug" : "info";
}

/** A sink that writes every event of `level` and above. Texts from outside (messages, reasons) are redacted once more. */
export function logSink(options: LogOptions): Sink {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true });
  if (options.format === "pretty") return prettySink(options, destination);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    emit(event) {
      const { name, ...fields } = redacted(event);
      logger[levelOf(event)]({ event: name, ...fields });
    },
  };
}

function prettySink(options: LogOptions, destination: DestinationStream): Sink {
  const threshold = pino.levels.values[options.level] ?? Infinity;
  const colours = picocolors.createColors(options.colour ?? process.stderr.isTTY === true);
  return {
    emit(event) {
      const level = levelOf(event);
      if ((pino.levels.values[level] ?? 0) < threshold) return;
      const { name, ...fields } = redacted(event);
      const paint = level === "warn" ? colours.yellow : level === "debug" ? colours.dim : colours.cyan;
      const text = Object.entries(fields)
        .map(([key, value]) => `${colours.dim(`${key}=`)}${valueText(value)}`)
        .join(" ");
      destination.write(`${new Date().toISOString().slice(11, 23)} ${paint(name)} ${text}\n`);
    },
  };
}

function valueText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

/** Free text may quote a library or a server; identifiers, hashes and amounts are ours. */
const FREE_TEXT = new Set(["message", "reason"]);

function redacted(event: KeeperEvent): { readonly name: KeeperEvent["name"] } & Record<string, unknown> {
  const fields = Object.entries(event).map(([key, value]): [string, unknown] => [
    key,
    FREE_TEXT.has(key) && typeof value === "string" ? redactText(value) : value,
  ]);
  return Object.fromEntries(fields) as { name: KeeperEvent["name"] } & Record<string, unknown>;
}
