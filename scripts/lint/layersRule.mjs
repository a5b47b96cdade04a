// The lint rule `tiller/layers`: imports point down only (scripts/lint/layers.mjs), and no file is a drawer.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import {
  DRAWERS,
  FOLDERS,
  KEEPER_ROOMS,
  MAY_IMPORT_TESTS,
  MAY_USE_TEST_CONTRACTS,
  TEST_CONTRACT_FOLDERS,
} from "./layers.mjs";

const inside = (file, folder) => file === folder || file.startsWith(`${folder}/`);

const mayUseTestContracts = (file) =>
  file.startsWith("test/") || MAY_USE_TEST_CONTRACTS.some((folder) => inside(file, folder));
const FOR_TESTS = `for test/ and ${MAY_USE_TEST_CONTRACTS.join("/, ")}/ only`;

/** Names that the types generated from the test contracts are exported by: `Name` and `Name__factory`. */
function testContractNames(root) {
  const names = new Set();
  for (const folder of TEST_CONTRACT_FOLDERS.map((name) => path.join(root, name))) {
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".sol")) continue;
      const name = path.basename(file, ".sol");
      names.add(name).add(`${name}__factory`);
    }
  }
  return names;
}

/** @returns why `from` may not import `to` (both relative to the root, `/` between folders), or undefined. */
export function violation(from, to) {
  const [fromTop] = from.split("/");
  const [toTop] = to.split("/");
  if (toTop === "typechain-types") {
    const ofTests = TEST_CONTRACT_FOLDERS.some(
      (folder) => inside(to, `typechain-types/${folder}`) || inside(to, `typechain-types/factories/${folder}`),
    );
    if (ofTests && !mayUseTestContracts(from)) return `types of test contracts are ${FOR_TESTS}`;
  }
  if (fromTop === "test" || fromTop === "typechain-types") return undefined;
  if (toTop === "test" && MAY_IMPORT_TESTS.some((folder) => inside(from, folder))) return undefined;
  if (fromTop !== toTop) {
    const allowed = FOLDERS[fromTop];
    if (allowed === undefined || allowed.includes(toTop)) return undefined;
    return `${fromTop} may not import ${toTop}/ (only ${allowed.join(", ")})`;
  }
  if (fromTop !== "keeper") return undefined;
  const [fromRoom, toRoom] = [from, to].map((file) => file.split("/")[1]);
  const [above, below] = [KEEPER_ROOMS.indexOf(fromRoom), KEEPER_ROOMS.indexOf(toRoom)];
  if (above < 0) return `keeper/${fromRoom} is no room: name it in scripts/lint/layers.mjs`;
  if (below < 0) return `keeper/${toRoom} is no room: name it in scripts/lint/layers.mjs`;
  return below < above ? `room ${fromRoom} may not import room ${toRoom}, which is above it` : undefined;
}

/** The rule, for a checkout at `root`. */
export function layersRule(root) {
  const ofTests = testContractNames(root);
  return {
    meta: { type: "problem", docs: { description: "imports point down only" }, schema: [] },
    create(context) {
      const from = path.relative(root, context.filename).split(path.sep).join("/");
      const check = (node, source) => {
        if (typeof source?.value !== "string" || !source.value.startsWith(".")) return;
        const target = path.resolve(path.dirname(context.filename), source.value);
        const to = path.relative(root, target).split(path.sep).join("/");
        const message = violation(from, to);
        if (message !== undefined) context.report({ node, message });
        if (to !== "typechain-types" || mayUseTestContracts(from)) return;
        for (const { imported } of node.specifiers ?? []) {
          if (imported === undefined || !ofTests.has(imported.name)) continue;
          context.report({ node, message: `${imported.name} is ${FOR_TESTS}` });
        }
      };
      return {
        Program(node) {
          const [stem] = path.basename(from).split(".");
          if (!DRAWERS.includes(stem)) return;
          context.report({ node, message: `a file called ${stem} says nothing of what is inside: name the thing` });
        },
        ImportDeclaration: (node) => check(node, node.source),
        ExportNamedDeclaration: (node) => check(node, node.source),
        ExportAllDeclaration: (node) => check(node, node.source),
        ImportExpression: (node) => check(node, node.source),
        TSImportType: (node) => check(node, node.source ?? node.argument?.literal),
        TSExternalModuleReference: (node) => check(node, node.expression),
        CallExpression(node) {
          const named = node.callee.type === "Identifier" && node.callee.name === "require";
          if (named) check(node, node.arguments[0]);
        },
      };
    },
  };
}
