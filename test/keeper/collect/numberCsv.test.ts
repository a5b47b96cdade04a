// CSV of numbers, read from bytes: each number is the one that `Number` reads, and what is none is refused.
import { expect } from "chai";
import fc from "fast-check";
import { headerOf, readNumberCsv } from "../../../keeper/collect/numberCsv";
import { InputFailure } from "../../../keeper/config/failure";

/** The column `value` of a file that has it between two others. */
function numbersIn(texts: readonly string[]): (number | null)[] {
  const found: (number | null)[] = [];
  const bytes = Buffer.from(`before,value,after\n${texts.map((text) => `1,${text},2\n`).join("")}`);
  readNumberCsv(bytes, { file: "f", columns: ["value", "before", "after"] }, (row) => {
    expect([row.number(1), row.number(2)]).to.deep.equal([1, 2]);
    found.push(row.number(0));
  });
  return found;
}

function codeOf(content: string | Buffer, columns = ["a", "b"]): string {
  try {
    readNumberCsv(Buffer.from(content), { file: "f", columns }, (row) => columns.forEach((_, k) => row.number(k)));
  } catch (error) {
    if (error instanceof InputFailure) return `${error.code} ${error.field}`;
    throw error;
  }
  return "none";
}

const digits = (least: number, most: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: least, maxLength: most });
const sign = fc.constantFrom("", "-", "+");
const written = fc
  .tuple(
    sign,
    digits(0, 20),
    fc.option(digits(0, 20)),
    fc.option(fc.tuple(fc.constantFrom("e", "E"), sign, digits(0, 3))),
  )
  .map(
    ([minus, whole, fraction, power]) =>
      `${minus}${whole}${fraction === null ? "" : `.${fraction}`}${power?.join("") ?? ""}`,
  );
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const decimal = fc.oneof(
  written,
  double.map(String),
  double.map((value) => value.toPrecision(8)),
  fc.double({ min: -1e12, max: 1e12, noNaN: true }).map((value) => value.toFixed(3)),
);

describe("CSV of numbers", () => {
  it("has each number as Number reads it, to the bit, and refuses what is none", () => {
    fc.assert(
      fc.property(decimal, (text) => {
        const value = text === "" ? null : Number(text);
        if (value !== null && !Number.isFinite(value)) expect(() => numbersIn([text])).to.throw(InputFailure);
        else expect(Object.is(numbersIn([text])[0], value), text).to.equal(true);
      }),
      { numRuns: 20_000, seed: 6 },
    );
  });

  it("has those at the edge of what a short way reads", () => {
    const texts = [
      ...[
        "9007199254740993",
        "999999999999999e22",
        "999999999999999e23",
        "1e-22",
        "1e-23",
        "0.1e23",
        "123456789012345.6e-7",
      ],
      ...["-0", "0e0", "00000000000000000001", "5e-324", "1.7976931348623157e308", ".5", "5.", "-.5e-1"],
    ];
    expect(numbersIn(texts)).to.deep.equal(texts.map(Number));
  });

  const none = [
    "0x10",
    "1 ",
    " 1",
    "1_0",
    "Infinity",
    "NaN",
    "1e",
    "1e+",
    "e1",
    ".",
    "-",
    "--1",
    "1.2.3",
    "1e5.5",
    "1e999",
    "１",
  ];
  for (const text of none) {
    it(`refuses ${JSON.stringify(text)}, with line and column`, () => {
      const place = codeOf(`a,b,c\n1,2,3\n4,${text},6\n`, ["a", "b", "c"]);
      expect(place).to.equal("IMPORT_MALFORMED f: line 3, column 2");
    });
  }

  it("takes whole numbers that are exact, and no others", () => {
    const whole = (text: string): number => {
      let value = -1;
      readNumberCsv(Buffer.from(`a\n${text}`), { file: "f", columns: ["a"] }, (row) => (value = row.whole(0)));
      return value;
    };
    expect(["0", "007", "9007199254740991"].map(whole)).to.deep.equal([0, 7, 2 ** 53 - 1]);
    for (const text of ["9007199254740992", "9007199254740993", "1e3", "-1", "+1", "1.0", "99999999999999999999999"]) {
      expect(() => whole(text), text).to.throw(InputFailure);
    }
  });

  it("ends lines as editors of any system do, the last one also without", () => {
    const rows: (number | null)[][] = [];
    const bytes = Buffer.from("\uFEFFa,b\r\n1,2\r\n3,\t \r\n5,6 ");
    readNumberCsv(bytes, { file: "f", columns: ["a", "b"] }, (row) => rows.push([row.number(0), row.number(1)]));
    expect(rows).to.deep.equal([
      [1, 2],
      [3, null],
      [5, 6],
    ]);
    expect(headerOf(bytes)).to.deep.equal(["a", "b"]);
  });

  const shapes: [string, string, string][] = [
    ["a header alone", "a,b\n", "IMPORT_EMPTY f"],
    ["a header and an empty line", "a,b\n\n", "IMPORT_EMPTY f"],
    ["two empty lines at the end", "a,b\n1,2\n\n\n", "IMPORT_MALFORMED f: line 3, column 2"],
    ["a field too few", "a,b\n1,2\n3\n", "IMPORT_MALFORMED f: line 3, column 2"],
    ["a field too many", "a,b\n1,2\n3,4,5,6\n", "IMPORT_MALFORMED f: line 3, column 5"],
    ["one empty line at the end", "a,b\n1,2\n\n", "none"],
    ["no byte", "", "IMPORT_COLUMNS f: line 1"],
    ["a name twice", "a,a\n1,2\n", "IMPORT_COLUMNS f: line 1"],
  ];
  for (const [what, content, code] of shapes) {
    it(`says ${code} of ${what}`, () => expect(codeOf(content)).to.equal(code));
  }
});
