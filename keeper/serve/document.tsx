/** @jsxRuntime automatic */
// The HTML document around the page: rendered on the server with the newest view in it, so that it reads the same
// without a script. It knows nothing of HTTP.
import { renderToString } from "react-dom/server";
import { App } from "./dashboard/App";
import { BOOT_ELEMENT, ROOT_ELEMENT, type Boot } from "./wire";

/** How often a page without a running script asks again, seconds. */
const REFRESH_SECONDS = 10;

export interface DocumentLinks {
  readonly stylesheet: string;
  readonly icon: string;
  /** The client bundle; null when none is built. */
  readonly script: string | null;
}

/** The whole document. Text from decisions is escaped by React in the markup and by {@link embeddedJson} in the data. */
export function renderDocument(boot: Boot, links: DocumentLinks): string {
  const refresh = `<meta http-equiv="refresh" content="${REFRESH_SECONDS}">`;
  const script =
    links.script === null
      ? refresh
      : `<script type="module" src="${links.script}"></script><noscript>${refresh}</noscript>`;
  const data =
    links.script === null ? "" : `<script type="application/json" id="${BOOT_ELEMENT}">${embeddedJson(boot)}</script>`;
  return (
    "<!doctype html>" +
    '<html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    '<meta name="color-scheme" content="light dark">' +
    '<meta name="description" content="What a Tiller vault holds, what it earns, and what its keeper decided.">' +
    "<title>Tiller vault</title>" +
    `<link rel="icon" type="image/svg+xml" href="${links.icon}">` +
    `<link rel="stylesheet" href="${links.stylesheet}">` +
    `${script}</head><body>` +
    `<div id="${ROOT_ELEMENT}">${renderToString(<App boot={boot} />)}</div>` +
    `${data}</body></html>`
  );
}

/**
 * JSON that may stand inside a script element: without `<` no text can close the element or open a comment, and the two
 * line separators that older JavaScript takes for line ends are escaped too.
 */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}
