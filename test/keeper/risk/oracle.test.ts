import { expect } from "chai";
import type { AdapterSnapshot } from "../../../keeper/chain/snapshot";
import { feedTrouble, venueOracle, type FeedState } from "../../../keeper/risk/oracle";
import { adapters } from "../decide/vaultSnapshot";
import { uniswapAdapter } from "./pools";

const feed = (change: Partial<FeedState> = {}): FeedState => ({
  subject: "usdt-usd",
  feed: "0x1",
  venues: ["uniswap-v3-usdc-usdt", "curve-3pool"],
  ofAsset: false,
  price: 1,
  ageSeconds: 100,
  heartbeatSeconds: 90_000,
  ...change,
});
const asset = feed({ subject: "usdc-usd", ofAsset: true });

function judged(adapter: AdapterSnapshot, feeds: readonly FeedState[], pools: readonly AdapterSnapshot[] = [adapter]) {
  return venueOracle(adapter, { feeds, pools, assetDecimals: 6, depegBps: 100 });
}

describe("oracle risk", () => {
  it("names what is wrong with a feed, with the numbers", () => {
    expect(feedTrouble(feed(), 100)).to.equal(null);
    expect(feedTrouble(feed({ price: 0.9901 }), 100)).to.equal(null);
    expect(feedTrouble(feed({ price: 0.9899 }), 100)).to.equal("usdt-usd is at 0.9899, over 100 bp from par");
    expect(feedTrouble(feed({ price: 1.02 }), 100)).to.match(/1\.0200/);
    expect(feedTrouble(feed({ ageSeconds: 90_001 }), 100)).to.match(/90001 s old, over its 90000 s/);
    expect(feedTrouble(feed({ price: null }), 100)).to.match(/gives no price/);
  });

  it("leaves venues alone that hang on no feed, whatever the asset's own says", () => {
    const [aave] = adapters();
    if (aave === undefined) throw new Error("there is one");
    expect(judged(aave, [{ ...asset, price: 0.5 }, feed({ price: null })])).to.deep.equal({
      ...{ feeds: [], trouble: null, deviation: null, singleSource: false, score: 100 },
    });
  });

  it("takes a pool's own mean price for the second source, and says how far the two are apart", () => {
    const pool = uniswapAdapter({ meanTick: 0 });
    const agreed = judged(pool, [asset, feed()]);
    expect(agreed).to.include({ singleSource: false, score: 100 });
    expect(agreed.deviation).to.be.closeTo(0, 1e-9);
    const apart = judged(uniswapAdapter({ meanTick: 30 }), [asset, feed()]);
    expect(apart.deviation).to.be.closeTo(0.003, 1e-4);
    expect(apart.score).to.be.closeTo(80, 0.5);
    // A feed that says as much agrees again: a tick up makes the asset, token0, dearer in the other coin.
    expect(judged(uniswapAdapter({ meanTick: 30 }), [asset, feed({ price: 0.997 })]).deviation).to.be.closeTo(0, 1e-4);
    const other = uniswapAdapter({ meanTick: 30, assetFirst: false });
    expect(judged(other, [asset, feed({ price: 1.003 })]).deviation).to.be.closeTo(0, 1e-4);
  });

  it("counts a single source for less, and a late one for less still; one in trouble for nothing", () => {
    const pool = uniswapAdapter({ meanTick: 0 });
    const dai = feed({ subject: "dai-usd", venues: ["curve-3pool"] });
    const curve = { ...pool, id: "curve-3pool", kind: "curve-3pool" as const, state: null };
    expect(judged(curve, [asset, dai], [curve, pool])).to.include({ singleSource: true, score: 75 });
    expect(judged(curve, [asset, feed(), dai], [curve, pool])).to.include({ singleSource: true });
    expect(judged(pool, [asset, feed({ ageSeconds: 85_000 })]).score).to.equal(60);
    const stale = judged(pool, [asset, feed({ ageSeconds: 90_001 })]);
    expect(stale.score).to.equal(0);
    expect(stale.trouble).to.match(/90001/);
    // The asset's own price is asked by the pool too.
    expect(judged(pool, [{ ...asset, price: 0.95 }, feed()]).score).to.equal(0);
  });
});
