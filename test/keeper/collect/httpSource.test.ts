import { expect } from "chai";
import { z } from "zod";
import { TimeIsUp } from "../../../keeper/chain/clock";
import { type HttpSourceOptions, openHttpSource } from "../../../keeper/collect/httpSource";
import { InputFailure, WorldFailure } from "../../../keeper/config/failure";
import { hurriedClock } from "../chain/fixtures/clocks";
import { failureOf } from "./failureOf";
import {
  type Reply,
  type ScriptedServer,
  brokenOff,
  drip,
  halfJson,
  hang,
  htmlPage,
  inTurn,
  json,
  scriptedServer,
  status,
  zipped,
} from "./scriptedServer";

const KEY = "k3y-of-the-operator";
const shape = z.object({ value: z.array(z.number()) });
const good = json({ value: [1] });

describe("a source over HTTP", () => {
  const servers: ScriptedServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  async function serving(...replies: Reply[]): Promise<ScriptedServer> {
    const server = await scriptedServer(inTurn(...replies));
    servers.push(server);
    return server;
  }

  function ask(server: { readonly url: string }, options: Partial<HttpSourceOptions> = {}, signal?: AbortSignal) {
    const source = openHttpSource({
      name: "the-source",
      field: "sources.one",
      baseUrl: `${server.url}/${KEY}/`,
      headers: { authorization: `Bearer ${KEY}` },
      rate: { perMinute: 6_000, burst: 10 },
      timeoutMs: 2_000,
      deadlineMs: 20_000,
      attempts: 3,
      maxBodyBytes: 10_000,
      random: () => 0,
      ...options,
    });
    return source.ask({ path: "/things", shape, signal });
  }

  it("asks the path under its base with its headers and gives what the shape takes", async () => {
    const server = await serving(json({ value: [1, 2], more: "x" }));
    expect(await ask(server)).to.deep.equal({ value: [1, 2] });
    expect(server.asked[0]).to.include({ method: "GET", path: `/${KEY}/things` });
    expect(server.asked[0]?.headers.authorization).to.equal(`Bearer ${KEY}`);
  });

  it("posts a body as JSON", async () => {
    const server = await serving(good);
    const options = { rate: { perMinute: 60, burst: 1 }, timeoutMs: 1_000, deadlineMs: 1_000, attempts: 1 };
    const source = openHttpSource({ name: "s", field: "f", baseUrl: server.url, maxBodyBytes: 100, ...options });
    await source.ask({ path: "", body: { query: "q" }, shape });
    expect(server.asked[0]).to.include({ method: "POST", body: '{"query":"q"}' });
    expect(server.asked[0]?.headers["content-type"]).to.equal("application/json");
  });

  it("unpacks gzip", async () => {
    expect(await ask(await serving(zipped({ value: [3] })))).to.deep.equal({ value: [3] });
  });

  const mended: readonly (readonly [string, Reply])[] = [
    ["429", status(429)],
    ["500", status(500)],
    ["503", status(503)],
    ["a connection that breaks off in the body", brokenOff],
    ["a connection that is closed without an answer", (response) => void response.destroy()],
  ];
  for (const [name, reply] of mended) {
    it(`asks again after ${name}`, async () => {
      const server = await serving(reply, reply, good);
      expect(await ask(server)).to.deep.equal({ value: [1] });
      expect(server.asked).to.have.length(3);
    });
  }

  it("asks again when an attempt takes too long, before or inside the body", async () => {
    const server = await serving(hang, drip, good);
    expect(await ask(server, { timeoutMs: 60 })).to.deep.equal({ value: [1] });
    expect(server.asked).to.have.length(3);
  });

  const final: readonly (readonly [string, Reply, string, RegExp])[] = [
    ["400", status(400), "SOURCE_REFUSED", /HTTP 400/],
    ["401", status(401), "SOURCE_REFUSED", /HTTP 401/],
    ["404", status(404), "SOURCE_REFUSED", /HTTP 404/],
    ["a redirect", status(302, { location: "/login" }), "SOURCE_MOVED", /HTTP 302/],
    ["HTML with status 200", htmlPage, "SOURCE_GARBAGE", /HTML/],
    ["JSON that ends in the middle", halfJson, "SOURCE_GARBAGE", /broken/],
    ["another shape", json({ value: [1, "secret"] }), "SOURCE_GARBAGE", /at value\.1$/],
    ["nothing at all", status(200, {}, ""), "SOURCE_GARBAGE", /broken/],
    ["a body over the bound", json({ value: Array(5_000).fill(1) }), "SOURCE_TOO_LARGE", /10000 bytes/],
    ["a body that unpacks over the bound", zipped({ value: Array(9_000).fill(0) }), "SOURCE_TOO_LARGE", /10000/],
  ];
  for (const [name, reply, code, message] of final) {
    it(`does not ask again after ${name}, and says so`, async () => {
      const server = await serving(reply, good);
      const failure = await failureOf(ask(server));
      expect(failure).to.be.instanceOf(WorldFailure);
      expect(failure.code).to.equal(code);
      expect(failure.message)
        .to.match(/^the-source /)
        .and.match(message);
      expect(failure.field).to.equal("sources.one");
      expect(server.asked).to.have.length(1);
    });
  }

  it("fails after the last attempt with what the last one met", async () => {
    const server = await serving(status(429), status(502));
    const failure = await failureOf(ask(server));
    expect(failure).to.include({ code: "SOURCE_UNREACHABLE" });
    expect(failure.message).to.contain("HTTP 502");
    expect(server.asked).to.have.length(3);
    expect(await failureOf(ask(await serving(status(429))))).to.include({ code: "SOURCE_LIMITED" });
  });

  it("names a server that is not there", async () => {
    const server = await serving(good);
    await server.close();
    const failure = await failureOf(ask(server));
    expect(failure.code).to.equal("SOURCE_UNREACHABLE");
    expect(failure.message).to.contain("ECONNREFUSED");
  });

  it("shows neither key nor address nor body in any failure", async () => {
    const replies = [...final.map(([, reply]) => reply), status(500, {}, `${KEY} secret`), brokenOff, hang];
    for (const reply of replies) {
      const failure = await failureOf(ask(await serving(reply), { attempts: 1, timeoutMs: 60 }));
      const shown = `${failure.line()} ${JSON.stringify(failure)} ${String(failure.cause)}`;
      expect(shown).not.to.match(/k3y|127\.0\.0\.1|secret|login/i);
    }
  });

  it("waits as long as Retry-After says, in seconds or as a date", async () => {
    for (const says of [(): string => "7", (now: number): string => new Date(now + 7_000).toUTCString()]) {
      const clock = hurriedClock(100);
      const limited: Reply = (response, asked) => status(429, { "retry-after": says(clock.now()) })(response, asked);
      const server = await serving(limited, good);
      await ask(server, { clock, timeoutMs: 60_000, deadlineMs: 100_000 });
      const pauses = clock.slept.filter((ms) => ms !== 60_000 && ms !== 100_000);
      // A date has whole seconds, and some time passes until it is read.
      expect(pauses[0]).to.be.within(4_000, 7_000);
      expect(server.asked).to.have.length(2);
    }
  });

  it("does not wait for a Retry-After that is over the deadline, or for ever", async () => {
    const server = await serving(status(429, { "retry-after": "31536000" }), good);
    const start = Date.now();
    const failure = await failureOf(ask(server));
    expect(Date.now() - start).to.be.below(2_000);
    expect(failure.code).to.equal("SOURCE_LIMITED");
    expect(failure.message).to.contain("900 s of rest");
    expect(server.asked).to.have.length(1);
  });

  it("holds other questions back too while the source wants rest", async () => {
    const clock = hurriedClock(100);
    const server = await serving(status(429, { "retry-after": "20" }), good);
    const limits = { rate: { perMinute: 6_000, burst: 10 }, timeoutMs: 60_000, deadlineMs: 100_000, attempts: 2 };
    const source = openHttpSource({ name: "s", field: "f", baseUrl: server.url, maxBodyBytes: 99, clock, ...limits });
    const first = source.ask({ path: "", shape });
    while (server.asked.length === 0) await clock.sleep(100);
    await clock.sleep(1_000);
    const start = clock.now();
    await source.ask({ path: "", shape });
    expect(clock.now() - start).to.be.above(10_000);
    await first;
  });

  it("backs off with full jitter, twice as far each time", async () => {
    const clock = hurriedClock(100);
    const server = await serving(status(500));
    const limits = { timeoutMs: 60_000, deadlineMs: 100_000, attempts: 4, random: () => 0.5 };
    await failureOf(ask(server, { clock, ...limits }));
    expect(clock.slept.filter((ms) => ms < 60_000)).to.deep.equal([250, 500, 1_000]);
  });

  it("ends at the deadline whatever attempts are left", async () => {
    const server = await serving(hang);
    const start = Date.now();
    const failure = await failureOf(ask(server, { timeoutMs: 100, deadlineMs: 250, attempts: 1_000 }));
    expect(Date.now() - start).to.be.below(2_000);
    expect(failure.code).to.equal("SOURCE_UNREACHABLE");
    expect(failure.message).to.contain("in time");
  });

  it("says so when its own rate leaves no turn before the deadline", async () => {
    const server = await serving(good);
    const limits = { rate: { perMinute: 1, burst: 1 }, timeoutMs: 100, deadlineMs: 100, attempts: 1 };
    const source = openHttpSource({ name: "s", field: "f", baseUrl: server.url, maxBodyBytes: 99, ...limits });
    await source.ask({ path: "", shape });
    const failure = await failureOf(source.ask({ path: "", shape }));
    expect(failure.code).to.equal("SOURCE_LIMITED");
    expect(failure.message).to.contain("our own rate limit");
    expect(server.asked).to.have.length(1);
  });

  it("stops at once, with the reason of its signal, while it waits for the server or between attempts", async () => {
    for (const reply of [hang, status(503, { "retry-after": "10" })]) {
      const server = await serving(reply);
      const stop = new AbortController();
      const reason = new Error("shutting down");
      const asking = ask(server, {}, stop.signal).catch((error: unknown) => error);
      while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 30));
      const start = Date.now();
      stop.abort(reason);
      expect(await asking).to.equal(reason);
      expect(Date.now() - start).to.be.below(500);
      expect(server.asked).to.have.length(1);
    }
  });

  it("passes on that its caller's time is up, which is not the source's fault", async () => {
    const server = await serving(hang);
    const reason = await ask(server, {}, AbortSignal.abort(new TimeIsUp(7))).catch((error: unknown) => error);
    expect(reason).to.be.instanceOf(TimeIsUp);
    const stop = new AbortController();
    const asking = ask(server, {}, stop.signal).catch((error: unknown) => error);
    while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new TimeIsUp(7));
    expect(await asking).to.be.instanceOf(TimeIsUp);
  });

  it("refuses an address that is none", () => {
    for (const url of ["ftp://host", "host/path", ""]) {
      expect(() => ask({ url })).to.throw(InputFailure, "not an http(s) URL");
    }
  });
});
