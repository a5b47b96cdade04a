// `tiller backtest recorded` on files that are no recording, or none that says anything; a real one is in test/e2e.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startTiller } from "./tillerProcess";

const FORMAT = "tiller-recording/1";
const MEMORY = '{"gasPatienceSeconds":0,"halfLifeHours":24,"reachSeconds":1}';
const RUN = JSON.stringify({ kind: "run", run: "r", dryRun: false, chainId: 1, vault: "0x01", memory: MEMORY });
const TICK = { kind: "tick", availableAt: 1, snapshot: "{}", inputs: null, recordHash: null };

describe("tiller backtest recorded", function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), "recorded-"))));
  after(() => rmSync(folder, { recursive: true }));

  const cases: readonly [string, string[] | null, string][] = [
    ["a file that is not there", null, "RECORDING_UNREADABLE"],
    ["an empty file", [], "RECORDING_MALFORMED"],
    ["a file of something else", ["observed_at,available_at"], "RECORDING_MALFORMED"],
    ["a recording without a tick", [FORMAT, RUN], "RECORDING_EMPTY"],
    ["a run that does not say how it remembers", [FORMAT, RUN.replace("halfLifeHours", "half")], "RECORD_MALFORMED"],
    ["a snapshot that is none", [FORMAT, RUN, JSON.stringify(TICK)], "SNAPSHOT_MALFORMED"],
    ["a snapshot that is not JSON", [FORMAT, RUN, JSON.stringify({ ...TICK, snapshot: "{" })], "RECORD_MALFORMED"],
  ];
  for (const [what, lines, code] of cases) {
    it(`refuses ${what}, with one line and exit code 2`, async () => {
      const file = path.join(folder, "day.jsonl");
      rmSync(file, { force: true });
      if (lines !== null) writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
      const { code: exit, err } = await startTiller(folder, ["backtest", "recorded", "--recording", file, "--json"])
        .ended;
      expect(exit, err).to.equal(2);
      expect((JSON.parse(err) as { error: unknown }).error).to.include({ code });
    });
  }
});
