// State read from a tape, by the strict rule: what is not in the tape is an error, unless it is known to be zero. A
// silent zero is how a fork on recorded state lies.
import type { Tape, ZeroReadable } from "./tape";
import { EMPTY_CODE_HASH } from "./tape";
import { FreshEntries } from "./freshEntries";
import type { Header } from "./header";
import { Refusal, type HistoryMethod, type PinnedState } from "./pinnedState";
import type { TapeTally, ZeroRule } from "./tapeReport";

const ZERO_WORD = `0x${"0".repeat(64)}`;

export class ReplayedState implements PinnedState {
  readonly chainId: number;
  readonly block: Header;
  private readonly patches: ReadonlyMap<string, { readonly value: string; readonly why: string }>;
  private readonly absent: ReadonlyMap<string, string>;
  private readonly zeroReadable: readonly ZeroReadable[];
  private readonly fresh: FreshEntries;

  constructor(
    private readonly tape: Tape,
    private readonly tally: TapeTally,
  ) {
    this.chainId = tape.chainId;
    this.block = tape.block;
    this.patches = new Map(tape.patches.map((patch) => [`${patch.address} ${patch.slot}`, patch]));
    this.absent = new Map(tape.absent.map(({ address, why }) => [address, why]));
    this.zeroReadable = tape.zeroReadable;
    this.fresh = new FreshEntries([...Object.keys(tape.accounts), ...this.absent.keys()]);
  }

  balance(address: string): string {
    return this.accountItem(address, "balance", (account) => account.balance);
  }

  nonce(address: string): string {
    return this.accountItem(address, "nonce", (account) => account.nonce);
  }

  code(address: string): string {
    return this.accountItem(address, "code", (account) => this.tape.code[account.codeHash] ?? "0x");
  }

  slot(address: string, slot: string): string {
    const patch = this.patches.get(`${address} ${slot}`);
    if (patch) {
      this.tally.patch(address, slot, patch.why);
      return patch.value;
    }
    const recorded = this.tape.storage[address]?.[slot];
    if (recorded !== undefined) {
      this.tally.hit();
      return recorded;
    }
    this.refuseAbsent(address, { address, slot });
    const zero = this.zeroOf(address, slot);
    if (!zero) throw new Refusal(-32000, `not recorded: ${address}, slot ${slot}`, { address, slot });
    this.tally.zero(address, slot, zero);
    return ZERO_WORD;
  }

  history(method: HistoryMethod): unknown {
    this.tally.history();
    return method === "eth_getLogs" ? [] : null;
  }

  private accountItem(
    address: string,
    item: "balance" | "nonce" | "code",
    read: (account: Tape["accounts"][string]) => string,
  ): string {
    const account = this.tape.accounts[address];
    if (account) {
      this.tally.hit();
      return read(account);
    }
    this.refuseAbsent(address, { address });
    if (this.tape.unknownAccounts === "refuse") {
      throw new Refusal(-32000, `not recorded: ${address}, ${item}`, { address });
    }
    this.fresh.touch(address);
    this.tally.zero(address, item, { rule: "fresh-account", why: "not in the tape" });
    return item === "code" ? "0x" : "0x0";
  }

  private refuseAbsent(address: string, at: { address: string; slot?: string }): void {
    const why = this.absent.get(address);
    if (why === undefined) return;
    const slot = at.slot === undefined ? "" : `, slot ${at.slot}`;
    throw new Refusal(-32000, `not recorded: ${address}${slot}: exists on this chain, ${why}`, at);
  }

  private zeroOf(address: string, slot: string): { rule: ZeroRule; why: string } | undefined {
    const account = this.tape.accounts[address];
    if (!account) {
      if (this.tape.unknownAccounts === "refuse") return undefined;
      return { rule: "fresh-account", why: "not in the tape" };
    }
    if (account.codeHash === EMPTY_CODE_HASH) return { rule: "no-code", why: "an account without code has no storage" };
    for (const { address: readable, slots, ranges, mappings, why = "" } of this.zeroReadable) {
      if (readable !== address) continue;
      if (slots?.includes(slot)) return { rule: "listed-slot", why };
      // Words of equal length in lower case compare as numbers do.
      if (ranges?.some(([first, last]) => first <= slot && slot <= last)) return { rule: "range", why };
      for (const mapping of mappings ?? []) {
        const entry = this.fresh.find(slot, mapping);
        if (entry) return { rule: "fresh-entry", why: `mapping ${mapping.base} of ${entry.keys.join(" → ")}` };
      }
    }
    return undefined;
  }
}
