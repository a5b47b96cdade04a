// What the texts of options stand for, or which option is wrong and how to write it.
import { InputFailure } from "../config/failure";

/** @throws InputFailure `OPTION_MISSING`. */
export function required(text: string | undefined, field: string, remedy: string): string {
  if (text !== undefined) return text;
  throw new InputFailure("OPTION_MISSING", "is missing", { field, remedy });
}

/**
 * A whole number from 1 to `most`.
 * @throws InputFailure `OPTION_MALFORMED`.
 */
export function wholeNumber(text: string, field: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= most) return value;
  throw malformed(`is not a whole number from 1 to ${most}`, field, "Correct it.");
}

/**
 * A decimal number from 0 to `most`.
 * @param bounds `above`: the number must be greater than this.
 * @throws InputFailure `OPTION_MALFORMED`.
 */
export function decimal(
  text: string,
  field: string,
  bounds: { readonly above?: number; readonly most: number },
): number {
  const { above, most } = bounds;
  const value = /^(\d+\.?\d*|\.\d+)(e\+?\d{1,2})?$/i.test(text) ? Number(text) : NaN;
  if (value >= 0 && value <= most && (above === undefined || value > above)) return value;
  throw malformed(
    `is not a number ${above === undefined ? "from 0" : `above ${above}`} to ${most}`,
    field,
    "Correct it.",
  );
}

/** @throws InputFailure `OPTION_MALFORMED`. */
export function chainIdOf(text: string): number {
  return wholeNumber(text, "--chain", Number.MAX_SAFE_INTEGER);
}

/** A date is UTC midnight; a date with a time needs its zone, so that it means the same everywhere. */
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/;

export const DATES = "a date (2025-01-31), a time with its zone (2025-01-31T12:00Z)";

/** Unix seconds; null: no date. */
export function secondsOf(text: string): number | null {
  const seconds = DATE.test(text) ? Date.parse(text) / 1000 : NaN;
  // 2024-02-31 is read as 2 March by some engines: it must come back as it was written.
  const day = text.slice(0, 10);
  const genuine = Number.isFinite(seconds) && new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) === day;
  return genuine ? seconds : null;
}

/**
 * Unix seconds of a date that may be left out.
 * @throws InputFailure `OPTION_MALFORMED`.
 */
export function optionalDate(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const seconds = secondsOf(text);
  if (seconds !== null) return seconds;
  throw malformed(`${JSON.stringify(text)} is no date`, field, `Write ${DATES}.`);
}

export function malformed(message: string, field: string, remedy: string): InputFailure {
  return new InputFailure("OPTION_MALFORMED", message, { field, remedy });
}

export function unknownSeries(name: string): InputFailure {
  return new InputFailure("SERIES_UNKNOWN", `${JSON.stringify(name)} is not stored`, {
    field: "--series",
    remedy: "See the names with tiller data report.",
  });
}
