// The compiler and the order of the tests, on a few small sources.
import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Interface } from "ethers";
import { createCompiler, freshArtifacts } from "../../../scripts/mutate/compiler";
import { withErrorName } from "../../../scripts/mutate/errorNames";
import { dependentsOf, isMutated } from "../../../scripts/mutate/sources";
import { inOrder } from "../../../scripts/mutate/trial";

const head = "// SPDX-License-Identifier: MIT\npragma solidity 0.8.28;\n";
const SOURCES = new Map([
  [
    "contracts/libraries/Inlined.sol",
    `${head}library Inlined { function f() internal pure returns (uint256) { return 1; } }`,
  ],
  [
    "contracts/libraries/Linked.sol",
    `${head}import {Inlined} from "./Inlined.sol";\nlibrary Linked { function f() external pure returns (uint256) { return Inlined.f(); } }`,
  ],
  [
    "contracts/Caller.sol",
    `${head}import {Linked} from "./libraries/Linked.sol";\ncontract Caller { function f() external pure returns (uint256) { return Linked.f(); } }`,
  ],
  ["contracts/Other.sol", `${head}contract Other {}`],
]);

describe("compiling a mutant", function () {
  this.timeout(60_000);
  const compile = createCompiler(path.join(__dirname, "..", "..", ".."));

  it("asks only for what the change can reach: past a linked library nothing", () => {
    expect(dependentsOf("contracts/libraries/Inlined.sol", SOURCES)).to.deep.equal([
      "contracts/libraries/Inlined.sol",
      "contracts/libraries/Linked.sol",
    ]);
    expect(dependentsOf("contracts/libraries/Linked.sol", SOURCES)).to.deep.equal(["contracts/libraries/Linked.sol"]);
  });

  it("leaves the code of a linked library's caller as it was", () => {
    const source = SOURCES.get("contracts/libraries/Inlined.sol") ?? "";
    const mutated = new Map(SOURCES).set("contracts/libraries/Inlined.sol", source.replace("return 1", "return 2"));
    const codeOf = (sources: typeof SOURCES, artifact: string): string => {
      const compiled = compile(sources);
      if (!compiled.ok) throw new Error(compiled.error);
      const { deployedBytecode } = JSON.parse(compiled.artifacts.get(artifact) ?? "") as { deployedBytecode: string };
      // Behind the code lies a hash of the sources.
      return deployedBytecode.slice(0, -106);
    };
    const [linked, caller] = ["contracts/libraries/Linked.sol/Linked.json", "contracts/Caller.sol/Caller.json"];
    expect(codeOf(mutated, linked)).to.not.equal(codeOf(SOURCES, linked));
    expect(codeOf(mutated, caller)).to.equal(codeOf(SOURCES, caller));
  });

  it("says why a mutant does not compile", () => {
    const broken = new Map(SOURCES).set("contracts/Other.sol", `${head}contract Other { uint256 x = true; }`);
    const compiled = compile(broken, ["contracts/Other.sol"]);
    expect(compiled).to.include({ ok: false });
    expect("error" in compiled && compiled.error).to.match(/not implicitly convertible/);
  });

  it("leaves nothing of an earlier run in the folder of artifacts", () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "tiller-mutation-"));
    try {
      freshArtifacts(folder, new Map([["contracts/Old.sol/Old.json", "{}"]]));
      freshArtifacts(folder, new Map([["contracts/New.sol/New.json", "{}"]]));
      expect(readFileSync(path.join(folder, "contracts/New.sol/New.json"), "utf8")).to.equal("{}");
      expect(() => readFileSync(path.join(folder, "contracts/Old.sol/Old.json"))).to.throw(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("the tests of a mutant", () => {
  it("begin with those of the file that is mutated, and end with the slow ones", () => {
    const tests = ["Vault", "adapters/adapters", "libraries/InKind", "libraries/RateBudget"].map(
      (name) => `test/contracts/${name}.test.ts`,
    );
    const names = (mutated: string): string[] => inOrder(tests, mutated).map((test) => path.basename(test, ".test.ts"));
    expect(names("contracts/libraries/InKind.sol")).to.deep.equal(["InKind", "Vault", "adapters", "RateBudget"]);
    expect(names("contracts/libraries/AaveV3Reserve.sol")[0]).to.equal("adapters");
    expect(names("contracts/libraries/RateBudget.sol")[0]).to.equal("RateBudget");
  });

  it("are run for what decides on money, not for interfaces and the lens", () => {
    const mutated = ["contracts/Vault.sol", "contracts/libraries/InKind.sol", "contracts/adapters/AaveV3Adapter.sol"];
    const others = ["contracts/interfaces/IVault.sol", "contracts/lens/VaultLens.sol", "test/models/CometModel.sol"];
    expect([...mutated, ...others].filter(isMutated)).to.deep.equal(mutated);
  });

  it("read a custom error's name where Hardhat knows only its bytes", () => {
    const errors = new Interface(["error TooLow(uint256 given, uint256 least)"]);
    const data = errors.encodeErrorResult("TooLow", [1n, 2n]);
    const message = (end: string): string => `VM Exception while processing transaction: reverted ${end}`;
    expect(withErrorName(message(`with an unrecognized custom error (return data: ${data})`), errors)).to.equal(
      message("with custom error 'TooLow(1, 2)'"),
    );
    const unknown = message("with an unrecognized custom error (return data: 0x12345678)");
    expect(withErrorName(unknown, errors)).to.equal(unknown);
  });
});
