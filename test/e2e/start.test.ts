// `npm start` as a newcomer meets it: from an empty folder to an included bundle on the page; Ctrl-C; and on again.
import { expect } from "chai";
import { type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PageView } from "../../keeper/app/view";
import { COLLECT_EVERY_SECONDS } from "../../keeper/config/schema";
import type { AddressFile } from "../../keeper/config/addressFile";
import { silent } from "../../keeper/events/events";
import { openStore } from "../../keeper/store/open";
import { LOCAL_CHAIN_ID } from "../../scripts/localnet/anvil";
import { startScript, keeperEnvironment, type Finished } from "./localSystem";

interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  readonly url: string;
  /** Waits until it printed this. @returns the first group. */
  shown(pattern: RegExp): Promise<string>;
}

/** Said at the keeper's first sweep. */
const HISTORY = /history {4}\d+ rows collected, \d+ sources/;

/** What the running parts keep in the data folder, and take away when they end as they should. */
const LEFT_BEHIND = ["localnet/anvil.json", "localnet/npm-start.pid", "postgres/data/postmaster.pid"];

describe("npm start", function () {
  this.timeout(240_000);
  let folder: string;
  let configFile: string;
  let running: Running | null = null;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-start-"));
    configFile = path.join(folder, "localnet", "tiller.config.json");
  });
  after(async () => {
    if (running !== null) await stop(running);
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<Running> {
    const options = ["--data-dir", folder, "--port", "0", "--block-ms", "700"];
    const { process: child, finished } = startScript("scripts/start.ts", options, keeperEnvironment());
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    let over: Finished | null = null;
    void finished.then((end) => (over = end));
    const shown = async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found[1] ?? "";
        if (over !== null) throw new Error(`npm start ended: ${over.stdout}\n${over.stderr}`);
        await sleep(100);
      }
    };
    return { process: child, finished, shown, url: await shown(/the page is at (http:\S+)/) };
  }

  async function stop(system: Running): Promise<Finished> {
    system.process.kill("SIGINT");
    running = null;
    return system.finished;
  }

  async function view(url: string): Promise<PageView | null> {
    const answer = await fetch(`${url}/api/view`);
    return answer.ok ? ((await answer.json()) as PageView) : null;
  }

  async function until(url: string, met: (seen: PageView) => boolean): Promise<PageView> {
    for (;;) {
      const seen = await view(url);
      if (seen !== null && met(seen)) return seen;
      await sleep(300);
    }
  }

  const landed = (seen: PageView): readonly string[] =>
    seen.decisions.filter(({ state }) => state === "included" || state === "final").map(({ id }) => id);

  it("lands a bundle from an empty folder, shows it to a plain HTTP client, and goes on after Ctrl-C", async () => {
    running = await start();
    const first = await until(running.url, (seen) => seen.bundles.included > 0);
    expect(landed(first)).to.not.have.length(0);

    const html = await (await fetch(running.url)).text();
    expect(html).to.contain("Share price");
    expect(html).to.contain(first.sharePrice.slice(0, 6));
    expect(html).to.match(/included|final/);

    for (const part of LEFT_BEHIND) expect(existsSync(path.join(folder, part)), `${part} is there`).to.equal(true);
    const twice = await startScript("scripts/start.ts", ["--data-dir", folder, "--port", "0"]).finished;
    expect(twice.code, twice.stderr).to.equal(1);
    expect(twice.stderr).to.match(/--data-dir: .*ALREADY_RUNNING/);

    await running.shown(HISTORY);
    const stopped = await stop(running);
    expect(stopped.code, stopped.stderr).to.equal(0);
    for (const part of LEFT_BEHIND) expect(existsSync(path.join(folder, part)), `${part} is gone`).to.equal(false);

    running = await start();
    const second = await until(running.url, (seen) => seen.block > first.block + 3);
    expect(second.vault).to.equal(first.vault);
    expect(landed(second)).to.include.members([...landed(first)]);
    expect(second.bundles.included).to.be.at.least(first.bundles.included);
    expect(BigInt(second.totalAssets) >= BigInt(first.totalAssets)).to.equal(true);
    expect(second.history[0]?.at).to.equal(first.history[0]?.at);
    await running.shown(HISTORY);
    const again = await stop(running);
    expect(again.code, again.stderr).to.equal(0);
    await expectHistory();
  });

  /** Every venue of the vault has a series, with rows of both runs and none of a bucket twice. */
  async function expectHistory(): Promise<void> {
    const { addresses } = JSON.parse(readFileSync(configFile, "utf8")) as { addresses: string };
    const { adapters } = JSON.parse(readFileSync(addresses, "utf8")) as AddressFile;
    const store = await openStore({ dataDir: folder, sink: silent });
    try {
      const collected = new Map((await store.history.series()).map((series) => [series.name, series]));
      for (const { id } of adapters.filter(({ kind }) => kind !== "uniswap-v3")) {
        expect(collected.get(id)?.rows, id).to.be.at.least(2);
      }
      for await (const rows of store.history.history({ chainId: LOCAL_CHAIN_ID, name: "aave-v3-usdc" })) {
        const buckets = rows.map(({ observedAt }) => Math.floor(observedAt / COLLECT_EVERY_SECONDS));
        expect(new Set(buckets).size).to.equal(rows.length);
      }
    } finally {
      await store.close();
    }
  }

  it("never writes the keeper's key anywhere", () => {
    const { privateKey } = keeperKey();
    for (const name of ["keeper", "relay", "market"]) {
      const log = readFileSync(path.join(folder, "localnet", "logs", `${name}.log`), "utf8");
      expect(log.toLowerCase()).to.not.contain(privateKey.slice(2).toLowerCase());
    }
    expect(readFileSync(configFile, "utf8")).to.not.contain(privateKey);
  });

  function keeperKey(): { readonly privateKey: string } {
    const privateKey = keeperEnvironment()["TILLER_KEEPER_KEY"];
    if (privateKey === undefined) throw new Error("the test's environment has a key");
    return { privateKey };
  }
});
