// The changes that a mutation run tries, from the syntax tree of one source. It knows no types: what does not compile
// is found out by compiling. Assembly is left alone.
import { parse } from "@solidity-parser/parser";
import type {
  ASTNode,
  BinaryOperation,
  FunctionCall,
  FunctionDefinition,
} from "@solidity-parser/parser/dist/src/ast-types";
import type { Mutant, Operator } from "./mutant";

type Edit = Pick<Mutant, "operator" | "start" | "end" | "replacement">;

const BINARY: Readonly<Record<string, readonly (readonly [Operator, string])[]>> = {
  "<": [
    ["boundary", "<="],
    ["relation", ">"],
  ],
  "<=": [
    ["boundary", "<"],
    ["relation", ">"],
  ],
  ">": [
    ["boundary", ">="],
    ["relation", "<"],
  ],
  ">=": [
    ["boundary", ">"],
    ["relation", "<"],
  ],
  "==": [["relation", "!="]],
  "!=": [["relation", "=="]],
  "+": [["arithmetic", "-"]],
  "-": [["arithmetic", "+"]],
  "*": [["arithmetic", "/"]],
  "/": [["arithmetic", "*"]],
  "%": [["arithmetic", "*"]],
  "&": [["bitwise", "|"]],
  "|": [["bitwise", "&"]],
  "<<": [["bitwise", ">>"]],
  ">>": [["bitwise", "<<"]],
  "&&": [["logic", "||"]],
  "||": [["logic", "&&"]],
  "+=": [["arithmetic", "-="]],
  "-=": [["arithmetic", "+="]],
  "|=": [["bitwise", "&="]],
  "&=": [["bitwise", "|="]],
};

/** Their arguments may be swapped without a change. `mulDiv`: the two factors. */
const COMMUTATIVE = new Set(["min", "max", "mulDiv"]);

interface Context {
  readonly source: string;
  readonly contract?: string;
  readonly callable?: FunctionDefinition;
  /** `++i` of a loop: without it the test only runs out of gas. */
  readonly loopHead?: boolean;
}

const isNode = (value: unknown): value is ASTNode =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

function spanOf(node: ASTNode): readonly [number, number] {
  if (node.range === undefined) throw new Error(`${node.type} without a range`);
  return [node.range[0], node.range[1] + 1];
}

function textOf(node: ASTNode, source: string): string {
  return source.slice(...spanOf(node));
}

function isRevert(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type === "Block") return node.statements.length === 1 && isRevert(node.statements[0]);
  return node.type === "RevertStatement";
}

function replaced(node: ASTNode, operator: Operator, replacement: string): Edit {
  const [start, end] = spanOf(node);
  return { operator, start, end, replacement };
}

function binaryEdits(node: BinaryOperation, source: string): Edit[] {
  const after = spanOf(node.left)[1];
  const start = source.indexOf(node.operator, after);
  return (BINARY[node.operator] ?? []).map(([operator, replacement]) => ({
    operator,
    start,
    end: start + node.operator.length,
    replacement,
  }));
}

function calledName(node: FunctionCall): string {
  if (node.expression.type === "MemberAccess") return node.expression.memberName;
  return node.expression.type === "Identifier" ? node.expression.name : "";
}

function callEdits(node: FunctionCall, source: string): Edit[] {
  const edits: Edit[] = [];
  const name = calledName(node);
  const args = node.arguments;
  const last = args.at(-1);
  if (node.expression.type === "MemberAccess" && (name === "min" || name === "max")) {
    const end = spanOf(node.expression)[1];
    edits.push({ operator: "min-max", start: end - 3, end, replacement: name === "min" ? "max" : "min" });
  }
  if (name === "mulDiv" && args.length === 3 && last !== undefined) {
    const end = spanOf(last)[1];
    edits.push({ operator: "rounding", start: end, end, replacement: ", Math.Rounding.Ceil" });
  }
  if (name === "ceilDiv" && args.length === 2) {
    const [a, b] = args.map((arg) => textOf(arg, source));
    edits.push(replaced(node, "rounding", `((${a}) / (${b}))`));
  }
  for (let i = 0; i + 1 < args.length; i++) {
    const [a, b] = [args[i], args[i + 1]];
    if (a === undefined || b === undefined || (i === 0 && COMMUTATIVE.has(name))) continue;
    const [left, right] = [textOf(a, source), textOf(b, source)];
    // Two literals, or two calls, are seldom of one type; what a name says is.
    const named = (arg: ASTNode): boolean => arg.type === "Identifier" || arg.type === "MemberAccess";
    if (left === right || !named(a) || !named(b)) continue;
    const [start, end] = [spanOf(a)[0], spanOf(b)[1]];
    const between = source.slice(spanOf(a)[1], spanOf(b)[0]);
    edits.push({ operator: "arguments-swapped", start, end, replacement: right + between + left });
  }
  return edits;
}

function returnEdits(value: ASTNode, context: Context): Edit[] {
  const types = context.callable?.returnParameters ?? [];
  const type = types.length === 1 ? types[0]?.typeName : undefined;
  if (type?.type !== "ElementaryTypeName") return [];
  const text = textOf(value, context.source);
  if (type.name === "bool")
    return value.type === "BooleanLiteral" ? [] : [replaced(value, "return-value", `!(${text})`)];
  return /^u?int/.test(type.name) && text !== "0" ? [replaced(value, "return-value", "0")] : [];
}

function numberEdits(node: ASTNode, number: string): Edit[] {
  if (/^\d+$/.test(number)) {
    // The unit (`30 minutes`) stays: it is behind the digits.
    const [start] = spanOf(node);
    const next = number === "1" ? "0" : String(BigInt(number) + 1n);
    return [{ operator: "constant", start, end: start + number.length, replacement: next }];
  }
  return /^\d[\d_]*(e\d+)?$/.test(number) ? [replaced(node, "constant", `(${number} + 1)`)] : [];
}

/** The edits at one node, without those below it. */
function editsAt(node: ASTNode, context: Context): Edit[] {
  const { source } = context;
  switch (node.type) {
    case "BinaryOperation":
      return binaryEdits(node, source);
    case "UnaryOperation":
      return node.operator === "!" ? [replaced(node, "negation", textOf(node.subExpression, source))] : [];
    case "IfStatement": {
      if (isRevert(node.trueBody) && node.falseBody === null) return [replaced(node, "guard-removed", "{}")];
      const removed = node.falseBody === null ? [replaced(node, "statement-removed", "{}")] : [];
      return [replaced(node.condition, "negation", `!(${textOf(node.condition, source)})`), ...removed];
    }
    case "ExpressionStatement":
      // `_;`: a modifier without it does not compile.
      if (context.loopHead === true || textOf(node, source) === "_;") return [];
      return [replaced(node, "statement-removed", "{}")];
    case "EmitStatement":
    case "ContinueStatement":
    case "BreakStatement":
      return [replaced(node, "statement-removed", "{}")];
    case "Conditional": {
      const [yes, no] = [textOf(node.trueExpression, source), textOf(node.falseExpression, source)];
      const [start, end] = [spanOf(node.trueExpression)[0], spanOf(node.falseExpression)[1]];
      const between = source.slice(spanOf(node.trueExpression)[1], spanOf(node.falseExpression)[0]);
      return yes === no ? [] : [{ operator: "branches-swapped", start, end, replacement: no + between + yes }];
    }
    case "ReturnStatement":
      return node.expression === null ? [] : returnEdits(node.expression, context);
    case "NumberLiteral":
      return numberEdits(node, node.number);
    case "BooleanLiteral":
      return [replaced(node, "constant", node.value ? "false" : "true")];
    case "MemberAccess": {
      if (node.memberName !== "Ceil" && node.memberName !== "Floor") return [];
      return [replaced(node, "rounding", `Math.Rounding.${node.memberName === "Ceil" ? "Floor" : "Ceil"}`)];
    }
    case "FunctionCall":
      return callEdits(node, source);
    case "FunctionDefinition":
      if (node.isConstructor) return [];
      return node.modifiers.map((modifier) => replaced(modifier, "modifier-removed", ""));
    default:
      return [];
  }
}

function entered(node: ASTNode, context: Context): Context {
  if (node.type === "ContractDefinition") return { ...context, contract: node.name };
  if (node.type === "FunctionDefinition") return { ...context, callable: node };
  return context;
}

function walk(node: ASTNode, context: Context, found: (edit: Edit, context: Context) => void): void {
  if (node.type === "PragmaDirective" || node.type === "ImportDirective" || node.type === "InlineAssemblyStatement")
    return;
  // What an interface declares has no conduct.
  if (node.type === "ContractDefinition" && node.kind === "interface") return;
  const inside = entered(node, context);
  for (const edit of editsAt(node, inside)) found(edit, inside);
  // A modifier's name is no call, and an array type's length no number to try.
  if (node.type === "ArrayTypeName") return;
  for (const [name, value] of Object.entries(node)) {
    const loopHead = node.type === "ForStatement" && name === "loopExpression";
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value as unknown]) {
      if (isNode(child)) walk(child, { ...inside, loopHead }, found);
    }
  }
}

function whereOf({ contract, callable }: Context, file: string): string {
  const owner = contract ?? file.slice(file.lastIndexOf("/") + 1, -".sol".length);
  if (callable === undefined) return owner;
  return `${owner}.${callable.isConstructor ? "constructor" : (callable.name ?? "fallback")}`;
}

/** Every mutant of a source, in the order of the text. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const mutants = new Map<string, Mutant>();
  walk(parse(source, { range: true }), { source }, (edit, context) => {
    const { start, end, replacement } = edit;
    const line = source.slice(0, start).split("\n").length;
    const mutant = { file, ...edit, where: whereOf(context, file), original: source.slice(start, end), line };
    // Two operators may think of the same change.
    const key = `${start}-${end}-${replacement}`;
    if (!mutants.has(key)) mutants.set(key, mutant);
  });
  return [...mutants.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}
