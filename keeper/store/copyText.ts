// Rows as `COPY` reads them (its text format): columns by tab, null as \N, a row a line.

/** Values as they go into a column; strings must be free of control characters, as names, hashes and numbers are. */
export type CopyValue = string | number | boolean | null;

/** Rows in one piece: large enough that the driver's work for each piece does not count. */
const ROWS_A_PIECE = 2_000;

export function* copyText<T>(rows: Iterable<T>, columns: (row: T) => readonly CopyValue[]): Generator<string> {
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(copyLine(columns(row)));
    if (lines.length === ROWS_A_PIECE) {
      yield lines.join("");
      lines = [];
    }
  }
  if (lines.length > 0) yield lines.join("");
}

function copyLine(values: readonly CopyValue[]): string {
  let line = "";
  for (let k = 0; k < values.length; k += 1) {
    const value = values[k];
    if (k > 0) line += "\t";
    if (value === null || value === undefined) line += "\\N";
    else if (typeof value === "string") line += NEEDS_ESCAPE.test(value) ? escaped(value) : value;
    else line += value;
  }
  return `${line}\n`;
}

const NEEDS_ESCAPE = /[\\\t\n\r]/;

function escaped(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/\t/g, "\\t").replace(/\n/g, "\\n").replace(/\r/g, "\\r");
}

/** Unix seconds as a time in UTC. */
export function copyTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
