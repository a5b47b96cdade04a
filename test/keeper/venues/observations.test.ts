import { expect } from "chai";
import type { AdapterSnapshot, VaultSnapshot } from "../../../keeper/chain/snapshot";
import { snapshot as vaultSnapshot, holding } from "../decide/vaultSnapshot";
import type { ObservationRow } from "../../../keeper/store/records";
import { growthApr } from "../../../keeper/venues/erc4626";
import { modelOf } from "../../../keeper/venues/model";
import { observationsOf } from "../../../keeper/venues/observations";

const USDC = 10n ** 6n;
const YEAR = 31_536_000;

const observe = (snapshot: VaultSnapshot, previous: readonly ObservationRow[] = []): ObservationRow[] =>
  observationsOf(snapshot, { availableAt: snapshot.timestamp + 2, previous });

const rowOf = (rows: readonly ObservationRow[], venue: string): ObservationRow => {
  const row = rows.find((candidate) => candidate.venue === venue);
  if (row === undefined) throw new Error(`no row of ${venue}`);
  return row;
};

/** The snapshot later, with the savings index grown by `growth`. */
function later(snapshot: VaultSnapshot, seconds: number, growth: { times: bigint; of: bigint }): VaultSnapshot {
  return {
    ...snapshot,
    timestamp: snapshot.timestamp + seconds,
    blockNumber: snapshot.blockNumber + 1,
    adapters: snapshot.adapters.map((adapter): AdapterSnapshot =>
      adapter.state?.kind === "erc4626"
        ? {
            ...adapter,
            state: { ...adapter.state, assetsPerShare: (adapter.state.assetsPerShare * growth.times) / growth.of },
          }
        : adapter,
    ),
  };
}

describe("observations", () => {
  it("say what each lending venue pays, from its cash and debt", () => {
    const rows = observe(vaultSnapshot());
    // 90 % of 92 %: 6 % · 0.9/0.92 · 0.9 · 0.9.
    expect(rowOf(rows, "aave-v3-usdc").supplyApr).to.be.closeTo(((0.06 * 0.9) / 0.92) * 0.9 * 0.9, 1e-12);
    expect(rowOf(rows, "aave-v3-usdc").borrowApr).to.be.closeTo((0.06 * 0.9) / 0.92, 1e-12);
    expect(rowOf(rows, "aave-v3-usdc").supplied).to.equal("60000000000000");
    expect(rowOf(rows, "compound-v3-usdc").supplyApr).to.be.closeTo(0.039 * 0.85, 1e-9);
    expect(rowOf(rows, "compound-v3-usdc").borrowed).to.equal("17000000000000");
  });

  it("say what it would pay without us: more, since our money dilutes it", () => {
    const rows = observe(holding({ "aave-v3-usdc": 600_000n * USDC, "compound-v3-usdc": 400_000n * USDC }));
    const aave = rowOf(rows, "aave-v3-usdc");
    const usage = 54 / 59.4;
    expect(aave.supplyAprWithoutUs).to.be.closeTo(((0.06 * usage) / 0.92) * usage * 0.9, 1e-12);
    expect(aave.supplyApr).to.be.closeTo(((0.06 * 0.9) / 0.92) * 0.9 * 0.9, 1e-12);
    expect(aave.vaultAssets).to.equal("600000000000");
    expect(rowOf(rows, "compound-v3-usdc").supplyAprWithoutUs).to.be.closeTo((0.039 * 17) / 19.6, 1e-9);
  });

  it("take a venue that only our money funds as fully lent out without us", () => {
    const base = holding({ "aave-v3-usdc": 20_000_000n * USDC, "compound-v3-usdc": 10_000_000n * USDC });
    const rows = observe(base);
    expect(rowOf(rows, "aave-v3-usdc").supplyAprWithoutUs).to.be.closeTo(0.66 * 0.9, 1e-12);
    expect(rowOf(rows, "compound-v3-usdc").supplyAprWithoutUs).to.be.closeTo(0.039 * 0.9 + 3 * 0.1, 1e-8);
  });

  it("do not know a savings rate at the first sight, and then take the growth of the index", () => {
    const first = vaultSnapshot();
    const rows = observe(first);
    expect(rowOf(rows, "savings-usdc").supplyApr).to.equal(null);
    expect(rowOf(rows, "savings-usdc").index).to.equal(String(1_041_666n * 10n ** 6n));
    const grown = later(first, 3_600, { times: 100_001n, of: 100_000n });
    const apr = rowOf(observe(grown, rows), "savings-usdc").supplyApr ?? NaN;
    expect(apr).to.be.closeTo((1e-5 * YEAR) / 3_600, 1e-7);
    const fallen = later(first, 3_600, { times: 99_999n, of: 100_000n });
    expect(rowOf(observe(fallen, rows), "savings-usdc").supplyApr).to.be.below(0);
  });

  it("keep what is known of a block that is seen again", () => {
    const first = vaultSnapshot();
    const grown = later(first, 3_600, { times: 100_001n, of: 100_000n });
    const rows = observe(grown, observe(first));
    expect(rowOf(observe(grown, rows), "savings-usdc").supplyApr).to.equal(rowOf(rows, "savings-usdc").supplyApr);
  });

  it("leave out a venue that could not be read", () => {
    const base = vaultSnapshot();
    const adapters = base.adapters.map((adapter, index) =>
      index === 0 ? { ...adapter, readable: false, state: null } : adapter,
    );
    expect(observe({ ...base, adapters }).map((row) => row.venue)).to.deep.equal(["compound-v3-usdc", "savings-usdc"]);
  });
});

describe("the growth of an index", () => {
  it("is simple interest a year, exact for indices beyond 2^53", () => {
    const before = { at: 1_000, index: 10n ** 27n };
    const after = { at: 1_000 + YEAR, index: 10n ** 27n + 43n * 10n ** 24n };
    expect(growthApr(before, after)).to.be.closeTo(0.043, 1e-15);
    expect(growthApr(before, { at: 1_012, index: before.index + 1n })).to.be.closeTo((1e-27 * YEAR) / 12, 1e-24);
  });

  it("is unknown where no time passed", () => {
    expect(growthApr({ at: 5, index: 1n }, { at: 5, index: 2n })).to.equal(null);
    expect(growthApr({ at: 5, index: 0n }, { at: 6, index: 2n })).to.equal(null);
  });
});

describe("a venue's model", () => {
  it("leaves our own position out of what is supplied", () => {
    const held = holding({ "aave-v3-usdc": 600_000n * USDC, "compound-v3-usdc": 400_000n * USDC });
    const [aave, comet, savings] = held.adapters;
    if (aave === undefined || comet === undefined || savings === undefined) throw new Error("three venues");
    expect(modelOf(aave, 6)).to.deep.include({ kind: "aave", supplied: 59_400_000, borrowed: 54_000_000 });
    expect(modelOf(comet, 6)).to.deep.include({ kind: "kinked-supply", supplied: 19_600_000, borrowed: 17_000_000 });
    expect(modelOf(savings, 6, 0.045)).to.deep.equal({ kind: "fixed", apr: 0.045 });
    expect(() => modelOf(savings, 6)).to.throw(TypeError);
    expect(() => modelOf({ ...aave, state: null }, 6)).to.throw(TypeError);
  });
});
