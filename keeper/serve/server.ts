// The keeper's web server: the page, the read-only API and the live stream on one port. It shows what its source gives
// and decides nothing.
import fastifyStatic from "@fastify/static";
import fastifyWebsocket from "@fastify/websocket";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { InputFailure, WorldFailure, type Failure } from "../config/failure";
import type { Sink } from "../events/events";
import { addApi } from "./api";
import { DEFAULT_BUNDLE_FOLDER, readAssets } from "./assets";
import { renderDocument } from "./document";
import { DEFAULT_LIVE_LIMITS, defectName, openLiveHub, type LiveLimits } from "./live";
import { bracketed, perimeter, SECURITY_HEADERS } from "./perimeter";
import { refusalOf, RequestFailure } from "./refusal";
import { sharedCurrent, type ViewSource } from "./source";
import type { Boot, ErrorBody } from "./wire";

export type { Health, ViewSource } from "./source";

export interface ServerOptions {
  /** Address or name to listen on; `127.0.0.1` for this machine only. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly source: ViewSource;
  readonly sink: Sink;
  /** Further names that the Host header may carry, for a server behind a proxy or with a name of its own. */
  readonly allowedHosts?: readonly string[];
  /** Where `npm run build:page` wrote the client bundle. */
  readonly bundleFolder?: string;
  readonly live?: LiveLimits;
  /** Longest wait for the source before a request is answered with `VIEW_TIMEOUT`, milliseconds. */
  readonly sourceLimitMs?: number;
}

export interface RunningServer {
  /** Address to open on this machine, without a trailing slash. */
  readonly url: string;
  /** Stops listening and drops every connection, in under a second. */
  close(): Promise<void>;
}

const SOURCE_LIMIT_MS = 5_000;
const REQUEST_LIMIT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
/** No route takes a body; a header never needs more. */
const BODY_LIMIT_BYTES = 1_024;
const HEADER_LIMIT_BYTES = 8_192;
const MESSAGE_LIMIT_BYTES = 1_024;
const FOREVER = "public, max-age=31536000, immutable";

/**
 * Listens and serves until closed.
 * @throws InputFailure `SERVE_HOST` (no such address here) or `SERVE_PORT` (not ours to take)
 * @throws WorldFailure `PORT_IN_USE`
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, port, source, sink } = options;
  const limitMs = options.sourceLimitMs ?? SOURCE_LIMIT_MS;
  const assets = readAssets(options.bundleFolder ?? DEFAULT_BUNDLE_FOLDER);
  const build = assets.bundle?.script ?? null;
  const current = sharedCurrent(source, limitMs);

  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_LIMIT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 64 },
    http: { maxHeaderSize: HEADER_LIMIT_BYTES, headersTimeout: REQUEST_LIMIT_MS },
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { status, problem } = refusalOf(error);
      void reply
        .code(status)
        .headers(SECURITY_HEADERS)
        .send({ error: problem } satisfies ErrorBody);
    },
  });
  app.removeAllContentTypeParsers();

  const hub = openLiveHub(source, current, { limits: options.live ?? DEFAULT_LIVE_LIMITS, build, sink });
  await app.register(fastifyWebsocket, {
    options: { maxPayload: MESSAGE_LIMIT_BYTES, perMessageDeflate: false },
    // Every connection is the hub's, or one that it has already told to leave.
    preClose: async () => {
      await hub.close();
      app.websocketServer.clients.forEach((socket) => socket.terminate());
      app.websocketServer.close();
    },
  });

  // After the WebSocket plugin, whose own hook lets it hang up on a refused upgrade.
  const rule = perimeter(host, options.allowedHosts ?? []);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, "cache-control": "no-store" });
    const problem = rule.refusal(request.headers.host, request.headers.origin);
    if (problem !== null) {
      return reply.code(403).send({ error: problem } satisfies ErrorBody);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      reply.header("allow", "GET, HEAD");
      throw new RequestFailure(405, "METHOD_REFUSED", "this server is read-only", {
        field: "method",
        remedy: "Use GET.",
      });
    }
  });
  app.setErrorHandler((error, _request, reply) => {
    const { status, problem, defect } = refusalOf(error);
    if (defect) {
      sink.emit({ name: "serve.trouble", code: problem.code, message: defectName(error) });
    }
    if (status === 503) {
      reply.header("retry-after", "2");
    }
    return reply.code(status).send({ error: problem } satisfies ErrorBody);
  });
  app.setNotFoundHandler(() => {
    throw new RequestFailure(404, "PATH_UNKNOWN", "there is nothing at that path", {
      field: "path",
      remedy: "Open / for the page or /api/status for the numbers.",
    });
  });

  addPage(app, { assets, build, current, sink });
  addApi(app, { source, current, limitMs });
  app.get(
    "/api/live",
    {
      websocket: true,
      preValidation: async () => {
        if (hub.full()) {
          throw new WorldFailure("LIVE_FULL", "too many pages are open", {
            remedy: "Close one, or read /api/view instead.",
          });
        }
      },
    },
    (socket) => hub.join(socket),
  );

  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenFailure(error, host, port);
  }
  const url = addressOf(app, host);
  sink.emit({ name: "serve.listening", url });
  return { url, close: () => app.close() };
}

interface PageOptions {
  readonly assets: ReturnType<typeof readAssets>;
  readonly build: string | null;
  readonly current: () => Promise<Boot["view"] & object>;
  readonly sink: Sink;
}

function addPage(app: FastifyInstance, { assets, build, current, sink }: PageOptions): void {
  const { stylesheet, icon, bundle } = assets;

  app.get("/", async (_request, reply) => {
    const { boot, status } = await readBoot();
    const links = { stylesheet: stylesheet.url, icon: icon.url, script: build };
    if (status !== 200) {
      reply.header("retry-after", "2");
    }
    return reply.code(status).type("text/html; charset=utf-8").send(renderDocument(boot, links));
  });

  for (const asset of [stylesheet, icon]) {
    app.get(asset.path, async (_request, reply) =>
      reply.type(asset.type).header("cache-control", FOREVER).send(asset.body),
    );
  }
  if (bundle !== null) {
    app.register(fastifyStatic, {
      root: join(bundle.folder, "assets"),
      prefix: "/assets/",
      index: false,
      dotfiles: "deny",
      cacheControl: false,
      setHeaders: (response) => void response.setHeader("cache-control", FOREVER),
    });
  }

  async function readBoot(): Promise<{ boot: Boot; status: number }> {
    try {
      return { boot: { build, view: await current(), problem: null }, status: 200 };
    } catch (error) {
      const { problem, status, defect } = refusalOf(error);
      if (defect) {
        sink.emit({ name: "serve.trouble", code: problem.code, message: defectName(error) });
      }
      return { boot: { build, view: null, problem }, status };
    }
  }
}

function addressOf(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  const here = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : bracketed(host);
  return `http://${here}:${port}`;
}

function listenFailure(error: unknown, host: string, port: number): Failure | unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  switch (code) {
    case "EADDRINUSE":
      return new WorldFailure("PORT_IN_USE", `port ${port} on ${host} is taken by another program`, {
        field: "serve.port",
        remedy: "Stop that program, or set serve.port to a free port (0 takes any).",
      });
    case "EACCES":
      return new InputFailure("SERVE_PORT", `port ${port} may not be opened by this user`, {
        field: "serve.port",
        remedy: "Set serve.port to a port above 1023.",
      });
    case "ERR_SOCKET_BAD_PORT":
      return new InputFailure("SERVE_PORT", `${port} is no port`, {
        field: "serve.port",
        remedy: "Set serve.port to a whole number from 0 to 65535.",
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new InputFailure("SERVE_HOST", `${host} is no address of this machine`, {
        field: "serve.host",
        remedy: "Set serve.host to 127.0.0.1, to 0.0.0.0 for all interfaces, or to an address of this machine.",
      });
    default:
      return error;
  }
}
