// The data file of protocols: what is known of each, every figure with its source and date. Checked when it is read; what
// is not known is null, with the reason in place of the source, and is scored as if it were bad (scorecard.ts).
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import type { VenueKind } from "../chain/snapshot";

export const PROTOCOL_FILE = path.join(__dirname, "protocols.json");

const day = z.string().refine(isDay, "is not a day or a month (2025-06-30 or 2025-06)");
const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens");

/** A figure with where it is from. */
const figure = <T extends z.ZodType>(value: T) =>
  z.strictObject({ value: value.nullable(), source: z.string().min(1, "is empty"), date: day });

const incident = z.strictObject({
  date: day,
  what: z.string().min(1, "is empty"),
  /** Who bore it. `beside-the-venue`: another contract or version of the same makers. */
  severity: z.enum(["nobody-lost", "beside-the-venue", "made-whole", "depositors-lost"]),
});

const protocol = z.strictObject({
  id: name,
  name: z.string().min(1, "is empty"),
  /** Incidents after this day would not be listed. */
  researchedTo: day,
  tvlUsd: figure(z.number().finite().min(0, "must not be negative")),
  /** Independent firms that audited the deployed code or what it was deployed from. */
  audits: figure(z.number().int("must be a whole number").min(0, "must not be negative")),
  since: figure(day),
  incidents: figure(z.array(incident)),
  /** Whose prices decide over solvency. `by-market`: whoever made the market chose. */
  oracle: figure(z.enum(["none", "several-providers", "one-provider", "by-market"])),
  /** Who can change it, and how long before it takes effect. */
  governance: figure(
    z.strictObject({
      kind: z.enum(["nobody", "vote", "curator", "multisig", "one-key"]),
      delayHours: z.number().finite().min(0, "must not be negative"),
    }),
  ),
  upgradeability: figure(z.enum(["none", "by-governance", "by-key"])),
  /** What a joint shock reaches it by: coins held beside the vault's asset, and oracles. */
  leansOn: figure(z.strictObject({ coins: z.array(name), oracles: z.array(name) })),
});

const fileSchema = z.strictObject({
  format: z.literal("tiller-protocols/1"),
  protocols: z
    .array(protocol)
    .min(1, "names no protocol")
    .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, "names a protocol twice"),
});

export type Protocol = z.output<typeof protocol>;
export type Incident = z.output<typeof incident>;

/** Unix seconds of a day's or month's beginning. */
export function dayAt(text: string): number {
  return Date.parse(`${text.length === 7 ? `${text}-01` : text}T00:00:00Z`) / 1000;
}

/** @throws InputFailure `PROTOCOLS_UNREADABLE`, `PROTOCOLS_MALFORMED` naming the first field that is wrong. */
export function readProtocols(file: string = PROTOCOL_FILE): readonly Protocol[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    const what = cause instanceof SyntaxError ? "is not JSON" : "cannot be read";
    throw new InputFailure("PROTOCOLS_UNREADABLE", `the file of protocols ${what}`, {
      field: file,
      remedy: "Name a file in the form of keeper/risk/protocols.json in risk.protocolFile, or leave that out.",
      cause,
    });
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data.protocols;
  const issue = parsed.error.issues[0];
  throw new InputFailure("PROTOCOLS_MALFORMED", issue?.message ?? "is no file of protocols", {
    field: fieldOf(json, issue?.path ?? []),
    remedy: "Correct it; keeper/risk/README.md says what each field means. What is not known is null, with a source.",
  });
}

/** Which protocol a venue is of, where the operator does not say: by its kind. Null: nobody knows, as of any ERC-4626. */
const BY_KIND: Readonly<Record<VenueKind, string | null>> = {
  "aave-v3": "aave-v3",
  "compound-v3": "compound-v3",
  "curve-3pool": "curve-3pool",
  "uniswap-v3": "uniswap-v3",
  "sky-savings": "sky",
  erc4626: null,
};

/**
 * The protocol of each venue; null where none is known.
 * @param named The operator's own choice by venue id (`risk.protocols`).
 * @throws InputFailure `PROTOCOL_UNKNOWN` when it names one that the file does not have.
 */
export function protocolsOf(
  venues: readonly { readonly id: string; readonly kind: VenueKind }[],
  named: Readonly<Record<string, string>>,
  protocols: readonly Protocol[],
): ReadonlyMap<string, Protocol | null> {
  const known = new Map(protocols.map((one) => [one.id, one]));
  for (const [venue, id] of Object.entries(named)) {
    if (known.has(id)) continue;
    throw new InputFailure("PROTOCOL_UNKNOWN", `there is no protocol ${id} in the file`, {
      field: `risk.protocols.${venue}`,
      remedy: `Known protocols: ${[...known.keys()].join(", ")}.`,
    });
  }
  return new Map(venues.map(({ id, kind }) => [id, known.get(named[id] ?? BY_KIND[kind] ?? "") ?? null]));
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}(-\d{2})?$/.test(text)) return false;
  const whole = text.length === 7 ? `${text}-01` : text;
  const at = Date.parse(`${whole}T00:00:00Z`);
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === whole;
}

/** `protocols.aave-v3.tvlUsd.value`: the entry by its id where it has one. */
function fieldOf(json: unknown, keys: readonly PropertyKey[]): string {
  const [first, second, ...rest] = keys.map(String);
  const list = (json as { protocols?: unknown }).protocols;
  const entry: unknown = first === "protocols" && Array.isArray(list) ? list[Number(second)] : undefined;
  const id = (entry as { id?: unknown } | undefined)?.id;
  const place = second === undefined ? [] : [typeof id === "string" ? id : second];
  return [first ?? "protocols", ...place, ...rest].join(".");
}
