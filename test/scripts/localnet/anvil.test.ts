import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { WorldFailure } from "../../../keeper/config/failure";
import { startLocalChain, type LocalChain } from "../../../scripts/localnet/anvil";
import { callNode, genesisHashAt } from "../../../scripts/localnet/jsonRpc";
import { isAlive } from "../../../scripts/localnet/runningNode";
import { localWallet } from "../../../deploy/networks/localWallet";
import { temporaryFolder, type TemporaryFolder } from "./temporaryChain";

const SOMEBODY = "0x00000000000000000000000000000000000000A1";
/** More than the interval at which anvil saves and the copy is taken. */
const SAVED_MS = 2_600;

describe("the local chain's node", function () {
  this.timeout(60_000);
  let place: TemporaryFolder;
  const started: LocalChain[] = [];

  const start = async (port = 0): Promise<LocalChain> => {
    const chain = await startLocalChain({ folder: place.folder, port });
    started.push(chain);
    return chain;
  };
  const send = async (chain: LocalChain): Promise<void> => {
    const wallet = localWallet("deployer");
    const nonce = Number(await callNode(chain.url, "eth_getTransactionCount", [wallet.address, "pending"]));
    const signed = await wallet.signTransaction({
      ...{ type: 2, chainId: 31337, nonce, to: SOMEBODY, value: 1n, gasLimit: 21_000 },
      ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n },
    });
    await callNode(chain.url, "eth_sendRawTransaction", [signed]);
  };
  const balance = async (chain: LocalChain): Promise<bigint> =>
    BigInt((await callNode(chain.url, "eth_getBalance", [SOMEBODY, "latest"])) as string);
  const mine = (chain: LocalChain): Promise<unknown> => callNode(chain.url, "evm_mine", []);
  const answers = (chain: LocalChain): Promise<boolean> =>
    fetch(chain.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
      signal: AbortSignal.timeout(500),
    }).then(
      (response) => response.ok,
      () => false,
    );
  const failureOf = async (attempt: Promise<unknown>): Promise<WorldFailure> => {
    const problem = await attempt.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(problem instanceof WorldFailure)) throw new Error(`expected a WorldFailure, got ${String(problem)}`);
    return problem;
  };

  beforeEach(() => {
    place = temporaryFolder();
  });
  afterEach(async () => {
    for (const chain of started.splice(0)) await chain.stop();
    place.remove();
  });

  it("makes no block of its own and keeps the order in which transactions came", async () => {
    const chain = await start();
    await send(chain);
    await send(chain);
    await sleep(300);
    expect(Number(await callNode(chain.url, "eth_blockNumber", []))).to.equal(0);
    await mine(chain);
    expect(await balance(chain)).to.equal(2n);
    const info = (await callNode(chain.url, "anvil_nodeInfo", [])) as { transactionOrder: string };
    expect(info.transactionOrder).to.equal("fifo");
    expect(Number(await callNode(chain.url, "eth_chainId", []))).to.equal(31337);
  });

  it("gives the twelve local accounts their ether and knows none of the well-known ones", async () => {
    const chain = await start();
    const accounts = (await callNode(chain.url, "eth_accounts", [])) as string[];
    expect(accounts).to.have.length(12);
    expect(accounts[3]?.toLowerCase()).to.equal(localWallet("keeper").address.toLowerCase());
    const wellKnown = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    expect(BigInt((await callNode(chain.url, "eth_getBalance", [wellKnown, "latest"])) as string)).to.equal(0n);
  });

  it("goes on where it was after a stop", async () => {
    const first = await start();
    expect(first.fresh).to.equal(true);
    await send(first);
    await mine(first);
    await first.stop();
    expect(isAlive(first.pid)).to.equal(false);

    const second = await start();
    expect(second.fresh).to.equal(false);
    expect(second.genesisHash).to.equal(first.genesisHash);
    expect(await balance(second)).to.equal(1n);
    expect(Number(await callNode(second.url, "eth_blockNumber", []))).to.equal(1);
  });

  it("survives a kill -9 of the node", async () => {
    const first = await start();
    await send(first);
    await mine(first);
    await sleep(SAVED_MS);
    process.kill(first.pid, "SIGKILL");
    while (isAlive(first.pid)) await sleep(20);

    const second = await start();
    expect(second.pid).to.not.equal(first.pid);
    expect(second.genesisHash).to.equal(first.genesisHash);
    expect(await balance(second)).to.equal(1n);
  });

  it("takes over the node that a killed launcher left running", async () => {
    const first = await start();
    await send(first);
    await mine(first);
    const second = await start();
    expect(second.pid).to.equal(first.pid);
    expect(second.url).to.equal(first.url);
    expect(second.fresh).to.equal(false);
    await second.stop();
    expect(isAlive(first.pid)).to.equal(false);
  });

  it("replaces a left node that does not answer any more", async () => {
    const first = await start();
    await sleep(SAVED_MS);
    process.kill(first.pid, "SIGSTOP");
    // A node of many threads stops when the last of them has.
    while (await answers(first)) await sleep(20);
    const second = await start();
    expect(second.pid).to.not.equal(first.pid);
    expect(isAlive(first.pid)).to.equal(false);
    expect(second.genesisHash).to.equal(first.genesisHash);
  });

  it("leaves a stranger alone that has the noted process id", async () => {
    const note = { pid: process.pid, port: 1, genesisHash: `0x${"0".repeat(64)}` };
    writeFileSync(path.join(place.folder, "anvil.json"), JSON.stringify(note));
    const chain = await start();
    expect(chain.pid).to.not.equal(process.pid);
    expect(chain.fresh).to.equal(true);
  });

  it("moves to another port when that is asked for", async () => {
    const first = await start();
    await send(first);
    await mine(first);
    const spare = await startLocalChain({ folder: path.join(place.folder, "spare"), port: 0 });
    await spare.stop();
    const port = Number(new URL(spare.url).port);
    const second = await start(port);
    expect(second.url).to.equal(`http://127.0.0.1:${port}`);
    expect(await balance(second)).to.equal(1n);
    expect(isAlive(first.pid)).to.equal(false);
  });

  it("says which port is taken", async () => {
    const server: Server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
    try {
      const failure = await failureOf(start(port));
      expect(failure.code).to.equal("LOCALNET_PORT_TAKEN");
      expect(failure.field).to.equal("port");
      expect(failure.message).to.include(String(port));
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("falls back to the copy when a kill left half a state file", async () => {
    const first = await start();
    await send(first);
    await mine(first);
    await sleep(SAVED_MS);
    process.kill(first.pid, "SIGKILL");
    while (isAlive(first.pid)) await sleep(20);
    const file = path.join(place.folder, "anvil-state.json");
    truncateSync(file, 5_000);

    const second = await start();
    expect(second.genesisHash).to.equal(first.genesisHash);
    expect(await balance(second)).to.equal(1n);
  });

  it("never takes half a file for the copy", async () => {
    const chain = await start();
    await sleep(SAVED_MS);
    const copy = path.join(place.folder, "anvil-state.backup.json");
    expect(() => JSON.parse(readFileSync(copy, "utf8")) as unknown).to.not.throw();
    process.kill(chain.pid, "SIGKILL");
    while (isAlive(chain.pid)) await sleep(20);
    const file = path.join(place.folder, "anvil-state.json");
    const whole = readFileSync(file);
    truncateSync(file, 5_000);
    await sleep(SAVED_MS);
    expect(readFileSync(copy).length).to.equal(whole.length);
  });

  it("names the folder to remove when nothing readable is left", async () => {
    const chain = await start();
    await sleep(SAVED_MS);
    await chain.stop();
    const file = path.join(place.folder, "anvil-state.json");
    truncateSync(file, 5_000);
    copyFileSync(file, path.join(place.folder, "anvil-state.backup.json"));

    const failure = await failureOf(start());
    expect(failure.code).to.equal("LOCALNET_STATE_CORRUPT");
    expect(failure.exitCode).to.equal(1);
    expect(failure.remedy).to.include(place.folder);
    expect(readFileSync(file).length).to.equal(5_000);
    expect(existsSync(path.join(place.folder, "anvil.json"))).to.equal(false);
  });

  it("says what anvil said when it refuses a state file", async () => {
    writeFileSync(path.join(place.folder, "anvil-state.json"), '{"accounts": 7}');
    const failure = await failureOf(start());
    expect(failure.code).to.equal("LOCALNET_NOT_STARTED");
    expect(failure.remedy).to.include("anvil.log");
    expect(failure.line()).to.not.include("\n");
  });

  it("does not answer after a stop", async () => {
    const chain = await start();
    await chain.stop();
    await chain.stop();
    expect(await genesisHashAt(chain.url)).to.equal(null);
  });
});
