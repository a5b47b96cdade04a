import { expect } from "chai";
import type { AdapterSnapshot, VaultSnapshot } from "../../../keeper/chain/snapshot";
import { paceOf, vaultLiquidity, venueLiquidity, type CashPoint } from "../../../keeper/risk/liquidity";
import { holding, snapshot } from "../decide/vaultSnapshot";

const USDC = 10n ** 6n;

function of(vault: VaultSnapshot, id: string, change: Partial<AdapterSnapshot> = {}): AdapterSnapshot {
  const adapter = vault.adapters.find((one) => one.id === id);
  if (adapter === undefined) throw new Error(`no ${id}`);
  return { ...adapter, ...change };
}

/** An hour apart; cash in whole USDC. */
const cash = (amounts: readonly number[], ours: readonly number[] = [], debts: readonly number[] = []): CashPoint[] =>
  amounts.map((amount, k) => ({
    ...{ at: k * 3_600, cash: amount * 1e6 },
    ...{ debt: (debts[k] ?? 0) * 1e6, ours: (ours[k] ?? 0) * 1e6 },
  }));

describe("liquidity depth", () => {
  it("tells what comes in from what goes out, without what we moved ourselves", () => {
    expect(paceOf(cash([100, 160, 130]))).to.deep.equal({
      ...{ seconds: 7_200, inflow: 60e6 / 7_200, outflow: 30e6 / 7_200, repaid: 0 },
    });
    // We put in 1,000, and others took out 50.
    expect(paceOf(cash([100, 1_050], [0, 1_000]))).to.include({ inflow: 0, outflow: 50e6 / 3_600 });
    // 60 paid back, 20 borrowed again.
    expect(paceOf(cash([100, 160, 140], [], [500, 440, 460]))?.repaid).to.equal(60e6 / 7_200);
    expect(paceOf(cash([100]))).to.equal(null);
  });

  it("says of a position that can leave that it can, now", () => {
    const vault = holding({ "aave-v3-usdc": 400_000n * USDC });
    const found = venueLiquidity(of(vault, "aave-v3-usdc"), { snapshot: vault, points: [] });
    expect(found).to.include({ now: 400_000n * USDC, secondsIfFirst: 0, secondsIfShared: 0, score: 100 });
  });

  it("says how long the rest takes at the pace of repayments, alone and shared with all who supply", () => {
    const vault = holding({ "aave-v3-usdc": 600_000n * USDC });
    const dry = of(vault, "aave-v3-usdc", { maxWithdraw: 100_000n * USDC });
    const { state } = dry;
    if (state?.kind !== "aave-v3") throw new Error("it is Aave's");
    const adapter = { ...dry, state: { ...state, cash: 100_000n * USDC, borrowed: 5_900_000n * USDC } };
    // 50,000 an hour come in; a tenth of what is supplied is ours.
    const found = venueLiquidity(adapter, { snapshot: vault, points: cash([0, 50_000, 100_000]) });
    expect(found.now).to.equal(100_000n * USDC);
    expect(found.secondsIfFirst).to.equal(10 * 3_600);
    expect(found.secondsIfShared).to.equal(100 * 3_600);
    expect(found.score).to.be.closeTo((100 * 100_000) / 600_000 / 4, 0.1);
    const never = venueLiquidity(adapter, { snapshot: vault, points: cash([100_000, 90_000]) });
    expect(never).to.include({ secondsIfFirst: null, secondsIfShared: null });
  });

  it("judges a venue without a position by one of a tenth of the vault", () => {
    const vault = snapshot();
    const small = of(vault, "compound-v3-usdc");
    expect(venueLiquidity(small, { snapshot: vault, points: [] }).score).to.equal(100);
    const { state } = small;
    if (state?.kind !== "compound-v3") throw new Error("it is Comet's");
    const dry = { ...small, state: { ...state, cash: 40_000n * USDC } };
    expect(venueLiquidity(dry, { snapshot: vault, points: [] }).score).to.equal(10);
    // It says what it would pay only to those who hold it.
    expect(venueLiquidity(of(vault, "savings-usdc"), { snapshot: vault, points: [] })).to.include({
      cash: null,
      score: 50,
    });
  });

  it("scores nothing for what cannot be read", () => {
    const vault = snapshot();
    const broken = of(vault, "aave-v3-usdc", { state: null, readable: false });
    expect(venueLiquidity(broken, { snapshot: vault, points: [] }).score).to.equal(0);
  });

  it("adds up over the vault, idle with it, and is as slow as the slowest venue", () => {
    const vault = holding({ "aave-v3-usdc": 300_000n * USDC, "savings-usdc": 200_000n * USDC });
    const [aave, savings] = ["aave-v3-usdc", "savings-usdc"].map((id) =>
      venueLiquidity(of(vault, id, id === "savings-usdc" ? { maxWithdraw: 50_000n * USDC } : {}), {
        snapshot: vault,
        points: cash([0, 50_000]),
      }),
    );
    if (aave === undefined || savings === undefined) throw new Error("both are there");
    const whole = vaultLiquidity(vault, [aave, savings]);
    expect(whole.total).to.equal(1_000_000n * USDC);
    expect(whole.now).to.equal((500_000n + 300_000n + 50_000n) * USDC);
    expect(whole.seconds).to.equal(savings.secondsIfShared);
    expect(vaultLiquidity(vault, [{ ...aave, secondsIfShared: null }, savings]).seconds).to.equal(null);
  });
});
