import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { TapeReport } from "../../../scripts/fork/tapeReport";
import { runCommand } from "./command";
import { ask, BLOCK, RECORDED_SLOT, sampleTape, TapeFolder, TOKEN, word } from "./sampleTape";

describe("fork:serve", function () {
  this.timeout(30_000);
  const folder = new TapeFolder();
  before(() => folder.write("tape.json", sampleTape()));
  after(() => folder.remove());

  it("serves until Ctrl-C and ends with 0 when all was recorded", async () => {
    const command = runCommand("serve", [folder.file("tape.json")]);
    const [url] = await command.output(/http:\/\/127\.0\.0\.1:\d+/);
    expect((await ask(url, "eth_getStorageAt", [TOKEN, RECORDED_SLOT, BLOCK])).result).to.equal(word(41));
    command.signal("SIGINT");
    const { code, stdout, stderr } = await command.ended;
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    expect(stdout).to.match(/1 requests, 1 recorded answers\n0 patched answers\n0 zeros given out\n0 misses\n$/);
  });

  it("ends with 1 after a miss, names it at once and at the end", async () => {
    const command = runCommand("serve", [folder.file("tape.json"), "--json", "--report", folder.file("report.json")]);
    const [line] = await command.output(/.*"tape\.serving".*/);
    const { url, chainId, block } = JSON.parse(line) as { url: string; chainId: number; block: number };
    expect({ chainId, block }).to.deep.equal({ chainId: 1, block: 20_000_000 });
    await ask(url, "eth_getStorageAt", [TOKEN, word(5), BLOCK]);
    command.signal("SIGTERM");
    const { code, stdout, stderr } = await command.ended;
    expect(code).to.equal(1);
    expect(stderr).to.equal(`miss: not recorded: ${TOKEN}, slot ${word(5)} (eth_getStorageAt)\n`);
    const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as TapeReport & {
      event: string;
      commandFailure: string | null;
    };
    expect(last.event).to.equal("tape.report");
    expect(last.misses.list[0]?.slot).to.equal(word(5));
    const { event: _, commandFailure: __, ...report } = last;
    expect(JSON.parse(readFileSync(folder.file("report.json"), "utf8"))).to.deep.equal(report);
  });

  it("leaves the miss on disk when it is killed", async () => {
    const command = runCommand("serve", [folder.file("tape.json"), "--report", folder.file("killed.json")]);
    const [url] = await command.output(/http:\/\/127\.0\.0\.1:\d+/);
    await ask(url, "eth_getBalance", [TOKEN, "0x1"]);
    command.signal("SIGKILL");
    expect((await command.ended).code).to.equal("SIGKILL");
    const report = JSON.parse(readFileSync(folder.file("killed.json"), "utf8")) as TapeReport;
    expect(report.misses.total).to.equal(1);
    expect(report.closed).to.equal(false);
  });

  describe("with a command", () => {
    const run = (options: string[], script: string): ReturnType<typeof runCommand>["ended"] =>
      runCommand("serve", [folder.file("tape.json"), ...options, "--", process.execPath, "-e", script]).ended;
    const asking = (at: string): string => `fetch(process.env.TILLER_FORK_URL, { method: "POST", body: JSON.stringify({
      jsonrpc: "2.0", id: 1, method: "eth_getStorageAt", params: ["${TOKEN}", "${at}", "latest"] }) })
      .then((response) => response.text()).then(console.log).then(() => console.log("done"));`;

    it("runs it on the tape and ends with 0 when all went well", async () => {
      const { code, stdout } = await run(["--last-line", "done"], asking(RECORDED_SLOT));
      expect(stdout).to.contain(word(41));
      expect(code).to.equal(0);
    });

    it("ends with 1 after a miss although the command ended with 0", async () => {
      const { code, stdout } = await run(["--last-line", "done"], asking(word(5)));
      expect(stdout).to.contain("1 misses:");
      expect(code).to.equal(1);
    });

    it("ends with 1 when the command did, or ended without its last line", async () => {
      const failed = await run([], "process.exit(3)");
      expect(failed.code).to.equal(1);
      expect(failed.stderr).to.equal("the command ended with status 3\n");
      const cut = await run(["--last-line", "done"], "console.log('half')");
      expect(cut.code).to.equal(1);
      expect(cut.stderr).to.equal('the command did not end with the line "done"\n');
    });

    it("ends with 2 when there is no such command", async () => {
      const { code, stderr } = await runCommand("serve", [folder.file("tape.json"), "--", "/nowhere/run"]).ended;
      expect(code).to.equal(2);
      expect(stderr).to.match(/^COMMAND: .*\n$/);
    });
  });

  const inputs: [name: string, args: () => string[], line: RegExp][] = [
    ["a missing file", () => [folder.file("nowhere")], /^FILE: .* cannot be read \(TAPE_UNREADABLE\)\. .+\n$/],
    [
      "an altered file",
      () => [folder.write("bad.json", { ...sampleTape(), chainId: -1 })],
      /^chainId: .* \(TAPE_SCHEMA\)\. .+\n$/,
    ],
    [
      "a report that cannot be written",
      () => [folder.file("tape.json"), "--report", "/nowhere/r.json"],
      /^--report: .+\n$/,
    ],
    ["a port that is none", () => [folder.file("tape.json"), "--port", "70000"], /--port .*0 to 65535\.\n$/],
    ["no file", () => [], /missing required argument 'FILE'\n$/],
  ];
  for (const [name, args, line] of inputs) {
    it(`ends with 2 and one line for ${name}`, async () => {
      const { code, stdout, stderr } = await runCommand("serve", args()).ended;
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: "" });
      expect(stderr).to.match(line);
      expect(stderr.trim().split("\n")).to.have.length(1);
    });
  }
});
