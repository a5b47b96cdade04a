// A venue's rate model, without our own position in it: what the allocation problem wants.
import type { AdapterSnapshot } from "../chain/snapshot";
import { aaveModel } from "./aaveV3";
import { cometModel } from "./compoundV3";
import { curveModel } from "./curve3pool";
import type { RateModel } from "./rateModel";
import { skyModel } from "./skySavings";
import { uniswapModel } from "./uniswapV3";

/**
 * @param assetDecimals Of the vault's asset: model amounts are whole units of it.
 * @param observedApr What the venue pays beside others, fraction a year, where its state alone does not say: an ERC-4626
 * and the pools of traders, whose rate is an index's growth (see `observationsOf`).
 * @throws TypeError when the venue could not be read, or such a rate was not given: callers know both.
 */
export function modelOf(adapter: AdapterSnapshot, assetDecimals: number, observedApr?: number): RateModel {
  const { state, fairValue } = adapter;
  if (state === null) throw new TypeError(`the venue ${adapter.id} could not be read: it has no rate model`);
  switch (state.kind) {
    case "aave-v3":
      return aaveModel(state, fairValue, assetDecimals);
    case "compound-v3":
      return cometModel(state, fairValue, assetDecimals);
    case "erc4626":
      return { kind: "fixed", apr: required(observedApr, adapter.id) };
    case "sky-savings":
      return skyModel(state);
    case "curve-3pool":
      return curveModel(state, assetDecimals, required(observedApr, adapter.id));
    case "uniswap-v3":
      return uniswapModel(state, assetDecimals, required(observedApr, adapter.id));
  }
}

function required(observedApr: number | undefined, id: string): number {
  if (observedApr === undefined) throw new TypeError(`the rate of ${id} is its index's growth: pass it in`);
  return observedApr;
}
