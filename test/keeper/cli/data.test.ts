// `tiller data` and `tiller dataset` as processes, from a file to a matrix.
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { DatasetManifest } from "../../../keeper/forecast/dataset";
import { FIXTURE } from "../forecast/datasetFixture";

const TILLER = path.join(__dirname, "..", "..", "..", "bin", "tiller.cjs");

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("tiller data", function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-data-"));
    writeFileSync(path.join(folder, "tiller.config.json"), JSON.stringify({ dataDir: "state" }));
    for (const [name, rows] of FIXTURE) {
      const lines = rows.map((row) =>
        // Of mainnet's own blocks, by the minute they were made in.
        [
          ...[row.observedAt, row.availableAt, 18_564_000 + Math.floor((row.observedAt - 1_700_000_000) / 12.1)],
          ...[row.suppliedUsd, row.borrowedUsd, row.supplyApr, row.borrowApr],
        ].join(","),
      );
      writeFileSync(
        path.join(folder, `${name}.csv`),
        `observed_at,available_at,block,supplied_usd,borrowed_usd,supply_apr,borrow_apr\n${lines.join("\n")}\n`,
      );
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (args: readonly string[]) => {
    const { DATABASE_URL: _url, TILLER_CONFIG: _config, ...env } = process.env;
    return spawn(process.execPath, [TILLER, ...args], { cwd: folder, env: { ...env, NO_COLOR: "1" } });
  };
  const ended = async (child: ReturnType<typeof start>): Promise<Ended> => {
    let [out, err] = ["", ""];
    child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
    child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, err };
  };
  const tiller = (...args: string[]): Promise<Ended> => ended(start(args));
  const files = [...FIXTURE.keys()].map((name) => `${name}.csv`);

  it("says what there is before there is anything", async () => {
    expect(await tiller("data", "report")).to.include({ code: 0, out: "no series yet: tiller data import FILE…\n" });
  });

  it("imports, and a second time nothing", async () => {
    const rows = [...FIXTURE.values()].reduce((sum, one) => sum + one.length, 0);
    const first = await tiller("data", "import", ...files, "--json");
    expect(first.code, first.err).to.equal(0);
    expect(JSON.parse(first.out)).to.include({ files: 4, rowsRead: rows, rowsInserted: rows, rowsUnchanged: 0 });
    const second = await tiller("data", "import", ...files);
    expect(second.out).to.equal(`4 files: ${rows} rows read, 0 stored, ${rows} were there already, 0 flagged\n`);
  });

  it("reports spans, gaps and plots", async () => {
    const report = await tiller("data", "report", "--json", "--html", "report.html");
    const { series } = JSON.parse(report.out) as { series: Record<string, unknown>[] };
    expect(series.map((one) => [one["series"], one["rows"], one["stepSeconds"], one["gaps"]])).to.deep.equal([
      ["one-dai", 600, 3_600, 0],
      ["one-usdc", 600, 3_600, 0],
      ["three-usdc", 20, 18_000, 0],
      ["two-usdc", 600, 3_600, 0],
    ]);
    const page = readFileSync(path.join(folder, "report.html"), "utf8");
    expect(page.match(/<svg /g)).to.have.length(4);
    expect(page).not.to.match(/<script|https?:/);
    expect((await tiller("data", "report", "--series", "one-dai")).out).to.match(/one-dai +600 .*2023-11-14/);
  });

  it("names in words and in the plot what is odd: a hole, a state that no longer moves, a spike", async () => {
    const hours = Array.from({ length: 400 }, (_, hour) => hour).filter((hour) => hour < 200 || hour >= 240);
    const lines = hours.map((hour) => {
      const at = 1_700_006_400 + hour * 3_600;
      const [observed, rate] = [hour < 380 ? at : 1_700_006_400 + 379 * 3_600, hour === 300 ? 5 : 0.05];
      const block = 18_564_000 + Math.floor((observed - 1_700_000_000) / 12.1);
      return [observed, at, block, 2e6, 1e6, rate, 0.08].join(",");
    });
    const csv = "observed_at,available_at,block,supplied_usd,borrowed_usd,supply_apr,borrow_apr\n";
    writeFileSync(path.join(folder, "odd.csv"), `${csv}${lines.join("\n")}\n`);
    expect((await tiller("data", "import", "odd.csv", "--rates", "fraction")).code).to.equal(0);
    const { out } = await tiller("data", "report", "--series", "odd", "--html", "odd.html");
    expect(out).to.match(/^odd +360 +2023-11-15 +2023-12-01 +1 h +1 +41 h +20 h +5\.00 % +4\.2 % *$/m);
    expect(out).to.match(/^odd +apy-over-200 1, outlier 1, stale 14 *$/m);
    const page = readFileSync(path.join(folder, "odd.html"), "utf8");
    expect(page).to.include("360 rows, 2023-11-15 to 2023-12-01, 1 gap, longest 41 h, oldest state 20 h");
    expect(page.match(/<title>(?!Tiller)[^<]*/g)).to.deep.equal(["<title>2023-11-27: apy-over-200, outlier"]);
  });

  it("imports files of pools beside series, reports and draws them, and takes swaps for no other chain's", async () => {
    const days = Array.from({ length: 5 }, (_, day) => `${1_700_006_400 + day * 86_400},2,2,2,2,2,0.5,1e6,${day}000`);
    const head = "day,open,high,low,close,token0_price,token1_price,tvl_usd,volume_usd";
    writeFileSync(path.join(folder, "a-pool.csv"), `${[head, ...days].join("\n")}\n`);
    const address = `0x${"1".repeat(40)}`;
    const swap = [
      20_000_000,
      0,
      7,
      `0x${"ab".repeat(32)}`,
      address,
      address,
      address,
      "v3",
      -5,
      7,
      2n ** 96n,
      9,
      0,
      "",
      "",
      0,
      0,
    ];
    const columns =
      "block,tx_index,log_index,tx_hash,from,to,pool,protocol,amount0,amount1,sqrt_price_x96,liquidity,tick";
    const csv = `${columns},reserve0,reserve1,gas_price_paid,coinbase_tip_wei\n${swap.join()}\n`;
    writeFileSync(path.join(folder, "swaps.csv"), csv);
    const refused = await tiller("data", "import", "a-pool.csv", "swaps.csv", "--chain", "10");
    expect(refused).to.include({ code: 2, out: "" });
    expect(refused.err).to.match(/swaps\.csv: line 2.*\(IMPORT_WRONG_CHAIN\)/);
    expect(JSON.parse((await tiller("data", "report", "--json")).out)).to.deep.include({ poolFiles: [], swaps: [] });

    const imported = await tiller("data", "import", "a-pool.csv", "swaps.csv");
    expect(imported.out).to.equal("2 files: 6 rows read, 6 stored, 0 were there already, 0 flagged\n");
    const { out } = await tiller("data", "report", "--html", "pools.html");
    expect(out).to.match(/^a-pool +5 +2023-11-15 +2023-11-19 +24 h +0 +20\.0 % +no-trade 1 *$/m);
    expect(out).to.match(/^ *1 +1 +0 +1 +1 +1 +1 +2024-06-01 +2024-06-01 +no-gas-price 1, undescribed 1 *$/m);
    expect(readFileSync(path.join(folder, "pools.html"), "utf8")).to.include("plot: volume a day, USD");
  });

  it("writes a data set", async () => {
    const made = await tiller(
      "dataset",
      "--out",
      "set",
      "--series",
      "one-usdc",
      "two-usdc",
      "--from",
      "2023-11-20",
      "--json",
    );
    expect(made.code, made.err).to.equal(0);
    const manifest = JSON.parse(made.out) as { series: { name: string; from: number }[] };
    expect(manifest.series.map(({ name, from }) => [name, from])).to.deep.equal([
      ["one-usdc", 1_700_438_400],
      ["two-usdc", 1_700_438_400],
    ]);
    expect(JSON.parse(readFileSync(path.join(folder, "set", "manifest.json"), "utf8"))).to.deep.equal(manifest);
  });

  it("writes prices of two dollars into a data set, by themselves or with all, from an imported pool", async () => {
    const begin = 1_700_002_800;
    const rows = Array.from(
      { length: 30 },
      (_, k) => `${begin + 3_600 * k},${18_570_000 + 300 * k},${k % 5},4303942343`,
    );
    const name = "v3-usdc-usdt-1bp-test";
    writeFileSync(path.join(folder, `${name}.csv`), `observed_at,block,tick,liquidity\n${rows.join("\n")}\n`);
    expect((await tiller("data", "import", `${name}.csv`)).code).to.equal(0);
    const made = await tiller("dataset", "--out", "priced", "--series", "one-usdc", name);
    expect(made.code, made.err).to.equal(0);
    expect(made.out).to.match(/^v3-usdc-usdt-1bp-test +30 +30 +2023-11-14T23:00:00.000Z +2023-11-16T04:00:00.000Z *$/m);
    expect(made.out).to.match(/; prices of dollars: 30 rows of 27 features, data [0-9a-f]{16}\n$/);
    const without = await tiller("dataset", "--out", "priced", "--series", "one-usdc", "--json");
    expect(JSON.parse(without.out)).not.to.have.property("pegs");
    const all = JSON.parse((await tiller("dataset", "--out", "priced", "--json")).out) as DatasetManifest;
    expect(all.pegs?.pairs.map((pair) => pair.name)).to.deep.equal([name]);
    expect(existsSync(path.join(folder, "priced", "peg-features.npy"))).to.equal(true);
  });

  const wrong: [string[], string, string][] = [
    [["data", "import", "none.csv"], "IMPORT_UNREADABLE", "none.csv"],
    [["data", "import", "one-dai.csv", "--chain", "main"], "OPTION_MALFORMED", "--chain"],
    [["data", "import", "one-dai.csv", "--rates", "bps"], "OPTION_MALFORMED", "--rates"],
    [["data", "report", "--series", "nobody"], "SERIES_UNKNOWN", "--series"],
    [["data", "report", "--html", "no/such/folder.html"], "REPORT_FILE", "--html"],
    [["dataset"], "OPTION_MISSING", "--out"],
    [["dataset", "--out", "x", "--chain", "one"], "OPTION_MALFORMED", "--chain"],
    [["dataset", "--out", "x", "--from", "yesterday"], "OPTION_MALFORMED", "--from"],
    [["dataset", "--out", "x", "--series", "nobody"], "SERIES_UNKNOWN", "--series"],
    [["dataset", "--out", "."], "DATASET_PLACE", "--out"],
  ];
  for (const [args, code, field] of wrong) {
    it(`refuses ${args.join(" ")} by ${code}`, async () => {
      const { code: exit, err } = await tiller(...args, "--json");
      expect(exit).to.equal(2);
      expect((JSON.parse(err) as { error: unknown }).error).to.include({ code, field });
    });
  }

  it("stops at Ctrl-C with nothing half written", async () => {
    const child = start(["dataset", "--out", "stopped"]);
    const result = ended(child);
    // As soon as it works: beside its place.
    for (let tries = 0; tries < 2_000 && child.exitCode === null; tries += 1) {
      if (existsSync(path.join(folder, `stopped.partial-${child.pid}`))) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGINT");
    const { code, err } = await result;
    // It may have been done already: then it is whole.
    if (code !== 0) {
      expect(code).to.equal(130);
      expect(err).to.include("stopped; nothing was written");
    }
    expect(existsSync(path.join(folder, "stopped"))).to.equal(code === 0);
    expect(existsSync(path.join(folder, `stopped.partial-${child.pid}`))).to.equal(false);
  });
});
