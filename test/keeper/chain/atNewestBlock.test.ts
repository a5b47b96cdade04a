// Reading at the newest block behind a node of which blocks go missing: at the next one, a few times, and nothing else is hidden.
import { expect } from "chai";
import { atNewestBlock } from "../../../keeper/chain/atNewestBlock";
import { openChain, type Chain } from "../../../keeper/chain/connect";
import { WorldFailure } from "../../../keeper/config/failure";
import { silent } from "../../../keeper/events/events";
import { answer, faultyNode, type FaultyNode } from "./fixtures/faultyNode";

const CHAIN = 31_337;
const hex = (value: number): string => `0x${value.toString(16)}`;
const hashOf = (block: number): string => `0x${block.toString(16).padStart(64, "0")}`;

describe("reading at the newest block", () => {
  let node: FaultyNode;
  let chain: Chain;
  let newest: number;

  beforeEach(async () => {
    newest = 9;
    node = await faultyNode("http://127.0.0.1:1", (request, response) => {
      if (request.method === "eth_chainId") response.end(answer(request, hex(CHAIN)));
      else {
        newest += 1;
        const { number, hash, parentHash } = {
          number: hex(newest),
          hash: hashOf(newest),
          parentHash: hashOf(newest - 1),
        };
        response.end(answer(request, { number, hash, parentHash, timestamp: hex(1_000 + newest) }));
      }
      return true;
    });
    chain = openChain({ rpcUrls: [node.url], expectedChainId: CHAIN, requestTimeoutMs: 2_000, sink: silent });
  });
  afterEach(async () => {
    chain.close();
    await node.close();
  });

  const gone = (code: string): WorldFailure => new WorldFailure(code, "it is", { remedy: "Nothing." });
  async function reading(fails: number, error: Error): Promise<{ asked: number[]; got: number | Error }> {
    const asked: number[] = [];
    const got = await atNewestBlock(chain, async ({ number }) => {
      asked.push(number);
      if (asked.length <= fails) throw error;
      return number;
    }).catch((thrown: Error) => thrown);
    return { asked, got };
  }

  for (const code of ["BLOCK_GONE", "SNAPSHOT_OF_ANOTHER_BLOCK"]) {
    it(`goes on to the next one after ${code}`, async () => {
      expect(await reading(2, gone(code))).to.deep.equal({ asked: [10, 11, 12], got: 12 });
    });
  }

  it("gives up after the fourth, with its failure", async () => {
    const error = gone("BLOCK_GONE");
    expect(await reading(9, error)).to.deep.equal({ asked: [10, 11, 12, 13], got: error });
  });

  it("fails at once with anything else", async () => {
    const error = gone("LENS_GARBAGE");
    expect(await reading(9, error)).to.deep.equal({ asked: [10], got: error });
  });
});
