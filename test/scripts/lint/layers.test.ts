import { expect } from "chai";
import { ESLint } from "eslint";
import path from "node:path";

const ROOT = path.join(__dirname, "..", "..", "..");

/** The rules that `code`, standing at `file` of this checkout, breaks under the project's own configuration. */
async function broken(file: string, code: string): Promise<string[]> {
  // The type-aware rules want the file on disk; the layers are judged without.
  const lint = new ESLint({
    cwd: ROOT,
    overrideConfig: {
      languageOptions: { parserOptions: { projectService: false, project: null } },
      rules: {
        "@typescript-eslint/no-floating-promises": "off",
        "@typescript-eslint/no-misused-promises": "off",
        "@typescript-eslint/await-thenable": "off",
        "@typescript-eslint/switch-exhaustiveness-check": "off",
        "@typescript-eslint/no-unused-vars": "off",
        "@typescript-eslint/consistent-type-imports": "off",
      },
    },
  });
  const [result] = await lint.lintText(code, { filePath: path.join(ROOT, file) });
  return result?.messages.map(({ ruleId, message }) => ruleId ?? message) ?? [];
}

const LAYERS = ["tiller/layers"];

describe("the lint rule on imports", () => {
  for (const [form, code] of [
    ["an import", `import { a } from "../decide/strategy";`],
    ["a type import", `import type { A } from "../decide/strategy";`],
    ["an import type", `export type A = import("../decide/strategy").A;`],
    ["a re-export", `export * from "../decide/strategy";`],
    ["a named re-export", `export { a } from "../decide/strategy";`],
    ["a dynamic import", `export const a = () => import("../decide/strategy");`],
  ] as const) {
    it(`refuses ${form} of a room above`, async () => {
      expect(await broken("keeper/store/a.ts", code)).to.deep.equal(LAYERS);
      expect(await broken("keeper/app/a.ts", code)).to.deep.equal([]);
    });
  }

  it("lets a room import itself and other packages", async () => {
    const code = `import { a } from "./b"; import { c } from "ethers"; export default [a, c];`;
    expect(await broken("keeper/config/a.ts", code)).to.deep.equal([]);
  });

  it("refuses a room that is on no list", async () => {
    expect(await broken("keeper/misc/a.ts", `import { a } from "../config/failure";`)).to.deep.equal(LAYERS);
  });

  it("keeps the keeper apart from deploy/, scripts/ and test/", async () => {
    for (const folder of ["deploy", "scripts", "test"]) {
      expect(await broken("keeper/app/a.ts", `import { a } from "../../${folder}/a";`), folder).to.deep.equal(LAYERS);
    }
    expect(await broken("keeper/app/a.ts", `import { a } from "../../typechain-types";`)).to.deep.equal([]);
  });

  it("lets scripts and deploy use the keeper, and nobody but tests use test/", async () => {
    expect(await broken("scripts/a.ts", `import { a } from "../keeper/config/failure";`)).to.deep.equal([]);
    expect(await broken("deploy/a.ts", `import { a } from "../keeper/config/failure";`)).to.deep.equal([]);
    expect(await broken("deploy/a.ts", `import { a } from "../scripts/a";`)).to.deep.equal(LAYERS);
    expect(await broken("scripts/a.ts", `import { a } from "../test/a";`)).to.deep.equal(LAYERS);
    expect(await broken("test/a.test.ts", `import { a } from "../scripts/a";`)).to.deep.equal([]);
  });

  it("leaves the types of test contracts to tests and the local chain", async () => {
    const code = `import { Model__factory } from "../../typechain-types/factories/test/models/Model__factory";`;
    expect(await broken("keeper/app/a.ts", code)).to.deep.equal(LAYERS);
    expect(await broken("scripts/localnet/a.ts", code)).to.deep.equal([]);
    expect(await broken("test/deploy/a.ts", code)).to.deep.equal([]);
  });

  it("leaves them to those by their exported name too", async () => {
    const code = `import { Vault__factory, CometModel__factory } from "../../typechain-types";`;
    expect(await broken("keeper/app/a.ts", code)).to.deep.equal(LAYERS);
    expect(await broken("keeper/app/a.ts", code.replace(", CometModel__factory", ""))).to.deep.equal([]);
    expect(await broken("scripts/start/a.ts", code)).to.deep.equal([]);
  });

  it("refuses a drawer", async () => {
    expect(await broken("keeper/store/utils.ts", "")).to.deep.equal(LAYERS);
  });
});

describe("the lint rules of the core", () => {
  it("refuse `any` everywhere and `!` in the core", async () => {
    expect(await broken("keeper/decide/a.ts", "export const a = (b: any): unknown => b;")).to.deep.equal([
      "@typescript-eslint/no-explicit-any",
    ]);
    const assertion = "export const a = (b: string | null): string => b!;";
    expect(await broken("keeper/decide/a.ts", assertion)).to.deep.equal(["@typescript-eslint/no-non-null-assertion"]);
    expect(await broken("test/a.test.ts", assertion)).to.deep.equal([]);
  });

  it("have a rule against forgotten promises in force", async () => {
    const config = (await new ESLint({ cwd: ROOT }).calculateConfigForFile(
      path.join(ROOT, "keeper", "config", "failure.ts"),
    )) as { rules: Record<string, unknown[]> };
    expect(config.rules["@typescript-eslint/no-floating-promises"]?.[0]).to.equal(2);
  });
});
