// `npm run layout`: where the vault keeps what, as the compiler says, into contracts/storageLayout.json; with --check it
// fails where that file says otherwise. Nothing is upgradeable, so no change of it can break a vault that runs. But each
// slot that a call touches costs gas, and whoever reads a vault's storage from outside goes by this.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { artifacts } from "hardhat";

const FILE = path.join(__dirname, "../../contracts/storageLayout.json");
const SOURCE = "contracts/Vault.sol";
const CONTRACT = "Vault";

/** As solc writes it. Keys of types hold numbers that any change of source changes: they stay out of the file. */
interface SolcLayout {
  readonly storage: readonly SolcMember[];
  readonly types: Readonly<Record<string, SolcType>>;
}

interface SolcMember {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly type: string;
}

interface SolcType {
  readonly label: string;
  readonly numberOfBytes: string;
  readonly members?: readonly SolcMember[];
  readonly base?: string;
  readonly value?: string;
}

/** `slot` counts from the start of the contract, or of the struct; `offset` from the slot's low end, in bytes. */
interface Member {
  readonly slot: number;
  readonly offset: number;
  readonly bytes: number;
  readonly type: string;
  readonly name: string;
}

interface Layout {
  readonly storage: readonly Member[];
  /** Structs that arrays and mappings hold. */
  readonly structs: Readonly<Record<string, readonly Member[]>>;
}

function layoutOf({ storage, types }: SolcLayout): Layout {
  const structs: Record<string, Member[]> = {};
  const typeOf = (key: string): SolcType => {
    const type = types[key];
    if (type === undefined) throw new Error(`the compiler's layout has no type ${key}`);
    return type;
  };
  /** Structs within are unfolded; those that only an array or a mapping leads to are noted. */
  const unfold = (members: readonly SolcMember[], from: number, prefix: string): Member[] =>
    members.flatMap((member): Member[] => {
      const type = typeOf(member.type);
      const slot = from + Number(member.slot);
      const name = `${prefix}${member.label}`;
      if (type.members !== undefined) return unfold(type.members, slot, `${name}.`);
      note(type);
      return [{ slot, offset: member.offset, bytes: Number(type.numberOfBytes), type: type.label, name }];
    });
  const note = ({ base, value }: SolcType): void => {
    const held = base ?? value;
    if (held === undefined) return;
    const type = typeOf(held);
    if (type.members !== undefined) structs[type.label] ??= unfold(type.members, 0, "");
    else note(type);
  };
  return { storage: unfold(storage, 0, ""), structs };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  const build = await artifacts.getBuildInfo(`${SOURCE}:${CONTRACT}`);
  const output = build?.output.contracts[SOURCE]?.[CONTRACT] as { storageLayout?: SolcLayout } | undefined;
  if (output?.storageLayout === undefined)
    throw new Error("the build has no storage layout: npx hardhat compile --force");
  const layout = layoutOf(output.storageLayout);
  const text = `${JSON.stringify(layout, null, 2)}\n`;
  if (!values.check) {
    writeFileSync(FILE, text);
    return;
  }
  const lines = (of: Layout): string[] =>
    [...Object.entries({ storage: of.storage, ...of.structs })].flatMap(([where, members]) =>
      members.map(
        ({ slot, offset, bytes, type, name }) => `${where}: ${name} (${type}) ${slot}+${offset}, ${bytes} bytes`,
      ),
    );
  const [was, is] = [lines(JSON.parse(readFileSync(FILE, "utf8")) as Layout), lines(layout)];
  const gone = was.filter((line) => !is.includes(line)).map((line) => `- ${line}`);
  const come = is.filter((line) => !was.includes(line)).map((line) => `+ ${line}`);
  if (gone.length + come.length === 0) return;
  process.stdout.write(`${[...gone, ...come].join("\n")}\n`);
  process.stdout.write("The vault's storage is not laid out as contracts/storageLayout.json says: npm run layout\n");
  process.exitCode = 1;
}

void main();
