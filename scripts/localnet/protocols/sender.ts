// An account that deploys and calls on a chain that mines each transaction as it comes.
import { ContractFactory, Interface, getCreateAddress, type HDNodeWallet, type Contract } from "ethers";
import type { LocalRole } from "../../../deploy/networks/localAccounts";
import { localWallet } from "../../../deploy/networks/localWallet";
import { LOCAL_CHAIN_ID } from "../anvil";
import { callNode } from "../jsonRpc";
import type { Artifact } from "./npmArtifact";

/** Estimating is no use here: the estimate of Aave's batch `initReserves` fails although the call runs. */
const GAS_LIMIT = 16_000_000;
const MAX_FEE_PER_GAS = 100_000_000_000n;
const RECEIPT_PATIENCE_MS = 10_000;

export class Sender {
  private constructor(
    private readonly url: string,
    private readonly wallet: HDNodeWallet,
    private nonce: number,
  ) {}

  static async as(url: string, role: LocalRole): Promise<Sender> {
    const wallet = localWallet(role);
    const nonce = Number(await callNode(url, "eth_getTransactionCount", [wallet.address, "pending"]));
    return new Sender(url, wallet, nonce);
  }

  get address(): string {
    return this.wallet.address;
  }

  /** Deploys and returns the checksummed address. */
  async deploy(artifact: Artifact, ...args: readonly unknown[]): Promise<string> {
    const factory = new ContractFactory(artifact.abi, artifact.bytecode);
    const { data } = await factory.getDeployTransaction(...args);
    const address = getCreateAddress({ from: this.address, nonce: this.nonce });
    await this.send(null, data, "a deployment");
    return address;
  }

  /** Calls `method` of `contract` in a transaction, with `value` wei. */
  async call(contract: Contract, method: string, args: readonly unknown[], value = 0n): Promise<void> {
    const address = await contract.getAddress();
    await this.send(address, contract.interface.encodeFunctionData(method, args), `${method} of ${address}`, value);
  }

  private async send(to: string | null, data: string, what: string, value = 0n): Promise<void> {
    const signed = await this.wallet.signTransaction({
      type: 2,
      chainId: LOCAL_CHAIN_ID,
      nonce: this.nonce,
      to,
      data,
      value,
      gasLimit: GAS_LIMIT,
      maxFeePerGas: MAX_FEE_PER_GAS,
      maxPriorityFeePerGas: 1n,
    });
    const hash = await callNode(this.url, "eth_sendRawTransaction", [signed], RECEIPT_PATIENCE_MS);
    this.nonce += 1;
    const receipt = await this.receiptOf(hash);
    if (receipt.status !== "0x1") throw new Error(`${what} reverted in setting up the local protocols`);
  }

  private async receiptOf(hash: unknown): Promise<{ status: string }> {
    const end = Date.now() + RECEIPT_PATIENCE_MS;
    while (Date.now() < end) {
      const receipt = (await callNode(this.url, "eth_getTransactionReceipt", [hash])) as { status: string } | null;
      if (receipt !== null) return receipt;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`transaction ${String(hash)} was not mined: is the node mining by itself?`);
  }
}

/** An ERC-20 as far as the market uses it. */
export const ERC20 = new Interface([
  "function approve(address spender, uint256 amount)",
  "function transfer(address to, uint256 amount)",
  "function mint(address to, uint256 amount)",
  "function balanceOf(address account) view returns (uint256)",
  "function allowance(address owner, address spender) view returns (uint256)",
]);
