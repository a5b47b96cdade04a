import { expect } from "chai";
import { InputFailure } from "../../../keeper/config/failure";
import { serveTape } from "../../../scripts/fork/serveTape";
import { chosenUpstream, openUpstream } from "../../../scripts/fork/upstream";
import { startAnvil } from "./anvilNode";
import { ask, Opened, RECORDED_SLOT, sampleTape, TapeFolder, TOKEN, word } from "./sampleTape";

describe("upstream of a fork", function () {
  this.timeout(30_000);
  const folder = new TapeFolder();
  const opened = new Opened();
  afterEach(() => opened.close());
  before(() => folder.write("tape.json", sampleTape()));
  after(() => folder.remove());

  it("is the node, else the tape, else the local chain", () => {
    const url = "http://127.0.0.1:1";
    const tape = folder.file("tape.json");
    expect(chosenUpstream({ MAINNET_RPC_URL: url, TILLER_TAPE: tape })).to.deep.equal({ kind: "rpc", url });
    expect(chosenUpstream({ MAINNET_RPC_URL: url, TILLER_FORK_BLOCK: "20000000" })).to.deep.equal({
      ...{ kind: "rpc", url, block: 20_000_000 },
    });
    expect(chosenUpstream({ MAINNET_RPC_URL: "", TILLER_TAPE: tape })).to.deep.equal({ kind: "tape", file: tape });
    expect(chosenUpstream({ TILLER_TAPE: "" })).to.deep.equal({ kind: "localnet" });
  });

  it("wants a number for the block", () => {
    const choose = (): unknown => chosenUpstream({ MAINNET_RPC_URL: "http://127.0.0.1:1", TILLER_FORK_BLOCK: "0x10" });
    expect(choose).to.throw(InputFailure).with.property("field", "TILLER_FORK_BLOCK");
  });

  it("pins a node of mainnet at the block, and says what the node could not answer", async () => {
    const node = opened.add(await serveTape({ file: folder.file("tape.json") }));
    const upstream = opened.add(await openUpstream({ kind: "rpc", url: node.url, block: 20_000_000 }));
    expect(upstream).to.include({ chainId: 1, block: 20_000_000, localProtocols: null });
    expect((await ask(upstream.url, "eth_getStorageAt", [TOKEN, "0x1", "latest"])).result).to.equal(word(41));
    expect(upstream.failures()).to.deep.equal([]);
    const { error } = await ask(upstream.url, "eth_getStorageAt", [TOKEN, "0x5", "latest"]);
    expect(error?.message).to.match(/the node did not answer eth_getStorageAt/);
    expect(upstream.failures()).to.have.length(1);
    await upstream.close();
    await node.close();
  });

  it("is not a node of another chain", async () => {
    const node = await startAnvil();
    const failure: unknown = await openUpstream({ kind: "rpc", url: node.url }).catch((error: unknown) => error);
    await node.stop();
    expect(failure).to.include({ code: "FORK_CHAIN", field: "MAINNET_RPC_URL", exitCode: 2 });
  });

  it("is a tape whose misses are its failures", async () => {
    const upstream = opened.add(await openUpstream({ kind: "tape", file: folder.file("tape.json") }));
    await ask(upstream.url, "eth_getStorageAt", [TOKEN, RECORDED_SLOT, "latest"]);
    expect(upstream.failures()).to.deep.equal([]);
    await ask(upstream.url, "eth_getStorageAt", [TOKEN, word(5), "latest"]);
    await upstream.close();
    expect(upstream.failures()).to.deep.equal([`not recorded: ${TOKEN}, slot ${word(5)} (eth_getStorageAt)`]);
    expect(upstream.tapeReport()?.misses.total).to.equal(1);
  });
});
