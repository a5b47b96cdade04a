// The relay as a process: prints where it is, makes blocks on its own, ends cleanly.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect } from "chai";
import { toBeHex } from "ethers";
import { startRelay } from "../../../scripts/relay/relay";
import { type TestNode, startAnvil } from "./devNodes";
import { ask, signed } from "./relayClient";

const ROOT = path.resolve(__dirname, "../../..");

interface Running {
  readonly child: ChildProcess;
  output(): string;
  said(pattern: RegExp): Promise<RegExpExecArray>;
}

function run(args: readonly string[]): Running {
  const child = spawn(process.execPath, ["-r", "tsx/cjs", "scripts/relay/main.ts", ...args], { cwd: ROOT });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    child,
    output: () => output,
    async said(pattern) {
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found;
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

describe("relay process", function () {
  this.timeout(60_000);
  let node: TestNode;

  before(async () => {
    node = await startAnvil();
  });
  after(() => node.stop());

  it("includes a bundle in a block of its own timer, and ends at Ctrl-C with nothing left running", async () => {
    const relay = run(["--node", node.url, "--block-ms", "100", "--seconds-per-block", "7"]);
    const [, url] = await relay.said(/relay listening on (\S+)/);
    const target = (await node.provider.getBlockNumber()) + 10;
    const { hash } = await signed(3, { nonce: 0 });
    await ask(url ?? "", "eth_sendBundle", [
      { txs: [(await signed(3, { nonce: 0 })).raw], blockNumber: toBeHex(target) },
    ]);
    await relay.said(new RegExp(`block ${target}: 1 bundles`));
    expect((await node.provider.getTransactionReceipt(hash))?.blockNumber).to.equal(target);
    const [block, parent] = await Promise.all([node.provider.getBlock(target), node.provider.getBlock(target - 1)]);
    expect((block?.timestamp ?? 0) - (parent?.timestamp ?? 0)).to.equal(7);

    const ended = once(relay.child, "exit");
    relay.child.kill("SIGINT");
    expect(await ended).to.deep.equal([0, null]);
    const height = await node.provider.getBlockNumber();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await node.provider.getBlockNumber()).to.equal(height);
  });

  it("stops making blocks while it is paused, and goes on", async () => {
    const relay = await startRelay({ nodeUrl: node.url, port: 0, blockMs: 30, secondsPerBlock: 1 });
    const above = async (height: number): Promise<number> => {
      for (;;) {
        const now = await node.provider.getBlockNumber();
        if (now > height) return now;
      }
    };
    try {
      await above(await node.provider.getBlockNumber());
      relay.pause();
      // A block that was in the making is finished before this one.
      const { number } = await relay.produceBlock();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await node.provider.getBlockNumber()).to.equal(number);
      relay.resume();
      expect(await above(number + 2)).to.be.greaterThan(number);
    } finally {
      await relay.stop();
    }
  });

  for (const [what, args, code, says] of [
    ["a node that is not there", ["--node", "http://127.0.0.1:1"], 1, /NODE_DOWN/],
    ["no node", [], 2, /--node/],
    ["a nonsensical option", ["--node", "http://127.0.0.1:1", "--block-ms", "soon"], 2, /blockMs: is NaN/],
  ] as const) {
    it(`ends with ${code} and one line for ${what}`, async () => {
      const relay = run(args);
      const [status] = await once(relay.child, "close");
      expect(status, relay.output()).to.equal(code);
      expect(relay.output()).to.match(says);
      expect(relay.output().trim().split("\n")).to.have.length(1);
    });
  }
});
