// A recording proxy: serves a live node's state at one block to a forking node, and writes what was read as a tape.
import { Failure } from "../../keeper/config/failure";
import { Refusal, type PinnedState } from "./pinnedState";
import { RecordedState } from "./recordedState";
import { startRpcServer } from "./rpcServer";
import { writeTape } from "./tape";
import { UpstreamNode } from "./upstreamNode";

export interface RecordOptions {
  /** Address of the node, key included. It is never repeated. */
  readonly upstreamUrl: string;
  readonly block?: number | "latest" | "safe" | "finalized";
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Called for each request that got no answer. */
  readonly onFailure?: (failure: { readonly method: string; readonly message: string }) => void;
}

export interface RecordReport {
  readonly chainId: number;
  readonly block: number;
  readonly hash: string;
  readonly headerVerified: boolean;
  readonly requests: number;
  readonly accounts: number;
  readonly codes: number;
  readonly slots: number;
  /** Requests that got no answer: the node failed, or a tape cannot hold the answer. */
  readonly failures: { readonly total: number; readonly messages: readonly string[] };
}

export interface Recorder {
  readonly url: string;
  readonly chainId: number;
  readonly block: number;
  report(): RecordReport;
  /** Writes what was read so far. @throws WorldFailure if the pinned block is no longer the node's. */
  save(file: string): Promise<void>;
  close(): Promise<RecordReport>;
}

/** @throws InputFailure or WorldFailure if the address, the node or the block is no good. */
export async function recordTape(options: RecordOptions): Promise<Recorder> {
  const recorded = await RecordedState.pin(new UpstreamNode(options.upstreamUrl), options.block);
  const failures = new Map<string, number>();
  let requests = 0;
  const server = await startRpcServer({
    state: refusing(recorded),
    port: options.port ?? 0,
    onRequest: () => void requests++,
    onRefusal: (method, { message }) => {
      failures.set(message, (failures.get(message) ?? 0) + 1);
      options.onFailure?.({ method, message });
    },
    report: () => report(),
  });
  const report = (): RecordReport => {
    const tape = recorded.tape();
    return {
      chainId: recorded.chainId,
      block: Number(recorded.block.number),
      hash: recorded.block.hash,
      headerVerified: recorded.headerVerified,
      requests,
      accounts: Object.keys(tape.accounts).length,
      codes: Object.keys(tape.code).length,
      slots: Object.values(tape.storage).reduce((sum, slots) => sum + Object.keys(slots).length, 0),
      failures: { total: [...failures.values()].reduce((sum, n) => sum + n, 0), messages: [...failures.keys()] },
    };
  };
  return {
    url: server.url,
    chainId: recorded.chainId,
    block: Number(recorded.block.number),
    report,
    save: async (file) => {
      await recorded.assertStillPinned();
      writeTape(file, recorded.tape());
    },
    close: async () => {
      await server.close();
      return report();
    },
  };
}

/** The same state, with the node's failures as errors that the asking node understands. */
function refusing(state: PinnedState): PinnedState {
  const guarded = async <T>(read: () => Promise<T> | T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (error instanceof Failure) throw new Refusal(-32000, error.message);
      throw error;
    }
  };
  return {
    chainId: state.chainId,
    block: state.block,
    balance: (address) => guarded(() => state.balance(address)),
    nonce: (address) => guarded(() => state.nonce(address)),
    code: (address) => guarded(() => state.code(address)),
    slot: (address, slot) => guarded(() => state.slot(address, slot)),
    history: (method, params) => guarded(() => state.history(method, params)),
  };
}
