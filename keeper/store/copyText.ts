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

const DAY_SECONDS = 86_400;
const TWO_DIGITS = Array.from({ length: 60 }, (_, k) => String(k).padStart(2, "0"));

/** The day of the last call, for rows come in order: making a date of each takes longer than all else in a line. */
let [dayStart, dayText] = [NaN, ""];

/** Unix seconds as a time in UTC; to the millisecond where they are not whole. */
export function copyTime(seconds: number): string {
  if (!Number.isInteger(seconds)) return new Date(seconds * 1000).toISOString();
  const ofDay = seconds - dayStart;
  if (!(ofDay >= 0 && ofDay < DAY_SECONDS)) {
    dayStart = Math.floor(seconds / DAY_SECONDS) * DAY_SECONDS;
    dayText = new Date(dayStart * 1000).toISOString().slice(0, 11);
    return copyTime(seconds);
  }
  const [hour, minute] = [Math.floor(ofDay / 3_600), Math.floor((ofDay % 3_600) / 60)];
  return `${dayText}${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[ofDay % 60]}Z`;
}
