// Which feeds the vault leans on, asked of its own contracts on the local chain.
import { expect } from "chai";
import { locateFeeds } from "../../../keeper/collect/vaultFeeds";
import { startLocalVenues, type LocalVenues } from "./localVenues";

describe("the feeds that the vault leans on", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  before(async () => {
    local = await startLocalVenues();
  });
  after(() => local?.end());

  it("are those of its breaker's conditions and its pools, each once, with who asks it and when it is stale", async () => {
    const { addresses, protocols } = local.genesis;
    const found = await locateFeeds(local.chain, await local.head(), addresses);
    const bySubject = new Map(found.map((feed) => [feed.subject, feed]));
    expect([...bySubject.keys()]).to.have.members(["usdc-usd", "usdt-usd", "dai-usd"]);
    expect(found).to.have.length(3);
    const usdc = bySubject.get("usdc-usd");
    expect(usdc?.feed.toLowerCase()).to.equal(protocols.feeds.usdc.toLowerCase());
    expect(usdc).to.include({ ofAsset: true, heartbeatSeconds: 90_000 });
    expect(usdc?.venues).to.have.members(["curve-3pool", "uniswap-v3-usdc-usdt"]);
    expect(bySubject.get("usdt-usd")).to.deep.include({ ofAsset: false, heartbeatSeconds: 90_000 });
    expect(bySubject.get("dai-usd")?.venues).to.deep.equal(["curve-3pool"]);
  });

  it("are the conditions' alone where there are no pools, and none where nothing names one", async () => {
    const { addresses } = local.genesis;
    const head = await local.head();
    const lending = addresses.adapters.filter(({ kind }) => kind === "aave-v3");
    const alone = await locateFeeds(local.chain, head, { ...addresses, adapters: lending });
    expect(alone.map(({ subject, ofAsset, venues }) => ({ subject, ofAsset, venues }))).to.deep.equal([
      { subject: "usdc-usd", ofAsset: true, venues: [] },
      // Sky's stable token leans on it.
      { subject: "dai-usd", ofAsset: false, venues: [] },
    ]);
    const { conditions: _conditions, ...without } = addresses;
    expect(await locateFeeds(local.chain, head, { ...without, adapters: lending })).to.deep.equal([]);
  });

  it("are not taken from a contract that has no such getters", async () => {
    const { addresses } = local.genesis;
    const wrong = addresses.adapters.map((one) =>
      one.kind === "curve-3pool" ? { ...one, adapter: addresses.vault } : one,
    );
    const found = await locateFeeds(local.chain, await local.head(), { ...addresses, adapters: wrong });
    expect(found.map(({ subject }) => subject)).to.have.members(["usdc-usd", "dai-usd", "usdt-usd"]);
    expect(found.flatMap(({ venues }) => venues)).to.not.include("curve-3pool");
  });
});
