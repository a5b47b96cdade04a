// Collecting from a fork, and asking the contracts' own views beside it.
import { expect } from "chai";
import { Contract, type InterfaceAbi } from "ethers";
import { connectChain, type Chain } from "../../keeper/chain/connect";
import { blockAt, type Head } from "../../keeper/chain/heads";
import { locate, type LocatingStep } from "../../keeper/collect/locate";
import type { ChainCollector, Reading } from "../../keeper/collect/reading";
import { sweep, type Sweep } from "../../keeper/collect/sweep";
import { silent } from "../../keeper/events/events";
import type { Fork } from "../../scripts/fork/startFork";

const REQUEST_TIMEOUT_MS = 60_000;

/** Registers the hooks that connect to the fork and leave it. */
export function collectingOn(fork: () => Fork) {
  let chain: Chain;
  before(async () => {
    chain = await connectChain({
      rpcUrls: [fork().url],
      expectedChainId: fork().chainId,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      sink: silent,
    });
  });
  after(() => chain.close());

  async function swept(head: Head, start: LocatingStep | ChainCollector): Promise<Sweep> {
    const { collectors, failures } = await locate(chain, head, [start]);
    expect(failures.map(({ failure }) => failure.line())).to.deep.equal([]);
    return sweep(chain, head, collectors);
  }

  return {
    chain: () => chain,
    /** A block of the fork's own: of the recorded one's parent nothing is recorded. */
    async newBlock(seconds = 12): Promise<Head> {
      await fork().increaseTime(seconds);
      const head = await blockAt(chain, "latest");
      if (head === null) throw new Error("the fork has a newest block");
      return head;
    },
    /** Of one source, which must be readable. */
    async read(head: Head, start: LocatingStep | ChainCollector): Promise<Reading> {
      const { readings, failures } = await swept(head, start);
      expect(failures.map(({ failure }) => failure.line())).to.deep.equal([]);
      return readings[0]!;
    },
    /** A contract's own view of that block. */
    view:
      (head: Head, address: string, abi: InterfaceAbi) =>
      async <T = bigint>(method: string, ...args: unknown[]): Promise<T> =>
        (await new Contract(address, abi, fork().provider).getFunction(method)(...args, {
          blockTag: head.number,
        })) as T,
  };
}
