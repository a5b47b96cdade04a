import { expect } from "chai";
import { AbiCoder, getAddress, getCreate2Address, keccak256 } from "ethers";
import { groupMask } from "../../deploy/modules/vault";
import { localNetwork } from "../../deploy/networks/local";
import { MAINNET, MAINNET_FORK } from "../../deploy/networks/mainnet";
import { WAD, type NetworkParameters } from "../../deploy/networks/network";
import { InputFailure } from "../../keeper/config/failure";
import { npmArtifact } from "../../scripts/localnet/protocols/npmArtifact";
import { UNISWAP_POOL } from "../../scripts/localnet/protocols/uniswap";

const ANY = "0x000000000000000000000000000000000000dEaD";
const NETWORKS: readonly NetworkParameters[] = [
  MAINNET,
  MAINNET_FORK,
  localNetwork({
    tokens: { usdc: ANY, usdt: ANY, comp: ANY, aave: ANY },
    feeds: { usdc: ANY, usdt: ANY, dai: ANY, comp: ANY, aave: ANY },
    aave: { pool: ANY },
    uniswap: { factory: ANY, usdcUsdtPool: ANY },
    comet: ANY,
    savings: ANY,
    sky: { psmWrapper: ANY, sUsds: ANY },
    threePool: { pool: ANY, token: ANY },
  }),
];

for (const network of NETWORKS) {
  describe(`the parameters of the network ${network.network}`, () => {
    const { limits, venues, groups } = network;

    it("have addresses with right checksums", () => {
      const feeds = network.conditions.flatMap((it) => (it.kind === "oracle-trouble" ? [it.feed] : []));
      const sold = network.auction?.rewards.flatMap(({ token, feed }) => [token, feed]) ?? [];
      const priced = network.auction === null ? [] : [network.auction.feed];
      const addresses = [network.asset.address, ...venues.flatMap(addressesOf), ...feeds, ...sold, ...priced];
      expect(addresses).to.deep.equal(addresses.map((address) => getAddress(address)));
    });

    const sum = (of: readonly { readonly relativeCap: bigint }[]): bigint =>
      of.reduce((total, { relativeCap }) => total + relativeCap, 0n);
    const membersOf = (name: string): typeof venues => venues.filter((venue) => venue.groups.includes(name));

    it("let the venues together hold what need not be idle, whatever order they are filled in", () => {
      // A filling that cannot go on is one that some group or cap has stopped everywhere. The worst: pools first.
      for (const order of [venues, [...venues].reverse()]) {
        const filled = new Map<string, bigint>();
        for (const { id, relativeCap, groups: names } of order) {
          const rooms = names.map((name) => {
            const cap = groups.find((group) => group.name === name)?.relativeCap ?? 0n;
            return membersOf(name).reduce((room, member) => room - (filled.get(member.id) ?? 0n), cap);
          });
          filled.set(
            id,
            rooms.reduce((least, room) => (room < least ? room : least), relativeCap),
          );
        }
        const total = [...filled.values()].reduce((all, share) => all + share, 0n);
        expect(total >= (95n * WAD) / 100n).to.equal(true);
      }
    });

    it("have only groups that bind: each holds less than its members' caps together, and each member less than it", () => {
      for (const { name, relativeCap } of groups.filter(({ name }) => membersOf(name).length > 1)) {
        expect(sum(membersOf(name)) > relativeCap, name).to.equal(true);
        for (const member of membersOf(name)) expect(member.relativeCap <= relativeCap, member.id).to.equal(true);
      }
    });

    it("hold every venue that leans on USDT or on Sky's stablecoins in its group", () => {
      const leaning = { usdt: ["curve-3pool", "uniswap-v3"], "dai-usds": ["sky-savings", "curve-3pool"] };
      for (const [name, kinds] of Object.entries(leaning)) {
        const expected = venues.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
        expect(membersOf(name).map(({ id }) => id)).to.deep.equal(expected);
      }
    });

    it("let no plan lose more than it may by filling a pool at its adapter's slippage", () => {
      for (const venue of venues) {
        if (!("slippage" in venue)) continue;
        expect((venue.relativeCap * venue.slippage) / WAD <= limits.lossPerCall, venue.id).to.equal(true);
      }
    });

    it("let the guardian empty every pool at once at the adapters' slippage", () => {
      const worst = venues.reduce((lost, venue) => {
        return "slippage" in venue ? lost + (venue.relativeCap * venue.slippage) / WAD : lost;
      }, 0n);
      expect(worst <= limits.emergencyBudget.limit / 2n).to.equal(true);
    });

    it("name only groups that there are", () => {
      const maskOf = (kind: string): bigint[] =>
        venues.filter((venue) => venue.kind === kind).map((venue) => groupMask(network, venue.groups));
      expect(maskOf("aave-v3")).to.deep.equal([1n]);
      expect(maskOf("erc4626").concat(0n)).to.include(0n);
      expect(maskOf("curve-3pool")).to.deep.equal([6n]);
      for (const mask of maskOf("uniswap-v3")) expect(mask).to.equal(2n);
      expect(() => groupMask(network, ["moon"])).to.throw(InputFailure, /no group is called moon/);
    });

    it("allow a plan no more than half of the loss budget, which is what it can use at once", () => {
      expect(limits.lossPerCall <= limits.lossBudget.limit / 2n).to.equal(true);
    });

    it("have a condition for every lending venue, and name each once", () => {
      const judged = network.conditions.flatMap((it) => ("venue" in it ? [[it.venue, it.kind]] : []));
      const lends = ["aave-v3", "compound-v3"];
      const lending = venues.filter(({ kind }) => lends.includes(kind)).map(({ id, kind }) => [id, `${kind}-illiquid`]);
      expect(judged).to.deep.equal(lending);
      expect(new Set(network.conditions.map(({ id }) => id)).size).to.equal(network.conditions.length);
    });

    it("sell rewards by the feed of the asset that the breaker watches, each once, at a price that pays a small buyer", () => {
      if (network.auction === null) return;
      const [watched] = network.conditions.filter(({ kind }) => kind === "oracle-trouble");
      expect(watched?.kind === "oracle-trouble" && watched.feed).to.equal(network.auction.feed);
      expect(watched?.kind === "oracle-trouble" && watched.heartbeatSeconds).to.equal(network.auction.heartbeatSeconds);
      const { rewards } = network.auction;
      expect(new Set(rewards.map(({ symbol }) => symbol)).size).to.equal(rewards.length);
      for (const { premium, floor, minimumLot } of rewards) {
        expect(premium > WAD && floor < WAD && minimumLot > 0n).to.equal(true);
      }
    });

    it("let one plan place the whole vault", () => {
      expect(limits.turnoverBudget.limit / 2n >= WAD).to.equal(true);
    });
  });
}

describe("mainnet's pools", () => {
  it("are the one that Uniswap's factory makes of USDC, USDT and 0.01 %, and Curve's with the same feeds", () => {
    const [curve] = MAINNET.venues.filter((venue) => venue.kind === "curve-3pool");
    const [uniswap] = MAINNET.venues.filter((venue) => venue.kind === "uniswap-v3");
    if (curve?.kind !== "curve-3pool" || uniswap?.kind !== "uniswap-v3") throw new Error("no pools");
    const key = AbiCoder.defaultAbiCoder().encode(
      ["address", "address", "uint24"],
      [MAINNET.asset.address, uniswap.paired, 100],
    );
    const { bytecode } = npmArtifact(UNISWAP_POOL);
    expect(getCreate2Address(uniswap.factory, keccak256(key), keccak256(bytecode))).to.equal(uniswap.venue);
    expect(uniswap.feeds).to.deep.equal(curve.feeds.slice(1));
    const [condition] = MAINNET.conditions.filter(({ kind }) => kind === "oracle-trouble");
    expect(condition?.kind === "oracle-trouble" && condition.feed).to.equal(uniswap.feeds[0]);
  });

  it("are on a fork as far as the recorded state holds them", () => {
    expect(MAINNET_FORK.venues.map(({ kind }) => kind)).to.deep.equal(["aave-v3", "compound-v3", "curve-3pool"]);
  });
});

function addressesOf(venue: NetworkParameters["venues"][number]): readonly string[] {
  switch (venue.kind) {
    case "sky-savings":
      return [venue.venue, venue.psm];
    case "curve-3pool":
      return [venue.venue, venue.receipt, ...venue.feeds];
    case "uniswap-v3":
      return [venue.venue, venue.factory, venue.paired, ...venue.feeds];
    default:
      return [venue.venue];
  }
}
