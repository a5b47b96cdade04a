// The keeper's configuration from a JSON file, the environment and a caller's overrides (in rising order of strength),
// checked as a whole. Every failure names the field as the operator wrote it and never shows a value: values are secrets.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseUnits } from "ethers";
import type { z } from "zod";
import { InputFailure } from "./failure";
import {
  configSchema,
  DEFAULT_DATA_DIR,
  offlineSchema,
  type AuthKeySource,
  type ConfigInput,
  type KeySource,
  type RelayConfig,
} from "./schema";

export const DEFAULT_CONFIG_FILE = "tiller.config.json";

type Parsed = z.output<typeof configSchema>;

/** Checked configuration; file names are absolute. */
export interface Config extends Omit<Parsed, "addresses" | "fees" | "limits" | "database"> {
  /** The config file that was read; null when there was none. */
  readonly file: string | null;
  readonly addresses: string;
  readonly fees: {
    /** Wei. */
    readonly maxFeePerGas: bigint;
    /** Wei. */
    readonly maxPriorityFeePerGas: bigint;
    readonly gasLimit: bigint;
  };
  /** The shape of `OperatorLimits`, fee ceiling included. */
  readonly limits: Parsed["limits"] & { readonly maxFeePerGas: bigint };
  readonly database: { readonly kind: "embedded" } | { readonly kind: "url"; readonly url: string };
}

export type { AuthKeySource, ConfigInput, KeySource, RelayConfig };

/** Each wrong field with what is wrong about it; the message holds them all, the first one first. */
export class ConfigFailure extends InputFailure {
  constructor(readonly problems: readonly { readonly field: string; readonly problem: string }[]) {
    const [first, ...rest] = problems;
    if (first === undefined) throw new RangeError("a ConfigFailure needs a problem");
    const more = rest.map((item) => `; ${item.field}: ${item.problem}`).join("");
    super("CONFIG_INVALID", `${first.problem}${more}`, {
      field: first.field,
      remedy: "Correct the config; `tiller config check` checks it again.",
    });
  }
}

type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T;

export interface LoadOptions {
  /** Value of `--config`; absent: `TILLER_CONFIG`, else `tiller.config.json` in the working folder, else the local chain's. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Strongest: from command-line options or a program that starts the keeper. */
  readonly overrides?: DeepPartial<ConfigInput> | undefined;
  /** The command asks no node, so that none need be named. */
  readonly offline?: boolean;
  /** Base of relative names that come from the environment, overrides and defaults. Default: the working folder. */
  readonly cwd?: string | undefined;
}

/** Environment variable → path in the config, with the reading of its text. */
const ENVIRONMENT: readonly {
  readonly variable: string;
  readonly path: readonly string[];
  readonly read: (text: string) => unknown;
}[] = [
  { variable: "TILLER_DATA_DIR", path: ["dataDir"], read: (text) => text },
  { variable: "RPC_URL", path: ["chain", "rpcUrls"], read: (text) => commaList(text) },
  { variable: "TILLER_ADDRESSES", path: ["addresses"], read: (text) => text },
  {
    variable: "TILLER_RELAY_URLS",
    path: ["relays"],
    read: (text) => commaList(text).map((url, index) => ({ name: `relay-${index + 1}`, url })),
  },
  { variable: "DATABASE_URL", path: ["database"], read: (url) => ({ kind: "url", url }) },
  { variable: "TILLER_HOST", path: ["serve", "host"], read: (text) => text },
  { variable: "TILLER_PORT", path: ["serve", "port"], read: numberOrText },
  { variable: "TILLER_ETH_USD", path: ["limits", "ethUsd"], read: numberOrText },
  { variable: "LOG_LEVEL", path: ["log", "level"], read: (text) => text },
  { variable: "LOG_FORMAT", path: ["log", "format"], read: (text) => text },
];

/**
 * Reads and checks the configuration.
 *
 * `MAINNET_RPC_URL` is the weakest source of `chain.rpcUrls`: it is often set for fork tests, and must not turn a
 * keeper of the local chain towards mainnet.
 *
 * @throws InputFailure `CONFIG_FILE_MISSING`, `CONFIG_FILE_MALFORMED`, `CONFIG_INVALID` (a {@link ConfigFailure}).
 */
export function loadConfig(options: LoadOptions): Config {
  const cwd = options.cwd ?? process.cwd();
  const { file, content } = readConfigFile(options, cwd);

  let merged: Tree = content;
  const origin = new Map<string, string>();
  const fallbackRpc = options.env["MAINNET_RPC_URL"];
  if (fallbackRpc && at(merged, ["chain", "rpcUrls"]) === undefined) {
    merged = put(merged, ["chain", "rpcUrls"], commaList(fallbackRpc));
    origin.set("chain.rpcUrls", "MAINNET_RPC_URL");
  }
  for (const entry of ENVIRONMENT) {
    const text = options.env[entry.variable];
    if (text === undefined || text.trim() === "") continue;
    merged = put(merged, entry.path, entry.read(text.trim()));
    origin.set(entry.path.join("."), entry.variable);
  }
  const overrides = (options.overrides ?? {}) as Tree;
  merged = overlay(merged, overrides);
  for (const key of [...origin.keys()]) if (at(overrides, key.split(".")) !== undefined) origin.delete(key);

  const parsed = (options.offline === true ? offlineSchema : configSchema).safeParse(merged);
  if (!parsed.success) throw new ConfigFailure(problemsOf(parsed.error.issues, origin));
  // Names in the file are relative to the file, so that it means the same wherever the command is run.
  const base = (dotted: string): string =>
    file !== null &&
    !origin.has(dotted) &&
    at(content, dotted.split(".")) !== undefined &&
    at(overrides, dotted.split(".")) === undefined
      ? path.dirname(file)
      : cwd;
  return assemble(parsed.data, file, base);
}

function assemble(parsed: Parsed, file: string | null, base: (dotted: string) => string): Config {
  const dataDir = path.resolve(base("dataDir"), parsed.dataDir);
  const key = parsed.keeper.key;
  return {
    ...parsed,
    file,
    dataDir,
    addresses:
      parsed.addresses === undefined
        ? path.join(dataDir, "localnet", "addresses.json")
        : path.resolve(base("addresses"), parsed.addresses),
    keeper: {
      key:
        key.kind === "env"
          ? key
          : {
              ...key,
              file: path.resolve(base("keeper.key.file"), key.file),
              ...(key.passwordFile === undefined
                ? {}
                : { passwordFile: path.resolve(base("keeper.key.passwordFile"), key.passwordFile) }),
            },
    },
    relayAuth:
      parsed.relayAuth.kind === "env"
        ? parsed.relayAuth
        : { kind: "file", file: path.resolve(dataDir, parsed.relayAuth.file) },
    risk:
      parsed.risk.protocolFile === undefined
        ? parsed.risk
        : {
            ...parsed.risk,
            protocolFile: path.resolve(base("risk.protocolFile"), parsed.risk.protocolFile),
          },
    forecast: withFiles(parsed.forecast, base),
    fees: {
      maxFeePerGas: gwei(parsed.fees.maxFeePerGasGwei),
      maxPriorityFeePerGas: gwei(parsed.fees.maxPriorityFeeGwei),
      gasLimit: BigInt(parsed.fees.gasLimit),
    },
    limits: { ...parsed.limits, maxFeePerGas: gwei(parsed.fees.maxFeePerGasGwei) },
  };
}

function withFiles(forecast: Parsed["forecast"], base: (dotted: string) => string): Parsed["forecast"] {
  const { models, refit } = forecast;
  const { python } = refit;
  return {
    ...forecast,
    ...(models === undefined ? {} : { models: path.resolve(base("forecast.models"), models) }),
    // A name alone is a program of the PATH.
    ...(python === undefined || path.basename(python) === python
      ? {}
      : { refit: { ...refit, python: path.resolve(base("forecast.refit.python"), python) } }),
  };
}

const gwei = (amount: number): bigint => parseUnits(amount.toFixed(9), "gwei");

function readConfigFile(options: LoadOptions, cwd: string): { file: string | null; content: Tree } {
  const asked = options.file ?? options.env["TILLER_CONFIG"];
  const field = options.file !== undefined ? "--config" : "TILLER_CONFIG";
  const file = path.resolve(cwd, asked ?? defaultFile(options.env, cwd));
  if (!existsSync(file)) {
    if (asked === undefined) return { file: null, content: {} };
    throw new InputFailure("CONFIG_FILE_MISSING", `there is no file ${file}`, {
      field,
      remedy: "Name a config file that exists.",
    });
  }
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (!isTree(content)) throw new SyntaxError("not an object");
    return { file, content };
  } catch (error) {
    // The parser's own message quotes the text around the fault, which may be a secret.
    const reason = error instanceof SyntaxError ? "is not a JSON object" : "cannot be read";
    throw new InputFailure("CONFIG_FILE_MALFORMED", `the file ${reason}`, {
      field: file,
      remedy: "Write one JSON object, without comments or trailing commas.",
    });
  }
}

/**
 * The operator's own file; where there is none and the environment names no chain, the one that `npm start` wrote for
 * its local chain, so that commands beside it need no options. With `RPC_URL` or `TILLER_ADDRESSES` set the local file is
 * never mixed in: its relays and limits are not meant for another chain.
 */
function defaultFile(env: LoadOptions["env"], cwd: string): string {
  if (existsSync(path.resolve(cwd, DEFAULT_CONFIG_FILE)) || env["RPC_URL"] || env["TILLER_ADDRESSES"]) {
    return DEFAULT_CONFIG_FILE;
  }
  const local = path.join(env["TILLER_DATA_DIR"] ?? DEFAULT_DATA_DIR, "localnet", DEFAULT_CONFIG_FILE);
  return existsSync(path.resolve(cwd, local)) ? local : DEFAULT_CONFIG_FILE;
}

function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  origin: ReadonlyMap<string, string>,
): { field: string; problem: string }[] {
  return issues.flatMap((issue) => {
    const keys = issue.path.map((key) => (typeof key === "symbol" ? key.toString() : key));
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ field: dotted([...keys, key]), problem: "is not a known setting" }));
    }
    const source = [...origin].find(([prefix]) => keys.join(".") === prefix || keys.join(".").startsWith(`${prefix}.`));
    return [{ field: source?.[1] ?? dotted(keys), problem: problemOf(issue, keys) }];
  });
}

function problemOf(issue: z.core.$ZodIssue, keys: readonly (string | number)[]): string {
  if (keys.join(".") === "chain.rpcUrls" && issue.code === "invalid_type" && / undefined$/.test(issue.message)) {
    return "is missing: name at least one RPC endpoint here or in RPC_URL, or have `npm start` make a local chain";
  }
  if (issue.code === "invalid_type") {
    return / undefined$/.test(issue.message) ? "is missing" : `must be of type ${issue.expected}`;
  }
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)) {
    return `must be one of ${issue.options.map(String).join(", ")}`;
  }
  if (issue.code === "too_small" && /^Too small/.test(issue.message)) return `must be at least ${issue.minimum}`;
  return issue.message;
}

function dotted(keys: readonly (string | number)[]): string {
  return keys.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");
}

type Tree = { readonly [key: string]: unknown };

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(tree: Tree, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
}

function put(tree: Tree, keys: readonly string[], value: unknown): Tree {
  const [key, ...rest] = keys;
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const child = tree[key];
  return { ...tree, [key]: put(isTree(child) ? child : {}, rest, value) };
}

/** A member that names its `kind` replaces the other one whole: two kinds share no fields. */
function overlay(below: Tree, above: Tree): Tree {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === undefined) continue;
    const old = merged[key];
    merged[key] = isTree(old) && isTree(value) && value["kind"] === undefined ? overlay(old, value) : value;
  }
  return merged;
}

function commaList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** A text that is no number stays one, so that the schema can name the field. */
function numberOrText(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
