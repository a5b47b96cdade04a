// Which hashed storage slots belong to an address that nobody used before: the only entries of a mapping that may be
// answered zero without having been recorded. A mapping's entry lies at keccak(key . base), so a slot alone does not
// tell its key; this index hashes the addresses it was told of and looks the slot up.
import { concat, keccak256, toBeHex, zeroPadValue } from "ethers";

export interface AddressMapping {
  readonly base: number;
  /** 2: a mapping to a mapping; the first key is the owner of the entry. */
  readonly keys: 1 | 2;
  readonly order?: "solidity" | "vyper" | undefined;
}

export interface FreshEntry {
  readonly mapping: AddressMapping;
  /** The outer key first. */
  readonly keys: readonly string[];
}

interface MappingIndex {
  readonly mapping: AddressMapping;
  readonly entries: Map<string, FreshEntry>;
  /** Hash at which the inner mapping of each fresh address starts (two keys). */
  readonly inner: string[];
  /** How many of the known addresses are hashed already, for each fresh address (two keys). */
  readonly hashed: number[];
}

export class FreshEntries {
  /** Addresses that are on no list and that the server was asked about: accounts the run itself made up. */
  private readonly fresh: string[] = [];
  /** Everything that may stand as the second key: the fresh ones and the tape's own. */
  private readonly known: string[];
  private readonly seen: Set<string>;
  private readonly indexes = new Map<string, MappingIndex>();

  /** @param taped Addresses that the tape knows, recorded or absent; never fresh. */
  constructor(taped: Iterable<string>) {
    this.known = [...taped];
    this.seen = new Set(this.known);
  }

  /** Tells the index that the server was asked about `address` (lower case). */
  touch(address: string): void {
    if (this.seen.has(address)) return;
    this.seen.add(address);
    this.fresh.push(address);
    this.known.push(address);
  }

  /** The fresh address's entry at `slot`, or undefined if no address touched so far has one there. */
  find(slot: string, mapping: AddressMapping): FreshEntry | undefined {
    const index = this.indexOf(mapping);
    if (mapping.keys === 1) this.extendSingle(index);
    else this.extendDouble(index);
    return index.entries.get(slot);
  }

  private indexOf(mapping: AddressMapping): MappingIndex {
    const name = `${mapping.base} ${mapping.keys} ${mapping.order ?? "solidity"}`;
    const existing = this.indexes.get(name);
    if (existing) return existing;
    const index: MappingIndex = { mapping, entries: new Map(), inner: [], hashed: [] };
    this.indexes.set(name, index);
    return index;
  }

  private extendSingle({ mapping, entries, inner }: MappingIndex): void {
    for (const address of this.fresh.slice(inner.length)) {
      const slot = entrySlot(address, toBeHex(mapping.base, 32), mapping.order);
      inner.push(slot);
      entries.set(slot, { mapping, keys: [address] });
    }
  }

  private extendDouble({ mapping, entries, inner, hashed }: MappingIndex): void {
    for (const [i, owner] of this.fresh.entries()) {
      const start = (inner[i] ??= entrySlot(owner, toBeHex(mapping.base, 32), mapping.order));
      for (const second of this.known.slice(hashed[i] ?? 0)) {
        entries.set(entrySlot(second, start, mapping.order), { mapping, keys: [owner, second] });
      }
      hashed[i] = this.known.length;
    }
  }
}

/** Slot of `key`'s entry in the mapping at `base` (32 bytes). */
export function entrySlot(key: string, base: string, order: AddressMapping["order"] = "solidity"): string {
  const padded = zeroPadValue(key, 32);
  return keccak256(order === "vyper" ? concat([base, padded]) : concat([padded, base]));
}
