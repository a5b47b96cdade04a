// CSV of numbers as our history files are: a header, no quotes, a row a line. Every complaint names line and column. Read from
// the file's bytes: a string for each of a million fields takes longer than all else of an import.
import { InputFailure } from "../config/failure";

export interface CsvRow {
  /** As in an editor: the header is line 1. */
  readonly line: number;
  /** Text of a column; empty: no value. */
  text(column: number): string;
  /** @throws InputFailure `IMPORT_MALFORMED` unless a finite decimal number; null: empty. */
  number(column: number): number | null;
  /** @throws InputFailure `IMPORT_MALFORMED` unless a whole number of at least zero. */
  whole(column: number): number;
  malformed(column: number, what: string): InputFailure;
}

/**
 * @param visit Called for each row; the row object is the same one each time.
 * @param columns Indices of {@link CsvRow} are those of this list, in whatever order the file has them.
 * @throws InputFailure `IMPORT_COLUMNS`, `IMPORT_MALFORMED`, `IMPORT_EMPTY`.
 */
export function readNumberCsv(
  bytes: Buffer,
  of: { readonly file: string; readonly columns: readonly string[] },
  visit: (row: CsvRow) => void,
): void {
  const reader = new Reader(bytes, of);
  while (reader.next()) visit(reader);
  if (reader.line <= 1) {
    throw new InputFailure("IMPORT_EMPTY", "has no row", { field: of.file, remedy: "Leave it out, or fill it." });
  }
}

/** The names in a file's first line. */
export function headerOf(bytes: Buffer): string[] {
  return bytes
    .toString("utf8", 0, endOfLine(bytes, 0))
    .replace(/^\uFEFF/, "")
    .trim()
    .split(",");
}

const [TAB, NEWLINE, RETURN, SPACE, COMMA] = [0x09, 0x0a, 0x0d, 0x20, 0x2c];
const [PLUS, MINUS, POINT, ZERO, NINE, UPPER_E, LOWER_E] = [0x2b, 0x2d, 0x2e, 0x30, 0x39, 0x45, 0x65];

class Reader implements CsvRow {
  line = 1;
  readonly #bytes: Buffer;
  readonly #file: string;
  readonly #names: readonly string[];
  /** Where each wanted column stands in the file. */
  readonly #places: Int32Array;
  readonly #width: number;
  /** Where the next line begins. */
  #at: number;
  /** Where the line's fields begin; each ends before the comma of the next one. */
  readonly #starts: Int32Array;

  constructor(bytes: Buffer, of: { readonly file: string; readonly columns: readonly string[] }) {
    this.#bytes = bytes;
    this.#file = of.file;
    this.#names = of.columns;
    const header = headerOf(bytes);
    this.#width = header.length;
    this.#places = Int32Array.from(of.columns, (name) => header.indexOf(name));
    this.#starts = new Int32Array(header.length + 1);
    const missing = this.#places.some((place) => place < 0);
    if (missing || new Set(header).size !== header.length || header.length !== of.columns.length) {
      throw new InputFailure("IMPORT_COLUMNS", `has the columns ${header.join(", ").slice(0, 200)}`, {
        field: `${this.#file}: line 1`,
        remedy: `Give it these, once each: ${of.columns.join(", ")}.`,
      });
    }
    this.#at = Math.min(endOfLine(bytes, 0) + 1, bytes.length);
  }

  next(): boolean {
    const [bytes, starts] = [this.#bytes, this.#starts];
    const from = this.#at;
    if (from >= bytes.length) return false;
    starts[0] = from;
    let [at, fields] = [from, 1];
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === NEWLINE) break;
      if (byte !== COMMA) continue;
      if (fields <= this.#width) starts[fields] = at + 1;
      fields += 1;
    }
    this.#at = at + 1;
    this.line += 1;
    while (at > from && isBlank(bytes[at - 1] as number)) at -= 1;
    if (at === from && this.#at >= bytes.length) {
      this.line -= 1;
      return false;
    }
    if (fields !== this.#width) throw this.#failure(`has ${fields} fields, not ${this.#width}`, fields + 1);
    starts[fields] = at + 1;
    return true;
  }

  text(column: number): string {
    return this.#bytes.toString("utf8", this.#from(column), this.#to(column));
  }

  number(column: number): number | null {
    const [from, to] = [this.#from(column), this.#to(column)];
    if (from === to) return null;
    const value = shortDecimal(this.#bytes, from, to) ?? longDecimal(this.#bytes, from, to);
    if (!Number.isFinite(value)) throw this.malformed(column, "is not a number");
    return value;
  }

  whole(column: number): number {
    const value = wholeNumber(this.#bytes, this.#from(column), this.#to(column));
    if (!Number.isSafeInteger(value)) throw this.malformed(column, "is not a whole number");
    return value;
  }

  malformed(column: number, what: string): InputFailure {
    const shown = JSON.stringify(this.text(column).slice(0, 40));
    return this.#failure(`${this.#names[column]} ${shown} ${what}`, (this.#places[column] as number) + 1);
  }

  #from(column: number): number {
    return this.#starts[this.#places[column] as number] as number;
  }

  #to(column: number): number {
    return (this.#starts[(this.#places[column] as number) + 1] as number) - 1;
  }

  #failure(what: string, column: number): InputFailure {
    return new InputFailure("IMPORT_MALFORMED", what, {
      field: `${this.#file}: line ${this.line}, column ${column}`,
      remedy: "Correct the line; nothing of this import was stored.",
    });
  }
}

/** Where the line that begins at `from` ends: its newline, or the end of all. */
function endOfLine(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 ? bytes.length : end;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === RETURN || byte === TAB;
}

/** Powers of ten that a double holds exactly, and the most digits that it does. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const EXACT_DIGITS = 15;

/**
 * A decimal number whose digits and whose power of ten are both exact as doubles, so that their product or quotient is
 * rounded once, as `Number` rounds (Clinger, "How to read floating point numbers accurately", 1990); null of all else.
 */
function shortDecimal(bytes: Buffer, from: number, to: number): number | null {
  let at = from;
  const negative = bytes[at] === MINUS;
  if (negative) at += 1;
  let [mantissa, digits, exponent] = [0, 0, 0];
  let seenPoint = false;
  for (; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      digits += 1;
      if (seenPoint) exponent -= 1;
    } else if (byte === POINT && !seenPoint) seenPoint = true;
    else break;
  }
  if (digits === 0 || digits > EXACT_DIGITS) return null;
  if (at < to) {
    const byte = bytes[at];
    if (byte !== LOWER_E && byte !== UPPER_E) return null;
    at += 1;
    const below = bytes[at] === MINUS;
    if (below || bytes[at] === PLUS) at += 1;
    const power = wholeNumber(bytes, at, to);
    exponent += below ? -power : power;
  }
  // Not a number where the power is none.
  if (!(Math.abs(exponent) < EXACT_POWERS.length)) return null;
  const scale = EXACT_POWERS[Math.abs(exponent)] as number;
  const value = exponent < 0 ? mantissa / scale : mantissa * scale;
  return negative ? -value : value;
}

/** Any decimal number; NaN of what is none. What `Number` reads beside them (hexadecimal, spaces, words) is none. */
function longDecimal(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    const known = byte >= ZERO && byte <= NINE;
    if (!known && ![PLUS, MINUS, POINT, UPPER_E, LOWER_E].includes(byte)) return NaN;
  }
  return Number(bytes.toString("latin1", from, to));
}

/** NaN of what is no run of digits; not exact above 2^53. */
function wholeNumber(bytes: Buffer, from: number, to: number): number {
  let value = from < to ? 0 : NaN;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return NaN;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}
