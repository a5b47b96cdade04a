import { expect } from "chai";
import fc from "fast-check";
import type { AdapterSnapshot, VaultSnapshot } from "../../../keeper/chain/snapshot";
import { closingOf } from "../../../keeper/decide/close";
import { decide } from "../../../keeper/decide/decide";
import type { RiskInput, StrategyInput } from "../../../keeper/decide/strategy";
import { curveAdapter, uniswapAdapter } from "../risk/pools";
import { holding, LIMITS, snapshot, strategyInput, planOf } from "./vaultSnapshot";

const USDC = 10n ** 6n;
const WAD = 10n ** 18n;

const RISK: RiskInput = {
  verdicts: [],
  scenarios: [],
  tripped: [{ cause: "oracle", detail: "usdc-usd is at 0.9500" }],
  closing: { unable: [] },
};
const closingInput = (vault: VaultSnapshot, change: Partial<StrategyInput> = {}): StrategyInput =>
  strategyInput({ snapshot: vault, forecasts: [], risk: RISK, ...change });
const HELD = holding({ "aave-v3-usdc": 400_000n * USDC, "compound-v3-usdc": 200_000n * USDC });

function withAdapters(vault: VaultSnapshot, change: (adapter: AdapterSnapshot) => AdapterSnapshot): VaultSnapshot {
  return { ...vault, adapters: vault.adapters.map(change) };
}
/** The pool with `assets` in it, of which leaving pays all but `lossBps`. */
function inPool(pool: AdapterSnapshot, assets: bigint, lossBps: bigint): AdapterSnapshot {
  const exitValue = assets - (assets * lossBps) / 10_000n;
  return { ...pool, fairValue: assets, counted: assets, exitValue, maxWithdraw: exitValue };
}
describe("closing everything", () => {
  it("is one plan that empties every venue, whatever the rates, the cooldown and the vault's own breaker say", () => {
    const plan = planOf(closingInput({ ...HELD, breaker: "tripped" }, { lastRebalanceAt: HELD.timestamp - 1 }));
    expect(plan.moves).to.deep.equal([
      { venue: "aave-v3-usdc", adapter: `0x${"a".repeat(40)}`, assets: -400_000n * USDC, all: true, minimum: 0n },
      { venue: "compound-v3-usdc", adapter: `0x${"b".repeat(40)}`, assets: -200_000n * USDC, all: true, minimum: 0n },
    ]);
    expect(plan.nonce).to.equal(HELD.nextNonce);
    expect(plan.reason).to.match(
      /^emergency close, oracle \(usdc-usd is at 0\.9500\): all 400,000\.00 out of aave-v3-usdc/,
    );
  });

  it("takes of a venue what it has, and names what stays", () => {
    const dry = withAdapters(HELD, (one) =>
      one.id === "aave-v3-usdc" ? { ...one, maxWithdraw: 150_000n * USDC } : { ...one, maxWithdraw: 0n },
    );
    const { moves, stays } = closingOf(closingInput(dry), []);
    expect(moves).to.deep.equal([
      { venue: "aave-v3-usdc", adapter: `0x${"a".repeat(40)}`, assets: -150_000n * USDC, all: false, minimum: 0n },
    ]);
    expect(stays).to.deep.equal([
      { venue: "aave-v3-usdc", assets: 250_000n * USDC, why: "the venue has no more cash now" },
      { venue: "compound-v3-usdc", assets: 200_000n * USDC, why: "the venue pays nothing now" },
    ]);
    expect(decide(closingInput(dry)).reason).to.match(
      /stays: 250,000\.00 in aave-v3-usdc \(the venue has no more cash now\)/,
    );
  });

  it("leaves a pool whole where the loss fits the bound, in part where it does not, and not at all where it is shut", () => {
    const pool = (assets: bigint, lossBps: bigint, steady = true): VaultSnapshot => ({
      ...snapshot(),
      adapters: [inPool(curveAdapter({ steady }), assets, lossBps)],
    });
    // The operator's bound is 1 bp of a million: 100 USDC.
    const whole = closingOf(closingInput(pool(100_000n * USDC, 2n)), []);
    expect(whole.moves[0]).to.include({ all: true, assets: -100_000n * USDC });
    expect(whole.stays).to.deep.equal([]);

    const dear = closingOf(closingInput(pool(100_000n * USDC, 50n)), []);
    const part = Number(-(dear.moves[0]?.assets ?? 0n)) / 1e6;
    // 50 bp and a third of it for what may change until it lands: 100 USDC pay for some 15,000.
    expect(part).to.be.within(14_000, 15_400);
    expect(dear.moves[0]?.all).to.equal(false);
    expect(dear.stays[0]?.why).to.match(/lose more than the bounds allow/);

    const shut = withAdapters(pool(100_000n * USDC, 2n, false), (one) => ({ ...one, maxWithdraw: 0n }));
    expect(closingOf(closingInput(shut), []).stays[0]?.why).to.match(/off the feeds'/);
    expect(decide(closingInput(shut))).to.include({ action: "hold", code: "keeper-breaker-tripped" });
  });

  it("leaves the cheaper pool first, and nothing of pools once the loss budget is spent", () => {
    const both: VaultSnapshot = {
      ...snapshot(),
      adapters: [inPool(curveAdapter(), 100_000n * USDC, 50n), inPool(uniswapAdapter(), 100_000n * USDC, 3n)],
    };
    const { moves } = closingOf(closingInput(both), []);
    expect(moves[0]).to.include({ venue: "uniswap-v3-usdc-usdt", all: true });
    expect(moves[1]).to.include({ venue: "curve-3pool", all: false });
    const spent = { ...both, lossBudget: { ...both.lossBudget, available: 0n } };
    expect(closingOf(closingInput(spent), []).moves).to.deep.equal([]);
  });

  it("does not try what the simulation refused, and says why it stays", () => {
    const risk: RiskInput = { ...RISK, closing: { unable: [{ venue: "aave-v3-usdc", why: "EmptyMove(index: 0)" }] } };
    const plan = planOf(closingInput(HELD, { risk }));
    expect(plan.moves.map(({ venue }) => venue)).to.deep.equal(["compound-v3-usdc"]);
    expect(plan.reason).to.match(/stays: 400,000\.00 in aave-v3-usdc \(EmptyMove\(index: 0\)\)/);
  });

  it("tries a venue that cannot be read, and lets alone what is worth less than its gas", () => {
    const odd = withAdapters(HELD, (one) =>
      one.id === "aave-v3-usdc"
        ? { ...one, readable: false, fairValue: 0n, maxWithdraw: 0n, state: null }
        : one.id === "compound-v3-usdc"
          ? { ...one, fairValue: USDC / 2n, maxWithdraw: USDC / 2n }
          : one,
    );
    const { moves, stays } = closingOf(closingInput(odd), []);
    expect(moves).to.have.length(1);
    expect(moves[0]).to.include({ venue: "aave-v3-usdc", all: true });
    expect(stays).to.deep.equal([
      { venue: "compound-v3-usdc", assets: USDC / 2n, why: "worth less than the gas of leaving it" },
    ]);
  });

  it("waits while gas is over the ceiling, and says so", () => {
    const dear = { ...HELD, baseFeePerGas: LIMITS.maxFeePerGas + 1n };
    expect(decide(closingInput(dear))).to.include({ action: "hold", code: "gas-too-dear" });
  });

  it("never puts money in, and stays within every bound, on random vaults", () => {
    const money = fc.integer({ min: 0, max: 2_000_000 });
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        money,
        money,
        money,
        money,
        part,
        part,
        fc.integer({ min: 0, max: 300 }),
        (a, c, p, u, ca, cc, bps) => {
          const total = BigInt(a + c + p + u + 1_000) * USDC;
          const base = holding(
            { "aave-v3-usdc": BigInt(a) * USDC, "compound-v3-usdc": BigInt(c) * USDC },
            { totalAssets: total, accountedAssets: total },
          );
          const dry = withAdapters(base, (one) => {
            const left = one.id === "aave-v3-usdc" ? ca : cc;
            return { ...one, maxWithdraw: BigInt(Math.floor(Number(one.fairValue) * left)) };
          });
          const vault = {
            ...dry,
            adapters: [
              ...dry.adapters,
              inPool(curveAdapter(), BigInt(p) * USDC, BigInt(bps)),
              inPool(uniswapAdapter(), BigInt(u) * USDC, BigInt(bps)),
            ],
          };
          const { moves, stays } = closingOf(closingInput(vault), []);
          let loss = 0n;
          for (const move of moves) {
            const adapter = vault.adapters.find(({ id }) => id === move.venue);
            if (adapter === undefined) throw new Error("unknown");
            expect(move.assets < 0n && -move.assets <= adapter.fairValue).to.equal(true);
            if (!move.all) expect(-move.assets <= adapter.maxWithdraw).to.equal(true);
            if (!adapter.exact) loss += (-move.assets * BigInt(bps)) / 10_000n;
          }
          // 1 bp of the total, and never more than the vault's budget has left.
          expect(loss * 10_000n <= total).to.equal(true);
          // What does not leave is named.
          for (const { id, fairValue } of vault.adapters) {
            if (fairValue === 0n) continue;
            expect(
              moves.some(({ venue, all }) => venue === id && all) || stays.some(({ venue }) => venue === id),
              id,
            ).to.equal(true);
          }
          expect(loss * WAD <= vault.lossBudget.available * total).to.equal(true);
        },
      ),
      { seed: 20261121, numRuns: 300 },
    );
  });
});
