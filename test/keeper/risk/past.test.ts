import { expect } from "chai";
import { STRETCH_SECONDS, VenuePast } from "../../../keeper/risk/past";
import type { ObservationRow } from "../../../keeper/store/records";
import { observationRow } from "../store/fixtures/rows";

const at = (observedAt: number, change: Partial<ObservationRow> = {}): ObservationRow =>
  observationRow({ observedAt, availableAt: observedAt + 1, supplied: "1000", borrowed: "900", ...change });

describe("the past of venues", () => {
  it("keeps the last point of each stretch, and what is not older than it may be", () => {
    const past = new VenuePast({ keepSeconds: 10 * STRETCH_SECONDS });
    for (let k = 0; k < 3_000; k += 1) past.add([at(k * 12)]);
    const points = past.of("aave-v3-usdc");
    expect(points.at(-1)?.at).to.equal(2_999 * 12);
    expect(points.length).to.be.within(10, 12);
    expect(points[0]?.at).to.be.at.least(2_999 * 12 - 10 * STRETCH_SECONDS);
    for (const { at: time } of points.slice(0, -1)) expect(time % STRETCH_SECONDS).to.equal(STRETCH_SECONDS - 12);
  });

  it("is the same whether rows come at once or one by one, and ignores what is older", () => {
    const rows = Array.from({ length: 50 }, (_, k) => at(k * 300));
    const [once, slowly] = [new VenuePast({ keepSeconds: 1e6 }), new VenuePast({ keepSeconds: 1e6 })];
    once.add(rows);
    for (const row of rows) slowly.add([row]);
    slowly.add([at(10, { vaultAssets: "5" })]);
    expect(slowly.of("aave-v3-usdc")).to.deep.equal(once.of("aave-v3-usdc"));
  });

  it("has no cash of a venue that lends to nobody, and no index where there is none", () => {
    const past = new VenuePast({ keepSeconds: 1e6 });
    past.add([at(0), at(0, { venue: "savings", borrowed: null, index: null })]);
    expect(past.of("aave-v3-usdc")[0]).to.include({ cash: 100, debt: 900, ours: 77 });
    expect(past.of("savings")[0]).to.include({ cash: null, debt: null, index: null });
    expect(past.of("nowhere")).to.deep.equal([]);
  });
});
