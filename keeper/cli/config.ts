// `tiller config check`: everything that would stop the keeper, found before it is started, each with what to do.
import { Command } from "commander";
import pc from "picocolors";
import { checkConfig, type CheckResult } from "../app/checkConfig";
import { describeConfig } from "../config/describe";
import { loadConfig } from "../config/load";
import { printJson, table } from "./printing";

interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function configCommand(): Command {
  const check = new Command("check")
    .description("check the config, the deployment, the key, the node, the database and the relays")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: CheckOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      const results = await checkConfig(config, process.env);
      if (options.json === true) printJson({ config: describeConfig(config), checks: results.map(asJson) });
      else
        process.stdout.write(`${config.file ?? "no config file: defaults and environment"}\n\n${describe(results)}\n`);
      const failures = results.flatMap((result) => (result.failure === null ? [] : [result.failure]));
      if (failures.length > 0) process.exitCode = failures.some((failure) => failure.exitCode === 2) ? 2 : 1;
    });
  return new Command("config").description("the keeper's configuration").addCommand(check);
}

function describe(results: readonly CheckResult[]): string {
  return table(
    ["", "check", ""],
    results.map(({ name, detail, failure }) => [
      failure === null ? pc.green("ok") : pc.red("no"),
      name,
      failure === null ? detail : failure.line(),
    ]),
  );
}

function asJson({ name, detail, failure }: CheckResult): unknown {
  return { name, ok: failure === null, detail, error: failure?.toJSON() ?? null };
}
