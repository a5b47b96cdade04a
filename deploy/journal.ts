// What a deployment has signed so far, in a file beside the address file. It is written before anything is sent, so a
// run that is killed anywhere is continued by the next one, which sends the same bytes or nothing.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { InputFailure } from "../keeper/config/failure";

const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);

const entrySchema = z.strictObject({
  nonce: z.number().int().nonnegative(),
  hash,
  /** The signed transaction: sent again as it is, it can take effect once only. */
  raw: z.string().regex(/^0x[0-9a-f]+$/),
  /** Of the contract that it creates. */
  creates: address.nullable(),
});

const journalSchema = z.strictObject({
  format: z.literal("tiller-deployment/1"),
  chainId: z.number().int().positive(),
  genesisHash: hash,
  deployer: address,
  /** Digest of every parameter and all code: the next run continues this deployment and no other. */
  plan: hash,
  /** The deployer's nonce that is kept for the vault: adapters are built for the address that follows from it. */
  vaultNonce: z.number().int().nonnegative().nullable(),
  steps: z.record(z.string(), entrySchema),
});

export type JournalEntry = z.infer<typeof entrySchema>;
export type JournalHead = Pick<z.infer<typeof journalSchema>, "chainId" | "genesisHash" | "deployer" | "plan">;

export function journalFileOf(addressFile: string): string {
  return `${addressFile.replace(/\.json$/, "")}.journal.json`;
}

/** Writes `content` so that a kill leaves the old file or the new one. */
export function writeWhole(file: string, content: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(partial, file);
}

export class Journal {
  private constructor(
    private readonly file: string,
    private content: z.infer<typeof journalSchema>,
  ) {}

  /**
   * Opens the journal of this deployment; nothing is written before the first step.
   * @throws InputFailure JOURNAL_MALFORMED, JOURNAL_OTHER if the file belongs to another deployment.
   */
  static open(file: string, head: JournalHead): Journal {
    const fresh = { format: "tiller-deployment/1", ...head, vaultNonce: null, steps: {} } as const;
    if (!existsSync(file)) return new Journal(file, fresh);
    const content = read(file);
    const other = (["chainId", "genesisHash", "deployer", "plan"] as const).find((key) => content[key] !== head[key]);
    if (other === undefined) return new Journal(file, content);
    const what = { chainId: "chain", genesisHash: "chain", deployer: "deployer", plan: "set of parameters or code" };
    throw new InputFailure("JOURNAL_OTHER", `a deployment with another ${what[other]} was begun here`, {
      field: file,
      remedy: "Finish that one with its own parameters, or name another address file.",
    });
  }

  entry(step: string): JournalEntry | undefined {
    return this.content.steps[step];
  }

  get vaultNonce(): number | null {
    return this.content.vaultNonce;
  }

  keepVaultNonce(vaultNonce: number): void {
    this.save({ ...this.content, vaultNonce });
  }

  record(step: string, entry: JournalEntry): void {
    this.save({ ...this.content, steps: { ...this.content.steps, [step]: entry } });
  }

  private save(content: z.infer<typeof journalSchema>): void {
    writeWhole(this.file, content);
    this.content = content;
  }
}

function read(file: string): z.infer<typeof journalSchema> {
  try {
    return journalSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new InputFailure("JOURNAL_MALFORMED", "the journal of an earlier deployment cannot be read", {
      field: file,
      remedy: "Restore it, or name another address file to deploy afresh.",
    });
  }
}
