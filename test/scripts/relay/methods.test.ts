// The relay's door: signatures, limits, answers and faults, as a searcher meets them.
import { expect } from "chai";
import { Wallet, concat, id, keccak256, toBeHex } from "ethers";
import { type Relay, startRelay } from "../../../scripts/relay/relay";
import { type TestNode, account, startAnvil, startHardhat } from "./devNodes";
import { ask, authKey, post, signed } from "./relayClient";

const REVERTER = "0x00000000000000000000000000000000000bad00";
/** Stores one word at slot 0 and returns nothing. */
const STORER = "0x0000000000000000000000000000000000570e00";
const PANIC = "0x4e487b710000000000000000000000000000000000000000000000000000000000000011";

for (const [name, startNode] of [
  ["anvil", startAnvil],
  ["a Hardhat node", startHardhat],
] as const) {
  describe(`relay before ${name}`, function () {
    this.timeout(120_000);
    let node: TestNode;
    let relay: Relay;

    before(async () => {
      node = await startNode();
      // mstore(0, the panic's bytes); revert(0, 36)
      const code = `0x7f${PANIC.slice(2, 66)}6000527f${PANIC.slice(66).padEnd(64, "0")}60205260246000fd`;
      await node.provider.send("hardhat_setCode", [REVERTER, code]);
      await node.provider.send("hardhat_setCode", [STORER, "0x600160005500"]);
      relay = await startRelay({ nodeUrl: node.url, port: 0, blockMs: 0, secondsPerBlock: 12 });
    });
    after(async () => {
      await relay.stop();
      await node.stop();
    });
    afterEach(() => relay.misbehave({}));

    const next = async (): Promise<string> => toBeHex((await node.provider.getBlockNumber()) + 1);
    const raws = async (index: number, count: number): Promise<string[]> =>
      Promise.all(Array.from({ length: count }, async (_, nonce) => (await signed(index, { nonce })).raw));

    it("answers nobody without a valid signature, whatever the body", async () => {
      const body = JSON.stringify({ method: "eth_sendBundle", params: [], id: 1, jsonrpc: "2.0" });
      const other = new Wallet(id("somebody else"));
      const good = `${authKey.address}:${await authKey.signMessage(id(body))}`;
      expect((await post(relay.url, body, null)).status).to.equal(403);
      expect((await post(relay.url, body, "nonsense")).status).to.equal(403);
      expect((await post(relay.url, body, good.replace(authKey.address, other.address))).status).to.equal(403);
      expect((await post(relay.url, `${body} `, good)).status, "signed other bytes").to.equal(403);
      expect((await post(relay.url, "not json", null)).status, "before parsing").to.equal(403);
      expect((await post(relay.url, body, good)).status).to.equal(400);
    });

    it("answers malformed requests with 400 and the real relays' words", async () => {
      const body = "not json";
      const header = `${authKey.address}:${await authKey.signMessage(id(body))}`;
      expect(await post(relay.url, body, header)).to.deep.include({ status: 400, error: "incorrect request" });
      for (const params of [
        [],
        [{}],
        [{ txs: "0x", blockNumber: "0x1" }],
        [{ txs: ["0x1234"], blockNumber: "0xfff" }],
      ]) {
        expect(await ask(relay.url, "eth_sendBundle", params)).to.deep.include({
          status: 400,
          error: "incorrect request",
        });
      }
    });

    it("answers the statistics methods with 403 and unknown ones with an RPC error", async () => {
      for (const method of ["flashbots_getUserStatsV2", "flashbots_getBundleStatsV2", "flashbots_getUserStats"]) {
        expect((await ask(relay.url, method, [])).status).to.equal(403);
      }
      const { status, error } = await ask(relay.url, "eth_doSomething", []);
      expect([status, (error as { code: number }).code]).to.deep.equal([200, -32601]);
    });

    it("names a bundle by the hash of its transactions' hashes", async () => {
      const transactions = [await signed(3, { nonce: 0 }), await signed(4, { nonce: 0 })];
      const txs = transactions.map(({ raw }) => raw);
      const blockNumber = toBeHex((await node.provider.getBlockNumber()) + 100);
      const { result } = await ask(relay.url, "eth_sendBundle", [{ txs, blockNumber, builders: ["flashbots"] }]);
      const bundleHash = keccak256(concat(transactions.map(({ hash }) => hash)));
      expect(result).to.deep.equal({ bundleHash, smart: "true" });
    });

    it("takes 100 transactions and 300,000 bytes, and no more", async () => {
      const blockNumber = toBeHex((await node.provider.getBlockNumber()) + 100);
      const hundred = await raws(7, 100);
      expect((await ask(relay.url, "eth_sendBundle", [{ txs: hundred, blockNumber }])).error).to.equal(undefined);
      const more = [...hundred, (await signed(7, { nonce: 100 })).raw];
      expect((await ask(relay.url, "eth_sendBundle", [{ txs: more, blockNumber }])).error).to.have.property(
        "code",
        -32602,
      );
      const fits = (await signed(7, { nonce: 0, data: `0x${"11".repeat(299_000)}` })).raw;
      expect((await ask(relay.url, "eth_sendBundle", [{ txs: [fits], blockNumber }])).error).to.equal(undefined);
      const fat = (await signed(7, { nonce: 0, data: `0x${"11".repeat(300_000)}` })).raw;
      expect((await ask(relay.url, "eth_sendBundle", [{ txs: [fat], blockNumber }])).error).to.have.property(
        "code",
        -32602,
      );
      expect((await post(relay.url, "x".repeat(800_000), null)).status).to.equal(413);
    });

    it("refuses a target that has passed", async () => {
      const blockNumber = toBeHex(await node.provider.getBlockNumber());
      const { error } = await ask(relay.url, "eth_sendBundle", [{ txs: await raws(3, 1), blockNumber }]);
      expect(error).to.have.property("code", -32000);
    });

    it("replaces and cancels by UUID, for the same signer only", async () => {
      const send = async (value: bigint, signer = authKey) => {
        const { raw } = await signed(3, { nonce: await node.provider.getTransactionCount(account(3).address), value });
        const params = [{ txs: [raw], blockNumber: await next(), replacementUuid: "a-plan" }];
        return (await ask(relay.url, "eth_sendBundle", params, signer)).result as { bundleHash: string };
      };
      await send(1n);
      const second = await send(2n);
      expect((await relay.produceBlock()).bundles).to.deep.equal([second.bundleHash]);

      const third = await send(3n);
      const stranger = new Wallet(id("a stranger"));
      expect(
        (await ask(relay.url, "eth_cancelBundle", [{ replacementUuid: "a-plan" }], stranger)).result,
      ).to.deep.equal([]);
      const cancelled = await ask(relay.url, "eth_cancelBundle", [{ replacementUuid: "a-plan" }]);
      expect(cancelled.result).to.deep.equal([third.bundleHash]);
      expect((await relay.produceBlock()).bundles).to.have.length(0);
    });

    it("lets only its sender take a private transaction back", async () => {
      const nonce = await node.provider.getTransactionCount(account(4).address);
      const { raw, hash } = await signed(4, { nonce });
      await ask(relay.url, "eth_sendPrivateTransaction", [{ tx: raw, maxBlockNumber: "0xffff", preferences: {} }]);
      const stranger = new Wallet(id("a stranger"));
      expect((await ask(relay.url, "eth_cancelPrivateTransaction", [{ txHash: hash }], stranger)).result).to.equal(
        false,
      );
      expect((await ask(relay.url, "eth_cancelPrivateTransaction", [{ txHash: hash }])).result).to.equal(true);
      expect((await relay.produceBlock()).bundles).to.have.length(0);
    });

    it("simulates one transaction without touching the chain", async () => {
      const before = await node.provider.getBlock("latest");
      const { raw, hash } = await signed(5, { nonce: 0, to: STORER, value: 0n, maxPriorityFeePerGas: 7n });
      const { result } = await ask(relay.url, "eth_callBundle", [
        { txs: [raw], blockNumber: await next(), stateBlockNumber: "latest" },
      ]);
      const simulated = result as { results: Record<string, unknown>[]; totalGasUsed: number } & Record<
        string,
        unknown
      >;
      expect(simulated.results).to.have.length(1);
      expect(simulated.results[0]).to.include({
        txHash: hash,
        value: "0x",
        fromAddress: account(5).address,
        gasPrice: "7",
      });
      expect(simulated.totalGasUsed).to.be.within(43_000, 46_000);
      expect(simulated["gasFees"]).to.equal(String(7 * simulated.totalGasUsed));
      expect(simulated["bundleHash"]).to.equal(keccak256(hash));
      expect(simulated["stateBlockNumber"]).to.equal(before?.number);
      expect(await node.provider.getBlock("latest")).to.have.property("hash", before?.hash);
      expect(await node.provider.getStorage(STORER, 0)).to.equal(`0x${"0".repeat(64)}`);
      expect(await node.provider.getTransaction(hash)).to.equal(null);
    });

    it("reports a revert with its data, and a wrong nonce as searchers know it", async () => {
      const reverting = await signed(5, { nonce: 0, to: REVERTER, value: 0n });
      const call = async (raw: string) =>
        ask(relay.url, "eth_callBundle", [{ txs: [raw], blockNumber: await next(), stateBlockNumber: "latest" }]);
      const { result } = await call(reverting.raw);
      const [first] = (result as { results: Record<string, unknown>[] }).results;
      expect(first).to.include({ error: "execution reverted", revert: PANIC });
      expect(first).to.not.have.property("value");

      const early = await signed(5, { nonce: 2 });
      expect((await call(early.raw)).error).to.deep.include({
        message: `err: nonce too high: address ${account(5).address}, tx: 2 state: 0; txhash ${early.hash}`,
      });
      await node.provider.send("eth_sendRawTransaction", [(await signed(6, { nonce: 0 })).raw]);
      await relay.produceBlock();
      expect((await call((await signed(6, { nonce: 0 })).raw)).error)
        .to.have.property("message")
        .that.matches(/^err: nonce too low:/);
    });

    it("simulates several in a row where the node can, and says so where it cannot", async () => {
      const nonce = await node.provider.getTransactionCount(account(8).address);
      const txs = [
        (await signed(8, { nonce, to: STORER, value: 0n })).raw,
        (await signed(8, { nonce: nonce + 1, to: STORER, value: 0n })).raw,
        (await signed(8, { nonce: nonce + 2, to: REVERTER, value: 0n })).raw,
      ];
      const { result, error } = await ask(relay.url, "eth_callBundle", [
        { txs, blockNumber: await next(), stateBlockNumber: "latest", timestamp: 4_000_000_000 },
      ]);
      if (name === "a Hardhat node") {
        expect(error).to.have.property("message").that.includes("eth_simulateV1");
        return;
      }
      const { results } = result as { results: { gasUsed: number; error?: string }[] };
      expect(results.map((each) => each.error)).to.deep.equal([undefined, undefined, "execution reverted"]);
      // The second one finds the slot written by the first.
      expect(results[1]?.gasUsed ?? 0).to.be.lessThan((results[0]?.gasUsed ?? 0) - 15_000);
      expect(await node.provider.getStorage(STORER, 0)).to.equal(`0x${"0".repeat(64)}`);
    });

    it("is told over HTTP to misbehave, as JSON only", async () => {
      const tell = (body: string, contentType: string) =>
        fetch(`${relay.url}/faults`, { method: "POST", headers: { "content-type": contentType }, body });
      expect((await tell('{"reply":"null-result"}', "text/plain")).status).to.equal(403);
      expect((await tell('{"reply":"sulk"}', "application/json")).status).to.equal(400);
      expect((await tell('{"reply":"null-result","methods":["eth_sendBundle"]}', "application/json")).status).to.equal(
        200,
      );
      const params = [{ txs: await raws(3, 1), blockNumber: toBeHex((await node.provider.getBlockNumber()) + 50) }];
      expect((await ask(relay.url, "eth_sendBundle", params)).result).to.equal(null);
      expect((await ask(relay.url, "eth_cancelBundle", [{ replacementUuid: "x" }])).result).to.deep.equal([]);
    });
  });
}
