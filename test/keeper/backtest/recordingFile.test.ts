import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { RecordedLine } from "../../../keeper/backtest/recording";
import { keptIn, readRecording } from "../../../keeper/backtest/recordingFile";
import { InputFailure } from "../../../keeper/config/failure";
import { observationRow } from "../store/fixtures/rows";

const RUN: RecordedLine = {
  ...{ kind: "run", run: "one", dryRun: false, chainId: 1, vault: "0xab", memory: '{"halfLifeHours":24}' },
};
const REMEMBERED: RecordedLine[] = [
  observationRow({ index: null }),
  observationRow({ supplied: null, index: "1000000000000000001" }),
].map((row) => ({ kind: "remembered", row }));
const TICKS: RecordedLine[] = Array.from({ length: 500 }, (_, k) => ({
  ...{ kind: "tick", availableAt: 100 + k, snapshot: `{"a":"${"9".repeat(k)}"}` },
  ...(k % 2 === 0 ? { inputs: null, recordHash: null } : { inputs: "{}", recordHash: `0x${k}` }),
}));
const LINES = [RUN, ...REMEMBERED, ...TICKS];

async function* recording(lines: readonly RecordedLine[]): AsyncGenerator<RecordedLine> {
  await Promise.resolve();
  yield* lines;
}

async function all(lines: AsyncIterable<RecordedLine>): Promise<RecordedLine[]> {
  const found: RecordedLine[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

async function refusal(lines: AsyncIterable<RecordedLine>): Promise<string> {
  const error: unknown = await all(lines).catch((caught: unknown) => caught);
  if (error instanceof InputFailure) return `${error.code} ${error.line()}`;
  throw new Error(`it was read: ${String(error)}`);
}

describe("a recording's file", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), "tiller-recording-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => path.join(folder, name);

  for (const name of ["day.jsonl", "day.jsonl.gz"]) {
    it(`gives back every line that passed into ${name}, which passes it on`, async () => {
      expect(await all(keptIn(at(name), recording(LINES)))).to.deep.equal(LINES);
      expect(await all(readRecording(at(name)))).to.deep.equal(LINES);
    });
  }

  it("is refused where it is cut off, no recording, or has a line of something else, which is named", async () => {
    await all(keptIn(at("cut.gz"), recording(LINES)));
    truncateSync(at("cut.gz"), 400);
    expect(await refusal(readRecording(at("cut.gz")))).to.match(/RECORDING_UNREADABLE|RECORDING_MALFORMED/);
    expect(await refusal(readRecording(at("none.gz")))).to.match(/RECORDING_UNREADABLE/);

    await all(keptIn(at("plain"), recording(LINES)));
    const [format = "", run = "", row = ""] = readFileSync(at("plain"), "utf8").split("\n");
    const reads = (lines: readonly string[]): Promise<string> => {
      writeFileSync(at("bad"), lines.join("\n"));
      return refusal(readRecording(at("bad")));
    };
    expect(await reads([])).to.match(/RECORDING_MALFORMED.*line 1: is not tiller-recording/);
    expect(await reads(["observed_at,supply_apr", run])).to.match(/line 1: is not tiller-recording/);
    expect(await reads([format, run, "{"])).to.match(/line 3: is not JSON/);
    expect(await reads([format, JSON.stringify(TICKS[0])])).to.match(/line 2: comes before the run/);
    expect(await reads([format, run, row.replace('"venue":"', '"venues":"')])).to.match(/line 3: row.venue: /);
    expect(await reads([format, run, row.replace(/"vaultAssets":"\d+"/, '"vaultAssets":"1.5"')])).to.match(
      /vaultAssets/,
    );
  });

  it("is an input failure where it cannot be written", async () => {
    const nowhere = at("no-such-folder/day.gz");
    expect(await refusal(keptIn(nowhere, recording(LINES)))).to.match(/RECORDING_FILE/);
  });
});
