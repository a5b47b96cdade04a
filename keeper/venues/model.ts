// A venue's rate model, without our own position in it: what the allocation problem wants.
import type { AdapterSnapshot } from "../chain/snapshot";
import { aaveModel } from "./aaveV3";
import { cometModel } from "./compoundV3";
import type { RateModel } from "./rateModel";
import { skyModel } from "./skySavings";

/**
 * @param assetDecimals Of the vault's asset: model amounts are whole units of it.
 * @param savingsApr What an ERC-4626 venue pays, fraction a year: its state alone does not say (see `observationsOf`).
 * @throws TypeError when the venue could not be read, or is an ERC-4626 and its rate was not given: callers know both.
 */
export function modelOf(adapter: AdapterSnapshot, assetDecimals: number, savingsApr?: number): RateModel {
  const { state, fairValue } = adapter;
  if (state === null) throw new TypeError(`the venue ${adapter.id} could not be read: it has no rate model`);
  switch (state.kind) {
    case "aave-v3":
      return aaveModel(state, fairValue, assetDecimals);
    case "compound-v3":
      return cometModel(state, fairValue, assetDecimals);
    case "erc4626":
      if (savingsApr === undefined) throw new TypeError(`the rate of ${adapter.id} is its index's growth: pass it in`);
      return { kind: "fixed", apr: savingsApr };
    case "sky-savings":
      return skyModel(state);
  }
}
