// State of a live node pinned to one block, remembering each value that was read: what becomes a tape. Reads are kept,
// never a dump of the state after a run, which would hold the run's own changes and miss what only calls read.
import { keccak256, toQuantity } from "ethers";
import { WorldFailure } from "../../keeper/config/failure";
import { checkHeader, headerSchema, type Header } from "./header";
import { Refusal, type HistoryMethod, type PinnedState } from "./pinnedState";
import { EMPTY_CODE_HASH, TAPE_FORMAT, type Tape } from "./tape";
import { UPSTREAM_VARIABLE, type UpstreamNode } from "./upstreamNode";

/** Mainnet's newest blocks may be reorganised away while a run reads them; other chains here are our own. */
const MAINNET = 1;

interface Account {
  readonly balance: string;
  readonly nonce: string;
  readonly code: string;
}

export class RecordedState implements PinnedState {
  private readonly accounts = new Map<string, Promise<Account>>();
  private readonly slots = new Map<string, Promise<string>>();
  private readonly readAccounts = new Map<string, Account>();
  private readonly readSlots = new Map<string, Map<string, string>>();

  private constructor(
    private readonly node: UpstreamNode,
    readonly chainId: number,
    readonly block: Header,
    /** Whether the header's hash could be, and was, verified. */
    readonly headerVerified: boolean,
  ) {}

  /**
   * @param at Number or tag of the block to pin. Default: the finalized one on mainnet, else the latest.
   * @throws WorldFailure if the node fails, has no such block, or gives a header that is not its hash.
   */
  static async pin(node: UpstreamNode, at?: number | "latest" | "safe" | "finalized"): Promise<RecordedState> {
    const chainId = Number(await node.call("eth_chainId", []));
    const block = at ?? (chainId === MAINNET ? "finalized" : "latest");
    const answer = await node.call("eth_getBlockByNumber", [
      typeof block === "number" ? toQuantity(block) : block,
      false,
    ]);
    if (answer === null) throw worldly("UPSTREAM_BLOCK", `the node has no block ${block}`);
    const parsed = headerSchema.safeParse(emptied(answer));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw worldly("UPSTREAM_HEADER", `the node's header of block ${block} has no usable ${issue?.path.join(".")}`);
    }
    const check = checkHeader(parsed.data);
    if (check === "mismatch") throw worldly("UPSTREAM_HEADER", `the node's header of block ${block} is not its hash`);
    return new RecordedState(node, chainId, parsed.data, check === "verified");
  }

  async balance(address: string): Promise<string> {
    return (await this.account(address)).balance;
  }

  async nonce(address: string): Promise<string> {
    return (await this.account(address)).nonce;
  }

  async code(address: string): Promise<string> {
    return (await this.account(address)).code;
  }

  async slot(address: string, slot: string): Promise<string> {
    const key = `${address} ${slot}`;
    const reading = this.slots.get(key) ?? this.readSlot(address, slot);
    this.slots.set(key, reading);
    return reading;
  }

  /** Only an empty answer can be replayed: a tape has no place for logs and transactions. */
  async history(method: HistoryMethod, params: readonly unknown[]): Promise<unknown> {
    const result = await this.node.call(method, params);
    if (result === null || (Array.isArray(result) && result.length === 0)) return result;
    throw new Refusal(-32000, `not recordable: ${method} found something, and a tape holds state only`);
  }

  /** Everything read so far. Slots of an account are there only if the account is. */
  tape(): Tape {
    const block = `block ${Number(this.block.number)}`;
    const tape: Tape = {
      format: TAPE_FORMAT,
      chainId: this.chainId,
      block: this.block,
      accounts: {},
      code: {},
      storage: {},
      zeroReadable: [],
      patches: [],
      absent: [],
      from: {},
      labels: {},
      unknownAccounts: "refuse",
    };
    for (const [address, { balance, nonce, code }] of this.readAccounts) {
      const codeHash = code === "0x" ? EMPTY_CODE_HASH : keccak256(code);
      tape.accounts[address] = { balance, nonce, codeHash };
      tape.from[address] = block;
      if (code !== "0x") tape.code[codeHash] = code;
      const slots = this.readSlots.get(address);
      if (slots) tape.storage[address] = Object.fromEntries(slots);
    }
    return tape;
  }

  /** @throws WorldFailure if the pinned block is no longer the node's: the reads may be of two chains. */
  async assertStillPinned(): Promise<void> {
    const now = (await this.node.call("eth_getBlockByNumber", [this.block.number, false])) as { hash?: unknown } | null;
    if (now?.hash === this.block.hash) return;
    throw worldly("UPSTREAM_REORG", `block ${Number(this.block.number)} was reorganised away while it was read`);
  }

  /** An account is always read whole, so that a tape never knows half of it. */
  private account(address: string): Promise<Account> {
    const reading = this.accounts.get(address) ?? this.readAccount(address);
    this.accounts.set(address, reading);
    return reading;
  }

  private async readAccount(address: string): Promise<Account> {
    const [balance, nonce, code] = await Promise.all([
      this.read("eth_getBalance", [address], quantityOf),
      this.read("eth_getTransactionCount", [address], quantityOf),
      this.read("eth_getCode", [address], bytesOf),
    ]);
    const account = { balance, nonce, code };
    this.readAccounts.set(address, account);
    return account;
  }

  private async readSlot(address: string, slot: string): Promise<string> {
    await this.account(address);
    const value = await this.read("eth_getStorageAt", [address, slot], wordOf);
    const slots = this.readSlots.get(address) ?? new Map<string, string>();
    slots.set(slot, value);
    this.readSlots.set(address, slots);
    return value;
  }

  private async read(
    method: string,
    params: string[],
    parse: (answer: unknown) => string | undefined,
  ): Promise<string> {
    const value = parse(await this.node.call(method, [...params, this.block.number]));
    if (value === undefined) throw worldly("UPSTREAM_ANSWER", `the node's answer to ${method} is malformed`);
    return value;
  }
}

function worldly(code: string, message: string): WorldFailure {
  return new WorldFailure(code, message, {
    field: UPSTREAM_VARIABLE,
    remedy: "Try another block (--block) or another node.",
  });
}

function emptied(block: unknown): unknown {
  if (block === null || typeof block !== "object") return block;
  const header: Record<string, unknown> = { ...block, transactions: [], uncles: [] };
  if ("withdrawals" in header) header["withdrawals"] = [];
  for (const [name, value] of Object.entries(header)) {
    if (value === null) delete header[name];
    if (typeof value === "string") header[name] = value.toLowerCase();
  }
  return header;
}

function quantityOf(answer: unknown): string | undefined {
  return typeof answer === "string" && /^0x[0-9a-fA-F]+$/.test(answer) ? toQuantity(BigInt(answer)) : undefined;
}

function bytesOf(answer: unknown): string | undefined {
  return typeof answer === "string" && /^0x([0-9a-fA-F]{2})*$/.test(answer) ? answer.toLowerCase() : undefined;
}

function wordOf(answer: unknown): string | undefined {
  if (typeof answer !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(answer)) return undefined;
  return `0x${answer.slice(2).toLowerCase().padStart(64, "0")}`;
}
