import { expect } from "chai";
import { request } from "node:http";
import { connect } from "node:net";
import type { DecisionDetail, StatusView } from "../../../keeper/app/view";
import { InputFailure, WorldFailure } from "../../../keeper/config/failure";
import { startServer } from "../../../keeper/serve/server";
import type { ErrorBody } from "../../../keeper/serve/wire";
import { INCLUDED, pageView, pushSource, REASON_INCLUDED, SHARE_PRICE } from "./fixture";
import { closeAll, listening } from "./listening";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** fetch() sets the Host header itself; this one sends what it is told. */
function ask(
  port: number,
  path: string,
  options: { headers?: Record<string, string>; method?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method: options.method ?? "GET", headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(options.body);
  });
}

async function json<T = unknown>(url: string): Promise<{ status: number; body: T }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as T };
}

describe("serve: the HTTP server", () => {
  afterEach(closeAll);

  describe("the page", () => {
    it("shows the share price and an included rebalance with its state in the HTML itself", async () => {
      const { server } = await listening();
      const response = await fetch(`${server.url}/`);
      const html = await response.text();
      const markup = html.slice(html.indexOf('<div id="page">'), html.indexOf('<script type="application/json"'));
      expect(response.status).to.equal(200);
      expect(response.headers.get("content-type")).to.equal("text/html; charset=utf-8");
      expect(markup).to.contain(`value="${SHARE_PRICE}"`);
      expect(markup).to.contain(">1.00012345<");
      expect(markup).to.contain(">1,204,311.82<");
      expect(markup).to.contain(REASON_INCLUDED);
      expect(markup).to.match(/<li class="decision rebalance"><span class="chip tone-good">included<\/span>/);
      expect(markup).to.contain(INCLUDED.txHash);
      expect(markup).to.match(/Bundles included<\/dt><dd>12</);
    });

    it("asks again by itself where no client bundle is built, and embeds nothing for one", async () => {
      const { server } = await listening();
      const html = await (await fetch(`${server.url}/`)).text();
      expect(html).to.contain('<meta http-equiv="refresh" content="10">');
      expect(html).not.to.contain("<script");
    });

    it("says why there is nothing to show, with 503, when the source has no view", async () => {
      const source = pushSource(null);
      source.fail(new WorldFailure("STORE_DOWN", "the database does not answer", { remedy: "Start PostgreSQL." }));
      const { server } = await listening({ source });
      const response = await fetch(`${server.url}/`);
      const html = await response.text();
      expect(response.status).to.equal(503);
      expect(response.headers.get("retry-after")).to.equal("2");
      expect(html).to.contain("The database does not answer.").and.to.contain("Start PostgreSQL.");
    });

    it("serves its stylesheet and mark under names that change with their content", async () => {
      const { server } = await listening();
      const html = await (await fetch(`${server.url}/`)).text();
      const links = [...html.matchAll(/href="(\/assets\/[^"]+\?v=[0-9a-f]{12})"/g)].map((match) => match[1]);
      expect(links).to.have.length(2);
      const types = await Promise.all(
        links.map(async (link) => {
          const response = await fetch(`${server.url}${link}`);
          expect(response.status).to.equal(200);
          expect(response.headers.get("cache-control")).to.contain("immutable");
          return response.headers.get("content-type");
        }),
      );
      expect(types).to.have.members(["image/svg+xml", "text/css; charset=utf-8"]);
    });
  });

  describe("the API", () => {
    it("answers /api/status with exactly the fields of the status command", async () => {
      const { server } = await listening();
      const { body } = await json<StatusView>(`${server.url}/api/status`);
      expect(Object.keys(body)).to.have.members([
        "vault",
        "block",
        "totalAssets",
        "sharePrice",
        "breaker",
        "allocations",
        "decisions",
        "bundles",
      ]);
      expect(body.sharePrice).to.equal(SHARE_PRICE);
      expect(body.allocations[0]).to.deep.equal({ venue: "aave-v3-usdc", assets: "596224700000", quarantined: false });
      const [, , , curve, range] = pageView().allocations;
      for (const [place, pool] of [
        [3, curve?.pool],
        [4, range?.pool],
      ] as const) {
        const { venue, assets } = pageView().allocations[place]!;
        expect(body.allocations[place]).to.deep.equal({ venue, assets, quarantined: false, pool });
      }
      expect(body.decisions[10]).to.deep.equal({
        id: INCLUDED.id,
        action: "rebalance",
        state: "included",
        reason: REASON_INCLUDED,
      });
      expect(body.bundles).to.deep.equal({ included: 12, missed: 3 });
    });

    it("answers /api/view with the whole view", async () => {
      const { server } = await listening();
      expect((await json(`${server.url}/api/view`)).body).to.deep.equal(pageView());
    });

    it("cuts the list of decisions at the limit", async () => {
      const { server } = await listening();
      const { body } = await json<{ decisions: unknown }>(`${server.url}/api/decisions?limit=3`);
      expect(body.decisions).to.deep.equal(pageView().decisions.slice(0, 3));
    });

    it("answers one decision with its bundles and record", async () => {
      const { server } = await listening();
      const { body } = await json<DecisionDetail>(`${server.url}/api/decisions/${INCLUDED.id}`);
      expect(body.id).to.equal(INCLUDED.id);
      expect(body.record).to.equal('{"action":"rebalance","block":2420}');
      expect(body.bundles.map(({ state }) => state)).to.deep.equal(["missed", "included"]);
    });

    it("reports health and readiness with the reasons", async () => {
      const { server, source } = await listening();
      expect(await json(`${server.url}/ready`)).to.deep.equal({ status: 200, body: { ready: true, reasons: [] } });
      source.setHealth({ alive: true, ready: false, reasons: ["no block for 80 s"] });
      expect(await json(`${server.url}/ready`)).to.deep.equal({
        status: 503,
        body: { ready: false, reasons: ["no block for 80 s"] },
      });
      expect(await json(`${server.url}/health`)).to.deep.equal({
        status: 200,
        body: { alive: true, reasons: ["no block for 80 s"] },
      });
      source.setHealth({ alive: false, ready: false, reasons: ["the loop has ended"] });
      expect((await json(`${server.url}/health`)).status).to.equal(503);
    });
  });

  describe("bad requests", () => {
    const cases: readonly {
      readonly path: string;
      readonly status: number;
      readonly code: string;
      readonly field: string;
    }[] = [
      { path: "/api/decisions?limit=0", status: 400, code: "PARAMETER_INVALID", field: "limit" },
      { path: "/api/decisions?limit=201", status: 400, code: "PARAMETER_INVALID", field: "limit" },
      { path: "/api/decisions?limit=1e2", status: 400, code: "PARAMETER_INVALID", field: "limit" },
      { path: "/api/decisions?limit=1&limit=2", status: 400, code: "PARAMETER_INVALID", field: "limit" },
      { path: "/api/decisions?before=3", status: 400, code: "PARAMETER_INVALID", field: "before" },
      { path: "/api/status?full=1", status: 400, code: "PARAMETER_INVALID", field: "full" },
      { path: "/api/decisions/0x12", status: 400, code: "PARAMETER_INVALID", field: "id" },
      { path: "/api/decisions/..%2f..%2fetc", status: 400, code: "PARAMETER_INVALID", field: "id" },
      { path: "/api/decisions/ffffffffffffffff", status: 404, code: "DECISION_UNKNOWN", field: "id" },
      { path: "/api/nothing", status: 404, code: "PATH_UNKNOWN", field: "path" },
      { path: "/assets/..%2f..%2fpackage.json", status: 404, code: "PATH_UNKNOWN", field: "path" },
      { path: "/%zz", status: 400, code: "REQUEST_INVALID", field: "request" },
    ];
    for (const { path, status, code, field } of cases) {
      it(`${path} is refused with ${status} and names ${field}`, async () => {
        const { port } = await listening();
        const answer = await ask(port, path);
        const { error } = JSON.parse(answer.body);
        expect(answer.status).to.equal(status);
        expect({ code: error.code, field: error.field }).to.deep.equal({ code, field });
        expect(error.remedy).to.be.a("string").and.not.equal("");
        expect(answer.headers["x-content-type-options"]).to.equal("nosniff");
      });
    }

    it("takes nothing but GET and HEAD, whatever the body", async () => {
      const { port } = await listening();
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        const answer = await ask(port, "/api/status", {
          method,
          body: "x".repeat(100_000),
          headers: { "content-type": "application/json", "content-length": "100000" },
        });
        expect(answer.status, method).to.equal(405);
        expect(answer.headers.allow).to.equal("GET, HEAD");
        expect(JSON.parse(answer.body).error.field).to.equal("method");
      }
      expect((await ask(port, "/", { method: "HEAD" })).status).to.equal(200);
    });

    it("keeps the text of an unexpected error to itself and reports only its kind", async () => {
      const { server, source, events } = await listening();
      source.fail(new TypeError("connect postgres://keeper:hunter2@db/tiller"));
      for (const path of ["/", "/api/view"]) {
        const response = await fetch(`${server.url}${path}`);
        expect(response.status).to.equal(500);
        expect(await response.text()).not.to.contain("hunter2");
      }
      const reported = events.filter(({ name }) => name === "serve.trouble");
      expect(reported).to.have.length(2);
      expect(reported[0]).to.deep.equal({ name: "serve.trouble", code: "SERVE_DEFECT", message: "TypeError" });
    });

    it("does not wait for ever for a source that hangs", async () => {
      const source = { ...pushSource(), current: () => new Promise<never>(() => undefined) };
      const { server } = await listening({ source, sourceLimitMs: 50 });
      const { status, body } = await json<ErrorBody>(`${server.url}/api/view`);
      expect(status).to.equal(503);
      expect(body.error.code).to.equal("VIEW_TIMEOUT");
    });
  });

  describe("who may ask", () => {
    it("answers to loopback names and its own port only, against DNS rebinding", async () => {
      const { port } = await listening();
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "LOCALHOST"]) {
        expect((await ask(port, "/api/status", { headers: { host } })).status, host).to.equal(200);
      }
      for (const host of [
        "evil.example",
        `127.0.0.1.evil.example:${port}`,
        "192.0.2.7",
        "localhost@evil.example",
        "a b",
      ]) {
        const answer = await ask(port, "/api/status", { headers: { host } });
        expect(answer.status, host).to.equal(403);
        expect(JSON.parse(answer.body).error).to.include({ code: "HOST_REFUSED", field: "Host" });
        expect(answer.body).not.to.contain("evil");
      }
    });

    it("answers to further names when they are configured", async () => {
      const { port } = await listening({ allowedHosts: ["tiller.example"] });
      expect((await ask(port, "/", { headers: { host: "tiller.example" } })).status).to.equal(200);
      expect((await ask(port, "/", { headers: { host: "other.example" } })).status).to.equal(403);
    });

    it("takes literal addresses, and still no foreign name, when it listens on all interfaces", async () => {
      const { port } = await listening({ host: "0.0.0.0" });
      expect((await ask(port, "/", { headers: { host: "192.0.2.7:80" } })).status).to.equal(200);
      expect((await ask(port, "/", { headers: { host: "evil.example" } })).status).to.equal(403);
    });

    it("refuses requests that a page of another site makes", async () => {
      const { port } = await listening();
      const refused = await ask(port, "/api/view", { headers: { origin: "http://evil.example" } });
      expect(refused.status).to.equal(403);
      expect(JSON.parse(refused.body).error.code).to.equal("ORIGIN_REFUSED");
      const nullOrigin = await ask(port, "/api/view", { headers: { origin: "null" } });
      expect(nullOrigin.status).to.equal(403);
      const own = await ask(port, "/api/view", { headers: { origin: `http://127.0.0.1:${port}` } });
      expect(own.status).to.equal(200);
      expect(own.headers["access-control-allow-origin"]).to.equal(undefined);
    });

    it("forbids inline scripts and styles, other hosts and frames, with every answer", async () => {
      const { port } = await listening();
      for (const path of ["/", "/api/status", "/nothing", "/assets/page.css"]) {
        const { headers } = await ask(port, path);
        const policy = String(headers["content-security-policy"]);
        expect(policy, path).to.contain("default-src 'none'").and.to.contain("frame-ancestors 'none'");
        expect(policy).to.contain("script-src 'self';").and.not.to.contain("unsafe");
        expect(headers["referrer-policy"]).to.equal("no-referrer");
        expect(headers["x-content-type-options"]).to.equal("nosniff");
      }
    });
  });

  describe("starting and stopping", () => {
    it("names the port and the remedy when the port is taken", async () => {
      const { port } = await listening();
      const failure = await startServer({
        host: "127.0.0.1",
        port,
        source: pushSource(),
        sink: { emit: () => undefined },
      }).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(WorldFailure);
      expect((failure as WorldFailure).line()).to.equal(
        `serve.port: port ${port} on 127.0.0.1 is taken by another program (PORT_IN_USE). ` +
          "Stop that program, or set serve.port to a free port (0 takes any).",
      );
    });

    it("names the field of a port and of a host that cannot be", async () => {
      const failures = await Promise.all(
        [
          { host: "127.0.0.1", port: 70_000 },
          { host: "192.0.2.1", port: 0 },
        ].map((at) =>
          startServer({ ...at, source: pushSource(), sink: { emit: () => undefined } }).then(
            () => null,
            (error: unknown) => error,
          ),
        ),
      );
      expect(failures.map((failure) => failure instanceof InputFailure && failure.field)).to.deep.equal([
        "serve.port",
        "serve.host",
      ]);
    });

    it("lets go of its source when it could not start", async () => {
      const { port } = await listening();
      const source = pushSource();
      await startServer({ host: "127.0.0.1", port, source, sink: { emit: () => undefined } }).catch(() => undefined);
      expect(source.subscribers).to.equal(0);
    });

    it("announces its address, and stops with a connection open and a request half sent", async () => {
      const { server, source, events, port } = await listening();
      expect(events).to.deep.equal([{ name: "serve.listening", url: server.url }]);
      const idle = connect(port, "127.0.0.1");
      const half = connect(port, "127.0.0.1");
      const ended = [idle, half].map(
        (socket) => new Promise<void>((done) => socket.on("close", () => done()).resume()),
      );
      idle.on("error", () => undefined);
      half.on("error", () => undefined);
      await new Promise<void>((done) => half.once("connect", done));
      half.write("GET /api/status HTTP/1.1\r\nHost: loc");
      await server.close();
      await Promise.all(ended);
      expect(source.subscribers).to.equal(0);
      await fetch(server.url).then(
        () => expect.fail("still listening"),
        () => undefined,
      );
    });
  });
});
