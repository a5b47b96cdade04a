// Stands before a server of any kind, a node or an API, and spoils its answers from some question on, as a test says.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Asked, Reply } from "./scriptedServer";

export interface SpoilingProxy {
  readonly url: string;
  /** Questions since the last `rest`: the method of JSON-RPC, else the path. */
  readonly kinds: readonly string[];
  /** Every question from the first of this kind on gets this reply. */
  spoil(kind: string, reply: Reply): void;
  /** Forgets what was asked, and spoils nothing. */
  rest(): void;
  close(): Promise<void>;
}

export async function spoilingProxy(upstream: string): Promise<SpoilingProxy> {
  let kinds: string[] = [];
  let spoilt: { readonly kind: string; readonly reply: Reply } | null = null;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      const asked: Asked = { method, path, headers, body: Buffer.concat(parts).toString("utf8") };
      const kind = kindOf(asked);
      kinds.push(kind);
      if (spoilt !== null && kinds.includes(spoilt.kind)) return spoilt.reply(response, asked);
      const { authorization } = headers;
      fetch(method === "GET" ? upstream + path : upstream, {
        method,
        headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
        ...(method === "GET" ? {} : { body: asked.body }),
      })
        .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
        .catch(() => response.destroy());
      return undefined;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get kinds() {
      return kinds;
    },
    spoil: (kind, reply) => {
      spoilt = { kind, reply };
    },
    rest: () => {
      kinds = [];
      spoilt = null;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function kindOf({ path, body }: Asked): string {
  const { method } = (body === "" ? {} : JSON.parse(body)) as { readonly method?: string };
  return method ?? path;
}
