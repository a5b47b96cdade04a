// `node -r tsx/cjs scripts/localnet/market.ts`: the market as a process of its own. Also the door for those who import
// it.
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, InputFailure } from "../../keeper/config/failure";
import { runMarket, type SentAction } from "./market/runMarket";
import { readProtocols } from "./protocols/deploy";

export {
  openMarket,
  runMarket,
  type Market,
  type MarketOptions,
  type MarketSettings,
  type SentAction,
} from "./market/runMarket";
export { nextActions } from "./market/plan";

const DEFAULT_FOLDER = path.join(".tiller", "localnet");

async function main(): Promise<void> {
  const { values } = readArguments();
  const protocols = readProtocols(values.folder);
  if (protocols === null) {
    throw new InputFailure("LOCALNET_NO_PROTOCOLS", `no protocols.json in ${values.folder}`, {
      field: "--folder",
      remedy: "Start the local chain first, or name the folder it lives in.",
    });
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());
  await runMarket({
    ...{ url: values.url, protocols, signal: stop.signal },
    seed: wholeNumber("--seed", values.seed, 0),
    everyBlocks: wholeNumber("--every", values.every, 1),
    onAction: (sent) => process.stdout.write(`${values.json ? asJson(sent) : asLine(sent)}\n`),
  });
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        folder: { type: "string", default: DEFAULT_FOLDER },
        url: { type: "string", default: "http://127.0.0.1:8545" },
        seed: { type: "string", default: "1" },
        every: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
      },
    });
  } catch (cause) {
    throw new InputFailure("LOCALNET_BAD_OPTION", cause instanceof Error ? cause.message : "unknown option", {
      field: "options",
      remedy: "Known are --folder DIR, --url URL, --seed N, --every BLOCKS and --json.",
      cause,
    });
  }
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new InputFailure("LOCALNET_BAD_OPTION", `"${text}" is not a whole number of at least ${least}`, {
    field: option,
    remedy: `Give ${option} a whole number.`,
  });
}

function asJson(sent: SentAction): string {
  return JSON.stringify(sent, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

function asLine({ block, action, hash }: SentAction): string {
  const { actor, kind, ...rest } = action;
  const details = Object.values(rest).map(String).join(" ");
  return `block ${block}  ${actor} ${kind} ${details}  ${hash ?? "refused by the node"}`;
}

if (require.main === module) {
  main().catch((problem: unknown) => {
    if (!(problem instanceof Failure)) throw problem;
    process.stderr.write(`${problem.line()}\n`);
    process.exitCode = problem.exitCode;
  });
}
