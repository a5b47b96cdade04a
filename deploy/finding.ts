// One thing that an inspection asked, and how it came out.

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export function check(name: string, ok: boolean, detail: string): Check {
  return { name, ok, detail };
}

export function list(addresses: readonly string[]): string {
  return addresses.length === 0 ? "nobody" : addresses.join(", ");
}
