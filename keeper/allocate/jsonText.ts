// JSON of a person's hand: the same parser as everywhere, and where it fails, the line, the column and the field that
// it was reading (the engine's own message has an offset at best).

export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** Path of the value being read, as in `venues[1].cap`; empty at the top. */
  readonly path: string;
  /** What stands there, shortened; empty at the end of the text. */
  readonly found: string;
}

export type JsonResult =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: JsonFault };

export function parseJson(text: string): JsonResult {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, fault: findFault(text) };
  }
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- JSON forbids raw control characters in a string
const STRING = /"([^"\\\u0000-\u001f]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const SHOWN = /[^\s,\]}]{0,20}/y;

class Fault extends Error {}

function findFault(text: string): JsonFault {
  const path: (string | number)[] = [];
  let at = 0;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) at += match.length;
    return match;
  };
  const expect = (character: string): void => {
    if (text[at] !== character) throw new Fault();
    at++;
  };
  const list = (end: string, item: (index: number) => void): void => {
    at++;
    take(SPACE);
    if (text[at] === end) {
      at++;
      return;
    }
    for (let index = 0; ; index++) {
      take(SPACE);
      item(index);
      take(SPACE);
      if (text[at] !== ",") break;
      at++;
    }
    expect(end);
  };
  const value = (): void => {
    if (text[at] === "{") {
      list("}", () => {
        const key = take(STRING);
        if (key === undefined) throw new Fault();
        take(SPACE);
        expect(":");
        take(SPACE);
        path.push(JSON.parse(key) as string);
        value();
        path.pop();
      });
    } else if (text[at] === "[") {
      list("]", (index) => {
        path.push(index);
        value();
        path.pop();
      });
    } else if ((take(STRING) ?? take(NUMBER) ?? take(WORD)) === undefined) throw new Fault();
  };

  try {
    take(SPACE);
    value();
    take(SPACE);
  } catch (error) {
    // A text nested deeper than the stack is a fault of the text too.
    if (!(error instanceof Fault) && !(error instanceof RangeError)) throw error;
  }
  const before = text.slice(0, at).split("\n");
  SHOWN.lastIndex = at;
  return {
    line: before.length,
    column: (before[before.length - 1] ?? "").length + 1,
    path: pathText(path),
    found: SHOWN.exec(text)?.[0] || (text[at] ?? ""),
  };
}

/** `["venues", 1, "cap"]` as a person writes it: `venues[1].cap`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}
