// `npm run deploy:check -- --addresses FILE [--json]`: inspects a live vault. The node's URL is in RPC_URL.
// Exit code 0: all checks pass; 1: one does not, or the node does not answer; 2: the input is wrong.
import { parseArgs } from "node:util";
import pc from "picocolors";
import { printJson, table } from "../keeper/cli/printing";
import { loadAddresses } from "../keeper/config/addresses";
import { InputFailure } from "../keeper/config/failure";
import { identify } from "./chainIdentity";
import { endWith } from "./commandFailure";
import { inspect, type Inspection } from "./inspect";
import { withNode } from "./rpc";

const USAGE = `Usage: RPC_URL=… npm run deploy:check -- --addresses FILE [--json] [--debug]
Compares the code at every address with this checkout's, tells who holds which power, and prints every parameter.`;

async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      addresses: { type: "string" },
      json: { type: "boolean" },
      debug: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(USAGE);
  if (values.addresses === undefined) {
    throw new InputFailure("USAGE", "no address file is named", { field: "--addresses", remedy: "Name one." });
  }
  const file = loadAddresses(values.addresses);
  const inspection = await withNode(process.env, file.network, async (provider) => {
    const genesisHash = await identify(provider, file);
    if (genesisHash !== file.genesisHash) {
      throw new InputFailure("CHAIN_WRONG", "the node's chain began with another block than the file's", {
        field: "RPC_URL",
        remedy: "Connect to the chain that the file is about: a local chain begun afresh is another one.",
      });
    }
    return inspect(provider, file);
  });
  const ok = inspection.checks.every((check) => check.ok);
  if (values.json) printJson({ ok, vault: file.vault, ...inspection });
  else print(inspection);
  process.exitCode = ok ? 0 : 1;
}

function print({ checks, powers, parameters }: Inspection): void {
  const rows = checks.map(({ name, ok, detail }) => [ok ? pc.green("ok") : pc.red("WRONG"), name, detail]);
  console.log(table(["", "check", "found"], rows));
  if (powers.length > 0) {
    console.log(
      `\n${table(
        ["power", "held by"],
        powers.map(({ power, holders }) => [power, holders.join("\n") || "nobody"]),
      )}`,
    );
  }
  if (parameters.length > 0) {
    const shown = parameters.map(({ name, value, shown: words, declared }) => [
      name,
      words,
      declared === null ? "" : declared === value ? "as declared" : pc.yellow(`declared ${declared}, is ${value}`),
    ]);
    console.log(`\n${table(["parameter", "now", "deploy/networks"], shown)}`);
  }
  const wrong = checks.filter((check) => !check.ok).length;
  console.log(wrong === 0 ? `\nAll ${checks.length} checks pass.` : `\n${wrong} of ${checks.length} checks FAIL.`);
}

const argv = process.argv.slice(2);
main(argv).catch((error: unknown) =>
  endWith(error, { json: argv.includes("--json"), debug: argv.includes("--debug") }),
);
