import { expect } from "chai";
import { checkDeployment } from "../../../keeper/chain/checkDeployment";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import type { AddressFile } from "../../../keeper/config/addressFile";
import { InputFailure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { addresses as template, hash } from "./fixtures/lensAnswer";
import { localNode, type LocalNode } from "./fixtures/localNode";

describe("the check of a deployment", function () {
  this.timeout(60_000);
  let node: LocalNode;
  let chain: Chain;
  let addresses: AddressFile;

  before(async () => {
    node = await localNode();
    chain = await connectChain({ rpcUrls: [node.url], expectedChainId: 31_337, requestTimeoutMs: 4_000, sink: silent });
    addresses = { ...template, genesisHash: node.genesisHash };
    const { vault, lens, timelock, asset, adapters } = addresses;
    for (const each of [
      vault,
      lens,
      timelock,
      asset.address,
      ...adapters.flatMap((entry) => [entry.adapter, entry.venue]),
    ])
      await node.rpc("anvil_setCode", [each, "0x00"]);
  });
  after(async () => {
    chain.close();
    await node.stop();
  });

  const failureOf = async (changed: AddressFile): Promise<InputFailure> => {
    const failure = await checkDeployment(chain, changed).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(InputFailure);
    return failure as InputFailure;
  };

  it("passes where every contract has code", async () => {
    await checkDeployment(chain, addresses);
  });

  it("names the entry of the file that has no code", async () => {
    const none = `0x${"dd".repeat(20)}`;
    expect((await failureOf({ ...addresses, lens: none })).field).to.equal("addresses: lens");
    const [first, ...rest] = addresses.adapters;
    if (first === undefined) throw new Error("no adapter");
    const failure = await failureOf({ ...addresses, adapters: [{ ...first, venue: none }, ...rest] });
    expect(failure.code).to.equal("ADDRESS_WITHOUT_CODE");
    expect(failure.line()).to.contain("adapters.0.venue (aave-v3-usdc)").and.to.contain(none);
    expect((await failureOf({ ...addresses, vault: none })).field).to.equal("addresses: vault");
  });

  it("refuses a file of another chain, by id and by genesis", async () => {
    expect((await failureOf({ ...addresses, chainId: 1 })).code).to.equal("CHAIN_WRONG");
    expect((await failureOf({ ...addresses, genesisHash: hash("12") })).code).to.equal("CHAIN_STARTED_AFRESH");
  });
});
