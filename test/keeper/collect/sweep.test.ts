// A sweep over the local chain's venues: one call for all of them, of one block, and what goes wrong with one source, or with
// the node, does not become a wrong number.
import { expect } from "chai";
import type { Chain } from "../../../keeper/chain/connect";
import type { Head } from "../../../keeper/chain/heads";
import { readSnapshot } from "../../../keeper/chain/readSnapshot";
import { chainlinkCollector } from "../../../keeper/collect/chainlink";
import { locateErc4626 } from "../../../keeper/collect/erc4626";
import { locate } from "../../../keeper/collect/locate";
import { ask, askIfThere, Questions } from "../../../keeper/collect/questions";
import type { ChainCollector, Reading } from "../../../keeper/collect/reading";
import { sweep, type Sweep } from "../../../keeper/collect/sweep";
import type { WorldFailure } from "../../../keeper/config/failure";
import { answer, faultyNode, refusal, respond, type FaultyNode, type RpcRequest } from "../chain/fixtures/faultyNode";
import { connectTo, startLocalVenues, type LocalVenues } from "./localVenues";

const placed = (digits: string): string => `0x${digits.repeat(20)}`;
/** JUMPDEST, PUSH1 0, JUMP. */
const LOOPS = { at: placed("a1"), code: "0x5b600056" };
/** Answers with a million zeros: PUSH3 1000000, PUSH1 0, RETURN. */
const FLOODS = { at: placed("a2"), code: "0x620f42406000f3" };
/** PUSH1 0, PUSH1 0, REVERT. */
const REVERTS = { at: placed("a3"), code: "0x60006000fd" };
/** PUSH1 7, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
const SEVEN = { at: placed("a4"), code: "0x600760005260206000f3" };
const NOBODY = placed("a5");

/** Asks one contract one number. */
function oneNumber(subject: string, to: string, options: { readonly optional?: boolean } = {}): ChainCollector {
  const signature = "function number() view returns (uint256)";
  const questions = new Questions(`test ${subject}`, {
    number: options.optional === true ? askIfThere(to, signature) : ask(to, signature),
  });
  return {
    source: "test",
    subject,
    calls: () => questions.calls,
    decode: (answers) => {
      const { number } = questions.read(answers);
      return {
        source: "test",
        subject,
        state: { number: number === null ? null : String(number.uint()) },
        rates: null,
      };
    },
  };
}

describe("a sweep", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let proxy: FaultyNode;
  /** Through the proxy. */
  let chain: Chain;
  let collectors: readonly ChainCollector[];
  let head: Head;

  before(async () => {
    local = await startLocalVenues();
    for (const { at, code } of [LOOPS, FLOODS, REVERTS, SEVEN]) await local.rpc("anvil_setCode", [at, code]);
    await local.rpc("evm_mine");
    head = await local.head();
    proxy = await faultyNode(local.url);
    chain = await connectTo(proxy.url);
    const located = await locate(chain, head, local.targets.sources);
    expect(located.failures).to.deep.equal([]);
    collectors = located.collectors;
  });
  after(async () => {
    chain.close();
    await proxy.close();
    await local.end();
  });
  beforeEach(() => {
    proxy.fault = null;
    proxy.seen.length = 0;
  });

  const codes = ({ failures }: Sweep): string[] => failures.map(({ subject, failure }) => `${subject} ${failure.code}`);
  const state = (swept: Sweep, subject: string): Reading["state"] =>
    swept.readings.find((reading) => reading.subject === subject)?.state ?? {};
  const failure = async (work: Promise<unknown>): Promise<WorldFailure> =>
    work.then(
      () => expect.fail("nothing was thrown"),
      (error: unknown) => error as WorldFailure,
    );

  it("reads every venue in one eth_call, pinned by the block's hash", async () => {
    const swept = await sweep(chain, head, collectors);
    expect(codes(swept)).to.deep.equal([]);
    expect(swept.readings.map(({ subject }) => subject)).to.deep.equal(collectors.map(({ subject }) => subject));
    expect(swept.requests).to.equal(1);
    expect(proxy.seen.map(({ method }) => method)).to.deep.equal(["eth_call"]);
    const [transaction, block] = proxy.seen[0]?.params as [object, object];
    expect(Object.keys(transaction)).to.deep.equal(["data"]);
    expect(block).to.deep.equal({ blockHash: head.hash, requireCanonical: true });
  });

  it("locates sources in two rounds, whatever their number", async () => {
    await locate(chain, head, local.targets.sources);
    expect(proxy.seen.map(({ method }) => method)).to.deep.equal(["eth_call", "eth_call"]);
  });

  it("reads the numbers that the vault's lens reads at the same block", async () => {
    const swept = await sweep(chain, head, collectors);
    const { addresses } = local.genesis;
    const snapshot = await readSnapshot(chain, head, { addresses, keeper: addresses.keepers[0] ?? "" });
    for (const { id, state: lens } of snapshot.adapters) {
      const own = state(swept, id);
      switch (lens?.kind) {
        case "aave-v3":
          expect(own).to.include({
            cash: String(lens.cash),
            normalizedIncome: String(lens.liquidityIndex),
            liquidityRate: String(lens.liquidityRate),
            variableBorrowRate: String(lens.variableBorrowRate),
            slope1: String(lens.slope1),
            slope2: String(lens.slope2),
            optimalUsage: String(lens.optimalUsage),
            reserveFactorBps: Number(lens.reserveFactorBps),
            ...{ active: lens.active, frozen: lens.frozen, paused: lens.paused },
          });
          // The lens rounds the debt down, the protocol half up.
          expect(Number(BigInt(own["variableDebt"] as string) - lens.borrowed)).to.be.within(0, 1);
          break;
        case "compound-v3":
          expect(own).to.include({
            cash: String(lens.cash),
            supplied: String(lens.supplied),
            borrowed: String(lens.borrowed),
            supplyRatePerSecond: String(lens.supplyRatePerSecond),
            borrowRatePerSecond: String(lens.borrowRatePerSecond),
          });
          break;
        case "erc4626":
          expect(own).to.include({ totalAssets: String(lens.totalAssets), totalShares: String(lens.totalShares) });
          break;
        case "sky-savings":
          expect(own).to.include({ ratePerSecond: String(lens.ratePerSecond), index: String(lens.assetsPerShare) });
          break;
        case "curve-3pool":
          expect(own).to.deep.include({
            virtualPrice: String(lens.virtualPrice),
            receipts: String(lens.receipts),
            balances: lens.balances.map(String),
            amplification: String(lens.amplification),
            fee: String(lens.fee),
          });
          break;
        case "uniswap-v3":
          expect(own).to.deep.include({
            sqrtPriceX96: String(lens.sqrtPrice),
            liquidity: String(lens.liquidity),
            feePips: lens.feePips,
            meanSeconds: lens.windowSeconds,
            meanTick: lens.meanTick,
            feeGrowthGlobal0X128: String(lens.assetFirst ? lens.feeGrowthAsset : lens.feeGrowthPaired),
            feeGrowthGlobal1X128: String(lens.assetFirst ? lens.feeGrowthPaired : lens.feeGrowthAsset),
          });
          expect((own["balances"] as string[])[lens.assetFirst ? 0 : 1]).to.equal(String(lens.cash));
          break;
        case undefined:
      }
    }
    expect(snapshot.adapters.filter(({ state: lens }) => lens !== null)).to.have.length(6);
  });

  it("has savings' index grow between two blocks by the rate that it reads", async () => {
    const before = await sweep(chain, head, collectors);
    await local.rpc("evm_increaseTime", [86_400]);
    await local.rpc("evm_mine");
    const later = await local.head();
    const after = await sweep(chain, later, collectors);
    const index = (swept: Sweep): number => Number(state(swept, "sky-susds")["index"]);
    const apr = after.readings.find(({ subject }) => subject === "sky-susds")?.rates?.supplyApr ?? 0;
    const grown = ((index(after) / index(before) - 1) * 31_536_000) / (later.timestamp - head.timestamp);
    expect(apr).to.be.above(0.01);
    expect(grown / apr).to.be.closeTo(1, 1e-3);
  });

  it("fails one source that reverts, loops, is not there or answers too much, and no other", async () => {
    const swept = await sweep(chain, head, [
      oneNumber("before", SEVEN.at),
      oneNumber("loops", LOOPS.at),
      oneNumber("reverts", REVERTS.at),
      oneNumber("nobody", NOBODY),
      oneNumber("nobody-optional", NOBODY, { optional: true }),
      chainlinkCollector({ subject: "no-feed", feed: FLOODS.at, heartbeatSeconds: 1 }),
      oneNumber("after", SEVEN.at),
      ...collectors,
    ]);
    expect(codes(swept)).to.deep.equal([
      "loops SOURCE_REVERTED",
      "reverts SOURCE_REVERTED",
      "nobody SOURCE_REVERTED",
      "no-feed SOURCE_GARBAGE",
    ]);
    expect(state(swept, "before")).to.deep.equal({ number: "7" });
    expect(state(swept, "after")).to.deep.equal({ number: "7" });
    expect(state(swept, "nobody-optional")).to.deep.equal({ number: null });
    expect(swept.readings).to.have.length(collectors.length + 3);
  });

  it("cuts an answer that is too long rather than lose the others to it", async () => {
    const swept = await sweep(chain, head, [oneNumber("floods", FLOODS.at), oneNumber("seven", SEVEN.at)]);
    expect(state(swept, "floods")).to.deep.equal({ number: "0" });
    expect(state(swept, "seven")).to.deep.equal({ number: "7" });
    expect(swept.requests).to.equal(1);
  });

  it("takes as few calls as the chain's limits allow, and mixes none of the answers up", async () => {
    const many = Array.from({ length: 600 }, (_, place) => oneNumber(`n${place}`, place % 3 === 0 ? NOBODY : SEVEN.at));
    const swept = await sweep(chain, head, many);
    expect(swept.requests).to.be.within(3, 5);
    expect(swept.failures).to.have.length(200);
    expect(swept.readings.map(({ subject }) => subject)).to.deep.equal(
      many.filter((_, place) => place % 3 !== 0).map(({ subject }) => subject),
    );
  });

  it("asks for no more answers at once than fit, so that none is refused for its length", async () => {
    const long = `function many() view returns (${Array.from({ length: 31 }, () => "uint256").join(", ")})`;
    const questions = new Questions("test long", { many: askIfThere(NOBODY, long) });
    const wide = Array.from({ length: 66 }, (_, place): ChainCollector => ({
      ...{ source: "test", subject: `wide${place}`, calls: () => questions.calls },
      decode: (answers) => ({
        ...{ source: "test", subject: `wide${place}`, rates: null },
        state: { none: questions.read(answers).many === null },
      }),
    }));
    // 22 of 992 bytes each are just under 24,000 bytes with what they are wrapped in.
    expect((await sweep(chain, head, wide)).requests).to.equal(3);
    expect((await sweep(chain, head, wide.slice(0, 22))).requests).to.equal(1);
  });

  it("asks for less at a time where a node refuses the whole", async () => {
    const whole = await sweep(chain, head, collectors);
    proxy.fault = (request, response) => {
      if (dataOf(request).length < 10_000) return false;
      return Boolean(response.end(refusal(request, -32_000, "out of gas")));
    };
    const parts = await sweep(chain, head, collectors);
    expect(parts.requests).to.be.above(2);
    expect({ ...parts, requests: 1 }).to.deep.equal(whole);
  });

  it("says of a call that the node will not make that it was not made, also of an optional one", async () => {
    proxy.fault = (request, response) => {
      if (!dataOf(request).includes(REVERTS.at.slice(2))) return false;
      return Boolean(response.end(refusal(request, -32_000, "not recorded")));
    };
    const swept = await sweep(chain, head, [
      oneNumber("seven", SEVEN.at),
      oneNumber("optional", REVERTS.at, { optional: true }),
      ...collectors,
    ]);
    expect(codes(swept)).to.deep.equal(["optional SOURCE_UNREAD"]);
    expect(swept.readings).to.have.length(collectors.length + 1);
  });

  it("reads what a loop keeps another call from, where the node gives a call little gas", async () => {
    proxy.fault = (request, response) => {
      if (request.method !== "eth_call") return false;
      // Twice what one call may use.
      const poor = { ...(request.params[0] as object), gas: "0x5b8d80" };
      void direct("eth_call", [poor, request.params[1]]).then((result) => response.end(answer(request, result)));
      return true;
    };
    const swept = await sweep(chain, head, [
      oneNumber("loops", LOOPS.at, { optional: true }),
      oneNumber("seven", SEVEN.at),
      oneNumber("optional", SEVEN.at, { optional: true }),
    ]);
    expect(codes(swept)).to.deep.equal([]);
    expect(swept.readings.map((reading) => reading.state["number"])).to.deep.equal([null, "7", "7"]);
    expect(swept.requests).to.equal(2);
  });

  it("refuses the state of another block", async () => {
    const previous = (await chain.request("eth_getBlockByHash", [head.parentHash, false])) as { number: string };
    proxy.fault = (request, response) => {
      if (request.method !== "eth_call") return false;
      void direct("eth_call", [request.params[0], previous.number]).then((result) =>
        response.end(answer(request, result)),
      );
      return true;
    };
    expect((await failure(sweep(chain, head, collectors))).code).to.equal("SNAPSHOT_OF_ANOTHER_BLOCK");
  });

  it("says that a block is gone when the node does not have it", async () => {
    const gone = { ...head, hash: `0x${"de".repeat(32)}` };
    expect((await failure(sweep(chain, gone, collectors))).code).to.equal("BLOCK_GONE");
  });

  const replies: [string, string, string][] = [
    ["null", '{"jsonrpc":"2.0","id":1,"result":null}', "RPC_GARBAGE"],
    ["nothing", '{"jsonrpc":"2.0","id":1,"result":"0x"}', "RPC_GARBAGE"],
    ["another contract's answer", `{"jsonrpc":"2.0","id":1,"result":"0x${"00".repeat(31)}07"}`, "RPC_GARBAGE"],
    ["HTML", "<html><body>Bad gateway</body></html>", "RPC_UNREACHABLE"],
    ["truncated JSON", '{"jsonrpc":"2.0","id":1,"res', "RPC_UNREACHABLE"],
  ];
  for (const [what, body, code] of replies) {
    it(`fails as a whole, typed, when the node answers ${what}`, async () => {
      proxy.fault = respond(200, body);
      expect((await failure(sweep(chain, head, collectors))).code).to.equal(code);
    });
  }

  it("says which source could not be located, and locates the others", async () => {
    const located = await locate(chain, head, [
      locateErc4626({ subject: "no-vault", vault: SEVEN.at, usd: 1 }),
      locateErc4626({ subject: "savings", vault: local.genesis.protocols.savings, usd: 1 }),
    ]);
    expect(located.collectors.map(({ subject }) => subject)).to.deep.equal(["savings"]);
    // It names 7 as its asset: an address where nothing is.
    expect(located.failures.map(({ subject, failure: { code } }) => [subject, code])).to.deep.equal([
      ["no-vault", "SOURCE_REVERTED"],
    ]);
  });

  it("says that a source moved when the reserve has another strategy than when it was located", async () => {
    const at = { chainId: chain.chainId, number: head.number, hash: head.hash, timestamp: head.timestamp };
    const aave = collectors.find(({ subject }) => subject === "aave-v3-usdc");
    const strategy = (await sweep(chain, head, collectors)).readings.find(({ subject }) => subject === "aave-v3-usdc")
      ?.state["strategy"] as string;
    const spy: ChainCollector = {
      source: "aave-v3",
      subject: "moved",
      calls: () => aave?.calls() ?? [],
      decode: (answers) => {
        const moved = answers.map(
          (each) => each?.replaceAll(strategy.slice(2).toLowerCase(), SEVEN.at.slice(2)) ?? null,
        );
        return aave?.decode(moved, at) ?? expect.fail("there is an Aave venue");
      },
    };
    expect(codes(await sweep(chain, head, [spy]))).to.deep.equal(["moved SOURCE_MOVED"]);
  });

  it("asks nothing where there is nothing to collect", async () => {
    expect((await sweep(chain, head, [])).readings).to.deep.equal([]);
    expect(proxy.seen).to.deep.equal([]);
  });

  const dataOf = (request: RpcRequest): string =>
    request.method === "eth_call" ? (request.params[0] as { data: string }).data : "";

  /** Past the proxy. */
  const direct = (method: string, params: readonly unknown[]): Promise<unknown> => local.rpc(method, params);
});
