import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { callNode } from "../../../scripts/localnet/jsonRpc";
import { adapter } from "../../../deploy/modules/adapters";
import { creationData } from "../../../deploy/modules/creation";
import { localNetwork } from "../../../deploy/networks/local";
import { nextActions, openMarket, runMarket, type SentAction } from "../../../scripts/localnet/market";
import { bindContracts, type MarketContracts } from "../../../scripts/localnet/market/contracts";
import { readMarket } from "../../../scripts/localnet/market/readMarket";
import { sendAction } from "../../../scripts/localnet/market/sendAction";
import { ILiquidityAdapter__factory, type ILiquidityAdapter } from "../../../typechain-types";
import { passTime, startTemporaryChain, type TemporaryChain } from "./temporaryChain";

const ROOT = path.join(__dirname, "..", "..", "..");
const MARKET = ["-r", "tsx/cjs", path.join(ROOT, "scripts", "localnet", "market.ts")];
const SECONDS_PER_BLOCK = 12;
/** Two periods of the slower wave. */
const TURNS = 96;
const SEED = 4;

interface Turn {
  readonly sent: readonly SentAction[];
  readonly aave: number;
  readonly comet: number;
}

describe("the local market", function () {
  this.timeout(180_000);
  let local: TemporaryChain;
  let contracts: MarketContracts;
  let adapters: readonly ILiquidityAdapter[];
  let clean: unknown;

  before(async () => {
    local = await startTemporaryChain();
    contracts = bindContracts(local.provider, local.protocols);
    adapters = await deployPoolAdapters(local);
    await local.automine(false);
  });
  after(() => local.end());
  beforeEach(async () => {
    clean = await callNode(local.chain.url, "evm_snapshot", []);
  });
  afterEach(async () => {
    await callNode(local.chain.url, "anvil_dropAllTransactions", []);
    await callNode(local.chain.url, "evm_revert", [clean]);
  });

  const settings = (seed = SEED) => ({ url: local.chain.url, protocols: local.protocols, seed, everyBlocks: 1 });

  /** Lets the market act on every block; each transaction must have gone through. */
  async function play(turns: number, seed = SEED): Promise<readonly Turn[]> {
    const market = openMarket(settings(seed));
    const played: Turn[] = [];
    try {
      for (let turn = 0; turn < turns; turn += 1) {
        const sent = await market.turn();
        await passTime(local.chain.url, SECONDS_PER_BLOCK);
        for (const { hash, action } of sent) {
          const receipt = hash === null ? null : await local.provider.getTransactionReceipt(hash);
          expect(receipt?.status, `${action.kind} in turn ${turn}`).to.equal(1);
        }
        played.push({ sent, ...(await utilizations()) });
      }
    } finally {
      market.close();
    }
    return played;
  }

  async function utilizations(): Promise<{ aave: number; comet: number }> {
    const [debt, cash, comet] = await Promise.all([
      contracts.aaveData.getFunction("getTotalDebt")(local.protocols.tokens.usdc) as Promise<bigint>,
      contracts.usdc.getFunction("balanceOf")(local.protocols.aave.reserves.usdc.aToken) as Promise<bigint>,
      contracts.comet.getUtilization(),
    ]);
    return { aave: Number(debt) / Number(debt + cash), comet: Number(comet) / 1e18 };
  }

  it(`takes both pools over their kinks and back within ${TURNS} blocks, every transaction succeeding`, async () => {
    const played = await play(TURNS);
    for (const [venue, kink] of [
      ["aave", 0.92],
      ["comet", 0.9],
    ] as const) {
      const above = played.map((turn) => turn[venue] > kink);
      const crossings = (up: boolean): number =>
        above.filter((now, turn) => turn > 0 && now === up && above[turn - 1] === !up).length;
      expect(crossings(true), `${venue} upwards`).to.be.at.least(1);
      expect(crossings(false), `${venue} downwards`).to.be.at.least(1);
    }
    const sold = new Set(played.flatMap(({ sent }) => sent.map(({ action }) => action.kind === "swap" && action.sell)));
    expect(sold.has("usdc") && sold.has("usdt")).to.equal(true);

    const borrower = local.signer("borrower").address;
    const account = (await contracts.aavePool.getFunction("getUserAccountData")(borrower)) as { healthFactor: bigint };
    expect(Number(account.healthFactor) / 1e18).to.be.above(1.3);
    expect(await contracts.comet.isLiquidatable(borrower)).to.equal(false);
  });

  it("trades in both stablecoin pools: fees grow, and prices stay within the vault's bounds but for now and then", async () => {
    const market = openMarket(settings());
    const steady: boolean[][] = [];
    const kinds: string[] = [];
    try {
      for (let turn = 0; turn < TURNS; turn += 1) {
        kinds.push(...(await market.turn()).map(({ action }) => action.kind));
        await passTime(local.chain.url, SECONDS_PER_BLOCK);
        steady.push(await Promise.all(adapters.map((it) => it.steady())));
      }
    } finally {
      market.close();
    }
    for (const kind of ["swap", "exchange"]) {
      expect(kinds.filter((it) => it === kind).length, kind).to.be.at.least(TURNS / 8);
    }
    expect((await contracts.threePool.get_virtual_price()) > 10n ** 18n).to.equal(true);
    for (const side of ["feeGrowthGlobal0X128", "feeGrowthGlobal1X128"]) {
      expect((await contracts.uniswapPool.getFunction(side)()) > 0n, side).to.equal(true);
    }
    for (const [index, name] of ["curve-3pool", "uniswap-v3"].entries()) {
      const share = steady.filter((pools) => pools[index]).length / steady.length;
      expect(share, `${name} steady`).to.be.at.least(0.75);
    }
  });

  for (const [index, name, draws] of [
    [0, "the 3pool", [0.99, 0.1, 0, 0.5, 0.2, 0.5]],
    [1, "Uniswap's pool", [0.99, 0.9, 0, 0.2, 0.5]],
  ] as const) {
    it(`takes the price of ${name} out of the vault's bounds by a rush, and trades it back`, async () => {
      const steady = (): Promise<boolean> => adapters[index]?.steady() ?? Promise.resolve(false);
      expect(await steady()).to.equal(true);
      const head = await local.provider.getBlock("latest");
      const block = { number: head?.number ?? 0, timestamp: head?.timestamp ?? 0, slot: 0 };
      const left = [...draws];
      const actions = nextActions(await readMarket(contracts, local.protocols, block), () => left.shift() ?? 0.5);
      expect(actions).to.have.length(1);
      for (const action of actions) {
        await sendAction(local.provider, action, { contracts, protocols: local.protocols });
      }
      await passTime(local.chain.url, SECONDS_PER_BLOCK);
      expect(await steady()).to.equal(false);

      let turns = 0;
      while (!(await steady()) && turns < 40) {
        await play(1);
        turns += 1;
      }
      expect(turns).to.be.within(1, 39);
    });
  }

  it("keeps every stablecoin's price fresh when an hour passes with each block", async () => {
    const market = openMarket(settings());
    const uniswap = localNetwork(local.protocols).venues.find((venue) => venue.kind === "uniswap-v3");
    try {
      for (let block = 0; block < 60; block += 1) {
        await market.turn();
        await passTime(local.chain.url, 3_600);
        const now = (await local.provider.getBlock("latest"))?.timestamp ?? 0;
        for (const coin of ["usdc", "usdt", "dai"] as const) {
          const [, , , updatedAt] = await contracts.feeds[coin].latestRoundData();
          expect(now - Number(updatedAt), coin).to.be.below(
            uniswap?.kind === "uniswap-v3" ? uniswap.heartbeatSeconds[1] : 0,
          );
        }
      }
    } finally {
      market.close();
    }
  });

  it("does the same again from the same state and seed, and otherwise for another seed", async () => {
    const restart = async (): Promise<void> => {
      await callNode(local.chain.url, "evm_revert", [clean]);
      clean = await callNode(local.chain.url, "evm_snapshot", []);
    };
    const first = await play(12);
    await restart();
    const second = await play(12);
    expect(second).to.deep.equal(first);
    await restart();
    expect((await play(12, SEED + 1)).map(({ sent }) => sent)).to.not.deep.equal(first.map(({ sent }) => sent));
  });

  it("keeps borrowers safe and savings funded when a block takes six days", async () => {
    const market = openMarket(settings());
    try {
      for (let block = 0; block < 60; block += 1) {
        await market.turn();
        await passTime(local.chain.url, 86_400 * 6);
      }
    } finally {
      market.close();
    }
    const borrower = local.signer("borrower").address;
    const account = (await contracts.aavePool.getFunction("getUserAccountData")(borrower)) as { healthFactor: bigint };
    expect(Number(account.healthFactor) / 1e18).to.be.above(1.2);
    expect(await contracts.comet.isLiquidatable(borrower)).to.equal(false);
    expect(Number(await contracts.savings.reserve())).to.be.above(0);
    const [, , , updatedAt] = await contracts.feeds.usdc.latestRoundData();
    const now = (await local.provider.getBlock("latest"))?.timestamp ?? 0;
    expect(now - Number(updatedAt)).to.be.at.most(86_400 * 12);
  });

  it("waits while something of its own is unmined, and leaves no gap in its nonces", async () => {
    const first = openMarket(settings());
    const second = openMarket(settings());
    try {
      expect(await first.turn()).to.have.length.at.least(1);
      // As after a kill: a new process that knows nothing of what was sent.
      expect(await second.turn()).to.have.length(0);
      await passTime(local.chain.url, SECONDS_PER_BLOCK);
      const next = await second.turn();
      expect(next).to.have.length.at.least(1);
      await passTime(local.chain.url, SECONDS_PER_BLOCK);
      for (const { hash } of next) {
        expect((await local.provider.getTransactionReceipt(hash ?? ""))?.status).to.equal(1);
      }
    } finally {
      first.close();
      second.close();
    }
  });

  it("acts once in so many blocks", async () => {
    const market = openMarket({ ...settings(), everyBlocks: 4 });
    try {
      let acted = 0;
      for (let block = 0; block < 16; block += 1) {
        if ((await market.turn()).length > 0) acted += 1;
        await passTime(local.chain.url, SECONDS_PER_BLOCK);
      }
      expect(acted).to.be.within(4, 5);
    } finally {
      market.close();
    }
  });

  it("ends when told to", async () => {
    const stop = new AbortController();
    const seen: SentAction[] = [];
    const running = runMarket({ ...settings(), signal: stop.signal, onAction: (sent) => seen.push(sent) });
    while (seen.length === 0) await sleep(20);
    stop.abort();
    await running;
    expect(seen[0]?.hash).to.match(/^0x[0-9a-f]{64}$/);
  });

  it("runs as a process: a line an action, and a clean end on SIGTERM", async () => {
    const child = spawn(process.execPath, [...MARKET, "--folder", local.folder, "--url", local.chain.url, "--json"], {
      ...{ cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] },
    });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    let line: string;
    try {
      line = await firstLine(child.stdout);
    } finally {
      child.kill("SIGTERM");
    }
    const sent = JSON.parse(line) as { action: { kind: string }; hash: string };
    expect(sent.action.kind).to.be.a("string");
    expect(await ended).to.equal(0);
  });

  for (const [options, field] of [
    [["--every", "0"], "--every"],
    [["--seed", "one"], "--seed"],
    [["--folder", "/nowhere"], "--folder"],
    [["--bogus"], "options"],
  ] as const) {
    it(`says in one line what is wrong with ${options.join(" ")}`, async () => {
      const place = options[0] === "--folder" ? [] : ["--folder", local.folder];
      const { code, stderr } = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
        const child = execFile(process.execPath, [...MARKET, ...place, ...options], (_problem, _out, errors) =>
          resolve({ code: child.exitCode, stderr: errors }),
        );
      });
      expect(code).to.equal(2);
      expect(
        stderr
          .trim()
          .split("\n")
          .filter((text) => !text.startsWith("npm")),
      ).to.have.length(1);
      expect(stderr).to.include(`${field}: `);
    });
  }
});

/** Adapters of the 3pool and of Uniswap's pool with the local vault's bounds. */
async function deployPoolAdapters(local: TemporaryChain): Promise<readonly ILiquidityAdapter[]> {
  const deployer = local.signer("deployer");
  const deployed: ILiquidityAdapter[] = [];
  for (const venue of localNetwork(local.protocols).venues) {
    if (venue.kind !== "curve-3pool" && venue.kind !== "uniswap-v3") continue;
    const served = { vault: local.signer("keeper").address, asset: local.protocols.tokens.usdc, auction: ZeroAddress };
    const creation = adapter(venue, served);
    const data = creationData(creation, new Map());
    const sent = await deployer.sendTransaction({ data, gasLimit: 8_000_000 });
    const receipt = await sent.wait(1, 20_000);
    deployed.push(ILiquidityAdapter__factory.connect(receipt?.contractAddress ?? "", local.provider));
  }
  return deployed;
}

/** The first line that arrives, within twenty seconds. */
async function firstLine(stream: Readable): Promise<string> {
  const lines = createInterface({ input: stream });
  const [line] = (await once(lines, "line", { signal: AbortSignal.timeout(20_000) })) as [string];
  lines.close();
  return line;
}
