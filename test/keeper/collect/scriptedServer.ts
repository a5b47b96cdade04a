// An HTTP server that answers one request after the other as the test says, and remembers what it was asked.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers a request. Not ending the response is a hang. */
export type Reply = (response: ServerResponse, asked: Asked) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

export async function scriptedServer(reply: Reply): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const one: Asked = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(parts).toString("utf8"),
      };
      asked.push(one);
      reply(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The replies in turn; the last one for ever. */
export function inTurn(...replies: readonly Reply[]): Reply {
  let next = 0;
  return (response, asked) => {
    const reply = replies[Math.min(next, replies.length - 1)];
    next += 1;
    reply?.(response, asked);
  };
}

export const json =
  (value: unknown, status = 200): Reply =>
  (response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

export const status =
  (code: number, headers: Record<string, string> = {}, body = "no"): Reply =>
  (response) =>
    void response.writeHead(code, headers).end(body);

export const zipped =
  (value: unknown): Reply =>
  (response) =>
    void response
      .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      .end(gzipSync(JSON.stringify(value)));

/** The page of a proxy or of a login, with the status of a success. */
export const htmlPage: Reply = (response) =>
  void response
    .writeHead(200, { "content-type": "text/html" })
    .end("<!DOCTYPE html><html><body>Secret gateway page</body></html>");

/** A whole response whose JSON ends in the middle. */
export const halfJson: Reply = (response) =>
  void response.writeHead(200, { "content-type": "application/json" }).end('{"value": [1, 2');

/** A response that promises more than comes before the connection breaks. */
export const brokenOff: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('{"value": ');
  setTimeout(() => response.destroy(), 5);
};

export const hang: Reply = () => undefined;

/** The headers come, the body never ends. */
export const drip: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"value": ');
};
