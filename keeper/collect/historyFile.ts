// A history file on disk: plain or packed by gzip, and the series that its name names.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { InputFailure } from "../config/failure";
import { CANONICAL_COLUMNS } from "./canonicalHistory";

/** Larger than fifty years of hours; a file that unpacks to more is not what it says. */
const MOST_BYTES = 512 * 1024 * 1024;

const gunzipAsync = promisify(gunzip);

/** Unpacked beside what the process does meanwhile. @throws InputFailure `IMPORT_UNREADABLE`. */
export async function contentOf(file: string): Promise<Buffer> {
  const unreadable = (what: string, cause: unknown): InputFailure =>
    new InputFailure("IMPORT_UNREADABLE", what, {
      field: file,
      remedy: `Give a CSV file, or one packed by gzip, with the columns ${CANONICAL_COLUMNS.join(",")}.`,
      cause,
    });
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw unreadable("cannot be read", error);
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await gunzipAsync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw unreadable("is no whole gzip file, or unpacks to more than 512 MiB", error);
  }
}

/** The name of a file without its endings. */
export function seriesNameOf(file: string): string {
  const name = path.basename(file).replace(/(\.csv)?(\.gz)?$/, "");
  if (isSeriesName(name)) return name;
  throw new InputFailure("IMPORT_NAME", `${JSON.stringify(name)} cannot name a series`, {
    field: file,
    remedy:
      "Name the file after the series: lower-case letters, digits, hyphens and dots, for example aave-v3-usdc.csv.",
  });
}

export function isSeriesName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]*$/.test(name);
}
