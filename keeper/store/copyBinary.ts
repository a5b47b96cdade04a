// Rows as `COPY … WITH (FORMAT binary)` reads them: PostgreSQL's documentation of COPY, "Binary Format", and each type's
// `recv` function. Numbers go as they are in memory: neither side turns them into digits and back.

/** Rows in one piece: large enough that the driver's work for each piece does not count. */
const ROWS_A_PIECE = 2_000;
const FIRST_PIECE_BYTES = 64 * 1024;

/** The signature, no flags, no further header. */
const HEAD = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** In place of a row's number of columns. */
const END = -1;
const NULL_LENGTH = -1;

const POSTGRES_EPOCH_MS = 946_684_800_000;
const TWO_32 = 2 ** 32;

/** What PostgreSQL's numeric counts in, and how it marks a number below zero. */
const DIGITS_A_GROUP = 4;
const NUMERIC_NEGATIVE = 0x4000;
/** Of PostgreSQL's own type `numeric`, the same on every server (pg_type.dat). */
const NUMERIC_OID = 1700;

/**
 * @param columns How many `write` writes of each row, in the order of the statement's columns.
 * @throws RangeError from the iteration where a value is not one of its column's type: a defect of ours.
 */
export function* copyBinary<T>(
  rows: Iterable<T>,
  columns: number,
  write: (row: T, to: CopyWriter) => void,
): Generator<Buffer> {
  const writer = new CopyWriter();
  writer.raw(HEAD);
  let inPiece = 0;
  for (const row of rows) {
    writer.begin(columns);
    write(row, writer);
    inPiece += 1;
    if (inPiece === ROWS_A_PIECE) {
      yield writer.take();
      inPiece = 0;
    }
  }
  writer.begin(END);
  yield writer.take();
}

/** Writes the columns of a row one after the other, each by the type that it has in the table. */
export class CopyWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_PIECE_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  int4(value: number | null): void {
    if (value === null) return this.#null();
    if ((value | 0) !== value) throw new RangeError(`${value} is no integer of 4 bytes`);
    const at = this.#field(4);
    this.#view.setInt32(at, value);
  }

  int8(value: number | null): void {
    if (value === null) return this.#null();
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer`);
    this.#eight(value);
  }

  float8(value: number | null): void {
    if (value === null) return this.#null();
    const at = this.#field(8);
    // Of the two zeros, the one that a number written out has.
    this.#view.setFloat64(at, value + 0);
  }

  /** `timestamptz` of unix seconds, to the millisecond. */
  time(seconds: number): void {
    const ms = Math.trunc(seconds * 1_000);
    const microseconds = (ms - POSTGRES_EPOCH_MS) * 1_000;
    if (!Number.isSafeInteger(microseconds)) throw new RangeError(`${seconds} is no time`);
    this.#eight(microseconds);
  }

  bool(value: boolean): void {
    const at = this.#field(1);
    this.#view.setUint8(at, value ? 1 : 0);
  }

  text(value: string | null): void {
    if (value === null) return this.#null();
    // At most three bytes for each of a string's units.
    this.#reserve(4 + 3 * value.length);
    const length = this.#bytes.write(value, this.#at + 4);
    this.#view.setInt32(this.#at, length);
    this.#at += 4 + length;
  }

  /** `numeric` of an integer in decimal. */
  numeric(value: string | null): void {
    if (value === null) return this.#null();
    if (!/^-?\d+$/.test(value)) throw new RangeError(`${JSON.stringify(value)} is no integer`);
    const negative = value.startsWith("-");
    let first = negative ? 1 : 0;
    while (first < value.length && value.charCodeAt(first) === ZERO) first += 1;
    const groups = Math.ceil((value.length - first) / DIGITS_A_GROUP);
    const at = this.#field(8 + 2 * groups);
    this.#view.setInt16(at, groups);
    this.#view.setInt16(at + 2, Math.max(0, groups - 1));
    this.#view.setUint16(at + 4, negative ? NUMERIC_NEGATIVE : 0);
    this.#view.setInt16(at + 6, 0);
    for (let k = 0; k < groups; k += 1) {
      const end = value.length - (groups - 1 - k) * DIGITS_A_GROUP;
      let group = 0;
      for (let digit = Math.max(first, end - DIGITS_A_GROUP); digit < end; digit += 1) {
        group = group * 10 + value.charCodeAt(digit) - ZERO;
      }
      this.#view.setInt16(at + 8 + 2 * k, group);
    }
  }

  /** `numeric[]` of integers in decimal. */
  numerics(values: readonly string[] | null): void {
    if (values === null) return this.#null();
    // Dimensions, "has nulls", the element's type; the dimension's length, and the place of its first element.
    const at = this.#field(20);
    this.#view.setInt32(at, 1);
    this.#view.setInt32(at + 4, 0);
    this.#view.setUint32(at + 8, NUMERIC_OID);
    this.#view.setInt32(at + 12, values.length);
    this.#view.setInt32(at + 16, 1);
    // An element is written as a column is. The length of the whole is known now.
    for (const value of values) this.numeric(value);
    this.#view.setInt32(at - 4, this.#at - at);
  }

  /** Begins a row of so many columns. */
  begin(columns: number): void {
    this.#reserve(2);
    this.#view.setInt16(this.#at, columns);
    this.#at += 2;
  }

  raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#at);
    this.#at += bytes.length;
  }

  /** What was written since the last call; the bytes are the caller's. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#renew(this.#bytes.length);
    this.#at = 0;
    return taken;
  }

  #eight(value: number): void {
    const at = this.#field(8);
    const high = Math.floor(value / TWO_32);
    this.#view.setInt32(at, high);
    this.#view.setUint32(at + 4, value - high * TWO_32);
  }

  #null(): void {
    this.#reserve(4);
    this.#view.setInt32(this.#at, NULL_LENGTH);
    this.#at += 4;
  }

  /** A column's length, and where its bytes go. */
  #field(length: number): number {
    this.#reserve(4 + length);
    const at = this.#at + 4;
    this.#view.setInt32(this.#at, length);
    this.#at = at + length;
    return at;
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const written = this.#bytes.subarray(0, this.#at);
    this.#renew(Math.max(needed, 2 * this.#bytes.length));
    written.copy(this.#bytes);
  }

  #renew(length: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(length);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

const ZERO = "0".charCodeAt(0);
