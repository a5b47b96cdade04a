import { expect } from "chai";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describeConfig } from "../../../keeper/config/describe";
import { type Failure, InputFailure } from "../../../keeper/config/failure";
import { loadConfig, type LoadOptions } from "../../../keeper/config/load";

const RPC = { RPC_URL: "http://127.0.0.1:8545" };

describe("loading the configuration", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (content: unknown, name = "tiller.config.json"): string => {
    const file = path.join(folder, name);
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  };
  const load = (options: Partial<LoadOptions> = {}) => loadConfig({ env: RPC, cwd: folder, ...options });
  const failureOf = (options: Partial<LoadOptions>): InputFailure => {
    try {
      load(options);
    } catch (error) {
      expect(error).to.be.instanceOf(InputFailure);
      return error as InputFailure;
    }
    throw new Error("the configuration was accepted");
  };

  it("needs nothing but an RPC endpoint", () => {
    const config = load();
    expect(config.chain.rpcUrls).to.deep.equal(["http://127.0.0.1:8545"]);
    expect(config.bundle.blocks).to.equal(5);
    expect(config.forecast.halfLifeHours).to.equal(24);
    expect(config.serve.host).to.equal("127.0.0.1");
    expect(config.database).to.deep.equal({ kind: "embedded" });
    expect(config.dataDir).to.equal(path.join(folder, ".tiller"));
    expect(config.addresses).to.equal(path.join(folder, ".tiller", "localnet", "addresses.json"));
    expect(config.file).to.equal(null);
  });

  it("asks for more than half of the endpoints where more than one must agree, each of a host of its own", () => {
    const [a, b, c] = ["http://a.example", "http://b.example/key", "http://c.example"];
    expect(load().chain.quorum).to.equal(1);
    const accepted: [number, readonly string[]][] = [
      [1, [a, a]],
      [2, [a, b]],
      [2, [a, b, c]],
      [3, [a, b, c]],
    ];
    for (const [quorum, rpcUrls] of accepted) {
      expect(load({ env: {}, overrides: { chain: { quorum, rpcUrls: [...rpcUrls] } } }).chain.quorum).to.equal(quorum);
    }
    const refused: [number, readonly string[], string, RegExp][] = [
      [2, [a], "chain.quorum", /more than half of the 1 endpoints and no more than there are/],
      [2, [a, b, c, "http://d.example"], "chain.quorum", /more than half of the 4/],
      [4, [a, b, c], "chain.quorum", /more than half of the 3/],
      [0, [a], "chain.quorum", /above 0/],
      [1.5, [a, b], "chain.quorum", /type int/],
      [2, [b, "http://b.example/other"], "chain.rpcUrls", /one host, which would vote twice/],
    ];
    for (const [quorum, rpcUrls, field, problem] of refused) {
      const failure = failureOf({ env: {}, overrides: { chain: { quorum, rpcUrls: [...rpcUrls] } } });
      expect(failure.field).to.equal(field);
      expect(failure.message).to.match(problem);
      expect(failure.remedy).to.contain("tiller config check");
    }
  });

  it("turns gwei into wei exactly and gives the decision the same fee ceiling", () => {
    write({ fees: { maxFeePerGasGwei: 12.345678901, maxPriorityFeeGwei: 0 } });
    const config = load();
    expect(config.fees.maxFeePerGas).to.equal(12_345_678_901n);
    expect(config.limits.maxFeePerGas).to.equal(12_345_678_901n);
    expect(config.fees.maxPriorityFeePerGas).to.equal(0n);
  });

  it("ranks overrides over the environment over the file over defaults", () => {
    write({ serve: { port: 1, host: "::1" }, log: { level: "warn", format: "pretty" } });
    const config = load({
      env: { ...RPC, TILLER_PORT: "2", LOG_LEVEL: "error" },
      overrides: { serve: { port: 3 } },
    });
    expect(config.serve).to.deep.equal({ port: 3, host: "::1", allowedHosts: [] });
    expect(config.log).to.deep.equal({ level: "error", format: "pretty" });
  });

  it("does not let MAINNET_RPC_URL turn a configured keeper to another chain", () => {
    write({ chain: { rpcUrls: ["http://localhost:1"] } });
    const env = { MAINNET_RPC_URL: "http://localhost:2" };
    expect(load({ env }).chain.rpcUrls).to.deep.equal(["http://localhost:1"]);
    rmSync(path.join(folder, "tiller.config.json"));
    expect(load({ env }).chain.rpcUrls).to.deep.equal(["http://localhost:2"]);
  });

  it("takes the local chain's file where no other is, and never beside a chain that the environment names", () => {
    mkdirSync(path.join(folder, "data", "localnet"), { recursive: true });
    const local = path.join(folder, "data", "localnet", "tiller.config.json");
    const relays = [{ name: "local", url: "http://localhost:3" }];
    writeFileSync(local, JSON.stringify({ chain: { rpcUrls: ["http://localhost:1"] }, relays }));
    const env = { TILLER_DATA_DIR: "data" };
    expect(load({ env })).to.include({ file: local });
    expect(load({ env: { ...env, RPC_URL: "http://localhost:2" } })).to.deep.include({ file: null, relays: [] });
    const own = write({ chain: { rpcUrls: ["http://localhost:4"] } });
    expect(load({ env })).to.include({ file: own });
  });

  it("reads names in a file relative to that file, and others relative to the working folder", () => {
    const file = write({ dataDir: "data", addresses: "deployment.json" }, "other.json");
    const config = loadConfig({ file, env: RPC, cwd: os.tmpdir() });
    expect(config.dataDir).to.equal(path.join(folder, "data"));
    expect(config.addresses).to.equal(path.join(folder, "deployment.json"));
    expect(loadConfig({ file, env: { ...RPC, TILLER_DATA_DIR: "x" }, cwd: os.tmpdir() }).dataDir).to.equal(
      path.join(os.tmpdir(), "x"),
    );
  });

  it("names every wrong field in one line, the first one first", () => {
    write({ chain: { rpcUrls: ["ftp://x"], pollMs: -1 }, limits: { maxShareOfVenue: 2 }, extra: 1, bundle: { k: 3 } });
    const failure = failureOf({ env: {} });
    expect(failure.code).to.equal("CONFIG_INVALID");
    expect(failure.exitCode).to.equal(2);
    expect(failure.line()).to.match(/^chain\.rpcUrls\[0\]: is not an http or https URL/);
    for (const field of ["chain.pollMs", "limits.maxShareOfVenue", "extra", "bundle.k"])
      expect(failure.line()).to.contain(field);
    expect(failure.line()).not.to.contain("\n");
  });

  it("names the environment variable when the wrong value came from it", () => {
    expect(failureOf({ env: { ...RPC, TILLER_PORT: "web" } }).field).to.equal("TILLER_PORT");
    expect(failureOf({ env: { RPC_URL: "localhost" } }).field).to.equal("RPC_URL");
    expect(failureOf({ env: { ...RPC, DATABASE_URL: "mysql://u:hunter2@h/d" } }).field).to.equal("DATABASE_URL");
  });

  it("says that an RPC endpoint is missing and where to give it", () => {
    const failure = failureOf({ env: {} });
    expect(failure.field).to.equal("chain.rpcUrls");
    expect(failure.message).to.contain("RPC_URL");
  });

  it("refuses a missing file only when it was asked for", () => {
    expect(failureOf({ file: "none.json" }).code).to.equal("CONFIG_FILE_MISSING");
    expect(failureOf({ file: "none.json" }).field).to.equal("--config");
    expect(failureOf({ env: { ...RPC, TILLER_CONFIG: "none.json" } }).field).to.equal("TILLER_CONFIG");
  });

  it("refuses a file that is no JSON object without quoting it", () => {
    write('{"keeper": hunter2');
    const failure = failureOf({});
    expect(failure.code).to.equal("CONFIG_FILE_MALFORMED");
    expect(failure.line()).not.to.contain("hunter2");
    write("[1]");
    expect(failureOf({}).code).to.equal("CONFIG_FILE_MALFORMED");
  });

  it("refuses a keystore without exactly one source of its password", () => {
    const key = { kind: "keystore", file: "k.json" };
    write({ keeper: { key } });
    expect(failureOf({}).field).to.equal("keeper.key");
    write({ keeper: { key: { ...key, passwordFile: "p", passwordVariable: "P" } } });
    expect(failureOf({}).field).to.equal("keeper.key");
    write({ keeper: { key: { ...key, passwordFile: "p" } } });
    expect(load().keeper.key).to.deep.equal({
      ...key,
      file: path.join(folder, "k.json"),
      passwordFile: path.join(folder, "p"),
    });
  });

  it("refuses a raw key in the file and does not repeat it", () => {
    const secret = `0x${"ab".repeat(32)}`;
    write({ keeper: { key: secret } });
    const failure = failureOf({});
    expect(failure.field).to.equal("keeper.key");
    expect(failure.line()).not.to.contain("abab");
  });

  describe("of refits", () => {
    it("has none on schedule by default", () => {
      expect(load().forecast.refit).to.deep.equal({ keepDays: 90, mostMinutes: 60 });
    });

    it("takes a Python relative to the config, and a name alone from the PATH", () => {
      write({ forecast: { refit: { everyDays: 14, python: "venv/bin/python" } } });
      const python = path.join(folder, "venv", "bin", "python");
      expect(load().forecast.refit).to.include({ everyDays: 14, python });
      write({ forecast: { refit: { python: "python3" } } });
      expect(load().forecast.refit.python).to.equal("python3");
    });

    it("refuses a schedule that no challenger could follow", () => {
      write({ forecast: { refit: { everyDays: 1 } } });
      expect(load).to.throw(/must be at least 7/);
    });
  });

  describe("of risk", () => {
    it("has a default for all, and stops by itself without closing anything", () => {
      const { risk } = load();
      expect(risk).to.deep.include({ protocols: {}, limitPositions: true });
      expect(risk.breaker).to.include({ drawdownBps: 50, depegBps: 100, outageSeconds: 900, closeOnTrip: false });
      expect(risk.breaker.off).to.deep.equal([]);
    });

    it("reads the operator's own file of protocols relative to the config", () => {
      write({ risk: { protocolFile: "mine.json" }, forecast: { models: "models" } });
      expect(load().forecast.models).to.equal(path.join(folder, "models"));
      expect(load().risk.protocolFile).to.equal(path.join(folder, "mine.json"));
    });

    for (const [what, breaker, field] of [
      ["a drawdown of nothing", { drawdownBps: 0 }, "risk.breaker.drawdownBps"],
      ["a drawdown of more than all", { drawdownBps: 10_001 }, "risk.breaker.drawdownBps"],
      ["a negative peg", { depegBps: -1 }, "risk.breaker.depegBps"],
      ["no number", { outageSeconds: "long" }, "risk.breaker.outageSeconds"],
      ["infinity", { gasFactor: Number.POSITIVE_INFINITY }, "risk.breaker.gasFactor"],
      ["a factor under one", { driftRatio: 0.5 }, "risk.breaker.driftRatio"],
      ["an unknown cause", { off: ["weather"] }, "risk.breaker.off[0]"],
      ["a cause named twice", { off: ["oracle", "oracle"] }, "risk.breaker.off"],
      ["an unknown setting", { closeOnTrips: true }, "risk.breaker.closeOnTrips"],
      ["a yes that is no flag", { closeOnTrip: "yes" }, "risk.breaker.closeOnTrip"],
    ] as const) {
      it(`refuses ${what}, by the field, with what to do`, () => {
        const failure = failureOf({ overrides: { risk: { breaker } } as never });
        expect(failure.code).to.equal("CONFIG_INVALID");
        expect(failure.field).to.equal(field);
        expect(failure.remedy).to.contain("tiller config check");
      });
    }
  });

  it("describes itself without credentials, paths and queries of URLs", () => {
    const config = load({
      env: {
        RPC_URL: "https://eth.example/v2/SECRETKEY,https://user:SECRETPASS@rpc.example/?key=SECRETQUERY",
        DATABASE_URL: "postgres://me:SECRETDB@db.example:5432/tiller",
        TILLER_RELAY_URLS: "https://relay.example/SECRETRELAY",
      },
    });
    const text = JSON.stringify(describeConfig(config));
    expect(text).not.to.contain("SECRET");
    expect(text).to.contain("https://eth.example/…").and.to.contain("db.example:5432");
  });

  it("serialises a failure without a stack", () => {
    const failure: Failure = failureOf({ env: {} });
    expect(Object.keys(failure.toJSON())).to.deep.equal(["code", "field", "message", "remedy"]);
  });

  describe("of what is collected", () => {
    const UUID = "aa70268e-4b52-42bf-a116-608b370f9501";

    it("asks nothing of the web by itself", () => {
      expect(load().collect).to.deep.equal({ everySeconds: 300, withKeeper: true, targets: [] });
    });

    it("has a default for all but what names a subgraph, a pool or a protocol", () => {
      const url = "https://gateway.example/api/subgraphs/id/x";
      const charts = [{ subject: "aave-v3-usdc", pool: UUID }];
      write({ collect: { theGraph: { url }, defiLlama: { charts, protocols: ["aave-v3"] } } });
      const { theGraph, defiLlama } = load().collect;
      expect(theGraph).to.deep.equal({ url, requestsPerMinute: 60 });
      expect(defiLlama).to.deep.equal({
        yieldsUrl: "https://yields.llama.fi",
        apiUrl: "https://api.llama.fi",
        requestsPerMinute: 30,
        everySeconds: 3_600,
        charts: [{ subject: "aave-v3-usdc", pool: UUID, chain: "Ethereum", kind: "lending", apyBase: "compounded" }],
        protocols: ["aave-v3"],
      });
    });

    const url = "https://gateway.example/api/subgraphs/id/x";
    const chart = { subject: "one", pool: UUID };
    const secret = "ab".repeat(16);
    const wrong: readonly (readonly [string, object, string])[] = [
      ["no bucket", { everySeconds: 0 }, "everySeconds"],
      ["a subgraph without address", { theGraph: {} }, "theGraph.url"],
      ["an address that is none", { theGraph: { url: "gateway.example" } }, "theGraph.url"],
      ["a key in the path", { theGraph: { url: `https://g.example/api/${secret}/subgraphs/id/x` } }, "theGraph.url"],
      ["a key in the query", { theGraph: { url: `${url}?key=${secret}` } }, "theGraph.url"],
      ["a password in the address", { theGraph: { url: `https://me:${secret}@g.example/` } }, "theGraph.url"],
      ["a name that no variable has", { theGraph: { url, keyVariable: `1${secret}` } }, "theGraph.keyVariable"],
      ["a key in place of its variable", { theGraph: { url, keyVariable: secret } }, "theGraph.keyVariable"],
      ["a key of its own", { theGraph: { url, key: secret } }, "theGraph.key"],
      ["no requests", { theGraph: { url, requestsPerMinute: 0 } }, "theGraph.requestsPerMinute"],
      ["half a second", { defiLlama: { everySeconds: 0.5 } }, "defiLlama.everySeconds"],
      ["a file as address", { defiLlama: { yieldsUrl: "file:///pools" } }, "defiLlama.yieldsUrl"],
      ["a key in an address", { defiLlama: { apiUrl: `https://pro.example/${secret}/api` } }, "defiLlama.apiUrl"],
      ["a pool that is no UUID", { defiLlama: { charts: [{ ...chart, pool: "0x12" }] } }, "defiLlama.charts[0].pool"],
      [
        "a subject with a full stop",
        { defiLlama: { charts: [{ ...chart, subject: "a.b" }] } },
        "defiLlama.charts[0].subject",
      ],
      ["another kind", { defiLlama: { charts: [{ ...chart, kind: "dex" }] } }, "defiLlama.charts[0].kind"],
      ["two charts of one subject", { defiLlama: { charts: [chart, chart] } }, "defiLlama.charts"],
      ["a protocol's title", { defiLlama: { protocols: ["aave-v3", "Aave V3"] } }, "defiLlama.protocols[1]"],
      ["a protocol twice", { defiLlama: { protocols: ["aave-v3", "aave-v3"] } }, "defiLlama.protocols"],
    ];
    for (const [name, collect, field] of wrong) {
      it(`refuses ${name}, by the field`, () => {
        write({ collect });
        const failure = failureOf({});
        expect(failure.field).to.equal(`collect.${field}`);
        expect(failure.line()).not.to.contain(secret);
      });
    }

    it("is described without the paths of its addresses", () => {
      write({ collect: { theGraph: { url: "https://graph.example/SECRET", keyVariable: "GRAPH_KEY" } } });
      const text = JSON.stringify(describeConfig(load()));
      expect(text).not.to.contain("SECRET");
      expect(text).to.contain("https://graph.example/…").and.to.contain("GRAPH_KEY");
    });
  });
});
