// A recording as a file: lines of JSON, packed by gzip where the name ends with .gz. To keep a day, or to hand it to somebody
// who has no access to the keeper's database.
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import type { RecordedLine, Recording } from "./recording";

const FORMAT = "tiller-recording/1";

const decimal = z.string().regex(/^-?\d+$/);
const rate = z.number().nullable();
const observation = z.strictObject({
  chainId: z.number(),
  venue: z.string(),
  adapter: z.string(),
  blockNumber: z.number(),
  blockHash: z.string(),
  observedAt: z.number(),
  availableAt: z.number(),
  source: z.string(),
  supplied: decimal.nullable(),
  borrowed: decimal.nullable(),
  supplyApr: rate,
  supplyAprWithoutUs: rate,
  borrowApr: rate,
  vaultAssets: decimal,
  index: decimal.nullable(),
});

const lineSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("run"),
    run: z.string(),
    dryRun: z.boolean(),
    chainId: z.number(),
    vault: z.string(),
    memory: z.string(),
  }),
  z.strictObject({ kind: z.literal("remembered"), row: observation }),
  z.strictObject({ kind: z.literal("fee"), observedAt: z.number(), baseFee: decimal }),
  z.strictObject({
    kind: z.literal("tick"),
    availableAt: z.number(),
    snapshot: z.string(),
    inputs: z.string().nullable(),
    recordHash: z.string().nullable(),
  }),
]);

/** Passes a recording on, and leaves it in `file`. @throws InputFailure `RECORDING_FILE`. */
export async function* keptIn(file: string, recording: Recording): AsyncGenerator<RecordedLine> {
  const into = isPacked(file) ? createGzip() : new PassThrough();
  let broken: unknown = null;
  const written = pipeline(into, createWriteStream(file)).catch((error: unknown) => {
    broken = error;
  });
  const write = async (text: string): Promise<void> => {
    if (broken === null && !into.write(`${text}\n`))
      await Promise.race([once(into, "drain"), written]).catch(() => written);
    if (broken !== null) throw unwritable(file, broken);
  };
  try {
    await write(FORMAT);
    for await (const line of recording) {
      await write(JSON.stringify(line));
      yield line;
    }
  } finally {
    into.end();
    await written;
  }
  if (broken !== null) throw unwritable(file, broken);
}

/** @throws InputFailure `RECORDING_UNREADABLE`, `RECORDING_MALFORMED`. */
export async function* readRecording(file: string): AsyncGenerator<RecordedLine> {
  const malformed = (line: number, why: string): InputFailure =>
    new InputFailure("RECORDING_MALFORMED", `line ${line}: ${why}`, {
      field: file,
      remedy: "Write it anew with `tiller backtest recorded --out`.",
    });
  let number = 0;
  let hasRun = false;
  for await (const line of linesOf(file)) {
    number += 1;
    if (number === 1) {
      if (line !== FORMAT) throw malformed(1, `is not ${FORMAT}`);
      continue;
    }
    const found = parse(line);
    if (typeof found === "string") throw malformed(number, found);
    hasRun ||= found.kind === "run";
    if (!hasRun) throw malformed(number, "comes before the run that it is of");
    yield found;
  }
  if (number === 0) throw malformed(1, `is not ${FORMAT}`);
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const text = isPacked(file) ? createGunzip() : new PassThrough();
  // What breaks it is thrown to whoever reads.
  pipeline(createReadStream(file), text).catch(() => undefined);
  try {
    let rest = "";
    for await (const chunk of text.setEncoding("utf8")) {
      const lines = (rest + (chunk as string)).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    if (rest !== "") yield rest;
  } catch (cause) {
    throw new InputFailure("RECORDING_UNREADABLE", "cannot be read to its end", {
      field: file,
      remedy: "Name a file that `tiller backtest recorded --out` wrote; a name in .gz is one packed by gzip.",
      cause,
    });
  }
}

/** @returns what is wrong with the line instead of it. */
function parse(line: string): RecordedLine | string {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return "is not JSON";
  }
  const result = lineSchema.safeParse(raw);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`;
}

function isPacked(file: string): boolean {
  return file.endsWith(".gz");
}

function unwritable(file: string, cause: unknown): InputFailure {
  return new InputFailure("RECORDING_FILE", "cannot be written", {
    field: file,
    remedy: "Name a file in a folder that exists and that you may write to.",
    cause,
  });
}
