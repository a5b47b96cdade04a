// What prettier and the compiler do not see: imports that point up, promises that nobody awaits, `any`, `!` in the core.
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import globals from "globals";
import path from "node:path";
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";
import { KEEPER_ROOMS } from "./scripts/lint/layers.mjs";
import { layersRule } from "./scripts/lint/layersRule.mjs";

const root = path.dirname(fileURLToPath(import.meta.url));

/** Commands and the page sit at the edge; every room below them is the core. */
const EDGE_ROOMS = ["cli", "serve"];
const core = KEEPER_ROOMS.filter((room) => !EDGE_ROOMS.includes(room)).map((room) => `keeper/${room}/**/*.ts`);

export default defineConfig([
  globalIgnores([
    "**/node_modules/",
    "artifacts/",
    "cache/",
    "coverage/",
    "**/dist/",
    "typechain-types/",
    ".tiller/",
    ".venv/",
  ]),
  js.configs.recommended,
  {
    files: ["**/*.{js,cjs,mjs}"],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: { sourceType: "commonjs" },
  },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    plugins: { tiller: { rules: { layers: layersRule(root) } } },
    rules: {
      "tiller/layers": "error",
      // `== null` asks for null and undefined at once.
      eqeqeq: ["error", "always", { null: "ignore" }],
      // Prettier breaks long chains before a bracket; there are no statements here that lack their semicolon.
      "no-unexpected-multiline": "off",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" },
      ],
    },
  },
  {
    files: core,
    rules: { "@typescript-eslint/no-non-null-assertion": "error" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // chai says what it asserts by a property: expect(x).to.be.true.
      "@typescript-eslint/no-unused-expressions": "off",
      "no-restricted-properties": [
        "error",
        ...["describe", "it"].map((object) => ({
          object,
          property: "only",
          message: "It would silence every other test.",
        })),
      ],
    },
  },
]);
