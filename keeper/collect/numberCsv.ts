// CSV of numbers as our history files are: a header, no quotes, a row a line. Every complaint names line and column.
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
  text: string,
  of: { readonly file: string; readonly columns: readonly string[] },
  visit: (row: CsvRow) => void,
): void {
  const reader = new Reader(text, of);
  while (reader.next()) visit(reader);
  if (reader.line <= 1) {
    throw new InputFailure("IMPORT_EMPTY", "has no row", { field: of.file, remedy: "Leave it out, or fill it." });
  }
}

/** The names in a file's first line. */
export function headerOf(text: string): string[] {
  const end = text.indexOf("\n");
  return (end < 0 ? text : text.slice(0, end))
    .replace(/^\uFEFF/, "")
    .trim()
    .split(",");
}

/** What `Number` reads beside decimal numbers (hexadecimal, spaces, infinity) has other characters. */
function isDecimal(text: string): boolean {
  for (let k = 0; k < text.length; k += 1) {
    const code = text.charCodeAt(k);
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isDigit && text[k] !== "." && text[k] !== "-" && text[k] !== "+" && text[k] !== "e" && text[k] !== "E") {
      return false;
    }
  }
  return text !== "";
}

function isDigits(text: string): boolean {
  for (let k = 0; k < text.length; k += 1) {
    const code = text.charCodeAt(k);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text !== "";
}

class Reader implements CsvRow {
  line = 1;
  readonly #text: string;
  readonly #file: string;
  readonly #names: readonly string[];
  /** Where each wanted column stands in the file. */
  readonly #places: readonly number[];
  readonly #width: number;
  #at: number;
  #fields: string[] = [];

  constructor(text: string, of: { readonly file: string; readonly columns: readonly string[] }) {
    this.#text = text;
    this.#file = of.file;
    this.#names = of.columns;
    const header = headerOf(text);
    this.#width = header.length;
    this.#places = of.columns.map((name) => header.indexOf(name));
    const missing = of.columns.filter((_name, k) => (this.#places[k] as number) < 0);
    if (missing.length > 0 || new Set(header).size !== header.length || header.length !== of.columns.length) {
      throw new InputFailure("IMPORT_COLUMNS", `has the columns ${header.join(", ").slice(0, 200)}`, {
        field: `${this.#file}: line 1`,
        remedy: `Give it these, once each: ${of.columns.join(", ")}.`,
      });
    }
    this.#at = nextLine(text, 0);
  }

  next(): boolean {
    while (this.#at < this.#text.length) {
      const end = nextLine(this.#text, this.#at);
      const line = this.#text.slice(this.#at, end).trimEnd();
      this.#at = end;
      this.line += 1;
      if (line === "" && this.#at >= this.#text.length) return false;
      this.#fields = line.split(",");
      if (this.#fields.length !== this.#width) {
        throw this.#failure(`has ${this.#fields.length} fields, not ${this.#width}`, this.#fields.length + 1);
      }
      return true;
    }
    return false;
  }

  text(column: number): string {
    return this.#fields[this.#places[column] as number] as string;
  }

  number(column: number): number | null {
    const text = this.text(column);
    if (text === "") return null;
    const value = Number(text);
    if (!isDecimal(text) || !Number.isFinite(value)) throw this.malformed(column, "is not a number");
    return value;
  }

  whole(column: number): number {
    const text = this.text(column);
    const value = Number(text);
    if (!isDigits(text) || !Number.isSafeInteger(value)) throw this.malformed(column, "is not a whole number");
    return value;
  }

  malformed(column: number, what: string): InputFailure {
    const shown = JSON.stringify(this.text(column).slice(0, 40));
    return this.#failure(`${this.#names[column]} ${shown} ${what}`, (this.#places[column] as number) + 1);
  }

  #failure(what: string, column: number): InputFailure {
    return new InputFailure("IMPORT_MALFORMED", what, {
      field: `${this.#file}: line ${this.line}, column ${column}`,
      remedy: "Correct the line; nothing of this import was stored.",
    });
  }
}

function nextLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end + 1;
}
