import { expect } from "chai";
import { getAddress } from "ethers";
import { groupMask } from "../../deploy/modules/vault";
import { localNetwork } from "../../deploy/networks/local";
import { MAINNET, MAINNET_FORK } from "../../deploy/networks/mainnet";
import { WAD, type NetworkParameters } from "../../deploy/networks/network";
import { InputFailure } from "../../keeper/config/failure";

const ANY = "0x000000000000000000000000000000000000dEaD";
const NETWORKS: readonly NetworkParameters[] = [
  MAINNET,
  MAINNET_FORK,
  localNetwork({
    tokens: { usdc: ANY },
    feeds: { usdc: ANY },
    aave: { pool: ANY },
    comet: ANY,
    savings: ANY,
    sky: { psmWrapper: ANY, sUsds: ANY },
  }),
];

for (const network of NETWORKS) {
  describe(`the parameters of the network ${network.network}`, () => {
    const { limits, venues, groups } = network;

    it("have addresses with right checksums", () => {
      const feeds = network.conditions.flatMap((it) => (it.kind === "oracle-trouble" ? [it.feed] : []));
      const addresses = [
        network.asset.address,
        ...venues.flatMap((it) => ("psm" in it ? [it.venue, it.psm] : [it.venue])),
        ...feeds,
      ];
      expect(addresses).to.deep.equal(addresses.map((address) => getAddress(address)));
    });

    it("let the venues together hold what need not be idle, unless a group is to leave more", () => {
      const ungrouped = venues.filter((venue) => venue.groups.length === 0);
      const grouped = venues.filter((venue) => venue.groups.length > 0);
      const sum = (of: readonly { readonly relativeCap: bigint }[]): bigint =>
        of.reduce((total, { relativeCap }) => total + relativeCap, 0n);
      const inGroups = sum(grouped) < sum(groups) ? sum(grouped) : sum(groups);
      expect(inGroups + sum(ungrouped) >= (95n * WAD) / 100n).to.equal(true);
    });

    it("name only groups that there are", () => {
      for (const venue of venues)
        expect(groupMask(network, venue.groups)).to.equal(venue.groups.length === 0 ? 0n : 1n);
      expect(() => groupMask(network, ["moon"])).to.throw(InputFailure, /no group is called moon/);
    });

    it("allow a plan no more than half of the loss budget, which is what it can use at once", () => {
      expect(limits.lossPerCall <= limits.lossBudget.limit / 2n).to.equal(true);
    });

    it("have a condition for every lending venue, and name each once", () => {
      const judged = network.conditions.flatMap((it) => ("venue" in it ? [[it.venue, it.kind]] : []));
      const savings = ["erc4626", "sky-savings"];
      const lending = venues
        .filter(({ kind }) => !savings.includes(kind))
        .map(({ id, kind }) => [id, `${kind}-illiquid`]);
      expect(judged).to.deep.equal(lending);
      expect(new Set(network.conditions.map(({ id }) => id)).size).to.equal(network.conditions.length);
    });

    it("let one plan place the whole vault", () => {
      expect(limits.turnoverBudget.limit / 2n >= WAD).to.equal(true);
    });
  });
}
