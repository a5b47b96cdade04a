// `tiller backtest sweep --queue` as people run it: several processes on one sweep, some of which end in the middle. What they
// print is what one process prints that runs everything alone.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { silent } from "../../../keeper/events/events";
import { joinEmbedded, type EmbeddedServer } from "../../../keeper/store/embedded";
import { historyCsv } from "../backtest/historyCsv";
import { rowsOf, wave } from "../backtest/synthetic";
import { startTiller, writeConfig, type TillerProcess } from "./tillerProcess";

const HALF_LIVES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const COOLDOWNS = [0, 1, 3, 6, 12, 24, 36, 48];
const TRIALS = HALF_LIVES.length * COOLDOWNS.length;

describe("tiller backtest sweep --queue", function () {
  this.timeout(180_000);
  let folder: string;
  let server: EmbeddedServer;
  let client: pg.Client;
  /** What one process prints that shares nothing. */
  let alone: string;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "shared-sweep-"));
    writeFileSync(path.join(folder, "aave-a.csv"), historyCsv(rowsOf({ apr: wave(0.05, 0.03, 300) })));
    writeFileSync(path.join(folder, "compound-b.csv"), historyCsv(rowsOf({ apr: wave(0.05, 0.04, 170, 1) })));
    writeConfig(folder, path.join(folder, "state"));
    server = await joinEmbedded({ dataDir: path.join(folder, "state"), sink: silent });
    client = new pg.Client(server.target());
    await client.connect();
    const { code, out, err } = await sweep("--workers", "2").ended;
    expect(code, err).to.equal(0);
    alone = out;
  });
  after(async () => {
    await client?.end();
    await server?.leave();
    rmSync(folder, { recursive: true, force: true });
  });

  function sweep(...options: string[]): TillerProcess {
    return startTiller(folder, [
      ...["backtest", "sweep", "--data", folder, "--series", "aave-a", "compound-b", "--capital", "1000000"],
      ...["--price-taker", "--from", "2023-11-24", "--to", "2024-01-20", "--folds", "3", "--json"],
      ...["--vary", `half-life-hours=${HALF_LIVES.join()}`, `cooldown-hours=${COOLDOWNS.join()}`, ...options],
    ]);
  }
  interface Row {
    readonly place: number;
    readonly tries: number;
    readonly done: boolean;
    readonly held: boolean;
  }
  let earlier: string[] = [];
  beforeEach(async () => {
    // Before the first process there is no table.
    const { rows: known } = await client
      .query<{ sweep: string }>("SELECT DISTINCT sweep FROM trials")
      .catch(() => ({ rows: [] }));
    earlier = known.map(({ sweep: name }) => name);
  });
  /** Of the test's own sweep. */
  async function rows(): Promise<Row[]> {
    const { rows: found } = await client.query<Row>(
      `SELECT place, tries, daily IS NOT NULL AS done, holder IS NOT NULL AS held FROM trials
       WHERE sweep <> ALL($1) ORDER BY place`,
      [earlier],
    );
    return found;
  }
  const begun = async (): Promise<number> => {
    for (;;) {
      const done = (await rows()).filter((row) => row.done).length;
      if (done >= 3) return done;
      await sleep(10);
    }
  };
  const once = { whole: true, tries: [1] };
  async function standing(): Promise<typeof once> {
    const all = await rows();
    const whole = all.length === TRIALS && all.every(({ done, held }) => done && !held);
    return { whole, tries: [...new Set(all.map(({ tries }) => tries))].sort() };
  }

  it("is one sweep for all who are given its name, of which nobody runs a trial twice", async () => {
    const together = ["a", "b"].map(() => sweep("--queue", "together", "--workers", "1").ended);
    for (const { code, out, err } of await Promise.all(together)) {
      expect(code, err).to.equal(0);
      expect(out).to.equal(alone);
    }
    expect(await standing()).to.deep.equal(once);
    // Who comes later runs nothing.
    const later = await sweep("--queue", "together").ended;
    expect(later.out).to.equal(alone);
    expect(await standing()).to.deep.equal(once);
  });

  it("stops at Ctrl-C, hands back what it had in hand, and goes on where it was", async () => {
    const first = sweep("--queue", "stopped", "--workers", "2");
    await begun();
    first.child.kill("SIGINT");
    const { code, err, out } = await first.ended;
    expect([code, out]).to.deep.equal([130, ""]);
    expect(err).to.contain("stopped; trials that were run are kept");
    const left = await rows();
    expect(left.filter(({ held }) => held)).to.deep.equal([]);
    expect(left.filter(({ done }) => !done).length).to.be.within(1, TRIALS - 3);
    expect((await sweep("--queue", "stopped").ended).out).to.equal(alone);
    expect(await standing()).to.deep.equal(once);
  });

  it("has what a killed process had in hand done by another one, when its lease has run out", async () => {
    const killed = sweep("--queue", "killed", "--workers", "2");
    await begun();
    // Between one trial and the next it has nothing in hand: it is held still until it is seen to have.
    for (;;) {
      killed.child.kill("SIGSTOP");
      await sleep(100);
      const now = await rows();
      if (now.some(({ held }) => held)) break;
      expect(now.some(({ done }) => !done)).to.equal(true);
      killed.child.kill("SIGCONT");
      await sleep(5);
    }
    killed.child.kill("SIGKILL");
    await killed.ended;
    const inHand = (await rows()).filter(({ held }) => held).map(({ place }) => place);
    expect(inHand.length).to.be.within(1, 2);
    const { code, out, err } = await sweep("--queue", "killed", "--workers", "2").ended;
    expect(code, err).to.equal(0);
    expect(out).to.equal(alone);
    const all = await rows();
    expect(all.filter(({ tries }) => tries > 1).map(({ place }) => place)).to.deep.equal(inHand);
    expect(all.every(({ done }) => done)).to.equal(true);
  });

  it("refuses a file beside it, and no name", async () => {
    for (const [options, field] of [
      [["--queue", "x", "--out", "trials.jsonl"], "--out"],
      [["--queue", " "], "--queue"],
    ] as const) {
      const { code, err } = await sweep(...options).ended;
      expect(code).to.equal(2);
      expect((JSON.parse(err) as { error: unknown }).error).to.include({ code: "OPTION_MALFORMED", field });
    }
  });
});
