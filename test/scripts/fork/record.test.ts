// Recording from a real node, and replaying what was recorded without it.
import { existsSync } from "node:fs";
import { expect } from "chai";
import { keccak256 } from "ethers";
import { recordTape } from "../../../scripts/fork/recordTape";
import { serveTape } from "../../../scripts/fork/serveTape";
import { loadTape } from "../../../scripts/fork/tape";
import { startAnvil, type AnvilNode } from "./anvilNode";
import { runCommand } from "./command";
import { address, ask, CODE, Opened, TapeFolder, word, type Answer } from "./sampleTape";

const CONTRACT = address(0xc0de);
const USER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const UNUSED = address(0xfeed);

describe("recording", function () {
  this.timeout(60_000);
  const folder = new TapeFolder();
  const opened = new Opened();
  afterEach(() => opened.close());
  let node: AnvilNode;

  before(async () => {
    node = await startAnvil();
    await node.send("anvil_setCode", CONTRACT, CODE);
    await node.send("anvil_setStorageAt", CONTRACT, word(0), word(77));
    await node.send("eth_sendTransaction", { from: USER, to: UNUSED.replace("feed", "beef"), value: "0x1" });
    await node.send("anvil_mine", "0x3");
  });
  after(async () => {
    await node.stop();
    folder.remove();
  });

  const reads = (block: string): [string, unknown[]][] => [
    ["eth_chainId", []],
    ["net_version", []],
    ["eth_blockNumber", []],
    ["eth_getBlockByNumber", [block, false]],
    ["eth_getBalance", [USER, block]],
    ["eth_getTransactionCount", [USER, block]],
    ["eth_getCode", [CONTRACT, block]],
    ["eth_getStorageAt", [CONTRACT, "0x0", block]],
    ["eth_getStorageAt", [CONTRACT, "0x3", block]],
    ["eth_getStorageAt", [UNUSED, "0x0", block]],
    ["eth_getBalance", [UNUSED, block]],
    ["eth_getLogs", [{ fromBlock: block, toBlock: block }]],
    ["eth_feeHistory", ["0x1", block, []]],
  ];

  async function run(url: string, block: string): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const [method, params] of reads(block)) answers.push(await ask(url, method, params));
    return answers;
  }

  it("replays the recorded answers, and nothing else", async () => {
    const file = folder.file("run.json.gz");
    const recorder = opened.add(await recordTape({ upstreamUrl: node.url }));
    const block = `0x${recorder.block.toString(16)}`;
    const recorded = await run(recorder.url, block);
    await recorder.save(file);
    const report = await recorder.close();
    expect(report).to.include({ accounts: 3, codes: 1, slots: 3, headerVerified: true });
    expect(report.failures.total).to.equal(0);
    expect(recorded[7]?.result).to.equal(word(77));

    const server = opened.add(await serveTape({ file }));
    expect(await run(server.url, block)).to.deep.equal(recorded);
    expect(server.report().misses.total).to.equal(0);
    // All from values: a recorder writes no rule by which a zero could be made up.
    expect(server.report().zeros.total).to.equal(0);

    const unread = await ask(server.url, "eth_getStorageAt", [CONTRACT, "0x4", block]);
    expect(unread.error?.message).to.equal(`not recorded: ${CONTRACT}, slot ${word(4)}`);
    const stranger = await ask(server.url, "eth_getBalance", [address(0x999), block]);
    expect(stranger.error?.message).to.match(/^not recorded/);
    expect((await server.close()).misses.total).to.equal(2);
  });

  it("keeps a zero that was read as a value", async () => {
    const recorder = opened.add(await recordTape({ upstreamUrl: node.url }));
    await ask(recorder.url, "eth_getStorageAt", [CONTRACT, "0x9", "latest"]);
    await recorder.save(folder.file("zero.json"));
    await recorder.close();
    const { tape } = loadTape(folder.file("zero.json"));
    expect(tape.storage[CONTRACT]).to.deep.equal({ [word(9)]: word(0) });
    expect(tape.code).to.deep.equal({ [keccak256(CODE)]: CODE });
    expect(tape.zeroReadable).to.deep.equal([]);
    expect(tape.patches).to.deep.equal([]);
    expect(tape.from[CONTRACT]).to.equal(`block ${recorder.block}`);
  });

  it("stays at its block while the node goes on", async () => {
    const recorder = opened.add(await recordTape({ upstreamUrl: node.url }));
    const before = recorder.block;
    await node.send("eth_sendTransaction", { from: USER, to: address(0x888), value: "0x5" });
    await node.send("anvil_mine", "0x1");
    const balance = await ask(recorder.url, "eth_getBalance", [address(0x888), "latest"]);
    const head = await ask(recorder.url, "eth_blockNumber", []);
    await recorder.close();
    expect(balance.result).to.equal("0x0");
    expect(Number(head.result)).to.equal(before);
    expect(await node.send("eth_getBalance", address(0x888), "latest")).to.equal("0x5");
  });

  it("pins the block that it is told to", async () => {
    const recorder = opened.add(await recordTape({ upstreamUrl: node.url, block: 1 }));
    const nonce = await ask(recorder.url, "eth_getTransactionCount", [USER, "0x1"]);
    await recorder.close();
    expect(recorder.block).to.equal(1);
    expect(nonce.result).to.equal("0x1");
    const failure: unknown = await recordTape({ upstreamUrl: node.url, block: 999 }).catch((error: unknown) => error);
    expect(failure).to.include({ code: "UPSTREAM_BLOCK", exitCode: 1 });
  });

  it("refuses logs that it could not replay", async () => {
    const recorder = opened.add(await recordTape({ upstreamUrl: node.url, block: 1 }));
    const block = (await node.send("eth_getBlockByNumber", "0x1", false)) as { transactions: string[] };
    const { error } = await ask(recorder.url, "eth_getTransactionByHash", [block.transactions[0]]);
    const { failures } = await recorder.close();
    expect(error?.message).to.match(/^not recordable/);
    expect(failures.total).to.equal(1);
  });

  it("does not save what it read of a block that was reorganised away", async () => {
    const snapshot = await node.send("evm_snapshot");
    await node.send("anvil_mine", "0x1");
    const recorder = opened.add(await recordTape({ upstreamUrl: node.url }));
    await ask(recorder.url, "eth_getBalance", [USER, "latest"]);
    await node.send("evm_revert", snapshot);
    await node.send("anvil_setNextBlockBaseFeePerGas", "0x1234567");
    await node.send("anvil_mine", "0x1");
    const failure: unknown = await recorder.save(folder.file("reorg.json")).catch((error: unknown) => error);
    await recorder.close();
    expect(failure).to.include({ code: "UPSTREAM_REORG", exitCode: 1 });
    expect(existsSync(folder.file("reorg.json"))).to.equal(false);
  });

  describe("by fork:record", () => {
    const withKey = (): string => node.url.replace("http://", "http://someone:S3CRET@").concat("/?key=S3CRET");

    it("records a command's run, hands it no key, and tells none", async () => {
      const file = folder.file("command.json");
      const script = `
        const say = (m, p) => fetch(process.env.TILLER_FORK_URL, { method: "POST",
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: m, params: p }) }).then((r) => r.text());
        say("eth_getStorageAt", ["${CONTRACT}", "0x0", "latest"]).then((t) => console.log(t, JSON.stringify(process.env)));`;
      const command = runCommand("record", ["--out", file, "--", process.execPath, "-e", script], {
        MAINNET_RPC_URL: withKey(),
      });
      const { code, stdout, stderr } = await command.ended;
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
      expect(stdout).to.contain(word(77));
      expect(stdout).to.match(/1 accounts, 1 codes, 1 slots from 1 requests; wrote .*command\.json\n$/);
      expect(stdout).to.not.contain("S3CRET");
      expect(loadTape(file).tape.storage[CONTRACT]).to.deep.equal({ [word(0)]: word(77) });
    });

    it("records until Ctrl-C", async () => {
      const file = folder.file("until.json");
      const command = runCommand("record", ["--out", file, "--json"], { MAINNET_RPC_URL: node.url });
      const [line] = await command.output(/.*"tape\.recording".*/);
      await ask((JSON.parse(line) as { url: string }).url, "eth_getBalance", [USER, "latest"]);
      command.signal("SIGINT");
      const { code, stdout } = await command.ended;
      expect(code).to.equal(0);
      expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).to.include({ event: "tape.recorded", accounts: 1 });
      expect(Object.keys(loadTape(file).tape.accounts)).to.deep.equal([USER]);
    });

    it("ends with 1 when the command fails", async () => {
      const command = runCommand(
        "record",
        ["--out", folder.file("failed.json"), "--", process.execPath, "-e", "process.exit(7)"],
        {
          MAINNET_RPC_URL: node.url,
        },
      );
      expect((await command.ended).code).to.equal(1);
    });

    it("ends with 1 and writes nothing when a read failed", async () => {
      const file = folder.file("unread.json");
      const script = `fetch(process.env.TILLER_FORK_URL, { method: "POST",
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getBalance", params: ["${USER}", "0x1"] }) })`;
      const command = runCommand("record", ["--out", file, "--", process.execPath, "-e", script], {
        MAINNET_RPC_URL: node.url,
      });
      const { code, stderr } = await command.ended;
      expect(code).to.equal(1);
      expect(stderr).to.match(/^failed: not recorded: state at block 0x1/);
      expect(existsSync(file)).to.equal(false);
    });

    it("needs the node's address in the environment", async () => {
      const { code, stderr } = await runCommand("record", ["--out", folder.file("x.json")]).ended;
      expect(code).to.equal(2);
      expect(stderr).to.match(/^MAINNET_RPC_URL: .*\n$/);
    });

    it("never shows the address of a node that does not answer", async () => {
      for (const url of ["http://someone:S3CRET@127.0.0.1:9/S3CRET", "S3CRET", "ftp://S3CRET"]) {
        const { code, stdout, stderr } = await runCommand("record", ["--out", folder.file("x.json")], {
          MAINNET_RPC_URL: url,
        }).ended;
        expect(code).to.equal(url.startsWith("http") ? 1 : 2);
        expect(stderr).to.match(/^MAINNET_RPC_URL: [^\n]*\n$/);
        expect(stdout + stderr).to.not.contain("S3CRET");
      }
    });
  });
});
