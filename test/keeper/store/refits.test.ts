// Refits in every PostgreSQL that is here: one at a time over all processes, and how each ended.
import { expect } from "chai";
import type { Store } from "../../../keeper/store/records";
import { onEveryServer } from "./fixtures/servers";

const HASH = "c".repeat(64);

onEveryServer("refits", (open) => {
  let store: Store;
  before(async () => {
    store = open();
    await store.models.register({ hash: HASH, name: "refit", card: "{}" });
  });

  it("are told newest first, with how they ended", async () => {
    const first = await store.refits.begin(1);
    await store.refits.end(first, { outcome: "failed", reason: "no Python" });
    const second = await store.refits.begin(1);
    await store.refits.end(second, { outcome: "done", hash: HASH });
    const running = await store.refits.begin(1);
    const rows = await store.refits.list(1, 10);
    expect(rows.map(({ id, outcome, hash, reason }) => [id, outcome, hash, reason])).to.deep.equal([
      [running, "running", null, null],
      [second, "done", HASH, null],
      [first, "failed", null, "no Python"],
    ]);
    expect(rows[0]?.endedAt).to.equal(null);
    expect(rows[1]?.endedAt).to.be.at.least(rows[1]?.begunAt as number);
    expect((await store.refits.list(1, 1)).length).to.equal(1);
  });

  it("are abandoned by the next one where their process was gone, on their own chain", async () => {
    const [lost, elsewhere] = [await store.refits.begin(2), await store.refits.begin(3)];
    const next = await store.refits.begin(2);
    expect((await store.refits.list(2, 2)).map(({ id, outcome }) => [id, outcome])).to.deep.equal([
      [next, "running"],
      [lost, "abandoned"],
    ]);
    expect((await store.refits.list(3, 2)).map(({ id, outcome }) => [id, outcome])).to.deep.equal([
      [elsewhere, "running"],
    ]);
    // What it would say now comes too late.
    await store.refits.end(lost, { outcome: "done", hash: HASH });
    expect((await store.refits.list(2, 2))[1]?.outcome).to.equal("abandoned");
  });

  it("are carried out by one process at a time, on each chain", async () => {
    const lead = await store.tryRefit(1);
    expect(lead).to.not.equal(null);
    expect(await store.tryRefit(1)).to.equal(null);
    const other = await store.tryRefit(2);
    expect(other).to.not.equal(null);
    await Promise.all([lead?.release(), other?.release()]);
    const again = await store.tryRefit(1);
    expect(again).to.not.equal(null);
    await again?.release();
  });
});
