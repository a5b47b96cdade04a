// Events of the 3pool (a model with its real interface) on the local chain, beside what receipts, tokens and blocks say; what a
// node can do to a chunk; the command and the live job that collect them.
import { expect } from "chai";
import { ZeroAddress, type ContractTransactionReceipt } from "ethers";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Chain } from "../../../keeper/chain/connect";
import { coinsOf } from "../../../keeper/collect/curveEvents";
import { followEvents } from "../../../keeper/collect/liveEvents";
import { RANGE_SOURCES, rangeSource } from "../../../keeper/collect/rangeSources";
import type { RangeRows } from "../../../keeper/collect/rangeSource";
import { settle } from "../../../keeper/collect/settle";
import { silent } from "../../../keeper/events/events";
import type { EventRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import { ERC20__factory, ThreePoolModel__factory, type ThreePoolModel } from "../../../typechain-types";
import { tiller } from "../../e2e/localSystem";
import { answer, faultyNode, type FaultyNode } from "../chain/fixtures/faultyNode";
import { startTemporaryChain, type TemporaryChain } from "../../scripts/localnet/temporaryChain";
import { failureOf } from "./failureOf";
import { connectTo } from "./localVenues";

const USDC = 1_000_000n;
const DAI = 10n ** 18n;
const GAS = { gasLimit: 3_000_000, maxFeePerGas: 200_000_000_000n, maxPriorityFeePerGas: 1_500_000_000n };
const CHAIN = 31_337;

describe("events of Curve's 3pool", function () {
  this.timeout(120_000);
  let local: TemporaryChain;
  let proxy: FaultyNode;
  let chain: Chain;
  let pool: ThreePoolModel;
  let address: string;
  let coins: string[];
  let from: number;
  let to: number;
  let folder: string;
  const receipts: ContractTransactionReceipt[] = [];

  before(async () => {
    local = await startTemporaryChain();
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-curve-"));
    address = local.protocols.threePool.pool.toLowerCase();
    const trader = local.signer("trader");
    pool = ThreePoolModel__factory.connect(address, trader);
    coins = await Promise.all([0, 1, 2].map((place) => pool.coins(place)));
    const mined = async (sent: Promise<{ wait(): Promise<ContractTransactionReceipt | null> }>): Promise<void> => {
      const receipt = await (await sent).wait();
      if (receipt === null) throw new Error("it is mined");
      receipts.push(receipt);
    };
    await local.pass(12);
    from = (await local.provider.getBlockNumber()) + 1;
    await mined(pool.exchange(1, 2, 20_000n * USDC, 0n, GAS));
    await local.pass(300);
    await mined(pool.exchange(0, 1, 5_000n * DAI, 0n, GAS));
    await mined(pool.add_liquidity([9_000n * DAI, 0n, 7n * USDC], 0n, GAS));
    await mined(pool.remove_liquidity(333n * DAI, [0n, 0n, 0n], GAS));
    await mined(pool.remove_liquidity_imbalance([10n * DAI, 20n * USDC, 0n], 10n ** 30n, GAS));
    for (const place of [0, 1, 2]) await mined(pool.remove_liquidity_one_coin(50n * DAI, place, 0n, GAS));
    // Two of one block, which take out different coins.
    await local.automine(false);
    const nonce = await trader.getNonce();
    const both = await Promise.all(
      [2, 0].map((place, k) => pool.remove_liquidity_one_coin(9n * DAI, place, 0n, { ...GAS, nonce: nonce + k })),
    );
    await local.pass(12);
    for (const sent of both) await mined(Promise.resolve(sent));
    await local.automine(true);
    await local.pass(12);
    to = await local.provider.getBlockNumber();
    proxy = await faultyNode(local.chain.url);
    chain = await connectTo(proxy.url);
  });
  after(async () => {
    chain?.close();
    await proxy?.close();
    await local?.end();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    proxy.fault = null;
    proxy.seen.length = 0;
  });

  const source = () => rangeSource(RANGE_SOURCES, chain, { chainId: CHAIN, source: "curve", subject: address });
  const collect = (): Promise<RangeRows> => source().collect(from, to, new AbortController().signal);
  const negative = (amounts: readonly bigint[]): string[] => amounts.map((amount) => String(-amount));

  it("are each event's amounts by coin, its fees, receipts, time, gas and place, as pool, chain and receipt say", async () => {
    const { rows, toHash } = await collect();
    expect(toHash).to.equal((await local.provider.getBlock(to))?.hash);
    expect(rows.map(({ kind }) => kind)).to.deep.equal([
      ...["swap", "swap", "mint", "burn", "burn"],
      ...["burn", "burn", "burn", "burn", "burn"],
    ]);
    const takenOut = [0, 1, 2, 2, 0];
    for (const [place, receipt] of receipts.entries()) {
      const block = await local.provider.getBlock(receipt.blockNumber);
      const log = receipt.logs.find((each) => each.address.toLowerCase() === address)!;
      const said = pool.interface.parseLog(log)!;
      const row = rows[place]!;
      expect(row).to.deep.include({
        ...{ chainId: CHAIN, source: "curve", pool: address },
        ...{ block: receipt.blockNumber, blockHash: receipt.blockHash, txHash: receipt.hash },
        ...{ txIndex: receipt.index, logIndex: log.index },
        ...{ observedAt: block?.timestamp, availableAt: block?.timestamp },
        ...{ sender: local.signer("trader").address.toLowerCase(), recipient: null },
        ...{ gasUsed: String(receipt.gasUsed), gasPriceWei: String(receipt.gasPrice) },
        ...{ amount0: row.coinAmounts?.[0], amount1: row.coinAmounts?.[1] },
        ...{ sqrtPriceX96: null, tick: null, tickLower: null, tickUpper: null, priceImpactBps: null },
      });
      const values = said.args.toObject() as Record<string, bigint & bigint[]>;
      const fees = values["fees"] === undefined ? null : [...values["fees"]].map(String);
      const supply = values["token_supply"] === undefined ? null : String(values["token_supply"]);
      expect([row.coinFees, row.receipts]).to.deep.equal([fees, supply]);
      const expected = ["0", "0", "0"];
      switch (said.name) {
        case "TokenExchange":
          expected[Number(values["sold_id"])] = String(values["tokens_sold"]);
          expected[Number(values["bought_id"])] = String(-values["tokens_bought"]!);
          break;
        case "AddLiquidity":
          expected.splice(0, 3, ...[...values["token_amounts"]!].map(String));
          break;
        case "RemoveLiquidityOne":
          expected[takenOut[place - 5]!] = String(-values["coin_amount"]!);
          expect(row.liquidity).to.equal(String(values["token_amount"]));
          break;
        default:
          expected.splice(0, 3, ...negative([...values["token_amounts"]!]));
      }
      expect(row.coinAmounts, said.name).to.deep.equal(expected);
    }
  });

  it("add up to what the pool's tokens changed by, and to the receipts outstanding", async () => {
    const { rows } = await collect();
    for (const [place, coin] of coins.entries()) {
      const token = ERC20__factory.connect(coin, local.provider);
      const held = (block: number): Promise<bigint> => token.balanceOf(address, { blockTag: block });
      const moved = rows.reduce((sum, { coinAmounts }) => sum + BigInt(coinAmounts?.[place] ?? 0), 0n);
      expect(moved).to.equal((await held(to)) - (await held(from - 1)));
    }
    const token = ERC20__factory.connect(local.protocols.threePool.token, local.provider);
    const last = rows.findLast((row) => row.receipts !== null) as EventRow;
    expect(last.receipts).to.equal(String(await token.totalSupply({ blockTag: last.block })));
  });

  describe("that take out one coin", () => {
    const transfer = ERC20__factory.createInterface().getEvent("Transfer").topicHash;
    interface RawLog {
      readonly address: string;
      readonly data: string;
      readonly logIndex: string;
      readonly transactionHash: string;
      readonly blockNumber: string;
    }
    /** The node says of the transfers of a block what `change` makes of them. */
    function transfersAre(change: (honest: readonly RawLog[]) => readonly RawLog[]): void {
      proxy.fault = (request, response) => {
        const [filter] = request.params as [{ topics?: unknown[] }];
        if (request.method !== "eth_getLogs" || filter.topics?.[0] !== transfer) return false;
        void local.provider.send("eth_getLogs", [filter]).then((honest: RawLog[]) => {
          response.end(answer(request, change(honest)));
        });
        return true;
      };
    }
    const word = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;

    it("are of the one that was paid right before, whatever is transferred after", async () => {
      const { rows } = await collect();
      transfersAre((honest) => [
        ...honest,
        ...honest.map((log) => ({
          ...log,
          address: coins[1] ?? "",
          logIndex: `0x${(Number(log.logIndex) + 900).toString(16)}`,
        })),
      ]);
      expect((await collect()).rows).to.deep.equal(rows);
    });

    it("have none made up where its transfer is missing, of another amount, or of another transaction", async () => {
      const { rows } = await collect();
      const last = rows.at(-1) as EventRow;
      const taken = -BigInt(last.coinAmounts?.[0] ?? 0);
      const isLast = (log: RawLog): boolean => log.transactionHash === last.txHash;
      const changes: ((honest: readonly RawLog[]) => readonly RawLog[])[] = [
        () => [],
        (honest) => honest.map((log) => (isLast(log) ? { ...log, data: word(taken - 1n) } : log)),
        (honest) => honest.map((log) => (isLast(log) ? { ...log, transactionHash: `0x${"07".repeat(32)}` } : log)),
      ];
      for (const change of changes) {
        transfersAre(change);
        const only = { from: last.block, to: last.block };

        const failure = await failureOf(source().collect(only.from, only.to, new AbortController().signal));
        expect(failure.code).to.equal("SOURCE_GARBAGE");
      }
    });
  });

  it("have the times that logs state where these are right, and else those of the blocks' headers", async () => {
    const headers = (): number => proxy.seen.filter(({ method }) => method === "eth_getBlockByNumber").length;
    const { rows } = await collect();
    expect(headers(), "the range's last one twice, and those of the first and last log").to.be.at.most(4);
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getLogs") return false;
      void local.provider.send("eth_getLogs", [...request.params]).then((logs: object[]) => {
        response.end(
          answer(
            request,
            logs.map((log) => ({ ...log, blockTimestamp: "0x1" })),
          ),
        );
      });
      return true;
    };
    expect((await collect()).rows).to.deep.equal(rows);
  });

  it("are refused as a chunk where the last block changed while it was read", async () => {
    let asked = 0;
    proxy.fault = (request, response) => {
      if (request.method !== "eth_getBlockByNumber" || Number(request.params[0]) !== to) return false;
      asked += 1;
      if (asked < 2) return false;
      void local.provider.send("eth_getBlockByNumber", [...request.params]).then((block: object) => {
        response.end(answer(request, { ...block, hash: `0x${"de".repeat(32)}` }));
      });
      return true;
    };
    expect((await failureOf(collect())).code).to.equal("CHUNK_REORGED");
  });

  it("are of a pool whose coins are found, and of nothing else", async () => {
    expect(await coinsOf(chain, address)).to.deep.equal(coins);
    for (const other of [local.protocols.threePool.token, ZeroAddress]) {
      expect((await failureOf(coinsOf(chain, other))).code).to.equal("SOURCE_GARBAGE");
    }
  });

  it("are brought by tiller backfill, a second run of which changes nothing, and summed as volume", async () => {
    const config = path.join(folder, "tiller.config.json");
    writeFileSync(
      config,
      JSON.stringify({ dataDir: "backfill", chain: { rpcUrls: [local.chain.url], finalityBlocks: 2 } }),
    );
    const args = ["backfill", "--chain", String(CHAIN), "--config", config, "--json"];
    const range = ["--source", "curve", "--pool", address, "--from", String(from), "--to", String(to)];
    const first = await tiller([...args, ...range]);
    expect(first.code, first.stderr).to.equal(0);
    const report = JSON.parse(first.stdout) as { rows: number; checksum: string; gaps: unknown[] };
    expect(report).to.deep.include({ rows: receipts.length, gaps: [] });
    const again = JSON.parse((await tiller([...args, ...range])).stdout) as typeof report & { collected: object };
    expect(again).to.deep.include({ checksum: report.checksum, collected: { chunks: 0, blocks: 0, rows: 0 } });

    const store = await openStore({ dataDir: path.join(folder, "backfill"), sink: silent });
    try {
      const query = { chainId: CHAIN, source: "curve", pool: address };
      const stored: EventRow[] = [];
      const all = { ...query, fromBlock: 0, toBlock: to };
      for await (const page of store.history.events(all)) stored.push(...page);
      expect(stored).to.deep.equal((await collect()).rows);
      const day = { seconds: 86_400, from: 0, to: 4e9, knownBy: 4e9 };
      const volume = await store.history.volumes({ ...query, ...day });
      const swaps = stored.filter(({ kind }) => kind === "swap");
      expect(volume.reduce((sum, bucket) => sum + bucket.swaps, 0)).to.equal(swaps.length);
      const sold = (place: number): bigint => volume.reduce((sum, bucket) => sum + BigInt(bucket.sold[place] ?? 0), 0n);
      expect([0, 1, 2].map(sold)).to.deep.equal([5_000n * DAI, 20_000n * USDC, 0n]);
    } finally {
      await store.close();
    }
  });

  it("are kept up to the head as they come", async () => {
    const store = await openStore({ dataDir: path.join(folder, "live"), sink: silent });
    try {
      const options = {
        ...{ source: source(), name: "curve events", store: store.history, sink: silent },
        settle: () => settle(store.history, chain, { finalityBlocks: 2 }),
      };
      const follow = async (): Promise<void> => {
        const number = await local.provider.getBlockNumber();
        await followEvents(options, { number, now: () => 0 }, new AbortController().signal);
      };
      await follow();
      const trader = ThreePoolModel__factory.connect(address, local.signer("trader"));
      const receipt = await (await trader.exchange(1, 0, 77n * USDC, 0n, GAS)).wait();
      await follow();
      const query = { chainId: CHAIN, source: "curve", pool: address, fromBlock: to, toBlock: 1e9 };
      const rows: EventRow[] = [];
      for await (const page of store.history.events(query)) rows.push(...page);
      expect(rows.map(({ txHash }) => txHash)).to.deep.equal([receipt?.hash]);
      expect(rows[0]?.coinAmounts?.[1]).to.equal(String(77n * USDC));
    } finally {
      await store.close();
    }
  });
});
