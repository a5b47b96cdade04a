// `npm run slither`: what Slither finds in the contracts, every finding of every detector, against slitherWaivers.ts.
// Fails on a finding that is not waived there, and on a waiver of what is not found any more.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compileWhole } from "./compileWhole";
import { WAIVERS } from "./slitherWaivers";

const ROOT = path.join(__dirname, "../..");

interface Element {
  readonly name: string;
  readonly type_specific_fields?: { readonly parent?: Element };
}

interface Finding {
  readonly check: string;
  readonly impact: string;
  readonly description: string;
  readonly elements: readonly Element[];
}

/** `Vault.pull`, `Vault.pull.value`: contract, function, local variable, as far as there are such. */
function whereOf({ name, type_specific_fields: fields }: Element): string {
  const parent = fields?.parent;
  return parent === undefined || parent.name.endsWith(".sol") ? name : `${whereOf(parent)}.${name}`;
}

function runSlither(): Finding[] {
  compileWhole();
  const own = path.join(ROOT, ".venv/bin/slither");
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-slither-"));
  try {
    const file = path.join(folder, "findings.json");
    const run = spawnSync(existsSync(own) ? own : "slither", [".", "--ignore-compile", "--json", file], {
      cwd: ROOT,
      encoding: "utf8",
    });
    if (run.error !== undefined)
      throw new Error("no slither here: .ci/run installs it in .venv (.ci/requirements.txt)");
    if (!existsSync(file)) throw new Error(`slither made no report:\n${run.stderr}`);
    const report = JSON.parse(readFileSync(file, "utf8")) as {
      readonly success: boolean;
      readonly error: string | null;
      readonly results: { readonly detectors?: readonly Finding[] };
    };
    if (!report.success) throw new Error(`slither failed: ${report.error ?? run.stderr}`);
    return [...(report.results.detectors ?? [])];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(): void {
  const found = new Map<string, Finding[]>();
  const findings = runSlither();
  for (const finding of findings) {
    const [first] = finding.elements;
    const key = `${finding.check} ${first === undefined ? "" : whereOf(first)}`;
    found.set(key, [...(found.get(key) ?? []), finding]);
  }
  const waived = new Map<string, number>(
    WAIVERS.flatMap(({ check, at }) =>
      Object.entries(at).map(([where, count]) => [`${check} ${where}`, count] as const),
    ),
  );
  const complaints: string[] = [];
  for (const [key, list] of found) {
    const count = waived.get(key) ?? 0;
    if (list.length <= count) continue;
    complaints.push(`${key}: found ${list.length}, waived ${count}`);
    complaints.push(
      ...list.map(({ impact, description }) => `  ${impact}: ${description.trim().replaceAll("\n", "\n  ")}`),
    );
  }
  for (const [key, count] of waived) {
    const now = found.get(key)?.length ?? 0;
    if (now < count) complaints.push(`${key}: waived ${count}, found ${now}`);
  }
  if (complaints.length > 0) {
    process.stdout.write(`${complaints.join("\n")}\n`);
    process.stdout.write("Fix what is found, or say in scripts/contracts/slitherWaivers.ts why it stays.\n");
    process.exitCode = 1;
  }
  process.stdout.write(`${findings.length} findings, ${[...waived.values()].reduce((a, b) => a + b, 0)} waived\n`);
}

main();
