import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { summary } from "../../../scripts/test";
import { pythonOf, runSuite, type RunOptions, type SuiteResult } from "../../../scripts/testRun";
import type { Suite } from "../../../scripts/testSuites";
import { skip } from "../../skip";

const ROOT = path.join(__dirname, "..", "..", "..");
// By their paths: the sample tests lie outside the checkout.
const HARDHAT = JSON.stringify(require.resolve("hardhat"));
const SKIP = JSON.stringify(path.join(ROOT, "test", "skip"));

describe("a suite of the test command", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-runner-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function run(
    source: string,
    options: Partial<RunOptions & { runner: Suite["runner"]; file: string; modules: readonly string[] }> = {},
  ): Promise<SuiteResult> {
    const { runner = "mocha", file = "a.test.ts", modules = [], ...rest } = options;
    const suite: Suite = { name: "sample", folder, runner, limitMinutes: 1, modules };
    writeFileSync(path.join(folder, file), source);
    return runSuite(suite, [path.join(folder, file)], { root: ROOT, strict: false, output: "ignore", ...rest });
  }

  it("counts what passed, failed and was skipped, with the reasons", async () => {
    const result = await run(`
      const { skip } = require(${SKIP});
      describe("sums", () => {
        it("adds", () => {});
        it("subtracts", () => { throw new Error("off by one\\nand more"); });
        it("divides", function () { skip(this, "no divider here"); });
      });
      describe("roots", () => {
        before(function () { skip(this, "no square here"); });
        it("takes the root", () => {});
      });
      describe("powers", () => {
        beforeEach(function () { skip(this, "no exponent here"); });
        it("squares", () => {});
      });
    `);
    expect(result).to.deep.equal({
      suite: "sample",
      passed: 1,
      failed: [{ title: "sums subtracts", reason: "off by one" }],
      skipped: [
        { title: "sums divides", reason: "no divider here" },
        { title: "roots takes the root", reason: "no square here" },
        { title: "powers squares", reason: "no exponent here" },
      ],
    });
  });

  it("runs contract tests inside Hardhat and counts them alike", async () => {
    const result = await run(
      `const { network } = require(${HARDHAT});
       it("has a chain", async () => { await network.provider.send("eth_chainId"); });
       it("has no other", () => { throw new Error("no"); });`,
      { runner: "hardhat" },
    );
    expect([result.passed, result.failed]).to.deep.equal([1, [{ title: "has no other", reason: "no" }]]);
  });

  it("fails a skip without a reason when strict, and lists it otherwise", async () => {
    const source = `it("runs", () => {}); it.skip("waits", () => {});`;
    const strict = await run(source, { strict: true });
    const lenient = await run(source);
    expect(strict.failed).to.deep.equal([{ title: "waits", reason: "skipped without a reason" }]);
    expect(strict.skipped).to.deep.equal([]);
    expect(lenient.failed).to.deep.equal([]);
    expect(lenient.skipped).to.deep.equal([{ title: "waits", reason: "no reason given" }]);
  });

  it("fails when the process dies half way, whatever its status, and keeps what had passed", async () => {
    const result = await run(`it("one", () => {}); it("two", () => process.exit(0)); it("three", () => {});`);
    expect(result.passed).to.equal(1);
    expect(result.failed).to.deep.equal([{ title: "the suite", reason: "ended with status 0 before its last test" }]);
  });

  it("fails when a file cannot be loaded", async () => {
    const result = await run(`throw new Error("broken import");`);
    expect(result.failed).to.have.length(1);
  });

  it("fails when there is no test", async () => {
    const result = await run(`describe("nothing", () => {});`);
    expect(result.failed).to.deep.equal([{ title: "the suite", reason: "ran no test" }]);
  });

  it("fails without starting anything when there is no file", async () => {
    const suite: Suite = { name: "sample", folder, runner: "mocha", limitMinutes: 1 };
    const result = await runSuite(suite, [], { root: ROOT, strict: false, output: "ignore" });
    expect(result.failed).to.deep.equal([{ title: "the suite", reason: "ran no test" }]);
  });

  it("fails when the process stays after its last test", async () => {
    const result = await run(`it("leaves a timer", () => { setInterval(() => {}, 1000); });`, { lingerMs: 300 });
    expect(result.passed).to.equal(1);
    expect(result.failed[0]?.reason).to.contain("did not end after its last test");
  });

  it("ends what a suite leaves running", async () => {
    const pidFile = path.join(folder, "pid");
    const result = await run(`
      it("leaves a process", () => {
        const child = require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore" });
        child.unref();
        require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      });
    `);
    const pid = Number(readFileSync(pidFile, "utf8"));
    const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
    expect(result.failed).to.deep.equal([]);
    expect(state, "gone, or a zombie that nobody has collected").to.match(/^(Z.*)?$/);
  });

  it("stops a suite at its limit", async () => {
    const result = await run(`it("waits", (done) => { void done; });`, { limitMs: 1500 });
    expect(result.failed[0]?.reason).to.match(/^stopped after \d+ s, its limit$/);
  });

  it("counts pytest's results alike", async function () {
    const probe = spawnSync(pythonOf(ROOT), ["-c", "import numpy, scipy, pytest"]);
    if (probe.status !== 0) skip(this, "no Python with numpy, scipy and pytest here: .ci/run makes one in .venv");
    const result = await run(
      [
        "import pytest",
        "def test_adds(): pass",
        "def test_subtracts(): assert 1 == 2",
        "def test_divides(): pytest.skip('no divider here')",
        "@pytest.fixture",
        "def broken(): raise RuntimeError('no fixture')",
        "def test_uses(broken): pass",
      ].join("\n"),
      { runner: "pytest", file: "test_sample.py" },
    );
    expect(result.passed).to.equal(1);
    expect(result.failed).to.have.length(2);
    expect(result.skipped.map(({ reason }) => reason)).to.deep.equal(["no divider here"]);
  });

  it("skips a pytest suite whose modules are not there, and names them", async () => {
    const options = { runner: "pytest", file: "test_sample.py", modules: ["no_such_module"] } as const;
    const result = await run("def test_adds(): pass", options);
    expect(result.failed).to.deep.equal([]);
    expect(result.skipped).to.have.length(1);
    expect(result.skipped[0]?.reason).to.contain("no_such_module");
  });
});

describe("the end of the test report", () => {
  it("names every skip and failure and ends with the sum over all suites", () => {
    const text = summary([
      { suite: "a", passed: 3, failed: [], skipped: [{ title: "needs a browser", reason: "install chromium" }] },
      { suite: "b", passed: 4, failed: [{ title: "adds", reason: "off by one" }], skipped: [] },
    ]);
    expect(text).to.contain("a: needs a browser\n      install chromium");
    expect(text).to.contain("b: adds\n      off by one");
    expect(text.split("\n").at(-1)).to.equal("7 passed, 1 failed, 1 skipped");
  });
});
