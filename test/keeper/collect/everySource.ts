// Every kind of source that rows come from, each before a world of its own that a test can spoil: nodes and servers that answer in
// the real shapes.
import { Contract } from "ethers";
import type { Chain } from "../../../keeper/chain/connect";
import { connectChain } from "../../../keeper/chain/connect";
import { wallClock } from "../../../keeper/chain/clock";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import { blockFees } from "../../../keeper/collect/baseFee";
import { llamaChart, llamaPools, llamaProtocols, type LlamaPool } from "../../../keeper/collect/defiLlama";
import { openHttpSource, type HttpSource } from "../../../keeper/collect/httpSource";
import { locate } from "../../../keeper/collect/locate";
import type { RangeSource } from "../../../keeper/collect/rangeSource";
import { RANGE_SOURCES, makerOf, rangeSources } from "../../../keeper/collect/rangeSources";
import { historyRow, readingRow, sweep } from "../../../keeper/collect/sweep";
import { targetsOf } from "../../../keeper/collect/targets";
import { silent } from "../../../keeper/events/events";
import type { EventRow, HistoryRow, ReadingRow } from "../../../keeper/store/historyRecords";
import { LOCAL_CHAIN_ID } from "../../../scripts/localnet/anvil";
import { npmArtifact } from "../../../scripts/localnet/protocols/npmArtifact";
import { UNISWAP_FEE_PIPS } from "../../../scripts/localnet/protocols/parameters";
import { SWAP_ROUTER } from "../../../scripts/localnet/protocols/uniswap";
import { ThreePoolModel__factory } from "../../../typechain-types";
import { startTemporaryChain, type TemporaryChain } from "../../scripts/localnet/temporaryChain";
import { KEY, graphServer } from "./graphServer";
import { historyNode } from "./historyNode";
import { AAVE_POOL, llamaServer, point } from "./llamaServer";
import { moreTargets } from "./localVenues";
import { FIRST_BLOCK, POOL, poolHistory } from "./poolModel";
import { spoilingProxy, type SpoilingProxy } from "./spoilingProxy";

export type CollectedRow = EventRow | ReadingRow | HistoryRow;

export interface EverySource {
  /** By name. */
  readonly sources: ReadonlyMap<string, OneSource>;
  end(): Promise<void>;
}

export interface OneSource {
  /** What the rows say that they are from. */
  readonly from: readonly string[];
  /** Of a moment rather than of a block. */
  readonly blockless?: boolean;
  /** All that there is. @throws what the source throws; of a sweep its first failure. */
  rows(): Promise<readonly CollectedRow[]>;
  readonly upstreams: readonly SpoilingProxy[];
  readonly range?: RangeOfSource;
}

/** Of sources of events: over a chain that the test may have changed. */
export interface RangeOfSource {
  readonly chain: Chain;
  readonly from: number;
  readonly to: number;
  readonly over: (chain: Chain) => RangeSource;
}

/** The names, for tests that are declared before the sources are there. */
export const RANGES = ["uniswap-v3", "curve", "the-graph"];
export const READINGS = ["gas", "a sweep", "defillama-yields", "defillama-protocols", "defillama's charts"];

const NOW = Date.parse("2024-03-10T12:34:56.789Z");
const USDC = 1_000_000n;
const GAS = { gasLimit: 3_000_000, maxFeePerGas: 200_000_000_000n, maxPriorityFeePerGas: 1_500_000_000n };

export async function everySource(): Promise<EverySource> {
  const closing: (() => Promise<void> | void)[] = [];
  const proxied = async (url: string): Promise<SpoilingProxy> => {
    const proxy = await spoilingProxy(url);
    closing.push(proxy.close);
    return proxy;
  };
  const connected = async (url: string, expectedChainId: number): Promise<Chain> => {
    // As of a provider whose addresses hold a key.
    const rpcUrls = [`${url}/?key=Secret`];
    const chain = await connectChain({ rpcUrls, expectedChainId, requestTimeoutMs: 10_000, sink: silent });
    closing.push(() => chain.close());
    return chain;
  };

  const local = await startTemporaryChain();
  closing.push(local.end);
  const traded = await trade(local);
  const node = await proxied(local.chain.url);
  const chain = await connected(node.url, LOCAL_CHAIN_ID);
  const head = (await blockAt(chain, "latest")) as Head;
  const at = { chainId: LOCAL_CHAIN_ID, number: head.number, hash: head.hash, timestamp: head.timestamp };
  const ofPool = (source: string, pool: string): OneSource => {
    const key = { chainId: LOCAL_CHAIN_ID, source, subject: pool.toLowerCase() };
    return eventsOf((over) => makerOf(RANGE_SOURCES, source)(over, key), { chain, upstreams: [node], ...traded });
  };
  const swept = targetsOf(null, moreTargets(local), { assetUsd: 1 }).sources;

  const history = poolHistory(11, 60);
  const graph = await graphServer(history);
  const blocks = await historyNode(history, { chainId: 1, head: history.lastBlock + 1 });
  closing.push(graph.close, blocks.close);
  const [index, indexed] = [await proxied(graph.url), await proxied(blocks.url)];
  const theGraph = { url: index.url, keyVariable: "GRAPH_KEY", requestsPerMinute: 60_000 };
  const maker = makerOf(rangeSources({ theGraph, env: { GRAPH_KEY: KEY } }), "the-graph");

  const day = (date: string) => point(`${date}T23:01:20.000Z`, 4.5);
  const llama = await llamaServer({ charts: { [AAVE_POOL]: [day("2024-03-08"), day("2024-03-09")] } });
  closing.push(llama.close);
  const yields = await proxied(llama.url);
  const api = sourceAt(yields.url);
  const pool: LlamaPool = {
    ...{ chainId: 1, subject: "aave-v3-usdc", pool: AAVE_POOL, chain: "Ethereum" },
    ...{ kind: "lending", apyBase: "simple" },
  };
  const protocol = { chainId: 1, subject: "aave-v3", slug: "aave-v3" };

  const sources: Readonly<Record<string, OneSource>> = {
    "uniswap-v3": ofPool("uniswap-v3", local.protocols.uniswap.usdcUsdtPool),
    curve: ofPool("curve", local.protocols.threePool.pool),
    "the-graph": eventsOf((over) => maker(over, { chainId: 1, source: "the-graph", subject: POOL }), {
      ...{ chain: await connected(indexed.url, 1), upstreams: [index, indexed] },
      ...{ from: FIRST_BLOCK, to: history.lastBlock },
    }),
    gas: {
      from: ["gas"],
      rows: async () => [readingRow(await blockFees.read(chain, head), at, at.timestamp)],
      upstreams: [node],
    },
    "a sweep": {
      from: ["aave-v3", "chainlink"],
      rows: async () => {
        const located = await locate(chain, head, swept);
        const { readings, failures } = await sweep(chain, head, located.collectors);
        const [failed] = [...located.failures, ...failures];
        if (failed !== undefined) throw failed.failure;
        const points = readings.flatMap((reading) => historyRow(reading, at, at.timestamp) ?? []);
        return [...readings.map((reading) => readingRow(reading, at, at.timestamp)), ...points];
      },
      upstreams: [node],
    },
    "defillama-yields": llamaSource("defillama-yields", async () => (await llamaPools(api, [pool])).rows, yields),
    "defillama-protocols": llamaSource(
      "defillama-protocols",
      async () => (await llamaProtocols(api, [protocol])).rows,
      yields,
    ),
    "defillama's charts": llamaSource("defillama-yields", () => llamaChart(api, pool), yields),
  };
  return {
    sources: new Map(Object.entries(sources)),
    end: async () => {
      for (const close of closing.reverse()) await close();
    },
  };
}

function eventsOf(
  over: RangeOfSource["over"],
  { upstreams, ...range }: Omit<RangeOfSource, "over"> & Pick<OneSource, "upstreams">,
): OneSource {
  return {
    from: [over(range.chain).key.source],
    // A source is made anew each time: what one remembers from run to run is then not spoiled.
    rows: async () => (await over(range.chain).collect(range.from, range.to, new AbortController().signal)).rows,
    upstreams,
    range: { ...range, over },
  };
}

function llamaSource(from: string, rows: OneSource["rows"], upstream: SpoilingProxy): OneSource {
  return { from: [from], blockless: true, rows, upstreams: [upstream] };
}

/** What happens in either pool, in blocks of their own, and a block after them. */
async function trade(local: TemporaryChain): Promise<{ readonly from: number; readonly to: number }> {
  const { uniswap, tokens, threePool } = local.protocols;
  const trader = local.signer("trader");
  const router = new Contract(uniswap.swapRouter, npmArtifact(SWAP_ROUTER).abi, trader);
  const curve = ThreePoolModel__factory.connect(threePool.pool, trader);
  await local.pass(12);
  const from = (await local.provider.getBlockNumber()) + 1;
  for (const amountIn of [20_000n * USDC, 300n * USDC]) {
    const order = {
      ...{ tokenIn: tokens.usdc, tokenOut: tokens.usdt, fee: UNISWAP_FEE_PIPS, recipient: trader.address, amountIn },
      ...{ amountOutMinimum: 0, sqrtPriceLimitX96: 0 },
    };
    await (await router.getFunction("exactInputSingle").send(order, GAS)).wait(1, 20_000);
    await (await curve.exchange(1, 2, amountIn, 0n, GAS)).wait(1, 20_000);
    await (await curve.add_liquidity([0n, amountIn, 0n], 0n, GAS)).wait(1, 20_000);
    // Its coin is found by the transfer beside it.
    await (await curve.remove_liquidity_one_coin(10n ** 18n, 1, 0n, GAS)).wait(1, 20_000);
  }
  await local.pass(12);
  return { from, to: await local.provider.getBlockNumber() };
}

function sourceAt(baseUrl: string): HttpSource {
  return openHttpSource({
    ...{ name: "defillama", field: "collect.defiLlama", baseUrl, rate: { perMinute: 60_000, burst: 100 } },
    ...{ timeoutMs: 5_000, deadlineMs: 10_000, attempts: 2, maxBodyBytes: 1_000_000 },
    clock: { ...wallClock, now: () => NOW },
    random: () => 0,
  });
}
