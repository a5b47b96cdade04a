// The Flashbots library against a real relay that misbehaves, and against servers that are no relay at all.
import { once } from "node:events";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { Wallet, id } from "ethers";
import { bundleHashOf, flashbotsRelay } from "../../../keeper/execute/flashbotsRelay";
import { type BundleRelay, RelayFailure, type RelayFailureCode } from "../../../keeper/execute/relay";
import { type FaultsInput, type Relay, startRelay } from "../../../scripts/relay/relay";
import { type TestNode, startAnvil } from "../../scripts/relay/devNodes";
import { signed } from "../../scripts/relay/relayClient";

const REVERTER = "0x00000000000000000000000000000000000bad00";

describe("flashbots relay", function () {
  this.timeout(60_000);
  let node: TestNode;
  let relay: Relay;

  before(async () => {
    node = await startAnvil();
    await node.provider.send("hardhat_setCode", [REVERTER, "0x60006000fd"]);
    relay = await startRelay({ nodeUrl: node.url, port: 0, blockMs: 0, secondsPerBlock: 12 });
  });
  after(async () => {
    await relay.stop();
    await node.stop();
  });
  afterEach(() => relay.misbehave({}));

  const through = (url: string, timeoutMs = 500): BundleRelay =>
    flashbotsRelay({ name: "tested", url, timeoutMs, auth: new Wallet(id("flashbots relay test")) });

  async function failureOf(work: () => Promise<unknown>): Promise<RelayFailure> {
    try {
      await work();
    } catch (failure) {
      expect(failure).to.be.instanceOf(RelayFailure);
      return failure as RelayFailure;
    }
    throw new Error("it did not fail");
  }

  async function served<T>(listener: RequestListener, work: (url: string) => Promise<T>): Promise<T> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it("sends signed transactions for one block, and they land", async () => {
    const { raw, hash } = await signed(4, { nonce: 0 });
    const target = (await node.provider.getBlockNumber()) + 1;
    const sent = await through(relay.url).send([raw], target, { maxTimestamp: 4_000_000_000 });
    expect(sent.bundleHash).to.equal(bundleHashOf([raw]));
    expect((await relay.produceBlock()).bundles).to.deep.equal([sent.bundleHash]);
    expect((await node.provider.getTransactionReceipt(hash))?.blockNumber).to.equal(target);
  });

  it("passes the last timestamp on", async () => {
    const { raw } = await signed(5, { nonce: 0 });
    const block = await node.provider.getBlock("latest");
    await through(relay.url).send([raw], (block?.number ?? 0) + 1, { maxTimestamp: (block?.timestamp ?? 0) + 11 });
    expect((await relay.produceBlock()).bundles).to.have.length(0);
  });

  it("simulates", async () => {
    const stateBlock = await node.provider.getBlockNumber();
    const good = await signed(6, { nonce: 0 });
    const bad = await signed(6, { nonce: 0, to: REVERTER, value: 0n });
    const tested = through(relay.url);
    expect(await tested.simulate([good.raw], stateBlock + 1, { stateBlock })).to.deep.equal({
      kind: "succeeds",
      gasUsed: 21_000n,
    });
    expect(await tested.simulate([bad.raw], stateBlock + 1, { stateBlock })).to.include({ kind: "reverts" });
    const late = await signed(6, { nonce: 3 });
    expect((await failureOf(() => tested.simulate([late.raw], stateBlock + 1, { stateBlock }))).code).to.equal(
      "RELAY_REFUSED",
    );
  });

  const faults: [FaultsInput, RelayFailureCode][] = [
    [{ reply: "http-400" }, "RELAY_REFUSED"],
    [{ reply: "http-403" }, "RELAY_REFUSED"],
    [{ reply: "http-429" }, "RELAY_RATE_LIMITED"],
    [{ reply: "http-500" }, "RELAY_DOWN"],
    [{ reply: "rpc-error" }, "RELAY_REFUSED"],
    [{ reply: "null-result" }, "RELAY_GARBAGE"],
    [{ reply: "garbage" }, "RELAY_GARBAGE"],
    [{ reply: "wrong-hash" }, "RELAY_WRONG_HASH"],
    [{ reply: "hang-up" }, "RELAY_UNREACHABLE"],
    [{ delayMs: 30_000 }, "RELAY_TIMEOUT"],
  ];
  for (const [fault, code] of faults) {
    it(`turns ${JSON.stringify(fault)} into ${code}`, async () => {
      relay.misbehave(fault);
      const { raw } = await signed(7, { nonce: 0 });
      const target = (await node.provider.getBlockNumber()) + 1;
      expect((await failureOf(() => through(relay.url).send([raw], target, {}))).code).to.equal(code);
    });
  }

  for (const body of [
    "",
    "null",
    "[]",
    "7",
    '"text"',
    "{}",
    '{"result":{}}',
    '{"result":{"bundleHash":7}}',
    '{"error":"no"}',
    "{",
  ]) {
    it(`survives the body ${JSON.stringify(body)}`, async () => {
      const { raw } = await signed(7, { nonce: 0 });
      const failure = await served(
        (_request, response) => response.end(body),
        (url) => failureOf(() => through(url).send([raw], 1, {})),
      );
      expect(failure.code).to.be.oneOf(["RELAY_GARBAGE", "RELAY_REFUSED"]);
      const simulation = await served(
        (_request, response) => response.end(body),
        (url) => failureOf(() => through(url).simulate([raw], 1, { stateBlock: 0 })),
      );
      expect(simulation.code).to.be.oneOf(["RELAY_GARBAGE", "RELAY_REFUSED"]);
    });
  }

  it("gives up on a relay that drips its answer", async () => {
    const { raw } = await signed(7, { nonce: 0 });
    const failure = await served(
      (_request, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(" "), 50);
        response.on("close", () => clearInterval(timer));
      },
      (url) => failureOf(() => through(url).send([raw], 1, {})),
    );
    expect(failure.code).to.equal("RELAY_TIMEOUT");
  });

  it("gives up on an address where nothing listens", async () => {
    const { raw } = await signed(7, { nonce: 0 });
    const failure = await failureOf(() => through("http://127.0.0.1:1").send([raw], 1, {}));
    expect(failure.code).to.equal("RELAY_UNREACHABLE");
  });

  it("repeats neither the relay's words, nor its address, nor a transaction, and prints nothing", async () => {
    const { raw } = await signed(7, { nonce: 0 });
    const printed: unknown[] = [];
    const warn = console.warn;
    console.warn = (...words: unknown[]) => printed.push(...words);
    try {
      for (const status of [200, 400, 403, 429, 500]) {
        const failure = await served(
          (_request, response) => {
            response.writeHead(status);
            response.end('{"error":{"code":-1,"message":"SECRET-WORDS"},"result":"SECRET-WORDS"}');
          },
          (url) => failureOf(() => through(`${url}/SECRET-PATH?key=SECRET-KEY`).send([raw], 1, {})),
        );
        const said = `${failure.line()} ${JSON.stringify(failure)} ${String(failure.stack)} ${String(failure.cause)}`;
        expect(said).to.not.match(/SECRET/);
        expect(said).to.not.include(raw.slice(2));
      }
    } finally {
      console.warn = warn;
    }
    expect(printed).to.deep.equal([]);
  });
});
