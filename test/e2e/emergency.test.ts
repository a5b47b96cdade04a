// A feed says that USDC has lost its peg: the keeper's own breaker trips, all that can leave goes to idle in one bundle, a
// restart changes nothing of that, and only a person lets it go on. Then the same by hand.
import { expect } from "chai";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContractTransactionResponse } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import { silent } from "../../keeper/events/events";
import { openStore } from "../../keeper/store/open";
import { bindContracts } from "../../scripts/localnet/market/contracts";
import { IAdapter__factory, Vault__factory } from "../../typechain-types";
import {
  keeperEnvironment,
  landedRebalances,
  startLocalSystem,
  startScript,
  tiller,
  type Finished,
  type Landed,
  type LocalSystem,
} from "./localSystem";

const USDC = 10n ** 6n;
const SECONDS_PER_BLOCK = 12;
const BLOCK_MS = 400;
const GAS = { gasLimit: 5_000_000n } as const;
/** Three times as much is within what the vault's turnover budget gives at once. */
const PLACED = {
  "aave-v3-usdc": 100_000n * USDC,
  "compound-v3-usdc": 70_000n * USDC,
  "savings-usdc": 50_000n * USDC,
  "curve-3pool": 30_000n * USDC,
} as const;
type Venue = keyof typeof PLACED;
const VENUES = Object.keys(PLACED) as Venue[];
const EXACT = VENUES.filter((venue) => venue !== "curve-3pool");
const PAR = 100_000_000n;

interface Event {
  readonly event: string;
  readonly cause?: string;
  readonly reason?: string;
  readonly block?: number;
}

interface Keeper {
  events(name: string): Event[];
  stop(): Promise<Finished>;
}

describe("an emergency", function () {
  this.timeout(240_000);
  let system: LocalSystem;
  let config: string;
  let feed: ReturnType<typeof bindContracts>["feeds"]["usdc"];

  const wallet = (role: "keeper" | "market") => localWallet(role).connect(system.provider);
  const mined = async (sent: Promise<ContractTransactionResponse>): Promise<void> => {
    const { hash } = await sent;
    for (let tries = 0; tries < 300; tries += 1) {
      const receipt = await system.provider.getTransactionReceipt(hash).catch(() => null);
      if (receipt !== null) return void expect(receipt.status).to.equal(1);
      await sleep(100);
    }
    throw new Error(`${hash} is in no block`);
  };
  const adapterOf = (venue: string): string => {
    const entry = system.genesis.addresses.adapters.find(({ id }) => id === venue);
    if (entry === undefined) throw new Error(`no adapter of ${venue}`);
    return entry.adapter;
  };
  const held = (venue: Venue): Promise<bigint> =>
    IAdapter__factory.connect(adapterOf(venue), system.provider).fairValue();
  const report = (answer: bigint): Promise<void> => mined(feed.connect(wallet("market")).push(answer, GAS));

  /** Money into the venues as the keeper's plans would put it there, so that there is something to close. */
  async function place(): Promise<void> {
    const vault = Vault__factory.connect(system.genesis.addresses.vault, wallet("keeper"));
    const { timestamp } = (await system.provider.getBlock("latest")) ?? { timestamp: 0 };
    const missing = await Promise.all(VENUES.map(async (venue) => ({ venue, had: await held(venue) })));
    const moves = missing.flatMap(({ venue, had }) =>
      had > 0n ? [] : [{ adapter: adapterOf(venue), assets: PLACED[venue], data: "0x" }],
    );
    if (moves.length === 0) return;
    const nonce = await vault.nextNonce(wallet("keeper").address);
    const guard = { nonce, deadline: timestamp + 3_600, maxLoss: 100n * USDC, decision: `0x${"00".repeat(32)}` };
    await mined(vault.rebalance(moves, guard, GAS));
  }

  function run(): Keeper {
    const { process: child, finished } = startScript("keeper/cli/main.ts", ["run", "--config", config, "--json"]);
    let log = "";
    child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
    return {
      events: (name) =>
        log
          .split("\n")
          .filter((line) => line.startsWith("{") && line.endsWith("}"))
          .map((line) => JSON.parse(line) as Event)
          .filter(({ event }) => event === name),
      stop: () => {
        child.kill("SIGINT");
        return finished;
      },
    };
  }
  const until = async (holds: () => boolean | Promise<boolean>, what: string): Promise<void> => {
    for (let tries = 0; tries < 400; tries += 1) {
      if (await holds()) return;
      await sleep(200);
    }
    throw new Error(`it never came to this: ${what}`);
  };
  const ticks = (keeper: Keeper): number => keeper.events("tick.end").length;
  const lastReason = (keeper: Keeper): string => keeper.events("tick.end").at(-1)?.reason ?? "";
  const landedSince = async (block: number): Promise<Landed[]> =>
    (await landedRebalances(system, block)).filter((landed) => landed.block > block);
  const json = <T>({ stdout, stderr, code }: Finished): T => {
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  };
  const command = (...args: string[]): Promise<Finished> => tiller([...args, "--config", config], keeperEnvironment());

  /** As if a pool of two dollars of Ethereum had been followed for a fortnight, whose price is nearly off now. */
  const readDollarPool = async (): Promise<void> => {
    const now = (await system.provider.getBlock("latest"))?.timestamp ?? 0;
    const { chainId } = await system.provider.getNetwork();
    const store = await openStore({ dataDir: path.join(system.folder, "emergency"), sink: silent });
    const tokens = ["0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "0xdAC17F958D2ee523a2206206994597C13D831ec7"];
    await store.history.addReadings(
      Array.from({ length: 15 * 24 }, (_, k) => ({
        ...{
          chainId: Number(chainId),
          source: "uniswap-v3",
          subject: "dollars",
          block: 1,
          blockHash: `0x${"1".repeat(64)}`,
        },
        ...{ observedAt: now - k * 3_600, availableAt: now - k * 3_600 },
        state: JSON.stringify({
          ...{ tokens, decimals: [6, 6], tick: k === 0 ? 12 : Math.round(2 * Math.sin(k / 5)) },
          liquidity: "430394234327008495",
        }),
      })),
    );
    await store.close();
  };

  before(async () => {
    system = await startLocalSystem({ blockMs: BLOCK_MS, secondsPerBlock: SECONDS_PER_BLOCK });
    feed = bindContracts(system.provider, system.genesis.protocols).feeds.usdc;
    config = system.configure("emergency", {
      // It never moves anything for a gain: what moves here moves for safety.
      limits: { cooldownSeconds: 0, deadlineSeconds: 40 * SECONDS_PER_BLOCK, minGainUsd: 1e9 },
      bundle: { blocks: 20 },
      risk: { breaker: { oracleSeconds: 2 * SECONDS_PER_BLOCK, closeOnTrip: true } },
    });
    await place();
  });
  after(() => system.stop());

  describe("a depegged oracle", () => {
    let keeper: Keeper;
    let depegged: number;
    afterEach(async () => {
      await keeper.stop();
    });

    it("trips the breaker once, and all that can leave goes to idle in one bundle", async () => {
      keeper = run();
      await until(() => ticks(keeper) > 3, "the keeper looks at blocks");
      expect(keeper.events("breaker.tripped")).to.have.length(0);
      depegged = await system.provider.getBlockNumber();
      await report((PAR * 95n) / 100n);
      await until(async () => (await landedSince(depegged)).length > 0, "a close lands");
      for (const venue of EXACT) expect(await held(venue), venue).to.equal(0n);
      const seen = ticks(keeper);
      await until(() => ticks(keeper) > seen + 5, "more blocks");

      expect(await landedSince(depegged)).to.have.length(1);
      const tripped = keeper.events("breaker.tripped");
      expect(tripped.map(({ cause }) => cause)).to.deep.equal(["oracle"]);
      expect(tripped[0]?.reason).to.match(/usdc-usd is at 0\.9500/);
      // The pool's adapter lets nothing out while its price is off the feeds': it stays, by its name.
      expect(Number(await held("curve-3pool"))).to.be.above(0);
      expect(lastReason(keeper)).to.match(/emergency close.*stays: .* in curve-3pool \(its pool's price is off/);
    });

    it("stays tripped over a restart, says so, and moves nothing", async () => {
      const before = await system.provider.getBlockNumber();
      keeper = run();
      await until(() => ticks(keeper) > 5, "the keeper looks at blocks");
      expect(keeper.events("breaker.open").map(({ reason }) => reason)).to.match(/^oracle: usdc-usd is at 0\.9500/);
      expect(keeper.events("breaker.tripped")).to.have.length(0);
      expect(await landedSince(before)).to.have.length(0);
      const status = json<{ tripped: boolean; open: { cause: string }[] }>(
        await command("breaker", "status", "--json"),
      );
      expect(status.tripped).to.equal(true);
      expect(status.open.map(({ cause }) => cause)).to.deep.equal(["oracle"]);

      interface Shown {
        readonly venues: { venue: string; limit: number; advice: string; oracle: { trouble: string | null } }[];
        readonly feeds: { subject: string; price: number }[];
        readonly tripped: { cause: string }[];
        readonly outlook: { series: string; event: string; probability: number | null; note: string | null }[];
        readonly outlookTroubles: string[];
        readonly pools: { venue: string; falls: { fall: number; loss: number }[] }[];
      }
      await readDollarPool();
      const risk = json<Shown>(await command("risk", "--json"));
      expect(risk.tripped.map(({ cause }) => cause)).to.deep.equal(["oracle"]);
      expect(risk.feeds.find(({ subject }) => subject === "usdc-usd")?.price).to.equal(0.95);
      const curve = risk.venues.find(({ venue }) => venue === "curve-3pool");
      expect(curve).to.deep.include({ limit: 0, advice: "reduce" });
      expect(curve?.oracle.trouble).to.match(/usdc-usd is at 0\.9500/);
      const falls = risk.pools.find(({ venue }) => venue === "curve-3pool")?.falls ?? [];
      expect(falls.map(({ fall }) => fall)).to.deep.equal([0.001, 0.01, 0.1]);
      for (const { fall, loss } of falls) expect(loss).to.be.within(0, fall);
      // Every venue that pays a rate is asked about, of every event that the checkout's models foretell.
      expect(risk.outlookTroubles).to.deep.equal([]);
      const events = ["apr-collapse-7d", "exit-illiquidity-24h", "exit-illiquidity-7d"];
      expect(risk.outlook.filter(({ series }) => series === "aave-v3-usdc").map(({ event }) => event)).to.have.members(
        events,
      );
      for (const { probability, note } of risk.outlook) {
        if (note === null) expect(probability).to.be.within(0, 1);
      }
      // Of prices, the pool of two dollars that are known for it, which is none of the venues.
      expect(risk.outlook.filter(({ event }) => event === "depeg-24h").map(({ series }) => series)).to.deep.equal([
        "dollars",
      ]);
      const table = await command("risk");
      expect(table.stdout)
        .to.match(/^dollars +depeg 24h +high +[1-9]\d\.\d\d % +\d\.\d\d % *$/m)
        .and.to.match(/curve-3pool .* reduce/)
        .and.to.match(/curve-3pool: less than its coins held would be worth, .* by 1\.0 % \d/)
        .and.to.match(/tripped: oracle/);
    });

    it("takes out what had to stay as soon as it can leave, and is tripped still with the price back at par", async () => {
      const before = await system.provider.getBlockNumber();
      keeper = run();
      await report(PAR);
      await until(async () => (await held("curve-3pool")) === 0n, "the pool is left");
      expect(await landedSince(before)).to.have.length(1);
      const seen = ticks(keeper);
      await until(() => ticks(keeper) > seen + 3, "more blocks");
      expect(lastReason(keeper)).to.match(/emergency close.*nothing more can go to idle$/);
    });

    it("is reset by a person with a reason, and then decides again", async () => {
      keeper = run();
      await until(() => /emergency close/.test(lastReason(keeper)), "the keeper holds");
      const without = await command("breaker", "reset", "--yes");
      expect(without.code, without.stderr).to.equal(2);
      expect(without.stderr).to.match(/--reason: is missing/);
      const unasked = await command("breaker", "reset", "--reason", "the peg is back");
      expect(unasked.code, unasked.stderr).to.equal(2);
      expect(unasked.stderr).to.match(/CONFIRMATION_MISSING/);
      expect(json<{ tripped: boolean }>(await command("breaker", "status", "--json")).tripped).to.equal(true);

      const done = json<{ reset: { cause: string; resetReason: string }[] }>(
        await command("breaker", "reset", "--reason", "the peg is back", "--yes", "--json"),
      );
      expect(done.reset).to.have.length(1);
      expect(done.reset[0]).to.include({ cause: "oracle", resetReason: "the peg is back" });
      await until(() => /it has to gain/.test(lastReason(keeper)), "it decides by gains again");
      expect(keeper.events("breaker.reset").map(({ reason }) => reason)).to.deep.equal(["the peg is back"]);
    });
  });

  describe("tiller emergency close-all", () => {
    interface Answer {
      readonly wouldClose: {
        readonly moves: { readonly venue: string }[];
        readonly wouldSend: { readonly simulation: { readonly kind: string } };
      };
      readonly closed: { readonly by: string; readonly decision: string } | null;
    }
    const tripped = async (): Promise<string[]> => {
      const { open } = json<{ open: { cause: string }[] }>(await command("breaker", "status", "--json"));
      return open.map(({ cause }) => cause);
    };
    beforeEach(place);

    it("shows and simulates first, changes nothing by that, and asks before it goes on", async () => {
      const before = await system.provider.getBlockNumber();
      const shown = json<Answer>(await command("emergency", "close-all", "--dry-run", "--json"));
      expect(shown.wouldClose.moves.map(({ venue }) => venue)).to.have.members(VENUES);
      expect(shown.wouldClose.wouldSend.simulation.kind).to.equal("succeeds");
      expect(shown.closed).to.equal(null);
      const unasked = await command("emergency", "close-all");
      expect(unasked.code, unasked.stderr).to.equal(2);
      expect(unasked.stdout).to.match(/aave-v3-usdc\s+all\s+100,0\d\d\.\d\d/);
      expect(unasked.stderr).to.match(/CONFIRMATION_MISSING/);
      expect(await landedSince(before)).to.have.length(0);
      expect(await tripped()).to.deep.equal([]);
    });

    it("closes all in one bundle, pools too, keeps the keeper stopped, and its decision can be replayed", async () => {
      const before = await system.provider.getBlockNumber();
      const { closed } = json<Answer>(
        await command("emergency", "close-all", "--yes", "--reason", "a drill", "--json"),
      );
      expect(closed?.by).to.equal("this-process");
      expect(await landedSince(before)).to.have.length(1);
      for (const venue of VENUES) expect(await held(venue), venue).to.equal(0n);
      expect(await tripped()).to.deep.equal(["operator"]);
      const replayed = json<object>(await command("replay", closed?.decision ?? "", "--json"));
      expect(replayed).to.include({ equal: true, calldata: "equal", action: "rebalance" });
      const reset = await command("breaker", "reset", "--reason", "the drill is over", "--yes");
      expect(reset.code, reset.stderr).to.equal(0);
    });

    it("is carried out by the keeper that runs, where one does", async () => {
      const keeper = run();
      try {
        await until(() => ticks(keeper) > 3, "the keeper looks at blocks");
        const { closed } = json<Answer>(await command("emergency", "close-all", "--yes", "--json"));
        expect(closed?.by).to.equal("running-keeper");
        for (const venue of VENUES) expect(await held(venue), venue).to.equal(0n);
        expect(keeper.events("breaker.tripped").map(({ cause }) => cause)).to.deep.equal(["operator"]);
      } finally {
        await keeper.stop();
      }
    });
  });
});
