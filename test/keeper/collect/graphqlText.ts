// Reads the part of GraphQL that queries to a subgraph use: variables, aliases, arguments, nested selections.

export type Value =
  | { readonly variable: string }
  | { readonly literal: string | number }
  | { readonly object: Readonly<Record<string, Value>> };

export interface Selection {
  readonly alias: string;
  readonly name: string;
  readonly args: Readonly<Record<string, Value>>;
  readonly fields: readonly Selection[] | null;
}

export interface Query {
  /** Types by variable, for example `Int!`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly fields: readonly Selection[];
}

const TOKEN = /\s*(?:,\s*)*([A-Za-z_]\w*|\$\w+|-?\d+|"[^"]*"|[{}():!])/y;

/** @throws Error on what is no such query. */
export function parseQuery(text: string): Query {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`unexpected character at ${at}`);
    tokens.push(match[1] ?? "");
  }
  let next = 0;
  const peek = (): string => tokens[next] ?? "";
  const take = (expected?: string): string => {
    const token = peek();
    if (token === "" || (expected !== undefined && token !== expected)) throw new Error(`unexpected ${token || "end"}`);
    next += 1;
    return token;
  };
  const value = (): Value => {
    const token = take();
    if (token === "{") {
      const object: Record<string, Value> = {};
      while (peek() !== "}") {
        const key = take();
        take(":");
        object[key] = value();
      }
      take("}");
      return { object };
    }
    if (token.startsWith("$")) return { variable: token.slice(1) };
    if (token.startsWith('"')) return { literal: token.slice(1, -1) };
    return { literal: /^-?\d+$/.test(token) ? Number(token) : token };
  };
  const args = (): Record<string, Value> => {
    const found: Record<string, Value> = {};
    if (peek() !== "(") return found;
    take("(");
    while (peek() !== ")") {
      const key = take();
      take(":");
      found[key] = value();
    }
    take(")");
    return found;
  };
  const selection = (): Selection[] => {
    const fields: Selection[] = [];
    take("{");
    while (peek() !== "}") {
      const first = take();
      const aliased = peek() === ":";
      if (aliased) take(":");
      const name = aliased ? take() : first;
      fields.push({ alias: first, name, args: args(), fields: peek() === "{" ? selection() : null });
    }
    take("}");
    return fields;
  };
  take("query");
  const variables: Record<string, string> = {};
  if (peek() === "(") {
    take("(");
    while (peek() !== ")") {
      const name = take().slice(1);
      take(":");
      variables[name] = take();
      if (peek() === "!") variables[name] += take();
    }
    take(")");
  }
  const fields = selection();
  if (peek() !== "") throw new Error(`unexpected ${peek()}`);
  return { variables, fields };
}
