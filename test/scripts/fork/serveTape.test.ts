import { readFileSync } from "node:fs";
import { expect } from "chai";
import { serveTape, type TapeServer } from "../../../scripts/fork/serveTape";
import type { TapeReport } from "../../../scripts/fork/tapeReport";
import {
  ABSENT,
  address,
  allowanceSlot,
  ask,
  balanceSlot,
  BLOCK,
  CODE,
  HEADER,
  LISTED_SLOT,
  Opened,
  PATCHED_SLOT,
  PLAIN,
  RANGE,
  RECORDED_SLOT,
  sampleTape,
  TapeFolder,
  TOKEN,
  VYPER_TOKEN,
  word,
} from "./sampleTape";

const FRESH = address(0xf4e54);
const ZERO = word(0);

describe("tape server", () => {
  const folder = new TapeFolder();
  const opened = new Opened();
  let server: TapeServer;

  before(() => folder.write("tape.json", sampleTape()));
  after(() => folder.remove());
  beforeEach(async () => {
    server = await serveTape({ file: folder.file("tape.json"), reportFile: folder.file("report.json") });
  });
  afterEach(async () => {
    await server.close();
    await opened.close();
  });

  const slot = async (of: string, at: string, block: unknown = BLOCK): Promise<unknown> => {
    const { result, error } = await ask(server.url, "eth_getStorageAt", [of, at, block]);
    return result ?? error;
  };

  async function expectMiss(method: string, params: readonly unknown[], message: RegExp): Promise<void> {
    const before = server.report().misses.total;
    const answer = await ask(server.url, method, params);
    expect(answer.error?.message).to.match(message);
    expect(answer).to.not.have.property("result");
    expect(server.report().misses.total).to.equal(before + 1);
  }

  it("says which chain and block it holds", async () => {
    expect((await ask(server.url, "eth_chainId", [])).result).to.equal("0x1");
    expect((await ask(server.url, "net_version", [])).result).to.equal("1");
    expect((await ask(server.url, "eth_blockNumber", [])).result).to.equal(BLOCK);
    for (const tag of [BLOCK, "latest", "finalized"]) {
      expect((await ask(server.url, "eth_getBlockByNumber", [tag, true])).result).to.deep.equal(HEADER);
    }
    expect((await ask(server.url, "eth_getBlockByHash", [HEADER.hash, false])).result).to.deep.equal(HEADER);
  });

  it("gives recorded accounts and slots, whatever the case and padding of the request", async () => {
    expect((await ask(server.url, "eth_getBalance", [TOKEN.toUpperCase().replace("0X", "0x"), BLOCK])).result).to.equal(
      "0x5",
    );
    expect((await ask(server.url, "eth_getTransactionCount", [PLAIN, BLOCK])).result).to.equal("0x7");
    expect((await ask(server.url, "eth_getCode", [TOKEN, BLOCK])).result).to.equal(CODE);
    expect((await ask(server.url, "eth_getCode", [PLAIN, BLOCK])).result).to.equal("0x");
    expect(await slot(TOKEN, RECORDED_SLOT)).to.equal(word(41));
    expect(await slot(TOKEN, "0x1")).to.equal(word(41));
    expect(await slot(TOKEN, "0x1", { blockHash: HEADER.hash })).to.equal(word(41));
    const { hits, zeros, misses } = server.report();
    expect({ hits, zeros: zeros.total, misses: misses.total }).to.deep.equal({ hits: 7, zeros: 0, misses: 0 });
  });

  it("gives a patch, and reports it with its reason", async () => {
    expect(await slot(TOKEN, PATCHED_SLOT)).to.equal(word(42));
    expect(server.report().patched).to.deep.equal({
      total: 1,
      given: [{ address: TOKEN, item: PATCHED_SLOT, why: "constant: the answer", times: 1 }],
    });
  });

  it("refuses every request for an absent contract", async () => {
    await expectMiss(
      "eth_getBalance",
      [ABSENT, BLOCK],
      /^not recorded: 0x0*ab5e: exists on this chain, a price oracle$/,
    );
    await expectMiss("eth_getCode", [ABSENT, BLOCK], /not recorded/);
    await expectMiss("eth_getTransactionCount", [ABSENT, BLOCK], /not recorded/);
    await expectMiss(
      "eth_getStorageAt",
      [ABSENT, word(3), BLOCK],
      new RegExp(`not recorded: ${ABSENT}, slot ${word(3)}`),
    );
  });

  it("takes an address that is not in the tape for a fresh account, and counts the zeros", async () => {
    expect((await ask(server.url, "eth_getBalance", [FRESH, BLOCK])).result).to.equal("0x0");
    expect((await ask(server.url, "eth_getTransactionCount", [FRESH, BLOCK])).result).to.equal("0x0");
    expect((await ask(server.url, "eth_getCode", [FRESH, BLOCK])).result).to.equal("0x");
    expect(await slot(FRESH, word(7))).to.equal(ZERO);
    expect(await slot(PLAIN, word(7))).to.equal(ZERO);
    expect(server.report().zeros.byRule).to.include({ "fresh-account": 4, "no-code": 1 });
  });

  it("gives zero for listed slots and ranges, both ends included, and nothing beside them", async () => {
    expect(await slot(TOKEN, LISTED_SLOT)).to.equal(ZERO);
    expect(await slot(TOKEN, RANGE[0])).to.equal(ZERO);
    expect(await slot(TOKEN, RANGE[1])).to.equal(ZERO);
    expect(server.report().zeros.byRule).to.include({ "listed-slot": 1, range: 2 });
    await expectMiss("eth_getStorageAt", [TOKEN, word(0x1ff), BLOCK], /not recorded/);
    await expectMiss("eth_getStorageAt", [TOKEN, word(0x300), BLOCK], /not recorded/);
    await expectMiss("eth_getStorageAt", [TOKEN, word(0x101), BLOCK], /not recorded/);
    await expectMiss("eth_getStorageAt", [VYPER_TOKEN, LISTED_SLOT, BLOCK], /not recorded/);
  });

  it("gives zero for a fresh address's entry only after it was asked about that address", async () => {
    await expectMiss("eth_getStorageAt", [TOKEN, balanceSlot(FRESH), BLOCK], /not recorded/);
    await ask(server.url, "eth_getBalance", [FRESH, BLOCK]);
    expect(await slot(TOKEN, balanceSlot(FRESH))).to.equal(ZERO);
    expect(await slot(TOKEN, allowanceSlot(FRESH, TOKEN))).to.equal(ZERO);
    expect(server.report().zeros.byRule["fresh-entry"]).to.equal(2);
    expect(server.report().zeros.given.at(-1)?.why).to.equal(`mapping 10 of ${FRESH} → ${TOKEN}`);
  });

  it("refuses the unrecorded entry of an address that is in the tape", async () => {
    await ask(server.url, "eth_getBalance", [PLAIN, BLOCK]);
    expect(await slot(TOKEN, balanceSlot(PLAIN))).to.equal(word(1000));
    await expectMiss("eth_getStorageAt", [TOKEN, balanceSlot(TOKEN), BLOCK], /not recorded/);
    await expectMiss("eth_getStorageAt", [TOKEN, allowanceSlot(PLAIN, TOKEN), BLOCK], /not recorded/);
  });

  it("names address and slot of an unrecorded slot with code -32000, and counts each asking", async () => {
    const message = `not recorded: ${TOKEN}, slot ${word(5)}`;
    expect(await slot(TOKEN, word(5))).to.deep.equal({ code: -32000, message });
    await slot(TOKEN, "0x5");
    expect(server.report().misses).to.deep.equal({
      total: 2,
      list: [{ method: "eth_getStorageAt", address: TOKEN, slot: word(5), message, times: 2 }],
    });
  });

  it("refuses other blocks and the state of other heights", async () => {
    await expectMiss("eth_getBlockByNumber", ["0x1312cff", false], /not recorded: block 0x1312cff/);
    await expectMiss("eth_getBlockByNumber", ["earliest", false], /not recorded/);
    await expectMiss("eth_getBlockByHash", [word(1), false], /not recorded/);
    await expectMiss("eth_getBalance", [TOKEN, "0x1312cff"], /not recorded: state at block/);
    await expectMiss("eth_getBalance", [FRESH, "pending"], /not recorded/);
    await expectMiss("eth_getStorageAt", [TOKEN, RECORDED_SLOT, { blockHash: word(1) }], /not recorded/);
    await expectMiss("eth_getCode", [TOKEN], /not recorded/);
  });

  it("has no logs and no transactions, and counts that it said so", async () => {
    expect((await ask(server.url, "eth_getLogs", [{ fromBlock: "0x0" }])).result).to.deep.equal([]);
    expect((await ask(server.url, "eth_getTransactionByHash", [word(1)])).result).to.equal(null);
    expect((await ask(server.url, "eth_getTransactionReceipt", [word(1)])).result).to.equal(null);
    expect(server.report().emptyHistory).to.equal(3);
  });

  it("knows the fees of its one block and refuses others and tips", async () => {
    const { result } = await ask(server.url, "eth_feeHistory", ["0x1", BLOCK, []]);
    // EIP-1559: the block used less than half its limit, so its child pays fee · (target − used) / target / 8 less.
    expect(result).to.deep.equal({
      oldestBlock: BLOCK,
      baseFeePerGas: ["0x12643ff14", "0x11cad3c4a"],
      gasUsedRatio: [0.3696564],
    });
    await expectMiss("eth_feeHistory", ["0x2", BLOCK, []], /not recorded/);
    await expectMiss("eth_feeHistory", ["0x1", BLOCK, [50]], /not recorded/);
  });

  it("refuses and counts methods that it does not answer and malformed requests", async () => {
    await expectMiss("eth_call", [{ to: TOKEN }, BLOCK], /eth_call is not answered here/);
    await expectMiss("eth_getBalance", ["0x12", BLOCK], /not an address/);
    await expectMiss("eth_getStorageAt", [TOKEN, "12", BLOCK], /not a storage slot/);
    const codes = await Promise.all(
      [[], ["eth_call"], "eth_call"].map(async (body) => {
        const response = await fetch(server.url, { method: "POST", body: JSON.stringify(body) });
        return (await response.json()) as { error?: { code: number } };
      }),
    );
    expect(codes[0]).to.deep.equal([]);
    expect(codes[2]?.error?.code).to.equal(-32600);
    const text = await fetch(server.url, { method: "POST", body: "{" });
    expect(((await text.json()) as { error: { code: number } }).error.code).to.equal(-32700);
  });

  it("answers several requests in one post", async () => {
    const one = { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] };
    const response = await fetch(server.url, { method: "POST", body: JSON.stringify([one, { ...one, id: "two" }]) });
    expect(await response.json()).to.deep.equal([
      { jsonrpc: "2.0", id: 1, result: "0x1" },
      { jsonrpc: "2.0", id: "two", result: "0x1" },
    ]);
  });

  it("has a miss in the report on disk by the time the asker hears of it", async () => {
    const onDisk = (): TapeReport => JSON.parse(readFileSync(folder.file("report.json"), "utf8")) as TapeReport;
    expect(onDisk().misses.total).to.equal(0);
    for (let i = 1; i <= 5; i++) {
      await slot(TOKEN, word(0x1000 + i));
      expect(onDisk().misses.total).to.equal(i);
    }
    expect(onDisk().closed).to.equal(false);
    await server.close();
    expect(onDisk().closed).to.equal(true);
  });

  it("gives the report at /report", async () => {
    await slot(TOKEN, word(5));
    const report = (await (await fetch(`${server.url}/report`)).json()) as TapeReport;
    expect(report).to.deep.equal(server.report());
    expect(report.tape).to.include({ chainId: 1, block: 20_000_000, hash: HEADER.hash });
  });

  it("tells of a miss once, however often it is asked", async () => {
    const told: string[] = [];
    const telling = opened.add(
      await serveTape({ file: folder.file("tape.json"), onMiss: ({ message }) => told.push(message) }),
    );
    await ask(telling.url, "eth_getStorageAt", [TOKEN, word(5), BLOCK]);
    await ask(telling.url, "eth_getStorageAt", [TOKEN, word(5), BLOCK]);
    await telling.close();
    expect(told).to.deep.equal([`not recorded: ${TOKEN}, slot ${word(5)}`]);
  });

  it("refuses unknown addresses of a recorded tape", async () => {
    const strict = opened.add(
      await serveTape({
        file: folder.write("strict.json", { ...sampleTape(), unknownAccounts: "refuse" }),
      }),
    );
    const { error } = await ask(strict.url, "eth_getBalance", [FRESH, BLOCK]);
    const ofSlot = await ask(strict.url, "eth_getStorageAt", [FRESH, word(1), BLOCK]);
    await strict.close();
    expect(error?.message).to.equal(`not recorded: ${FRESH}, balance`);
    expect(ofSlot.error?.message).to.match(/not recorded/);
  });

  it("says which port is taken", async () => {
    const port = Number(new URL(server.url).port);
    const failure: unknown = await serveTape({ file: folder.file("tape.json"), port }).catch((error: unknown) => error);
    expect(failure).to.include({ code: "SERVER_PORT", field: "--port", exitCode: 2 });
  });
});
