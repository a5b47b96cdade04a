// How the relay can be told to misbehave. Real relays do each of these things.
import { z } from "zod";

export const faultsSchema = z.strictObject({
  /** Takes bundles and private transactions and never puts one into a block. */
  neverInclude: z.boolean().default(false),
  /**
   * What the sender is told. Everything but `normal` and `wrong-hash` also refuses what was sent, unless `includeUntold`.
   */
  reply: z
    .enum([
      "normal",
      "http-400",
      "http-403",
      "http-429",
      "http-500",
      "rpc-error",
      "null-result",
      "garbage",
      "wrong-hash",
      "hang-up",
    ])
    .default("normal"),
  /** Keeps and includes what was sent although `reply` says otherwise. */
  includeUntold: z.boolean().default(false),
  /** Wall milliseconds before the answer leaves; what was sent counts from its arrival. */
  delayMs: z.number().int().min(0).max(600_000).default(0),
  /** Above 0: a block with a bundle is taken back, with those after it, once this many blocks stand; others replace them. */
  reorgDepth: z.number().int().min(0).max(32).default(0),
  /** JSON-RPC methods that `reply` and `delayMs` apply to; empty: all. */
  methods: z.array(z.string()).default([]),
});

export type Faults = z.infer<typeof faultsSchema>;
export type FaultsInput = z.input<typeof faultsSchema>;

export const NO_FAULTS: Faults = faultsSchema.parse({});

export function replyFault(faults: Faults, method: string): Faults["reply"] {
  return concerns(faults, method) ? faults.reply : "normal";
}

export function delayFault(faults: Faults, method: string): number {
  return concerns(faults, method) ? faults.delayMs : 0;
}

function concerns(faults: Faults, method: string): boolean {
  return faults.methods.length === 0 || faults.methods.includes(method);
}
