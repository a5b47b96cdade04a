// Which chain state a fork stands on: a live node, a tape, or the local chain. All three are served to the forking node
// in the same way, pinned to one block, by a server of this process that counts what it could not answer.
import path from "node:path";
import type { JsonRpcProvider } from "ethers";
import { InputFailure } from "../../keeper/config/failure";
import { openLocalnet } from "./localnetUpstream";
import { recordTape } from "./recordTape";
import { serveTape } from "./serveTape";
import type { TapeReport } from "./tapeReport";
import { UPSTREAM_VARIABLE } from "./upstreamNode";

export const USDC_MAINNET = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";

export type UpstreamChoice =
  | { readonly kind: "rpc"; readonly url: string; readonly block?: number }
  | { readonly kind: "tape"; readonly file: string }
  | { readonly kind: "localnet" };

export type UpstreamKind = UpstreamChoice["kind"];

export interface Upstream {
  readonly kind: UpstreamKind;
  /** For people: what the fork stands on. */
  readonly description: string;
  readonly url: string;
  readonly chainId: number;
  readonly block: number;
  /** Address of USDC, or of the model that stands for it. */
  readonly usdc: string;
  /** How to make USDC there; absent on mainnet's state, where a balance is written into storage. */
  readonly mint?: (fork: JsonRpcProvider, address: string, amount: bigint) => Promise<void>;
  /** What the upstream could not answer, one line each. */
  failures(): string[];
  /** Null unless the upstream is a tape. */
  tapeReport(): TapeReport | null;
  close(): Promise<void>;
}

/**
 * The upstream that the environment asks for: `MAINNET_RPC_URL` (pinned at `TILLER_FORK_BLOCK` if set), else the tape
 * `TILLER_TAPE`, else the local chain.
 * @throws InputFailure if the block is not a number.
 */
export function chosenUpstream(env: NodeJS.ProcessEnv = process.env): UpstreamChoice {
  const url = env[UPSTREAM_VARIABLE];
  if (url) {
    const block = env["TILLER_FORK_BLOCK"];
    if (!block) return { kind: "rpc", url };
    if (!/^\d+$/.test(block)) {
      throw new InputFailure("fork.block", `"${block}" is not a block number`, {
        field: "TILLER_FORK_BLOCK",
        remedy: "Set it to a decimal number, or leave it out.",
      });
    }
    return { kind: "rpc", url, block: Number(block) };
  }
  const file = env["TILLER_TAPE"];
  return file ? { kind: "tape", file } : { kind: "localnet" };
}

/** @throws InputFailure or WorldFailure if the tape is not sound or the node does not answer. */
export async function openUpstream(choice: UpstreamChoice): Promise<Upstream> {
  switch (choice.kind) {
    case "tape":
      return openTape(choice.file);
    case "rpc":
      return openNode("rpc", choice.url, choice.block);
    case "localnet":
      return openLocalnet((url) => openNode("localnet", url));
  }
}

async function openTape(file: string): Promise<Upstream> {
  const server = await serveTape({ file });
  const { url, chainId, block } = server;
  return {
    kind: "tape",
    description: `the recorded state of chain ${chainId} at block ${block} (${path.basename(file)})`,
    url,
    chainId,
    block,
    usdc: USDC_MAINNET,
    failures: () => server.report().misses.list.map(({ message, method }) => `${message} (${method})`),
    tapeReport: () => server.report(),
    close: async () => void (await server.close()),
  };
}

async function openNode(kind: "rpc" | "localnet", upstreamUrl: string, block?: number): Promise<Upstream> {
  const recorder = await recordTape({ upstreamUrl, ...(block === undefined ? {} : { block }) });
  const { url, chainId } = recorder;
  const what = kind === "rpc" ? `the node at ${UPSTREAM_VARIABLE}` : "the local chain";
  return {
    kind,
    description: `${what}, chain ${chainId}, at block ${recorder.block}`,
    url,
    chainId,
    block: recorder.block,
    usdc: USDC_MAINNET,
    failures: () => [...recorder.report().failures.messages],
    tapeReport: () => null,
    close: async () => void (await recorder.close()),
  };
}
