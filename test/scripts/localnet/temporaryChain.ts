// A local chain in a folder of its own that is gone after the test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Contract, Wallet, type JsonRpcProvider } from "ethers";
import type { LocalRole } from "../../../deploy/networks/localAccounts";
import { startLocalChain, type LocalChain } from "../../../scripts/localnet/anvil";
import { callNode } from "../../../scripts/localnet/jsonRpc";
import { localProvider } from "../../../scripts/localnet/market/contracts";
import { deployProtocols } from "../../../scripts/localnet/protocols/deploy";
import type { Protocols } from "../../../scripts/localnet/protocols/protocolsFile";
import { isAlive } from "../../../scripts/localnet/runningNode";
import { localWallet } from "../../../deploy/networks/localWallet";

export interface TemporaryFolder {
  readonly folder: string;
  remove(): void;
}

export function temporaryFolder(): TemporaryFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-localnet-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface TemporaryChain {
  readonly folder: string;
  readonly chain: LocalChain;
  readonly provider: JsonRpcProvider;
  readonly protocols: Protocols;
  /** A local actor, connected. The node mines each transaction at once until {@link automine} is turned off. */
  signer(role: LocalRole): Wallet;
  automine(on: boolean): Promise<void>;
  /** Mines an empty block `seconds` after the last one. */
  pass(seconds: number): Promise<void>;
  end(): Promise<void>;
}

export async function startTemporaryChain(): Promise<TemporaryChain> {
  const { folder, remove } = temporaryFolder();
  const chain = await startLocalChain({ folder, port: 0 });
  // The node is in a group of its own and would outlive a test process that is ended in the middle.
  const killNode = (): void => {
    if (isAlive(chain.pid)) process.kill(chain.pid, "SIGKILL");
  };
  process.once("exit", killNode);
  try {
    const protocols = await deployProtocols(chain.url, folder);
    const provider = localProvider(chain.url);
    const automine = async (on: boolean): Promise<void> => {
      await callNode(chain.url, "evm_setAutomine", [on]);
    };
    await automine(true);
    return {
      ...{ folder, chain, provider, protocols, automine },
      signer: (role) => new Wallet(localWallet(role).privateKey, provider),
      pass: (seconds) => passTime(chain.url, seconds),
      end: async () => {
        provider.destroy();
        await chain.stop();
        process.off("exit", killNode);
        remove();
      },
    };
  } catch (problem) {
    await chain.stop();
    remove();
    throw problem;
  }
}

export async function passTime(url: string, seconds: number): Promise<void> {
  const last = (await callNode(url, "eth_getBlockByNumber", ["latest", false])) as { timestamp: string };
  await callNode(url, "evm_setNextBlockTimestamp", [Number(last.timestamp) + seconds]);
  await callNode(url, "evm_mine", []);
}

/** Sends `method` and waits for its block, which the automining node makes at once. */
export async function transact(contract: Contract, method: string, ...args: readonly unknown[]): Promise<void> {
  const sent = await contract.getFunction(method).send(...args, { gasLimit: 3_000_000 });
  const receipt = await sent.wait(1, 20_000);
  if (receipt?.status !== 1) throw new Error(`${method} reverted`);
}
