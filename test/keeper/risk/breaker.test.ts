import { expect } from "chai";
import {
  outageSignal,
  Patience,
  signalsOf,
  type BreakerSettings,
  type Signal,
  type WatchedState,
} from "../../../keeper/risk/breaker";
import { configSchema } from "../../../keeper/config/schema";
import type { FeedState } from "../../../keeper/risk/oracle";
import { holding, snapshot } from "../decide/vaultSnapshot";

const USDC = 10n ** 6n;
const WAD = 10n ** 18n;
const GWEI = 10n ** 9n;
const SETTINGS: BreakerSettings = configSchema.parse({ chain: { rpcUrls: ["http://127.0.0.1:1"] } }).risk.breaker;

const feed = (change: Partial<FeedState> = {}): FeedState => ({
  ...{ subject: "usdc-usd", feed: "0x1", venues: [], ofAsset: true },
  ...{ price: 1, ageSeconds: 10, heartbeatSeconds: 90_000, ...change },
});
const calm: WatchedState = {
  snapshot: snapshot(),
  reference: USDC * WAD,
  feeds: [feed()],
  drift: { samples: 100, served: 0.01, persistence: 0.01 },
  feeCeiling: 60n * GWEI,
};
const causes = (change: Partial<WatchedState>, settings: Partial<BreakerSettings> = {}): string[] =>
  signalsOf({ ...calm, ...change }, { ...SETTINGS, ...settings }).map(({ cause }) => cause);

describe("the causes that stop the keeper", () => {
  it("are none on a calm day", () => {
    expect(causes({})).to.deep.equal([]);
    expect(causes({ reference: null, drift: null, feeds: [] })).to.deep.equal([]);
  });

  it("a share price that has fallen by more than the bound from its own reference", () => {
    const at = (bps: bigint) => snapshot({ sharePrice: (USDC * WAD * (10_000n - bps)) / 10_000n });
    expect(causes({ snapshot: at(50n) })).to.deep.equal([]);
    const fallen = signalsOf({ ...calm, snapshot: at(51n) }, SETTINGS);
    expect(fallen).to.deep.equal([
      { cause: "drawdown", detail: "the share price is 51.0 bp under its highest since the last reset, over 50 bp" },
    ]);
    expect(causes({ snapshot: at(51n) }, { drawdownBps: 60 })).to.deep.equal([]);
  });

  it("the asset off its peg or its feed stale; another coin only while something is held that hangs on it", () => {
    expect(causes({ feeds: [feed({ price: 0.98 })] })).to.deep.equal(["oracle"]);
    expect(causes({ feeds: [feed({ ageSeconds: 90_001 })] })).to.deep.equal(["oracle"]);
    expect(causes({ feeds: [feed({ price: null })] })).to.deep.equal(["oracle"]);
    const other = feed({ subject: "usdt-usd", ofAsset: false, venues: ["savings-usdc"], price: 0.9 });
    expect(causes({ feeds: [other] })).to.deep.equal([]);
    expect(causes({ feeds: [other], snapshot: holding({ "savings-usdc": 500n * USDC }) })).to.deep.equal([]);
    expect(causes({ feeds: [other], snapshot: holding({ "savings-usdc": 5_000n * USDC }) })).to.deep.equal(["oracle"]);
  });

  it("a forecast that is worse than saying nothing changes: by the ratio and by an amount, of enough forecasts", () => {
    const drift = (served: number, persistence: number, samples = 48) => ({ drift: { samples, served, persistence } });
    expect(causes(drift(0.05, 0.02))).to.deep.equal(["model-drift"]);
    expect(causes(drift(0.05, 0.02, 47))).to.deep.equal([]);
    expect(causes(drift(0.035, 0.02))).to.deep.equal([]);
    // Five times as bad as next to nothing.
    expect(causes(drift(0.005, 0.001))).to.deep.equal([]);
  });

  it("gas far over the ceiling", () => {
    expect(causes({ snapshot: snapshot({ baseFeePerGas: 300n * GWEI }) })).to.deep.equal([]);
    expect(causes({ snapshot: snapshot({ baseFeePerGas: 301n * GWEI }) })).to.deep.equal(["gas-spike"]);
  });

  it("data that no longer comes, by the clock", () => {
    expect(outageSignal("block could be read", 900, SETTINGS)).to.equal(null);
    expect(outageSignal("block could be read", 901, SETTINGS)).to.deep.equal({
      ...{ cause: "data-outage", detail: "no block could be read for 901 s, over 900 s" },
    });
  });

  it("are not looked at where the operator says so", () => {
    const wrong = { feeds: [feed({ price: 0.9 })], snapshot: snapshot({ baseFeePerGas: 400n * GWEI }) };
    expect(causes(wrong)).to.have.members(["oracle", "gas-spike"]);
    expect(causes(wrong, { off: ["oracle"] })).to.deep.equal(["gas-spike"]);
    expect(outageSignal("block could be read", 1e6, { ...SETTINGS, off: ["data-outage"] })).to.equal(null);
  });

  it("have to hold without a break for as long as is set, a drawdown not at all", () => {
    const [oracle, fall]: Signal[] = [
      { cause: "oracle", detail: "o" },
      { cause: "drawdown", detail: "d" },
    ];
    if (oracle === undefined || fall === undefined) throw new Error("both are there");
    const patience = new Patience();
    const ripe = (signals: readonly Signal[], at: number): string[] =>
      patience.ripe(signals, at, SETTINGS).map(({ cause }) => cause);
    expect(ripe([oracle, fall], 0)).to.deep.equal(["drawdown"]);
    expect(ripe([oracle], 599)).to.deep.equal([]);
    expect(ripe([oracle], 600)).to.deep.equal(["oracle"]);
    expect(ripe([], 612)).to.deep.equal([]);
    expect(ripe([oracle], 624)).to.deep.equal([]);
    expect(ripe([oracle], 1_224)).to.deep.equal(["oracle"]);
  });
});
