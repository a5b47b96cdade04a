// NumPy's array file (.npy, format 1.0 of NumPy's documentation): a header of one line, then the numbers as they lie in
// memory. `numpy.load(file, mmap_mode="r")` reads it without a copy.
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** What a manifest says of its files, by name. */
export type NpyFiles = Readonly<
  Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly sha256: string }>
>;

export type NpyKind = "float64" | "int64" | "int32";

const TYPES: Readonly<Record<NpyKind, string>> = { float64: "<f8", int64: "<i8", int32: "<i4" };

/** The header's length is fixed, so that the number of rows can be filled in at the end. */
const HEADER_BYTES = 128;

/** Rows are appended; the shape is known when it is closed. */
export class NpyFile {
  readonly #kind: NpyKind;
  readonly #columns: number | null;
  readonly #descriptor: number;
  #rows = 0;
  /** Behind the header, which is written last: opening a file writes nothing that a full disk could refuse. */
  #end = HEADER_BYTES;
  #open = true;

  /** @param columns Null: a vector. */
  constructor(file: string, kind: NpyKind, columns: number | null) {
    this.#kind = kind;
    this.#columns = columns;
    this.#descriptor = openSync(file, "wx+");
  }

  /** Numbers of whole rows, in the machine's own order of bytes (little-endian wherever Node runs). */
  append(numbers: Float64Array | BigInt64Array | Int32Array): void {
    const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    for (let written = 0; written < bytes.length;) {
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#end + written);
    }
    this.#end += bytes.length;
    this.#rows += numbers.length / (this.#columns ?? 1);
  }

  /** Completes the file. */
  close(): { readonly shape: readonly number[]; readonly dtype: string; readonly sha256: string } {
    const shape = this.#columns === null ? [this.#rows] : [this.#rows, this.#columns];
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
    const dictionary = `{'descr': '${TYPES[this.#kind]}', 'fortran_order': False, 'shape': ${tuple}, }`;
    const header = Buffer.alloc(HEADER_BYTES, " ");
    header.write("\x93NUMPY\x01\x00", 0, "latin1");
    header.writeUInt16LE(HEADER_BYTES - 10, 8);
    header.write(dictionary, 10, "latin1");
    header.write("\n", HEADER_BYTES - 1, "latin1");
    writeSync(this.#descriptor, header, 0, HEADER_BYTES, 0);
    const sha256 = this.#hash();
    this.abandon();
    return { shape, dtype: TYPES[this.#kind], sha256 };
  }

  /** Leaves the file as it is. */
  abandon(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #hash(): string {
    const hash = createHash("sha256");
    const piece = Buffer.alloc(1 << 20);
    for (let at = 0; ;) {
      const read = readSync(this.#descriptor, piece, 0, piece.length, at);
      if (read === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, read));
      at += read;
    }
  }
}
