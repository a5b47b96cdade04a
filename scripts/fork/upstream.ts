// Which chain state a fork stands on: a live node, a tape, or the local chain. All three are served to the forking node
// in the same way, pinned to one block, by a server of this process that counts what it could not answer.
import path from "node:path";
import { InputFailure } from "../../keeper/config/failure";
import type { Protocols } from "../localnet/protocols/protocolsFile";
import { openLocalnet } from "./localnetUpstream";
import { recordTape, type Recorder } from "./recordTape";
import { serveTape } from "./serveTape";
import type { TapeReport } from "./tapeReport";
import { UPSTREAM_VARIABLE } from "./upstreamNode";

const MAINNET = 1;

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
  /** The local chain's protocols; null on mainnet's state. */
  readonly localProtocols: Protocols | null;
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
      throw new InputFailure("FORK_BLOCK", `"${block}" is not a block number`, {
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
    case "rpc": {
      const { url, block } = choice;
      const recorder = await recordTape({ upstreamUrl: url, ...(block === undefined ? {} : { block }) });
      if (recorder.chainId !== MAINNET) {
        await recorder.close();
        throw new InputFailure("FORK_CHAIN", `the node is of chain ${recorder.chainId}`, {
          field: UPSTREAM_VARIABLE,
          remedy: "Give a node of Ethereum mainnet (chain 1), or leave the variable out.",
        });
      }
      return overNode(recorder, { kind: "rpc", localProtocols: null, close: () => recorder.close() });
    }
    case "localnet": {
      const localnet = await openLocalnet();
      const recorder = await recordTape({ upstreamUrl: localnet.url }).catch(async (error: unknown) => {
        await localnet.close();
        throw error;
      });
      const close = (): Promise<void> => recorder.close().then(() => localnet.close());
      return overNode(recorder, { kind: "localnet", localProtocols: localnet.protocols, close });
    }
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
    localProtocols: null,
    failures: () => server.report().misses.list.map(({ message, method }) => `${message} (${method})`),
    tapeReport: () => server.report(),
    close: async () => void (await server.close()),
  };
}

function overNode(
  recorder: Recorder,
  { kind, localProtocols, close }: Pick<Upstream, "kind" | "localProtocols"> & { close(): Promise<unknown> },
): Upstream {
  const { url, chainId, block } = recorder;
  const what = kind === "rpc" ? `the node at ${UPSTREAM_VARIABLE}` : "the local chain";
  return {
    kind,
    description: `${what}, chain ${chainId}, at block ${block}`,
    url,
    chainId,
    block,
    localProtocols,
    failures: () => [...recorder.report().failures.messages],
    tapeReport: () => null,
    close: async () => void (await close()),
  };
}
