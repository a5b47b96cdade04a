// How the keeper connects to what its config and the deployment name.
import { expect } from "chai";
import { chainOf, type ChainIdentity } from "../../../keeper/app/assemble";
import { newestBlock } from "../../../keeper/chain/heads";
import { loadConfig } from "../../../keeper/config/load";
import { silent } from "../../../keeper/events/events";
import { localNode, type LocalNode } from "../chain/fixtures/localNode";
import { failureOf } from "../collect/failureOf";

const CHAIN = 31_337;
const HOUR = 3_600;

describe("the keeper's connection to a chain", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let timestamp: number;
  before(async () => {
    node = await localNode();
    timestamp = Math.floor(Date.now() / 1_000) + HOUR;
    await node.rpc("evm_setNextBlockTimestamp", [timestamp]);
    await node.mine();
  });
  after(() => node.stop());

  async function newestOf(of: ChainIdentity): Promise<number> {
    const config = loadConfig({ env: {}, overrides: { chain: { rpcUrls: [node.url] } } });
    const chain = await chainOf(config, of, silent);
    try {
      return (await newestBlock(chain)).timestamp;
    } finally {
      chain.close();
    }
  }

  it("takes a block of an hour from now of a chain whose time somebody turns, and of no other", async () => {
    for (const network of ["local", "fork", undefined] as const) {
      expect(await newestOf({ chainId: CHAIN, network }), String(network)).to.equal(timestamp);
    }
    const failure = await failureOf(newestOf({ chainId: CHAIN, network: "mainnet" }));
    expect(failure.line()).to.match(/ a block of 3[56]\d\d s from now/);
  });
});
