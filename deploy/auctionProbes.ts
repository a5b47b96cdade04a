// Is what the auction is to sell what it is said to be, and priced by feeds of its own?
import { ZeroAddress, type Provider } from "ethers";
import { IERC20Metadata__factory, RewardAuction__factory } from "../typechain-types";
import { InputFailure } from "../keeper/config/failure";
import { ask, refusalOf } from "./contractCall";
import { auction } from "./modules/auction";
import type { AuctionParameters } from "./networks/network";
import { problemOfFeed } from "./poolProbes";
import type { Problem } from "./problem";
import { sameAddress } from "./sameAddress";
import { requireCode } from "./venueProbes";

const ERC20 = IERC20Metadata__factory.createInterface();

/** @throws InputFailure NO_CODE, REWARD_WRONG with the field `auction`, or that of the parameter under it. */
export async function requireAuction(
  provider: Provider,
  parameters: AuctionParameters,
  asset: { readonly address: string; readonly symbol: string },
): Promise<void> {
  await requireCode(provider, parameters.feed, "auction.feed");
  const priced = { feed: parameters.feed, coin: asset.address };
  refuse("auction", await problemOfFeed(provider, { ...priced, part: "feed" }), "is to be paid in an asset that");
  for (const { symbol, token, feed } of parameters.rewards) {
    const field = `auction.rewards.${symbol}`;
    await requireCode(provider, token, field);
    await requireCode(provider, feed, `${field}.feed`);
    refuse(field, await problemOfReward(provider, { symbol, token, feed }, asset.address), token);
  }
  // Which vault it is for, it does not ask.
  const creation = auction(parameters, ZeroAddress, asset.address);
  const said = await refusalOf(provider, creation, RewardAuction__factory.createInterface());
  if (said === null) return;
  refuse(
    "auction",
    { what: `are refused by it ${said}`, remedy: "Correct them in deploy/networks/." },
    "the parameters",
  );
}

/** What is wrong with a reward and its feed, or null. */
export async function problemOfReward(
  provider: Provider,
  { symbol, token, feed }: { readonly symbol: string; readonly token: string; readonly feed: string },
  asset: string,
): Promise<Problem | null> {
  const calls = await ask(provider, { to: token, abi: ERC20, method: "symbol" });
  if (calls !== symbol) return { what: `is not ${symbol}: it calls itself ${String(calls)}` };
  if (sameAddress(token, asset)) return { what: "is the vault's asset, which is not sold" };
  return problemOfFeed(provider, { feed, coin: token, part: "feed" });
}

function refuse(field: string, problem: Problem | null, what: string): void {
  if (problem === null) return;
  throw new InputFailure("REWARD_WRONG", `${what} ${problem.what}`, {
    field: problem.part === undefined ? field : `${field}.${problem.part}`,
    remedy: problem.remedy ?? "Correct the token's address, or its name.",
  });
}
