// A development node (anvil or Hardhat) as a block builder needs it: what waits in its pool, one block at a time, and
// the way back. Both must mine in order of arrival (anvil: --order fifo) and never by themselves.
import { Signature, Transaction, toBeHex } from "ethers";
import { WorldFailure } from "../../keeper/config/failure";
import { type NodeCall, NodeRefusal, nodeCall } from "./jsonRpc";

export interface Head {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: number;
  readonly gasLimit: bigint;
}

export interface MinedBlock extends Head {
  readonly transactions: readonly string[];
}

/** A transaction of the public pool that can be taken out and put back byte for byte. */
export interface PublicTransaction {
  readonly hash: string;
  readonly from: string;
  readonly raw: string;
}

/** A point of the chain to go back to, with everything mined after it undone. Good for one return. */
export interface Mark {
  readonly height: number;
  readonly snapshot: string | null;
}

interface WireTransaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly type: string;
  readonly nonce: string;
  readonly gas: string;
  readonly gasPrice?: string;
  readonly maxFeePerGas?: string;
  readonly maxPriorityFeePerGas?: string;
  readonly value: string;
  readonly input: string;
  readonly chainId?: string;
  readonly accessList?: { address: string; storageKeys: string[] }[];
  readonly v: string;
  readonly r: string;
  readonly s: string;
}

interface WireBlock<T> {
  readonly number: string;
  readonly hash: string;
  readonly timestamp: string;
  readonly gasLimit: string;
  readonly baseFeePerGas?: string;
  readonly transactions: readonly T[];
}

export interface Receipt {
  readonly succeeded: boolean;
  readonly blockHash: string;
}

export class DevNode {
  private constructor(
    readonly call: NodeCall,
    readonly kind: "anvil" | "hardhat",
    readonly chainId: bigint,
    readonly canSimulateSeveral: boolean,
  ) {}

  /** Connects and takes block production over: automatic and interval mining are off afterwards. */
  static async connect(url: string): Promise<DevNode> {
    const call = nodeCall(url);
    const client = (await call<string>("web3_clientVersion")).toLowerCase();
    const kind = client.startsWith("anvil") ? "anvil" : client.startsWith("hardhat") ? "hardhat" : null;
    if (kind === null) {
      throw new WorldFailure("RELAY_NODE_UNKNOWN", "the node is neither anvil nor Hardhat", {
        field: "node",
        remedy: "The local relay makes blocks on development nodes only.",
      });
    }
    await call("evm_setAutomine", [false]);
    await call("evm_setIntervalMining", [0]);
    return new DevNode(call, kind, BigInt(await call<string>("eth_chainId")), await knows(call, "eth_simulateV1"));
  }

  async head(): Promise<Head> {
    return this.block("latest");
  }

  async block(tag: string | number): Promise<MinedBlock> {
    const block = await this.call<WireBlock<string>>("eth_getBlockByNumber", [wireTag(tag), false]);
    return { ...headOf(block), transactions: block.transactions };
  }

  /** Base fee of the block that would come next. */
  async nextBaseFee(): Promise<bigint> {
    const pending = await this.call<WireBlock<string>>("eth_getBlockByNumber", ["pending", false]);
    return BigInt(pending.baseFeePerGas ?? "0x0");
  }

  async accountNonce(address: string): Promise<number> {
    return Number(await this.call<string>("eth_getTransactionCount", [address, "latest"]));
  }

  async balance(address: string): Promise<bigint> {
    return BigInt(await this.call<string>("eth_getBalance", [address, "latest"]));
  }

  async receipt(hash: string): Promise<Receipt | null> {
    const receipt = await this.call<{ status: string; blockHash: string } | null>("eth_getTransactionReceipt", [hash]);
    return receipt === null ? null : { succeeded: receipt.status === "0x1", blockHash: receipt.blockHash };
  }

  async sendRaw(raw: string): Promise<void> {
    await this.call("eth_sendRawTransaction", [raw]);
  }

  /** Anvil takes transactions of the same sender with a higher nonce out as well. */
  async drop(hash: string): Promise<void> {
    await this.call("hardhat_dropTransaction", [hash]);
  }

  /**
   * Empties the pool of what can be put back, and says what that is, in the order in which it would be mined. Senders
   * with a transaction that has no real signature (an impersonated account) keep theirs where they are.
   */
  async takePool(): Promise<PublicTransaction[]> {
    const waiting = await this.pool();
    const rebuilt = waiting.map((wire) => ({ wire, raw: rebuild(wire) }));
    const unsigned = new Set(rebuilt.filter(({ raw }) => raw === null).map(({ wire }) => wire.from));
    const taken = rebuilt.flatMap(({ wire, raw }) =>
      raw === null || unsigned.has(wire.from) ? [] : [{ hash: wire.hash, from: wire.from, raw }],
    );
    await Promise.all(taken.map(({ hash }) => this.drop(hash)));
    return taken;
  }

  /** What waits in the pool and can be put back, without touching it. */
  async poolTransactions(): Promise<PublicTransaction[]> {
    return signedOnly(await this.pool());
  }

  /** The signed transactions of a block. */
  async blockTransactions(number: number): Promise<PublicTransaction[]> {
    const block = await this.call<WireBlock<WireTransaction>>("eth_getBlockByNumber", [wireTag(number), true]);
    return signedOnly(block.transactions);
  }

  async mine(timestamp: number): Promise<MinedBlock> {
    await this.call("evm_setNextBlockTimestamp", [timestamp]);
    await this.call("evm_mine");
    return this.block("latest");
  }

  /**
   * Hardhat keeps snapshots cheaply. Anvil copies the whole state for one and never frees it, but can step back through
   * the blocks' own states.
   */
  async mark(): Promise<Mark> {
    const { number } = await this.head();
    const snapshot = this.kind === "hardhat" ? await this.call<string>("evm_snapshot") : null;
    return { height: number, snapshot };
  }

  async undo(mark: Mark): Promise<void> {
    if (mark.snapshot !== null) {
      await this.call("evm_revert", [mark.snapshot]);
      return;
    }
    const { number } = await this.head();
    if (number > mark.height) await this.call("anvil_rollback", [number - mark.height]);
  }

  private async pool(): Promise<WireTransaction[]> {
    const pending = await this.call<WireBlock<WireTransaction>>("eth_getBlockByNumber", ["pending", true]);
    const all = await this.poolListing();
    const present = new Map(all.map((wire) => [wire.hash, wire]));
    const ordered = pending.transactions.filter((wire) => present.delete(wire.hash));
    return [...ordered, ...present.values()];
  }

  private async poolListing(): Promise<WireTransaction[]> {
    if (this.kind === "hardhat") return this.call<WireTransaction[]>("eth_pendingTransactions");
    const content = await this.call<{ pending: Record<string, Record<string, WireTransaction>> }>("txpool_content");
    return Object.values(content.pending).flatMap((byNonce) =>
      Object.values(byNonce).sort((a, b) => Number(a.nonce) - Number(b.nonce)),
    );
  }
}

async function knows(call: NodeCall, method: string): Promise<boolean> {
  try {
    await call(method, [{ blockStateCalls: [] }, "latest"]);
    return true;
  } catch (failure) {
    // -32601 and -32004: no such method. Any other refusal is about the empty request.
    return failure instanceof NodeRefusal && failure.rpcCode !== -32601 && failure.rpcCode !== -32004;
  }
}

function wireTag(tag: string | number): string {
  return typeof tag === "number" ? `0x${tag.toString(16)}` : tag;
}

function headOf(block: WireBlock<unknown>): Head {
  return {
    number: Number(block.number),
    hash: block.hash,
    timestamp: Number(block.timestamp),
    gasLimit: BigInt(block.gasLimit),
  };
}

function signedOnly(transactions: readonly WireTransaction[]): PublicTransaction[] {
  return transactions.flatMap((wire) => {
    const raw = rebuild(wire);
    return raw === null ? [] : [{ hash: wire.hash, from: wire.from, raw }];
  });
}

/** The raw bytes of a transaction, from its fields; null unless they have its hash and its sender's signature. */
function rebuild(wire: WireTransaction): string | null {
  try {
    const type = Number(wire.type);
    const dynamic = type >= 2;
    const transaction = Transaction.from({
      type,
      nonce: Number(wire.nonce),
      gasLimit: wire.gas,
      to: wire.to,
      value: wire.value,
      data: wire.input,
      ...(wire.chainId === undefined ? {} : { chainId: wire.chainId }),
      ...(dynamic
        ? { maxFeePerGas: wire.maxFeePerGas ?? "0x0", maxPriorityFeePerGas: wire.maxPriorityFeePerGas ?? "0x0" }
        : { gasPrice: wire.gasPrice ?? "0x0" }),
      ...(type >= 1 ? { accessList: wire.accessList ?? [] } : {}),
      signature: Signature.from({ r: toBeHex(wire.r, 32), s: toBeHex(wire.s, 32), v: signatureV(wire.v, type) }),
    });
    const isSame = transaction.hash === wire.hash && transaction.from?.toLowerCase() === wire.from.toLowerCase();
    return isSame ? transaction.serialized : null;
  } catch {
    return null;
  }
}

function signatureV(v: string, type: number): bigint {
  const value = BigInt(v);
  return type >= 1 && value <= 1n ? value + 27n : value;
}
