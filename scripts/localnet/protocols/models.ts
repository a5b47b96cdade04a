// The venues that npm does not carry: Comet and a savings vault, as models.
import { CometModel__factory, SavingsModel__factory } from "../../../typechain-types";
import { COMET, SAVINGS_RATE_PER_SECOND } from "./parameters";
import type { Protocols } from "./protocolsFile";
import type { Sender } from "./sender";

export function deployComet(market: Sender, on: Pick<Protocols, "tokens" | "feeds">): Promise<string> {
  return market.deploy(CometModel__factory, {
    ...COMET,
    governor: market.address,
    pauseGuardian: market.address,
    baseToken: on.tokens.usdc,
    baseTokenPriceFeed: on.feeds.usdc,
    collateral: on.tokens.weth,
    collateralPriceFeed: on.feeds.eth,
  });
}

export function deploySavings(market: Sender, usdc: string): Promise<string> {
  return market.deploy(SavingsModel__factory, usdc, SAVINGS_RATE_PER_SECOND);
}
