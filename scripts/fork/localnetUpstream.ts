// The local chain as the upstream of a fork: what tests stand on where there is neither a node nor a tape. A chain of
// its own in a temporary folder, with nothing on it but the protocols, so that a run of `npm start` is left alone.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startLocalChain } from "../localnet/anvil";
import { deployProtocols } from "../localnet/protocols/deploy";
import type { Protocols } from "../localnet/protocols/protocolsFile";

export interface LocalnetUpstream {
  readonly url: string;
  readonly protocols: Protocols;
  close(): Promise<void>;
}

/** @throws WorldFailure if anvil is not installed or does not start. Needs the models compiled (`npm run build`). */
export async function openLocalnet(): Promise<LocalnetUpstream> {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-upstream-"));
  const chain = await startLocalChain({ folder, port: 0 });
  // The node is in a group of its own and would outlive a test process that is ended in the middle.
  const killNode = (): void => {
    try {
      process.kill(chain.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  process.once("exit", killNode);
  const close = async (): Promise<void> => {
    await chain.stop();
    process.off("exit", killNode);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { url: chain.url, protocols: await deployProtocols(chain.url, folder), close };
  } catch (error) {
    await close();
    throw error;
  }
}
