// The auction of rewards, as an auditor would look at it: whom it pays, who may rule it, what it sells, by whose price, down to
// what share of that. Terms that the timelock may change are shown elsewhere; a floor under the declared one is a fault.
import { formatUnits, ZeroAddress, type Provider } from "ethers";
import { IRewardSource__factory, RewardAuction__factory } from "../typechain-types";
import type { AddressFile } from "../keeper/config/addressFile";
import { problemOfReward } from "./auctionProbes";
import { check, list, type Check } from "./finding";
import { sameAddress } from "./sameAddress";
import { readListed } from "./members";
import { declaredFor } from "./parameters";
import { problemOfFeed } from "./poolProbes";

/** Kinds whose adapters send rewards on. */
const SOURCES: readonly string[] = ["aave-v3", "compound-v3"];

type Auction = NonNullable<AddressFile["auction"]>;

export async function checkAuction(provider: Provider, file: AddressFile): Promise<readonly Check[]> {
  const checks = await checkSources(provider, file);
  if (file.auction === undefined) return checks;
  const contract = RewardAuction__factory.connect(file.auction.auction, provider);
  const [vault, asset, [feed]] = await Promise.all([contract.vault(), contract.asset(), contract.assetFeed()]);
  // With its code as it should be, who rules it is whom that vault names as owner and guardian, at each call.
  checks.push(
    check("auction pays the vault and obeys its owner", sameAddress(vault, file.vault), vault),
    check("auction sells for the asset", sameAddress(asset, file.asset.address), asset),
  );
  const priced = await problemOfFeed(provider, { feed, coin: file.asset.address, part: "feed" });
  checks.push(check("auction: price of the asset", priced === null, priced === null ? feed : priced.what));

  const listed = await readListed(provider, file, file.auction.auction);
  const unknown = listed.filter((token) => !file.auction?.rewards.some((reward) => sameAddress(reward.token, token)));
  checks.push(
    check(
      "auction sells what the file says",
      unknown.length === 0,
      unknown.length === 0 ? `${listed.length} of ${file.auction.rewards.length}` : `not in the file: ${list(unknown)}`,
    ),
  );
  for (const reward of file.auction.rewards) {
    const problem = listed.some((token) => sameAddress(token, reward.token))
      ? await problemOf(provider, file, { ...reward, auction: file.auction.auction })
      : "is not for sale";
    checks.push(check(`auction: ${reward.symbol}`, problem === null, problem ?? reward.token));
  }
  return checks;
}

/** Each adapter that sends rewards on sends them to the file's auction, or keeps them where there is none. */
async function checkSources(provider: Provider, file: AddressFile): Promise<Check[]> {
  const wanted = file.auction?.auction ?? ZeroAddress;
  const sources = file.adapters.filter(({ kind }) => SOURCES.includes(kind));
  return Promise.all(
    sources.map(async ({ id, adapter }) => {
      const auction = await IRewardSource__factory.connect(adapter, provider).auction();
      return check(`rewards of ${id} go to the auction`, sameAddress(auction, wanted), auction);
    }),
  );
}

async function problemOf(
  provider: Provider,
  file: AddressFile,
  { auction, symbol, token }: Auction["rewards"][number] & Pick<Auction, "auction">,
): Promise<string | null> {
  const { feed, floor } = await RewardAuction__factory.connect(auction, provider).termsOf(token);
  const problem = await problemOfReward(provider, { symbol, token, feed }, file.asset.address);
  if (problem !== null) return problem.what;
  const declared = declaredFor(file).auction?.rewards.find((known) => known.symbol === symbol);
  if (declared === undefined || floor >= declared.floor) return null;
  const percent = (wad: bigint): string => `${formatUnits(wad, 16)} %`;
  return `is sold down to ${percent(floor)} of its feed's price, under the declared ${percent(declared.floor)}`;
}
