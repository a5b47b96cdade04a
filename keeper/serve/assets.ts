// The files that the page needs: the stylesheet and the mark are served as they stand in the source; the client bundle
// is there when `npm run build:page` has been run, and the page does without it when it has not.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const SOURCE_FOLDER = join(__dirname, "dashboard");
export const DEFAULT_BUNDLE_FOLDER = join(__dirname, "..", "..", "dist", "dashboard");
/** The client's entry, as Vite names it in its manifest. */
const ENTRY = "client.tsx";

export interface SourceAsset {
  readonly path: string;
  /** Path with the content's hash: what the page links to, so that it may be cached for ever. */
  readonly url: string;
  readonly type: string;
  readonly body: Buffer;
}

export interface Assets {
  readonly stylesheet: SourceAsset;
  readonly icon: SourceAsset;
  /** Null when no client bundle is built. */
  readonly bundle: { readonly folder: string; readonly script: string } | null;
}

/** Reads everything once; a server that runs while the bundle is rebuilt keeps the old one's name. */
export function readAssets(bundleFolder: string): Assets {
  return {
    stylesheet: sourceAsset("page.css", "text/css; charset=utf-8"),
    icon: sourceAsset("tiller.svg", "image/svg+xml"),
    bundle: readBundle(bundleFolder),
  };
}

function sourceAsset(file: string, type: string): SourceAsset {
  const body = readFileSync(join(SOURCE_FOLDER, file));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  return { path: `/assets/${file}`, url: `/assets/${file}?v=${hash}`, type, body };
}

const manifestSchema = z.record(z.string(), z.object({ file: z.string().regex(/^assets\/[A-Za-z0-9._-]+\.js$/) }));

function readBundle(folder: string): Assets["bundle"] {
  try {
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, ".vite", "manifest.json"), "utf8")));
    const entry = manifest[ENTRY];
    return entry === undefined ? null : { folder, script: `/${entry.file}` };
  } catch {
    // Not built, or half built: the server-rendered page needs none of it.
    return null;
  }
}
