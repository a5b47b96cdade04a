import { expect } from "chai";
import { wallClock } from "../../../keeper/chain/clock";
import { type LlamaPool, llamaChart, llamaPools, llamaProtocols, simpleRate } from "../../../keeper/collect/defiLlama";
import { type HttpSource, openHttpSource } from "../../../keeper/collect/httpSource";
import { InputFailure } from "../../../keeper/config/failure";
import { AAVE_POOL, type LlamaServerOptions, SAVINGS_POOL, llamaServer, point, pool, protocol } from "./llamaServer";
import { failureOf } from "./failureOf";
import { type Reply, type ScriptedServer, halfJson, htmlPage, json, scriptedServer, status } from "./scriptedServer";

const NOW = Date.parse("2024-03-10T12:34:56.789Z");
const aave: LlamaPool = {
  chainId: 1,
  subject: "aave-v3-usdc",
  pool: AAVE_POOL,
  chain: "Ethereum",
  kind: "lending",
  apyBase: "simple",
};
const savings: LlamaPool = {
  ...aave,
  subject: "sky-savings",
  pool: SAVINGS_POOL,
  kind: "vault",
  apyBase: "compounded",
};

describe("DefiLlama", () => {
  const servers: ScriptedServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  async function sourceAt(server: Promise<ScriptedServer>, now = (): number => NOW): Promise<HttpSource> {
    servers.push(await server);
    return openHttpSource({
      name: "defillama",
      field: "sources.defiLlama",
      baseUrl: (await server).url,
      rate: { perMinute: 60_000, burst: 100 },
      timeoutMs: 5_000,
      deadlineMs: 10_000,
      attempts: 3,
      maxBodyBytes: 50_000_000,
      clock: { ...wallClock, now },
      random: () => 0,
    });
  }
  const llama = (options: LlamaServerOptions = {}): Promise<HttpSource> => sourceAt(llamaServer(options));

  describe("pools", () => {
    it("are readings of no block, each with its state as canonical JSON", async () => {
      const { rows, missing } = await llamaPools(await llama(), [aave]);
      expect(missing).to.deep.equal([]);
      expect(rows).to.have.length(1);
      const [row] = rows;
      expect(row).to.include({ chainId: 1, source: "defillama-yields", subject: "aave-v3-usdc" });
      expect(row).to.include({ block: null, blockHash: null, observedAt: 1_710_074_096, availableAt: 1_710_074_096 });
      expect(JSON.parse(row?.state ?? "")).to.include({ apyBase: 4.25, apyReward: null, project: "aave-v3" });
      expect(Object.keys(JSON.parse(row?.state ?? "") as object)).to.deep.equal(
        Object.keys(JSON.parse(row?.state ?? "") as object).sort(),
      );
    });

    it("that are not listed are named and stop no other", async () => {
      const { rows, missing } = await llamaPools(await llama(), [savings, aave]);
      expect(rows.map(({ subject }) => subject)).to.deep.equal(["aave-v3-usdc"]);
      expect(missing).to.deep.equal(["sky-savings"]);
    });

    it("of strangers may have any shape; a wanted one may not", async () => {
      const strangers = [null, 7, { pool: 5 }, pool({ pool: "x", tvlUsd: "a lot" })];
      expect((await llamaPools(await llama({ pools: [...strangers, pool()] }), [aave])).rows).to.have.length(1);
      for (const change of [{ tvlUsd: "a lot" }, { chain: null }, { underlyingTokens: "USDC" }]) {
        const failure = await failureOf(llamaPools(await llama({ pools: [pool(change)] }), [aave]));
        expect(failure.code).to.equal("SOURCE_GARBAGE");
        expect(failure.message)
          .to.contain("aave-v3-usdc")
          .and.contain(Object.keys(change)[0] ?? "");
        expect(failure.line()).not.to.contain("a lot");
      }
    });

    it("may lack numbers", async () => {
      const { rows } = await llamaPools(await llama({ pools: [pool({ apyBase: null, tvlUsd: undefined })] }), [aave]);
      expect(JSON.parse(rows[0]?.state ?? "")).to.include({ apyBase: null });
    });

    it("of another chain are refused", async () => {
      const failure = await failureOf(llamaPools(await llama({ pools: [pool({ chain: "Base" })] }), [aave]));
      expect(failure).to.be.instanceOf(InputFailure);
      expect(failure.code).to.equal("SOURCE_POOL_OF_ANOTHER_CHAIN");
    });
  });

  describe("charts", () => {
    const days = [
      point("2024-03-07T23:01:26.271Z", 5, 100),
      point("2024-03-08T23:00:00.000Z", 6, 200),
      point("2024-03-09T22:59:59.999Z", null, null),
      point("2024-03-10T12:01:00.000Z", 9, 300),
    ];
    const charts = { [SAVINGS_POOL]: days, [AAVE_POOL]: days };

    it("are rows of the days that are over, known from the next whole hour on", async () => {
      const rows = await llamaChart(await llama({ charts }), savings);
      expect(rows.map(({ observedAt }) => observedAt)).to.deep.equal([1_709_852_486, 1_709_938_800, 1_710_025_199]);
      expect(rows.map(({ availableAt }) => availableAt)).to.deep.equal([1_709_856_000, 1_709_942_400, 1_710_025_200]);
      expect(rows[0]).to.include({ block: 0, blockHash: null, source: "defillama-yields", index: null, flags: 0 });
      expect(rows[0]).to.include({ borrowedUsd: null, borrowApr: null });
    });

    it("give simple rates a year", async () => {
      const compounded = await llamaChart(await llama({ charts }), savings);
      expect(compounded[0]?.supplyApr).to.be.closeTo(0.048790164, 1e-9);
      expect(compounded[2]?.supplyApr).to.equal(null);
      const simple = await llamaChart(await llama({ charts }), aave);
      expect(simple.map(({ supplyApr }) => supplyApr)).to.deep.equal([0.05, 0.06, null]);
    });

    it("give what is supplied only where TVL is that", async () => {
      const supplied = async (wanted: LlamaPool) =>
        (await llamaChart(await llama({ charts }), wanted)).map(({ suppliedUsd }) => suppliedUsd);
      expect(await supplied(savings)).to.deep.equal([100, 200, null]);
      expect(await supplied(aave)).to.deep.equal([null, null, null]);
    });

    const bad: readonly (readonly [string, readonly unknown[], string])[] = [
      ["points out of order", [days[1], days[0]], "SOURCE_GARBAGE"],
      ["two points of one moment", [days[0], days[0]], "SOURCE_GARBAGE"],
      ["a point in the future", [days[0], point("2024-03-10T12:34:58.000Z", 5)], "SOURCE_GARBAGE"],
      ["a time that is none", [point("yesterday", 5)], "SOURCE_GARBAGE"],
      ["a rate as text", [{ ...days[0], apyBase: "5" }], "SOURCE_GARBAGE"],
      ["no points", [], "SOURCE_POOL_UNKNOWN"],
    ];
    for (const [name, points, code] of bad) {
      it(`are refused: ${name}`, async () => {
        const source = await llama({ charts: { [SAVINGS_POOL]: points } });
        expect((await failureOf(llamaChart(source, savings))).code).to.equal(code);
      });
    }

    it("of an id that is none are refused by the server, and nothing of the path is shown", async () => {
      const failure = await failureOf(llamaChart(await llama(), { ...savings, pool: "../pools?x=y z" }));
      expect(failure.code).to.equal("SOURCE_REFUSED");
      expect(failure.line()).not.to.contain("pools?");
    });
  });

  describe("protocols", () => {
    const aaveV3 = { chainId: 1, subject: "aave-v3", slug: "aave-v3" };

    it("are readings with TVL, audits and age", async () => {
      const { rows } = await llamaProtocols(await llama(), [aaveV3]);
      expect(rows[0]).to.include({ source: "defillama-protocols", subject: "aave-v3", block: null });
      expect(JSON.parse(rows[0]?.state ?? "")).to.deep.equal({
        slug: "aave-v3",
        name: "Aave V3",
        category: "Lending",
        chains: ["Ethereum", "Polygon"],
        tvlUsd: 20_000_000_000.25,
        audited: "yes",
        auditLinks: ["https://aave.com/security"],
        listedAt: 1_648_776_877,
        ageDays: 709,
      });
    });

    it("may be without audits, links, age and TVL", async () => {
      const bare = protocol({ audits: null, audit_links: undefined, listedAt: undefined, tvl: null, category: null });
      const { rows } = await llamaProtocols(await llama({ protocols: [bare] }), [aaveV3]);
      const state = JSON.parse(rows[0]?.state ?? "") as Record<string, unknown>;
      expect(state).to.include({ audited: null, listedAt: null, ageDays: null, tvlUsd: null, category: null });
      expect(state["auditLinks"]).to.deep.equal([]);
    });

    it("say in words what DefiLlama's audit codes mean", async () => {
      const codes = ["0", "1", "2", "3", 2, "9"];
      const words = [];
      for (const audits of codes) {
        const { rows } = await llamaProtocols(await llama({ protocols: [protocol({ audits })] }), [aaveV3]);
        words.push((JSON.parse(rows[0]?.state ?? "") as { audited: unknown }).audited);
      }
      expect(words).to.deep.equal(["no", "partly", "yes", "fork-of-audited", "yes", null]);
    });

    it("that are not listed are named", async () => {
      const { missing } = await llamaProtocols(await llama({ protocols: [] }), [aaveV3]);
      expect(missing).to.deep.equal(["aave-v3"]);
    });
  });

  it("is asked again when it has had enough of us", async () => {
    const source = await sourceAt(llamaServer({ limitEvery: 1 }), () => Date.now());
    await llamaPools(source, [aave]);
    expect((await llamaPools(source, [aave])).rows).to.have.length(1);
    expect(servers[0]?.asked).to.have.length(3);
  });

  const broken: readonly (readonly [string, Reply, string])[] = [
    ["the page of a proxy", htmlPage, "SOURCE_GARBAGE"],
    ["JSON that ends in the middle", halfJson, "SOURCE_GARBAGE"],
    ["an error as a success", json({ status: "error", data: [] }), "SOURCE_GARBAGE"],
    ["a server in trouble", status(500), "SOURCE_UNREACHABLE"],
  ];
  for (const [name, reply, code] of broken) {
    it(`is refused: ${name}`, async () => {
      const source = await sourceAt(scriptedServer(reply));
      expect((await failureOf(llamaPools(source, [aave]))).code).to.equal(code);
    });
  }
});

describe("a yield as a simple rate", () => {
  it("is the one that compounds to it", () => {
    for (const rate of [-0.2, 0, 0.0004, 0.05, 3]) {
      const yearly = ((1 + rate / 31_536_000) ** 31_536_000 - 1) * 100;
      expect(simpleRate(yearly, "compounded")).to.be.closeTo(rate, 1e-6);
    }
  });

  it("is none where there is no yield, or nothing left", () => {
    expect(simpleRate(null, "compounded")).to.equal(null);
    expect(simpleRate(-100, "compounded")).to.equal(null);
    expect(simpleRate(-100, "simple")).to.equal(-1);
  });
});
