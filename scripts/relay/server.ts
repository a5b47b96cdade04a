// The relay's door: HTTP POST with a signature over the raw bytes, checked before a byte is parsed. The signature of an
// unknown key is as good as any: the relay identifies senders, it does not admit them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { BundleBook } from "./bundles";
import type { DevNode } from "./devNode";
import { type Faults, delayFault, faultsSchema, replyFault } from "./faults";
import { type Answer, answer } from "./methods";
import { SIGNATURE_HEADER, signerOf } from "./signature";

/** Twice the bundle limit, as hex, and room for the envelope. */
const MAX_BODY_BYTES = 700_000;
const WRONG_HASH = `0x${"ab".repeat(32)}`;

export interface ServerParts {
  readonly node: DevNode;
  readonly book: BundleBook;
  readonly faults: { current: Faults };
}

const envelope = z.object({
  method: z.string(),
  params: z.unknown(),
  id: z.union([z.number(), z.string(), z.null()]).default(null),
});

export function relayServer(parts: ServerParts): Server {
  return createServer((request, response) => {
    void handle(request, response, parts).catch(() => {
      if (!response.headersSent) reply(response, 500, { error: { code: -32603, message: "internal error" } });
      else response.destroy();
    });
  });
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: ServerParts): Promise<void> {
  if (request.method !== "POST") return reply(response, 405, { error: "POST only" });
  const body = await readBody(request);
  if (body === null) return reply(response, 413, { error: "request too large" });
  if (request.url === "/faults") return setFaults(request, response, { body, faults: parts.faults });

  const header = request.headers[SIGNATURE_HEADER];
  const signer = signerOf(body, typeof header === "string" ? header : undefined);
  if (signer === null) {
    const message = header === undefined ? "signer address required in header" : "invalid flashbots signature";
    return reply(response, 403, { error: { code: -32600, message } });
  }
  const parsed = envelope.safeParse(parseJson(body));
  if (!parsed.success) return reply(response, 400, { error: "incorrect request" });

  const { method, params, id } = parsed.data;
  const faults = parts.faults.current;
  const fault = replyFault(faults, method);
  const keep = fault === "normal" || fault === "wrong-hash" || faults.includeUntold;
  const honest = await answer(method, params, { node: parts.node, book: parts.book, signer, keep });
  const delayMs = delayFault(faults, method);
  if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
  send(response, { id, fault, honest });
}

function send(
  response: ServerResponse,
  { id, fault, honest }: { id: string | number | null; fault: Faults["reply"]; honest: Answer },
): void {
  switch (fault) {
    case "http-400":
      return reply(response, 400, { error: "incorrect request" });
    case "http-403":
      return reply(response, 403, { error: { message: "forbidden" } });
    case "http-429":
      return reply(response, 429, { error: { message: "rate limited" } });
    case "http-500":
      return reply(response, 500, { error: { message: "internal server error" } });
    case "rpc-error":
      return reply(response, 200, { jsonrpc: "2.0", id, error: { code: -32000, message: "bundle refused" } });
    case "null-result":
      return reply(response, 200, { jsonrpc: "2.0", id, result: null });
    case "garbage":
      response.writeHead(200, { "content-type": "application/json" });
      response.end("<html>\u0000 not json {{{");
      return;
    case "hang-up":
      response.destroy();
      return;
    case "wrong-hash":
      return reply(response, 200, { jsonrpc: "2.0", id, result: { bundleHash: WRONG_HASH } });
    case "normal":
      if (honest.kind === "http") return reply(response, honest.status, { error: honest.error });
      if (honest.kind === "rpc-error") {
        const error = { code: honest.code, message: honest.message };
        return reply(response, 200, { jsonrpc: "2.0", id, error });
      }
      return reply(response, 200, { jsonrpc: "2.0", id, result: honest.result });
  }
}

/** Loopback only, and only as JSON, which a web page of another origin cannot send without asking first. */
function setFaults(
  request: IncomingMessage,
  response: ServerResponse,
  { body, faults }: { body: Uint8Array; faults: { current: Faults } },
): void {
  const peer = request.socket.remoteAddress ?? "";
  const isLoopback = peer === "::1" || /^(::ffff:)?127\./.test(peer);
  const isJson = (request.headers["content-type"] ?? "").startsWith("application/json");
  if (!isLoopback || !isJson) return reply(response, 403, { error: "faults are set from this machine, as JSON" });
  const parsed = faultsSchema.safeParse(parseJson(body));
  if (!parsed.success) return reply(response, 400, { error: z.prettifyError(parsed.error) });
  faults.current = parsed.data;
  reply(response, 200, parsed.data);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}
