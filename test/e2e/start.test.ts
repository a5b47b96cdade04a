// `npm start` as a newcomer meets it: from an empty folder to an included bundle on the page; Ctrl-C; and on again.
import { expect } from "chai";
import { type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PageView } from "../../keeper/app/view";
import { startScript, keeperEnvironment, type Finished } from "./localSystem";

interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  readonly url: string;
}

/** What the running parts keep in the data folder, and take away when they end as they should. */
const LEFT_BEHIND = ["localnet/anvil.json", "localnet/npm-start.pid", "postgres/data/postmaster.pid"];

describe("npm start", function () {
  this.timeout(240_000);
  let folder: string;
  let running: Running | null = null;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-start-"));
  });
  after(async () => {
    if (running !== null) await stop(running);
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<Running> {
    const options = ["--data-dir", folder, "--port", "0", "--block-ms", "700"];
    const { process: child, finished } = startScript("scripts/start.ts", options, keeperEnvironment());
    const url = await new Promise<string>((resolve, reject) => {
      let output = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        const found = /the page is at (http:\S+)/.exec(output);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
      void finished.then(({ stdout, stderr }) => reject(new Error(`npm start ended: ${stdout}\n${stderr}`)));
    });
    return { process: child, finished, url };
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
    expect(twice.code).to.equal(1);
    expect(twice.stderr).to.match(/--data-dir: .*ALREADY_RUNNING/);

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
    expect((await stop(running)).code).to.equal(0);
  });

  it("never writes the keeper's key anywhere", () => {
    const { privateKey } = keeperKey();
    for (const name of ["keeper", "relay", "market"]) {
      const log = readFileSync(path.join(folder, "localnet", "logs", `${name}.log`), "utf8");
      expect(log.toLowerCase()).to.not.contain(privateKey.slice(2).toLowerCase());
    }
    expect(readFileSync(path.join(folder, "localnet", "tiller.config.json"), "utf8")).to.not.contain(privateKey);
  });

  function keeperKey(): { readonly privateKey: string } {
    const privateKey = keeperEnvironment()["TILLER_KEEPER_KEY"];
    if (privateKey === undefined) throw new Error("the test's environment has a key");
    return { privateKey };
  }
});
