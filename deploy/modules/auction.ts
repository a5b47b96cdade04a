// Sells what venues reward the vault with. It pays one vault for ever, so it is built for the vault's address, before the
// vault is; and before the adapters, each of which sends its rewards to one auction for ever.
import { RewardAuction__factory } from "../../typechain-types";
import { artifactOf } from "../artifacts";
import type { AuctionParameters } from "../networks/network";
import type { Creation } from "./creation";

export const AUCTION_ARTIFACT = "contracts/RewardAuction.sol:RewardAuction";

export function auction(parameters: AuctionParameters, vault: string, asset: string): Creation {
  const offers = parameters.rewards.map(({ token, durationSeconds, heartbeatSeconds, ...sale }) => ({
    token,
    terms: {
      ...{ feed: sale.feed, heartbeat: heartbeatSeconds, premium: sale.premium, floor: sale.floor },
      ...{ duration: durationSeconds, minimumLot: sale.minimumLot },
    },
  }));
  return {
    id: "auction",
    artifact: artifactOf(AUCTION_ARTIFACT),
    arguments: RewardAuction__factory.createInterface().encodeDeploy([
      ...[vault, asset, parameters.feed, parameters.heartbeatSeconds],
      offers,
    ]),
  };
}
