// What a mutation run changes, on a few lines of Solidity each.
import { expect } from "chai";
import { applyTo, type Operator } from "../../../scripts/mutate/mutant";
import { mutantsOf } from "../../../scripts/mutate/operators";

/** The changes that `operator` makes to the body of a function, each as the changed body. */
function changes(operator: Operator, body: string, head = "function f(uint256 a, uint256 b) external"): string[] {
  const before = `contract C { ${head} { `;
  const source = `${before}${body} } }`;
  return mutantsOf("contracts/C.sol", source)
    .filter((mutant) => mutant.operator === operator)
    .map((mutant) => applyTo(source, mutant).slice(before.length, -" } }".length));
}

describe("mutants of a source", () => {
  it("move a boundary by one and turn a relation round", () => {
    expect(changes("boundary", "x = a < b;")).to.deep.equal(["x = a <= b;"]);
    expect(changes("relation", "x = a < b;")).to.deep.equal(["x = a > b;"]);
    expect(changes("relation", "x = a == b;")).to.deep.equal(["x = a != b;"]);
  });

  it("change the operator between the operands, not one inside them", () => {
    expect(changes("arithmetic", "x = (a - b) * c;")).to.deep.equal(["x = (a + b) * c;", "x = (a - b) / c;"]);
    expect(changes("arithmetic", "x += a;")).to.deep.equal(["x -= a;"]);
    expect(changes("logic", "x = (a || b) && c;")).to.deep.equal(["x = (a && b) && c;", "x = (a || b) || c;"]);
  });

  it("take a guard away, and do not merely turn it round", () => {
    expect(changes("guard-removed", "if (a < b) revert Low(a, b);")).to.deep.equal(["{}"]);
    expect(changes("guard-removed", "if (a < b) { revert Low(a, b); }")).to.deep.equal(["{}"]);
    expect(changes("negation", "if (a < b) revert Low(a, b);")).to.deep.equal([]);
    expect(changes("negation", "if (a) g(); else h();")).to.deep.equal(["if (!(a)) g(); else h();"]);
  });

  it("leave out a statement, but neither a declaration nor a loop's step", () => {
    expect(changes("statement-removed", "uint256 y = a; accrue(); emit Done(y);")).to.deep.equal([
      "uint256 y = a; {} emit Done(y);",
      "uint256 y = a; accrue(); {}",
    ]);
    expect(changes("statement-removed", "for (uint256 i; i < a; ++i) g(i);")).to.deep.equal([
      "for (uint256 i; i < a; ++i) {}",
    ]);
  });

  it("change numbers by one, with their units kept", () => {
    expect(changes("constant", "x = 0; y = 1; z = 30 minutes; w = 1e18;")).to.deep.equal([
      "x = 1; y = 1; z = 30 minutes; w = 1e18;",
      "x = 0; y = 0; z = 30 minutes; w = 1e18;",
      "x = 0; y = 1; z = 31 minutes; w = 1e18;",
      "x = 0; y = 1; z = 30 minutes; w = (1e18 + 1);",
    ]);
  });

  it("round the other way and take the other of two", () => {
    expect(changes("rounding", "x = Math.mulDiv(a, b, c, Math.Rounding.Ceil);")).to.deep.equal([
      "x = Math.mulDiv(a, b, c, Math.Rounding.Floor);",
    ]);
    expect(changes("rounding", "x = Math.mulDiv(a, b, c);")).to.deep.equal([
      "x = Math.mulDiv(a, b, c, Math.Rounding.Ceil);",
    ]);
    expect(changes("rounding", "x = Math.ceilDiv(a, b);")).to.deep.equal(["x = ((a) / (b));"]);
    expect(changes("min-max", "x = Math.min(a, b);")).to.deep.equal(["x = Math.max(a, b);"]);
  });

  it("return nothing of a number, and the contrary of a truth", () => {
    expect(changes("return-value", "return a + b;", "function f() external returns (uint256)")).to.deep.equal([
      "return 0;",
    ]);
    expect(changes("return-value", "return a < b;", "function f() external returns (bool)")).to.deep.equal([
      "return !(a < b);",
    ]);
  });

  it("leave a modifier its function", () => {
    const source = "contract C { modifier only() { check(); _; } }";
    const removed = mutantsOf("contracts/C.sol", source).filter(({ operator }) => operator === "statement-removed");
    expect(removed.map(({ original }) => original)).to.deep.equal(["check();"]);
  });

  it("drop a function's modifier, and never a constructor's base", () => {
    const source = "contract C is D { constructor(uint256 a) D(a) {} function f() external only(a) {} }";
    const dropped = mutantsOf("contracts/C.sol", source).filter(({ operator }) => operator === "modifier-removed");
    expect(dropped.map(({ original }) => original)).to.deep.equal(["only(a)"]);
  });

  it("swap neighbouring arguments where that can matter", () => {
    expect(changes("arguments-swapped", "g(a, b, 3);")).to.deep.equal(["g(b, a, 3);"]);
    expect(changes("arguments-swapped", "x = Math.min(a, b);")).to.deep.equal([]);
    expect(changes("branches-swapped", "x = c ? a : b;")).to.deep.equal(["x = c ? b : a;"]);
  });

  it("leave assembly, imports and interfaces alone", () => {
    const source =
      'pragma solidity 0.8.28; import "./D.sol"; interface I { function f(uint256[3] memory a) external; } ' +
      "contract C { function f() external { assembly { mstore(0, add(1, 2)) } } }";
    expect(mutantsOf("contracts/C.sol", source)).to.deep.equal([]);
  });

  it("say where they are", () => {
    const source = "contract C {\n  function f() external {\n    g();\n  }\n}";
    expect(mutantsOf("contracts/C.sol", source)).to.deep.include.members([
      {
        file: "contracts/C.sol",
        operator: "statement-removed",
        where: "C.f",
        start: source.indexOf("g();"),
        end: source.indexOf("g();") + 4,
        original: "g();",
        replacement: "{}",
        line: 3,
      },
    ]);
  });
});
