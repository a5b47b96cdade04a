// Rows as PostgreSQL's COPY reads them: what goes in by one of the writers is in the table, on a real server.
import { expect } from "chai";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { silent } from "../../../keeper/events/events";
import { copyBinary, type CopyWriter } from "../../../keeper/store/copyBinary";
import { Database } from "../../../keeper/store/database";
import { joinEmbedded, type EmbeddedServer } from "../../../keeper/store/embedded";

const ROWS_A_PIECE = 2_000;

describe("the bytes of a COPY", () => {
  it("come in pieces that together are the whole, each with bytes of its own", () => {
    const rows = Array.from({ length: 4_500 }, (_, k) => k);
    const pieces = [...copyBinary(rows, 1, (row, to) => to.int4(row))];
    expect(pieces).to.have.length(3);
    const whole = Buffer.concat(pieces);
    const [head, ofRow] = [19, 10];
    expect(whole).to.have.length(head + rows.length * ofRow + 2);
    expect(whole.readInt16BE(whole.length - 2), "the end").to.equal(-1);
    expect(rows.map((k) => whole.readInt32BE(head + k * ofRow + 6))).to.deep.equal(rows);
  });

  const wrong: [string, (to: CopyWriter) => void][] = [
    ["a fraction for an integer", (to) => to.int4(2.5)],
    ["more than four bytes hold", (to) => to.int4(2 ** 31)],
    ["more than a number holds exactly", (to) => to.int8(2 ** 53)],
    ["no number for an integer", (to) => to.int8(NaN)],
    ["no time", (to) => to.time(NaN)],
    ["a fraction in decimal", (to) => to.numeric("1.5")],
    ["nothing in decimal", (to) => to.numeric("")],
    ["an array that has a fraction", (to) => to.numerics(["1", "1.5"])],
  ];
  for (const [what, write] of wrong) {
    it(`are not made of ${what}`, () => {
      expect(() => [...copyBinary([0], 1, (_, to) => write(to))]).to.throw(RangeError);
    });
  }
});

describe("a COPY in binary", function () {
  this.timeout(60_000);
  let dataDir: string;
  let server: EmbeddedServer;
  let database: Database;
  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "tiller-copy-"));
    server = await joinEmbedded({ dataDir, sink: silent });
    database = new Database(server.target(), silent);
  });
  after(async () => {
    await database?.close();
    await server?.leave();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** What the table says of the values, in their order, in its own words. */
  async function stored<T>(type: string, values: readonly T[], write: (value: T, to: CopyWriter) => void) {
    return database.transaction(async (transaction) => {
      await transaction.run(`CREATE TEMPORARY TABLE copied (place int4, value ${type}) ON COMMIT DROP`);
      const bytes = copyBinary(values.entries(), 2, ([place, value], to) => {
        to.int4(place);
        write(value, to);
      });
      await transaction.copyIn("copied", ["place", "value"], bytes);
      return transaction.rows<{ value: unknown; text: string | null }>(
        "SELECT value, value::text AS text FROM copied ORDER BY place",
      );
    });
  }
  const values = <T>(arbitrary: fc.Arbitrary<T>, count = 5_000): T[] =>
    fc.sample(arbitrary, { numRuns: count, seed: 6 });
  const texts = (rows: readonly { readonly text: string | null }[]): (string | null)[] => rows.map(({ text }) => text);
  const read = (rows: readonly { readonly value: unknown }[]): unknown[] => rows.map(({ value }) => value);

  it("keeps integers, true and false, and what is absent", async () => {
    const small = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), null, ...values(fc.integer())];
    expect(read(await stored("int4", small, (value, to) => to.int4(value)))).to.deep.equal(small);
    const large = [
      2 ** 53 - 1,
      -(2 ** 53) + 1,
      2 ** 32,
      -(2 ** 32),
      -(2 ** 32) - 1,
      null,
      ...values(fc.maxSafeInteger()),
    ];
    expect(read(await stored("int8", large, (value, to) => to.int8(value)))).to.deep.equal(large);
    expect(read(await stored("bool", [true, false], (value, to) => to.bool(value)))).to.deep.equal([true, false]);
  });

  it("keeps doubles bit for bit, and of the two zeros one", async () => {
    const doubles = [0.1, 5e-324, 1.7976931348623157e308, NaN, Infinity, -Infinity, null, ...values(fc.double())];
    const found = read(await stored("float8", [-0, ...doubles], (value, to) => to.float8(value)));
    expect(Object.is(found[0], 0), "zero").to.equal(true);
    // Samples may have the other zero too.
    expect(found.slice(1)).to.deep.equal(doubles.map((value) => (value === 0 ? 0 : value)));
  });

  it("keeps any moment to the millisecond", async () => {
    const moments = values(
      fc.oneof(
        fc.integer({ min: -1e9, max: 7e9 }),
        fc.integer({ min: 0, max: 80_000 }).map((day) => day * 86_400 - 1),
        fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1_000),
      ),
    );
    const found = await stored("timestamptz", moments, (value, to) => to.time(value));
    expect(found.map(({ value }) => (value as Date).getTime())).to.deep.equal(
      moments.map((seconds) => Math.trunc(seconds * 1_000)),
    );
  });

  it("keeps every digit of integers in decimal", async () => {
    const given = ["0", "-0", "000", "-0010", "9999", "10000", "99990000", "-100000000", `1${"0".repeat(77)}`, null];
    const plain = ["0", "0", "0", "-10", "9999", "10000", "99990000", "-100000000", `1${"0".repeat(77)}`, null];
    const large = values(fc.bigInt({ min: -(10n ** 78n) + 1n, max: 10n ** 78n - 1n })).map(String);
    const found = await stored("numeric(78)", [...given, ...large], (value, to) => to.numeric(value));
    expect(texts(found)).to.deep.equal([...plain, ...large]);
    const short = values(fc.bigInt({ min: -99_999n, max: 99_999n }), 2_000).map(String);
    expect(texts(await stored("numeric(78)", short, (value, to) => to.numeric(value)))).to.deep.equal(short);
  });

  it("keeps arrays of them: of none, of many, of any length, and none at all", async () => {
    const huge = `1${"0".repeat(77)}`;
    const long = Array.from({ length: 9_000 }, (_, k) => String(k));
    const given = [[], ["0"], ["-0", "-1"], [huge, `-${huge}`, "0"], null, [], long];
    const plain = [[], ["0"], ["0", "-1"], [huge, `-${huge}`, "0"], null, [], long];
    const any = values(fc.array(fc.bigInt({ min: -(10n ** 77n), max: 10n ** 77n }).map(String), { maxLength: 8 }));
    const found = await stored("numeric(78)[]", [...given, ...any], (value, to) => to.numerics(value));
    const array = (text: string | null) => (text === null ? null : text.slice(1, -1).split(",").filter(Boolean));
    expect(texts(found).map(array)).to.deep.equal([...plain, ...any]);
  });

  it("keeps any text, longer ones than a piece too", async () => {
    const any = fc.string({ unit: "grapheme", maxLength: 30 }).filter((text) => !text.includes("\0"));
    const given = ["", "\\N", "tab\tline\nreturn\rback\\", "½€😀", "é".repeat(200_000), null, ...values(any, 2_000)];
    expect(read(await stored("text", given, (value, to) => to.text(value)))).to.deep.equal(given);
  });

  it("ends with the last row of a piece as anywhere", async () => {
    for (const count of [0, ROWS_A_PIECE - 1, ROWS_A_PIECE, ROWS_A_PIECE + 1]) {
      const rows = Array.from({ length: count }, (_, k) => k);
      expect(read(await stored("int4", rows, (value, to) => to.int4(value)))).to.deep.equal(rows);
    }
  });
});
