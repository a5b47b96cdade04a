// `tiller …` as a process of its own, in a folder whose config names the data folder and nothing else.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { HistoryRow } from "../../../keeper/store/historyRecords";

export const TILLER = path.join(__dirname, "..", "..", "..", "bin", "tiller.cjs");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface TillerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export function startTiller(folder: string, args: readonly string[]): TillerProcess {
  const { DATABASE_URL: _url, TILLER_CONFIG: _config, ...env } = process.env;
  const child = spawn(process.execPath, [TILLER, ...args], { cwd: folder, env: { ...env, NO_COLOR: "1" } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out, err }));
  return { child, ended };
}

export function writeConfig(folder: string, dataDir: string): void {
  writeFileSync(path.join(folder, "tiller.config.json"), JSON.stringify({ dataDir }));
}

/** A canonical file; its series is named as it is. */
export function writeSeries(folder: string, name: string, rows: readonly HistoryRow[]): string {
  const lines = rows.map((row) =>
    [
      ...[row.observedAt, row.availableAt, row.block, row.suppliedUsd, row.borrowedUsd, row.supplyApr, row.borrowApr],
    ].join(","),
  );
  const file = path.join(folder, `${name}.csv`);
  writeFileSync(
    file,
    `observed_at,available_at,block,supplied_usd,borrowed_usd,supply_apr,borrow_apr\n${lines.join("\n")}\n`,
  );
  return file;
}
