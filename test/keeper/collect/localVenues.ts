// The local chain with the vault's venues, and everything there that can be collected.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connectChain, type Chain } from "../../../keeper/chain/connect";
import { blockAt, type Head } from "../../../keeper/chain/heads";
import { targetsOf, type CollectedTargets } from "../../../keeper/collect/targets";
import type { CollectTarget } from "../../../keeper/config/schema";
import { silent } from "../../../keeper/events/events";
import { LOCAL_CHAIN_ID, startLocalChain } from "../../../scripts/localnet/anvil";
import { prepareGenesis, type Genesis } from "../../../scripts/start/genesis";

export interface LocalVenues {
  readonly url: string;
  readonly genesis: Genesis;
  readonly chain: Chain;
  /** The venues of the address file, four feeds, and the reserves of USDT and WETH. */
  readonly targets: CollectedTargets;
  head(): Promise<Head>;
  /** Any JSON-RPC request, straight to the node. */
  rpc(method: string, params?: readonly unknown[]): Promise<unknown>;
  end(): Promise<void>;
}

export async function startLocalVenues(): Promise<LocalVenues> {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-collect-"));
  const local = await startLocalChain({ folder, port: 0 });
  const genesis = await prepareGenesis(local.url, folder, () => undefined);
  const chain = await connectTo(local.url);
  return {
    url: local.url,
    genesis,
    chain,
    targets: targetsOf(genesis.addresses, moreTargets(genesis), { assetUsd: 1 }),
    head: async () => {
      const head = await blockAt(chain, "latest");
      if (head === null) throw new Error("the node has a newest block");
      return head;
    },
    rpc: (method, params = []) => chain.request(method, params),
    end: async () => {
      chain.close();
      await local.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function connectTo(url: string): Promise<Chain> {
  return connectChain({
    rpcUrls: [url],
    expectedChainId: LOCAL_CHAIN_ID,
    requestTimeoutMs: 10_000,
    sink: silent,
  });
}

export function moreTargets({ protocols }: Pick<Genesis, "protocols">): CollectTarget[] {
  const { feeds, tokens, aave } = protocols;
  const heartbeatSeconds = 86_400;
  return [
    { kind: "chainlink", subject: "usdc-usd", feed: feeds.usdc, heartbeatSeconds },
    { kind: "chainlink", subject: "usdt-usd", feed: feeds.usdt, heartbeatSeconds },
    { kind: "chainlink", subject: "dai-usd", feed: feeds.dai, heartbeatSeconds },
    { kind: "chainlink", subject: "eth-usd", feed: feeds.eth, heartbeatSeconds: 3_600 },
    { kind: "aave-v3", subject: "aave-v3-usdt", pool: aave.pool, asset: tokens.usdt, usd: 1 },
    { kind: "aave-v3", subject: "aave-v3-weth", pool: aave.pool, asset: tokens.weth, usd: 3_000 },
  ];
}
