// The commands as an operator types them, each in a process of its own, on a real chain, relay and database: what they
// answer, and what they say to bad input and a broken world.
import { expect } from "chai";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Wallet } from "ethers";
import pg from "pg";
import type { StatusView } from "../../keeper/app/view";
import { joinEmbedded } from "../../keeper/store/embedded";
import { silent } from "../../keeper/events/events";
import {
  keeperEnvironment,
  startLocalSystem,
  startScript,
  tiller,
  type Finished,
  type LocalSystem,
} from "./localSystem";

interface RunAnswer {
  readonly decision: string;
  readonly action: string;
  readonly state: string;
  readonly txHash: string | null;
  readonly wouldSend: {
    readonly transaction: { readonly data: string };
    readonly simulation: { readonly kind: string };
  } | null;
}

describe("the commands", function () {
  this.timeout(120_000);
  let system: LocalSystem;
  let config: string;
  /** The decision that landed. */
  let landed: RunAnswer;

  before(async () => {
    system = await startLocalSystem({ blockMs: 500, secondsPerBlock: 300 });
    config = system.configure("commands", { bundle: { blocks: 10 } });
  });
  after(() => system.stop());

  const json = <T>(finished: Finished): T => JSON.parse(finished.stdout) as T;

  function refused(finished: Finished, expected: { readonly code: number; readonly says: RegExp }): void {
    expect(finished.code, finished.stderr).to.equal(expected.code);
    expect(finished.stderr.trim().split("\n"), "one line").to.have.length(1);
    expect(finished.stderr).to.match(expected.says);
    expect(finished.stderr).to.not.match(/\n\s+at /);
    expect(finished.stdout).to.equal("");
  }

  it("dry run: decides, simulates, sends nothing, needs no key", async () => {
    const env = keeperEnvironment();
    delete env["TILLER_KEEPER_KEY"];
    // A rate needs two blocks to be known: the first run only looks.
    await tiller(["run", "--once", "--dry-run", "--config", config, "--json"], env);
    await sleep(1000);
    const before = await system.provider.getTransactionCount(system.genesis.addresses.keepers[0] ?? "");
    const answer = json<RunAnswer>(await tiller(["run", "--once", "--dry-run", "--config", config, "--json"], env));
    expect(answer).to.include({ action: "rebalance", state: "dry-run", txHash: null });
    expect(answer.wouldSend?.simulation.kind).to.equal("succeeds");
    expect(answer.wouldSend?.transaction.data).to.match(/^0x[0-9a-f]{8}/);
    expect(await system.provider.getTransactionCount(system.genesis.addresses.keepers[0] ?? "")).to.equal(before);
  });

  it("run --once: lands one plan and says where", async () => {
    const finished = await tiller(["run", "--once", "--config", config, "--json"]);
    expect(finished.code, finished.stderr).to.equal(0);
    landed = json<RunAnswer>(finished);
    expect(landed).to.include({ action: "rebalance" });
    const receipt = await system.provider.getTransactionReceipt(landed.txHash ?? "");
    expect(receipt?.status).to.equal(1);
  });

  it("status: the fixed shape, whose parts add up to the vault's total", async () => {
    const view = json<StatusView>(await tiller(["status", "--config", config, "--json"]));
    expect(Object.keys(view)).to.have.members([
      "vault",
      "block",
      "totalAssets",
      "sharePrice",
      "breaker",
      "allocations",
      "decisions",
      "bundles",
    ]);
    expect(view.vault).to.equal(system.genesis.addresses.vault);
    expect(view.breaker).to.equal("closed");
    expect(view.sharePrice).to.match(/^\d+\.\d{18}$/);
    const placed = view.allocations.reduce((sum, { assets }) => sum + BigInt(assets), 0n);
    expect(placed > 0n && placed <= BigInt(view.totalAssets)).to.equal(true);
    expect(view.decisions.find(({ id }) => id === landed.decision)).to.include({ action: "rebalance" });
    expect(view.bundles.included).to.equal(1);
  });

  it("status on a terminal: a table", async () => {
    const { stdout, code } = await tiller(["status", "--config", config]);
    expect(code).to.equal(0);
    expect(stdout).to.contain("aave-v3-usdc").and.to.contain("share price").and.to.contain(landed.decision);
  });

  it("replay: recomputes the decision, and refuses a record altered by one digit", async () => {
    const replayed = await tiller(["replay", landed.decision, "--config", config, "--json"]);
    expect(replayed.code, replayed.stderr).to.equal(0);
    expect(json<object>(replayed)).to.include({ id: landed.decision, equal: true, calldata: "equal" });

    const server = await joinEmbedded({ dataDir: path.join(system.folder, "commands"), sink: silent });
    const client = new pg.Client(server.target());
    await client.connect();
    try {
      const stored = await client.query<{ record: string }>("SELECT record FROM decisions WHERE id = $1", [
        landed.decision,
      ]);
      const record = stored.rows[0]?.record ?? "";
      const altered = record.replace(
        /"idle":"(\d)/,
        (_all, digit: string) => `"idle":"${digit === "9" ? 1 : Number(digit) + 1}`,
      );
      expect(altered).to.not.equal(record);
      await client.query("UPDATE decisions SET record = $2 WHERE id = $1", [landed.decision, altered]);
      const refusal = await tiller(["replay", landed.decision, "--config", config]);
      refused(refusal, { code: 2, says: /record: .*RECORD_ALTERED/ });
      await client.query("UPDATE decisions SET record = $2 WHERE id = $1", [landed.decision, record]);
      const restored = await tiller(["replay", landed.decision, "--config", config]);
      expect(restored.code, restored.stderr).to.equal(0);

      await client.query("UPDATE intents SET calldata = replace(calldata, '1', '2') WHERE decision_id = $1", [
        landed.decision,
      ]);
      refused(await tiller(["replay", landed.decision, "--config", config]), { code: 2, says: /CALLDATA_DIFFERS/ });
    } finally {
      await client.end();
      await server.leave();
    }
    refused(await tiller(["replay", "0000000000000000", "--config", config]), { code: 2, says: /DECISION_UNKNOWN/ });
  });

  it("config check: every check by name, and exit code 0 when all is well", async () => {
    const { stdout, code, stderr } = await tiller(["config", "check", "--config", config, "--json"]);
    expect(code, stderr + stdout).to.equal(0);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean }[] };
    expect(checks.map(({ name }) => name)).to.include.members([
      "address file",
      "keeper key",
      "chain and vault",
      "database",
      "relay local",
    ]);
    expect(checks.every(({ ok }) => ok)).to.equal(true);
  });

  it("stops cleanly at Ctrl-C, and says nothing of keys", async () => {
    const running = startScript("keeper/cli/main.ts", ["run", "--config", config, "--json"]);
    let log = "";
    running.process.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
    while (!log.includes("tick.end")) await sleep(50);
    running.process.kill("SIGINT");
    const finished = await running.finished;
    expect(finished.code, finished.stderr).to.equal(0);
    expect(finished.stderr).to.contain("keeper.stopped");
    const key = keeperEnvironment()["TILLER_KEEPER_KEY"] ?? "";
    expect(finished.stderr + finished.stdout).to.not.contain(key.slice(2));
  });

  describe("bad input: one line, exit code 2", () => {
    const secret = Wallet.createRandom().privateKey;

    for (const [what, change, says] of [
      ["an unknown setting", { limits: { horizonHour: 1 } }, /limits\.horizonHour: is not a known setting/],
      ["a negative limit", { limits: { minGainUsd: -1 } }, /limits\.minGainUsd/],
      [
        "a cap for an unknown venue",
        { limits: { venueCaps: { "aave-usdc": 0.1 } } },
        /limits\.venueCaps\.aave-usdc.*aave-v3-usdc/,
      ],
      ["no relay", { relays: [] }, /relays: .*NO_RELAY/],
      ["a missing address file", { addresses: "nowhere.json" }, /addresses: .*ADDRESSES_MISSING/],
    ] as const) {
      it(what, async () => {
        const file = system.configure(`bad-${what.replace(/\W/g, "-")}`, change as object);
        refused(await tiller(["run", "--once", "--config", file]), { code: 2, says });
      });
    }

    it("a key that is no key, without repeating it", async () => {
      const finished = await tiller(
        ["run", "--once", "--config", config],
        keeperEnvironment({ TILLER_KEEPER_KEY: `${secret}ff` }),
      );
      refused(finished, { code: 2, says: /TILLER_KEEPER_KEY: .*KEY_MALFORMED/ });
      expect(finished.stderr).to.not.contain(secret.slice(2, 20));
    });

    it("a key that is no keeper's", async () => {
      const finished = await tiller(
        ["run", "--once", "--config", config],
        keeperEnvironment({ TILLER_KEEPER_KEY: secret }),
      );
      refused(finished, { code: 2, says: /KEY_NOT_KEEPER/ });
    });

    it("an address without code, and a file of another chain", async () => {
      const addresses = JSON.parse(readFileSync(system.genesis.addressFile, "utf8")) as Record<string, unknown>;
      const write = (name: string, change: object): string => {
        const file = path.join(system.folder, name);
        writeFileSync(file, JSON.stringify({ ...addresses, ...change }));
        return system.configure(name, { addresses: file });
      };
      const empty = write("empty-lens", { lens: Wallet.createRandom().address });
      refused(await tiller(["run", "--once", "--config", empty]), { code: 2, says: /lens.*ADDRESS_WITHOUT_CODE/ });
      const other = write("other-chain", { chainId: 1 });
      refused(await tiller(["run", "--once", "--dry-run", "--config", other]), { code: 2, says: /CHAIN_WRONG/ });
      const afresh = write("other-genesis", { genesisHash: `0x${"11".repeat(32)}` });
      refused(await tiller(["run", "--once", "--config", afresh]), { code: 2, says: /CHAIN_STARTED_AFRESH/ });
    });

    it("an option that does not exist", async () => {
      refused(await tiller(["status", "--jsn"]), { code: 2, says: /unknown option/ });
    });
  });

  describe("a broken world: one line, exit code 1", () => {
    it("no node", async () => {
      const file = system.configure("no-node", { chain: { rpcUrls: ["http://127.0.0.1:9"] } });
      refused(await tiller(["run", "--once", "--config", file]), { code: 1, says: /RPC_UNREACHABLE/ });
    });

    it("no database", async () => {
      const file = system.configure("no-database", {
        database: { kind: "url", url: "postgres://tiller:hush@127.0.0.1:9/tiller" },
      });
      const finished = await tiller(["run", "--once", "--config", file]);
      refused(finished, { code: 1, says: /STORE_UNREACHABLE/ });
      expect(finished.stderr).to.not.contain("hush");
    });

    it("config check names each thing that is broken, and goes on to the next", async () => {
      const file = system.configure("much-broken", {
        chain: { rpcUrls: ["http://127.0.0.1:9"] },
        relays: [{ name: "gone", url: "http://127.0.0.1:9" }],
      });
      const { stdout, code } = await tiller(["config", "check", "--config", file]);
      expect(code).to.equal(1);
      expect(stdout)
        .to.match(/RPC_UNREACHABLE/)
        .and.to.match(/RELAY_UNREACHABLE/)
        .and.to.match(/database/);
    });

    it("another keeper that leads", async () => {
      const running = startScript("keeper/cli/main.ts", ["run", "--config", config, "--json"]);
      let log = "";
      running.process.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
      while (!log.includes("tick.end")) await sleep(50);
      refused(await tiller(["run", "--once", "--config", config]), { code: 1, says: /NOT_LEADING/ });
      running.process.kill("SIGINT");
      expect((await running.finished).code, log).to.equal(0);
    });

    it("leaves no file half written", () => {
      for (const name of ["bad-no-relay", "no-node"]) {
        const left = readdirSync(system.folder).filter((entry) => entry === name);
        expect(
          left.flatMap((entry) => readdirSync(path.join(system.folder, entry))),
          name,
        ).to.not.include("postgres");
      }
    });
  });
});
