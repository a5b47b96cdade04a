// JSON-RPC 2.0 over HTTP on the loopback interface, in front of one pinned state. Errors of the state become JSON-RPC
// errors with HTTP status 200: a forking node retries other statuses and would hide them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { InputFailure } from "../../keeper/config/failure";
import { answer, Refusal, type PinnedState } from "./pinnedState";

/** A request of a forking node is a few hundred bytes. */
const MAX_BODY_BYTES = 1024 * 1024;

export interface RpcServerOptions {
  readonly state: PinnedState;
  /** 0: any free port. */
  readonly port: number;
  onRequest(method: string): void;
  /** Called before the error is sent, so that a miss is on record whatever happens to the asker. */
  onRefusal(method: string, refusal: Refusal): void;
  /** Body of `GET /report`. */
  report(): unknown;
}

export interface RpcServer {
  readonly url: string;
  /** Stops listening and drops open connections. */
  close(): Promise<void>;
}

/** @throws InputFailure if the port is taken. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = createServer((request, response) => void handle(options, request, response));
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new InputFailure("SERVER_PORT", `port ${port} cannot be listened on`, {
          field: "--port",
          remedy: "Give a free port, or leave it out to get one.",
          cause,
        }),
      ),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
}

async function handle(options: RpcServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: unknown): void => {
    if (response.destroyed) return;
    response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
  };
  if (request.method === "GET" && request.url === "/report") return send(200, options.report());
  if (request.method !== "POST") return send(405, { error: "POST JSON-RPC here, or GET /report" });
  const body = await readBody(request).catch(() => undefined);
  if (body === undefined) return send(413, { error: `a request is at most ${MAX_BODY_BYTES} bytes` });
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return send(200, failure(null, -32700, "not JSON"));
  }
  if (Array.isArray(message)) return send(200, await Promise.all(message.map((one) => reply(options, one))));
  return send(200, await reply(options, message));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function reply(options: RpcServerOptions, message: unknown): Promise<unknown> {
  const { id = null, method, params = [] } = (message ?? {}) as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof method !== "string" || !Array.isArray(params)) return failure(id, -32600, "not a JSON-RPC request");
  options.onRequest(method);
  try {
    return { jsonrpc: "2.0", id, result: await answer(options.state, method, params) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    options.onRefusal(method, error);
    return failure(id, error.code, error.message);
  }
}

function failure(id: unknown, code: number, message: string): unknown {
  return { jsonrpc: "2.0", id, error: { code, message } };
}
