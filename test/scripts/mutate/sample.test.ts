import { expect } from "chai";
import { diffOf, keyOf } from "../../../scripts/mutate/mutant";
import { mutantsOf } from "../../../scripts/mutate/operators";
import { sampleOf } from "../../../scripts/mutate/sample";

const calls = (count: number, prefix: string): string =>
  `contract C {\n  function f() external {\n${Array.from({ length: count }, (_, i) => `    ${prefix}${i}();`).join("\n")}\n  }\n}`;
const large = mutantsOf("contracts/Large.sol", calls(30, "a"));
const small = mutantsOf("contracts/Small.sol", calls(10, "b"));

describe("a sample of mutants", () => {
  it("takes from each file in proportion, and as many as asked for", () => {
    const sample = sampleOf([...large, ...small], { seed: 1, size: 11 });
    expect(sample.filter(({ file }) => file === "contracts/Large.sol")).to.have.length(8);
    expect(sample.filter(({ file }) => file === "contracts/Small.sol")).to.have.length(3);
  });

  it("is the same for the same seed and another for another", () => {
    const chosen = (seed: number): string[] => sampleOf(large, { seed, size: 8 }).map(({ original }) => original);
    expect(chosen(1)).to.deep.equal(chosen(1));
    expect(chosen(1)).to.not.deep.equal(chosen(2));
  });

  it("has the smaller sample in the larger one", () => {
    const few = sampleOf(large, { seed: 1, size: 5 });
    expect(sampleOf(large, { seed: 1, size: 12 })).to.include.members(few);
  });

  it("stays as it is when the file moves its lines", () => {
    const moved = mutantsOf("contracts/Large.sol", `// A new line.\n${calls(30, "a")}`);
    const chosen = (mutants: typeof moved): string[] =>
      sampleOf(mutants, { seed: 1, size: 8 }).map(({ original }) => original);
    expect(chosen(moved)).to.deep.equal(chosen(large));
  });

  it("is everything where no size is given, or more than there is", () => {
    expect(sampleOf(large, { seed: 1 })).to.have.members(large);
    expect(sampleOf(large, { seed: 1, size: 1_000 })).to.have.members(large);
  });
});

describe("a mutant", () => {
  it("has another key once its source is another", () => {
    const [mutant] = large;
    if (mutant === undefined) throw new Error("no mutant");
    expect(keyOf(mutant, "a")).to.equal(keyOf(mutant, "a"));
    expect(keyOf(mutant, "a")).to.not.equal(keyOf(mutant, "b"));
  });

  it("is shown as the whole lines that it changes", () => {
    const source = "contract C {\n  function f() external {\n    if (a)\n      revert B();\n  }\n}";
    const [removed] = mutantsOf("contracts/C.sol", source);
    if (removed === undefined) throw new Error("no mutant");
    expect(diffOf(source, removed)).to.equal(
      "contracts/C.sol:3 C.f (guard-removed)\n-    if (a)\n-      revert B();\n+    {}",
    );
  });
});
