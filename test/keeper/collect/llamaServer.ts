// DefiLlama's yields and protocols, in their shapes: whole lists, charts by UUID (others are refused with HTTP 400), null
// where nothing is known, 429 over the limit, packed where the client takes it.
import { gzipSync } from "node:zlib";
import { type Reply, type ScriptedServer, json, scriptedServer, status } from "./scriptedServer";

export const AAVE_POOL = "aa70268e-4b52-42bf-a116-608b370f9501";
export const SAVINGS_POOL = "d8c4eff5-c8a9-46fc-a888-057c4c668e72";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface LlamaServerOptions {
  readonly pools?: readonly unknown[];
  readonly charts?: Readonly<Record<string, readonly unknown[]>>;
  readonly protocols?: readonly unknown[];
  /** Requests that are answered before one 429. */
  readonly limitEvery?: number;
}

export const pool = (change: Readonly<Record<string, unknown>> = {}) => ({
  chain: "Ethereum",
  project: "aave-v3",
  symbol: "USDC",
  tvlUsd: 421_337_001.5,
  apyBase: 4.25,
  apyReward: null,
  apy: 4.25,
  rewardTokens: null,
  pool: AAVE_POOL,
  apyPct1D: -0.01,
  apyPct7D: 0.2,
  apyPct30D: null,
  stablecoin: true,
  ilRisk: "no",
  exposure: "single",
  predictions: { predictedClass: "Stable/Up", predictedProbability: 71, binnedConfidence: 2 },
  poolMeta: null,
  mu: 4.4,
  sigma: 0.03,
  count: 900,
  outlier: false,
  underlyingTokens: ["0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"],
  il7d: null,
  apyBase7d: null,
  apyMean30d: 4.31,
  volumeUsd1d: null,
  volumeUsd7d: null,
  apyBaseInception: null,
  ...change,
});

export const point = (timestamp: string, apyBase: number | null, tvlUsd: number | null = 1_000_000) => ({
  timestamp,
  tvlUsd,
  apy: apyBase,
  apyBase,
  apyReward: null,
  il7d: null,
  apyBase7d: null,
});

export const protocol = (change: Readonly<Record<string, unknown>> = {}) => ({
  id: "1599",
  name: "Aave V3",
  address: "0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9",
  symbol: "AAVE",
  url: "https://aave.com",
  description: "Earn interest, borrow assets, and build applications",
  chain: "Multi-Chain",
  logo: "https://icons.llama.fi/aave-v3.png",
  audits: "2",
  audit_note: null,
  gecko_id: null,
  cmcId: null,
  category: "Lending",
  chains: ["Ethereum", "Polygon"],
  module: "aave-v3/index.js",
  twitter: "aave",
  forkedFrom: [],
  oracles: ["Chainlink"],
  listedAt: 1_648_776_877,
  slug: "aave-v3",
  audit_links: ["https://aave.com/security"],
  tvl: 20_000_000_000.25,
  chainTvls: { Ethereum: 15_000_000_000 },
  change_1h: 0.1,
  change_1d: null,
  change_7d: 2,
  tokenBreakdowns: {},
  mcap: null,
  ...change,
});

export async function llamaServer(options: LlamaServerOptions = {}): Promise<ScriptedServer> {
  let count = 0;
  const route = (path: string): Reply => {
    if (path === "/pools") return packed({ status: "success", data: options.pools ?? [pool()] });
    if (path === "/protocols") return packed(options.protocols ?? [protocol()]);
    const id = /^\/chart\/(.*)$/.exec(path)?.[1];
    if (id === undefined) return status(404, {}, "<html>Not Found</html>");
    if (!UUID.test(id)) return json("invalid configID!", 400);
    return packed({ status: "success", data: options.charts?.[id] ?? [] });
  };
  return scriptedServer((response, asked) => {
    const index = count;
    count += 1;
    const every = options.limitEvery;
    if (every !== undefined && index % (every + 1) === every) {
      return status(429, { "retry-after": "1" }, "Too Many Requests")(response, asked);
    }
    return route(asked.path)(response, asked);
  });
}

function packed(value: unknown): Reply {
  return (response, asked) => {
    const text = JSON.stringify(value);
    const gzip = /\bgzip\b/.test(String(asked.headers["accept-encoding"]));
    const headers = { "content-type": "application/json", ...(gzip ? { "content-encoding": "gzip" } : {}) };
    response.writeHead(200, headers).end(gzip ? gzipSync(text) : text);
  };
}
