// A fork that asked for something that its recorded state does not hold has failed, whatever the run on it says: EDR's
// worker panics, the call that asked may never settle, and the process may end with status 0.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { WorldFailure } from "../../keeper/config/failure";
import { assertForkSound, startFork } from "../../scripts/fork/startFork";
import { runCommand } from "../scripts/fork/command";
import { RECORDED_SLOT, sampleTape, TapeFolder, TOKEN, word } from "../scripts/fork/sampleTape";

const ROOT = path.resolve(__dirname, "../..");
const HARDHAT = path.join(ROOT, "node_modules/hardhat/internal/cli/bootstrap.js");

describe("a read that was not recorded", function () {
  this.timeout(120_000);
  const folder = new TapeFolder();
  let file: string;

  before(() => {
    file = folder.write("tape.json", sampleTape());
  });
  after(() => folder.remove());

  it("leaves a fork sound while there was none", async () => {
    const fork = await startFork({ upstream: { kind: "tape", file } });
    const value = await fork.provider.getStorage(TOKEN, RECORDED_SLOT);
    const report = await fork.stop();
    expect(value).to.equal(word(41));
    expect(report.failures).to.deep.equal([]);
    assertForkSound(report);
  });

  it("is named at the end of the fork, and fails it", async () => {
    const fork = await startFork({ upstream: { kind: "tape", file } });
    // TOKEN's code reads slot 0. The answer may never come.
    const asked = fork.provider.call({ to: TOKEN }).then(
      () => "answered",
      () => "refused",
    );
    const outcome = await Promise.race([
      asked,
      new Promise<string>((resolve) => setTimeout(() => resolve("silent"), 10_000).unref()),
    ]);
    const report = await fork.stop();
    expect(outcome).to.not.equal("answered");
    expect(report.failures[0]).to.equal(`not recorded: ${TOKEN}, slot ${word(0)} (eth_getStorageAt)`);
    expect(report.failures[1]).to.match(/^the forking node (ended by itself|did not answer)/);
    expect(() => assertForkSound(report)).to.throw(WorldFailure, /not recorded/);
  });

  it("fails a Hardhat script on the tape, whatever its exit status", async () => {
    const script = folder.file("script.js");
    const call = `hre.network.provider.request({ method: "eth_call", params: [{ to: "${TOKEN}" }, "latest"] })`;
    writeFileSync(script, `${call}.then(() => console.log("done"));`);
    const command = runCommand("serve", [file, "--", process.execPath, HARDHAT, "run", "--no-compile", script]);
    const { code, stdout, stderr } = await command.ended;
    expect(stderr).to.contain(`miss: not recorded: ${TOKEN}, slot ${word(0)}`);
    expect(stdout).to.match(/\n1 misses:\n/);
    expect(code).to.equal(1);
  });
});
