// A local chain with the protocols on it, for tests of the deployment: the state before any vault comes back for each.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { JsonRpcProvider } from "ethers";
import { localDeployment } from "../../deploy/localDeployment";
import type { DeployOptions } from "../../deploy/deployVault";
import { startLocalChain, type LocalChain } from "../../scripts/localnet/anvil";
import { deployProtocols } from "../../scripts/localnet/protocols/deploy";
import type { Protocols } from "../../scripts/localnet/protocols/protocolsFile";

export class TestChain {
  private snapshot = "";

  private constructor(
    private readonly chain: LocalChain,
    private readonly root: string,
    readonly provider: JsonRpcProvider,
    readonly protocols: Protocols,
  ) {}

  static async start(): Promise<TestChain> {
    const root = mkdtempSync(path.join(os.tmpdir(), "tiller-deploy-"));
    const folder = path.join(root, "chain");
    const chain = await startLocalChain({ folder, port: 0 });
    const protocols = await deployProtocols(chain.url, folder);
    const provider = new JsonRpcProvider(chain.url, undefined, { cacheTimeout: -1, batchMaxCount: 1 });
    provider.pollingInterval = 50;
    await provider.send("evm_setAutomine", [true]);
    const test = new TestChain(chain, root, provider, protocols);
    await test.keep();
    return test;
  }

  get url(): string {
    return this.chain.url;
  }

  private async keep(): Promise<void> {
    this.snapshot = (await this.provider.send("evm_snapshot", [])) as string;
  }

  /** Back to the state at the start, and a fresh folder for files. */
  async reset(): Promise<string> {
    await this.provider.send("evm_revert", [this.snapshot]);
    await this.provider.send("evm_setAutomine", [true]);
    await this.keep();
    return mkdtempSync(path.join(this.root, "files-"));
  }

  deployment(folder: string): DeployOptions {
    return localDeployment(this.provider, {
      protocols: this.protocols,
      addressFile: path.join(folder, "addresses.json"),
    });
  }

  get protocolsFile(): string {
    return path.join(this.root, "chain", "protocols.json");
  }

  async stop(): Promise<void> {
    this.provider.destroy();
    await this.chain.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}
