// Takes secrets out of what is shown: keys hide in a URL's user, password, path and query.

const LOCAL_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A URL that may be printed: scheme, host and port; the rest only as "…". */
export function redactUrl(value: string): string {
  if (!URL.canParse(value)) return "(not a URL)";
  const url = new URL(value);
  const credentials = url.username === "" && url.password === "" ? "" : "…@";
  const path = url.pathname === "/" || url.pathname === "" ? "" : LOCAL_HOSTS.has(url.hostname) ? url.pathname : "/…";
  const query = url.search === "" ? "" : "?…";
  return `${url.protocol}//${credentials}${url.host}${path}${query}`;
}

const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)\]}]+/gi;
/** 32 bytes of hex may be a private key; hashes are shown by fields of their own, never inside a message. */
const KEY_IN_TEXT = /\b(?:0x)?[0-9a-fA-F]{64}\b/g;

/** A foreign message (a library's, a server's) made printable: URLs redacted, 32-byte hex hidden, one short line. */
export function redactText(text: string): string {
  const line = text
    .replace(URL_IN_TEXT, (match) => redactUrl(match))
    .replace(KEY_IN_TEXT, "0x…")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
