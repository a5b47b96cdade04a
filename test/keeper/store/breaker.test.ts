// The keeper's own breaker in every PostgreSQL that is here: a trip is one row however often it is told, and stays open
// until it is reset.
import { expect } from "chai";
import type { BreakerTrip } from "../../../keeper/store/breakerRecords";
import type { Store } from "../../../keeper/store/records";
import { VAULT, snapshotRow } from "./fixtures/rows";
import { onEveryServer } from "./fixtures/servers";

const OF = { chainId: 31_337, vault: VAULT };
const OTHER = { chainId: 1, vault: VAULT };
const HOUR = 3_600;

type NewTrip = Pick<BreakerTrip, "cause" | "detail" | "closes" | "blockNumber" | "observedAt">;

const trip = (change: Partial<NewTrip> = {}): NewTrip => ({
  ...{ cause: "oracle", detail: "usdc-usd is at 0.9500", closes: false, blockNumber: 7, observedAt: 1_700_000_000 },
  ...change,
});

onEveryServer("the keeper's breaker", (open) => {
  let store: Store;
  before(() => {
    store = open();
  });

  it("is closed until something trips it, and trips once for each cause", async () => {
    expect(await store.breaker.open(OF)).to.deep.equal([]);
    expect(await store.breaker.trip(OF, trip())).to.equal(true);
    expect(await store.breaker.trip(OF, trip({ detail: "worse" }))).to.equal(false);
    expect(await store.breaker.trip({ ...OF, vault: VAULT.toLowerCase() }, trip())).to.equal(false);
    expect(await store.breaker.trip(OF, trip({ cause: "gas-spike", blockNumber: 9 }))).to.equal(true);
    const rows = await store.breaker.open({ ...OF, vault: VAULT.toUpperCase().replace("0X", "0x") });
    expect(
      rows.map(({ cause, detail, blockNumber, closes }) => ({ cause, detail, blockNumber, closes })),
    ).to.deep.equal([
      { cause: "oracle", detail: "usdc-usd is at 0.9500", blockNumber: 7, closes: false },
      { cause: "gas-spike", detail: "usdc-usd is at 0.9500", blockNumber: 9, closes: false },
    ]);
    expect(rows[0]).to.include({ observedAt: 1_700_000_000, resetAt: null, resetReason: null });
    expect(await store.breaker.open(OTHER)).to.deep.equal([]);
  });

  it("is told to close what is open, once", async () => {
    expect(await store.breaker.close(OF)).to.equal(2);
    expect(await store.breaker.close(OF)).to.equal(0);
    expect((await store.breaker.open(OF)).every(({ closes }) => closes)).to.equal(true);
  });

  it("is reset as a whole, with a reason that is kept, and can trip again after that", async () => {
    await store.breaker.trip(OTHER, trip());
    const done = await store.breaker.reset(OF, "the peg is back");
    expect(done.map(({ cause }) => cause)).to.have.members(["oracle", "gas-spike"]);
    expect(done[0]?.resetReason).to.equal("the peg is back");
    expect(await store.breaker.open(OF)).to.deep.equal([]);
    expect(await store.breaker.reset(OF, "again")).to.deep.equal([]);
    expect(await store.breaker.trip(OF, trip({ detail: "once more" }))).to.equal(true);
    const all = await store.breaker.trips(OF, 9);
    expect(all.map(({ detail, resetReason }) => [detail, resetReason])[0]).to.deep.equal(["once more", null]);
    expect(all).to.have.length(3);
    expect(await store.breaker.open(OTHER)).to.have.length(1);
  });

  it("measures from the highest share price since the last reset, digit for digit", async () => {
    const price = (sharePrice: string) => store.breaker.raise(OF, { sharePrice, observedAt: 1_700_000_000 });
    await price("1000000000000000000000000");
    await price("1000000000000000000000007");
    await price("1000000000000000000000003");
    expect(await store.breaker.reference(OF)).to.equal("1000000000000000000000007");
    expect(await store.breaker.reference(OTHER)).to.equal(null);
    await store.breaker.reset(OF, "it is lower now");
    expect(await store.breaker.reference(OF)).to.equal(null);
    await price("5");
    expect(await store.breaker.reference({ ...OF, vault: VAULT.toLowerCase() })).to.equal("5");
  });

  it("gives the last share price of each hour for what is reckoned from them", async () => {
    const start = 1_800_000_000;
    for (const [block, at] of [
      [1, start],
      [2, start + 600],
      [3, start + HOUR],
      [4, start + 3 * HOUR],
    ] as const) {
      const row = { blockNumber: 5_000 + block, observedAt: at, availableAt: at, sharePrice: String(block) };
      await store.saveSnapshot(snapshotRow(row), []);
    }
    const found = await store.sharePrices({ ...OF, from: start });
    expect(found).to.deep.equal([
      { at: start + 600, sharePrice: "2" },
      { at: start + HOUR, sharePrice: "3" },
      { at: start + 3 * HOUR, sharePrice: "4" },
    ]);
    expect(await store.sharePrices({ ...OF, from: start + 601 })).to.deep.equal(found.slice(1));
    expect(await store.sharePrices({ ...OF, from: start + 3 * HOUR + 1 })).to.deep.equal([]);
  });

  it("knows the newest row that was collected lately", async () => {
    const row = (availableAt: number) => ({
      ...{ observedAt: availableAt, availableAt, block: 1, blockHash: null, source: "test", index: null, flags: 0 },
      ...{ suppliedUsd: 1, borrowedUsd: 0, supplyApr: 0.01, borrowApr: 0.02 },
    });
    await store.history.addHistory({ chainId: 31_337, name: "one" }, [row(1_700_000_000), row(1_700_000_300)]);
    await store.history.addHistory({ chainId: 31_337, name: "two" }, [row(1_700_000_600)]);
    expect(await store.history.newest(31_337, ["one"], 1_699_999_000)).to.equal(1_700_000_300);
    expect(await store.history.newest(31_337, ["one", "two"], 1_699_999_000)).to.equal(1_700_000_600);
    expect(await store.history.newest(31_337, ["one"], 1_700_000_301)).to.equal(null);
    expect(await store.history.newest(1, ["one"], 0)).to.equal(null);
  });
});
