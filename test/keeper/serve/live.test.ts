import { expect } from "chai";
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import { WorldFailure } from "../../../keeper/config/failure";
import type { LiveMessage } from "../../../keeper/serve/wire";
import { pageView, pushSource } from "./fixture";
import { closeAll, listening } from "./listening";

const QUICK = { maxClients: 2, heartbeatMs: 200 };

/** A client that keeps what it was told. */
class Client {
  readonly messages: LiveMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly waiting: { test: (message: LiveMessage) => boolean; done: (message: LiveMessage) => void }[] = [];

  constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as LiveMessage;
      this.messages.push(message);
      for (const { test, done } of this.waiting) {
        if (test(message)) {
          done(message);
        }
      }
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
  }

  next(test: (message: LiveMessage) => boolean): Promise<LiveMessage> {
    const had = this.messages.find(test);
    return had === undefined ? new Promise((done) => this.waiting.push({ test, done })) : Promise.resolve(had);
  }
}

function client(
  url: string,
  options: { origin?: string; headers?: Record<string, string>; autoPong?: boolean } = {},
): Client {
  return new Client(new WebSocket(`${url.replace("http", "ws")}/api/live`, options));
}

/** Status that the server refuses the upgrade with. */
function refused(url: string, options: { origin?: string; headers?: Record<string, string> } = {}): Promise<number> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/live`, options);
  return new Promise((resolve, reject) => {
    socket.once("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.once("open", () => reject(new Error("the server let it in")));
    socket.on("error", () => undefined);
  });
}

async function letIn(url: string): Promise<boolean> {
  const guest = client(url);
  return Promise.race([guest.next(({ type }) => type === "hello").then(() => true), guest.closed.then(() => false)]);
}

describe("serve: the live stream", function () {
  this.timeout(20_000);
  afterEach(closeAll);

  it("greets, sends the current view, then every new one", async () => {
    const { server, source } = await listening();
    const { messages, next } = bind(client(server.url));
    await next(({ type }) => type === "view");
    expect(messages[0]).to.deep.equal({ type: "hello", heartbeatMs: 10_000, build: null });
    expect(messages[1]).to.deep.equal({ type: "view", view: pageView() });

    source.push(pageView({ block: 2_432 }));
    const pushed = await next((message) => message.type === "view" && message.view.block === 2_432);
    expect(pushed).to.deep.equal({ type: "view", view: pageView({ block: 2_432 }) });
  });

  it("says so when there is no view, and sends the first as soon as there is one", async () => {
    const source = pushSource(null);
    source.fail(new WorldFailure("VIEW_NONE", "the vault has not been read yet", { remedy: "Wait for a block." }));
    const { server } = await listening({ source });
    const { next } = bind(client(server.url));
    const first = await next(({ type }) => type === "unavailable");
    expect(first).to.deep.equal({
      type: "unavailable",
      problem: {
        code: "VIEW_NONE",
        field: null,
        message: "the vault has not been read yet",
        remedy: "Wait for a block.",
      },
    });
    source.push(pageView());
    await next(({ type }) => type === "view");
  });

  it("never sends an older view after a newer one to a client that has just joined", async () => {
    const source = pushSource();
    let answer: (view: ReturnType<typeof pageView>) => void = () => undefined;
    const slow = { ...source, current: () => new Promise<ReturnType<typeof pageView>>((done) => (answer = done)) };
    const { server } = await listening({ source: slow });
    const { messages, next } = bind(client(server.url));
    await next(({ type }) => type === "hello");
    source.push(pageView({ block: 3_000 }));
    await next(({ type }) => type === "view");
    answer(pageView({ block: 2_999 }));
    await setTimeout(50);
    source.push(pageView({ block: 3_001 }));
    await next((message) => message.type === "view" && message.view.block === 3_001);
    const blocks = messages.flatMap((message) => (message.type === "view" ? [message.view.block] : []));
    expect(blocks).to.deep.equal([3_000, 3_001]);
  });

  it("keeps a quiet stream alive with heartbeats, and drops a client that answers none", async () => {
    const { server } = await listening({ live: QUICK });
    const good = client(server.url);
    await good.next(({ type }) => type === "heartbeat");
    const dead = client(server.url, { autoPong: false });
    await dead.next(({ type }) => type === "hello");
    expect((await dead.closed).code).to.equal(1006);
    expect(good.socket.readyState).to.equal(WebSocket.OPEN);
  });

  it("sends the newest view, not those in between, to a client that was busy", async () => {
    const { server, source } = await listening();
    const busy = client(server.url);
    await busy.next(({ type }) => type === "view");
    for (let block = 1; block <= 40; block += 1) {
      source.push(pageView({ block }));
    }
    await busy.next((message) => message.type === "view" && message.view.block === 40);
    const blocks = busy.messages.flatMap((message) => (message.type === "view" ? [message.view.block] : []));
    expect(blocks).to.deep.equal([pageView().block, 1, 40]);
  });

  it("drops a client that does not read, and gives its place away", async () => {
    const { server, source } = await listening({ live: { ...QUICK, maxClients: 1 } });
    const stuck = client(server.url);
    await stuck.next(({ type }) => type === "view");
    stuck.socket.pause();
    source.push(pageView({ block: 2_432 }));
    while (!(await letIn(server.url))) {
      await setTimeout(50);
    }
    stuck.socket.resume();
    expect((await stuck.closed).code).to.equal(1006);
  });

  it("drops a client that talks", async () => {
    const { server } = await listening();
    const talker = client(server.url);
    await talker.next(({ type }) => type === "hello");
    talker.socket.send("hello?");
    expect(await talker.closed).to.deep.equal({ code: 1008, reason: "this stream takes no messages" });
  });

  it("drops a client that sends more than a message may hold", async () => {
    const { server } = await listening();
    const talker = client(server.url);
    await talker.next(({ type }) => type === "hello");
    talker.socket.send("x".repeat(2_000));
    expect((await talker.closed).code).to.be.oneOf([1006, 1009]);
  });

  it("refuses clients over the limit, and lets one in when another leaves", async () => {
    const { server } = await listening({ live: QUICK });
    const first = client(server.url);
    const second = client(server.url);
    await Promise.all([first, second].map((each) => each.next(({ type }) => type === "hello")));
    expect(await refused(server.url)).to.equal(503);
    first.socket.close();
    await first.closed;
    const third = client(server.url);
    await third.next(({ type }) => type === "view");
  });

  it("refuses sockets that another site's page opens, and foreign names", async () => {
    const { server } = await listening();
    expect(await refused(server.url, { origin: "http://evil.example" })).to.equal(403);
    expect(await refused(server.url, { headers: { host: "evil.example" } })).to.equal(403);
    const own = client(server.url, { origin: server.url });
    await own.next(({ type }) => type === "view");
  });

  it("says goodbye to every client when the server stops, even to one that does not answer", async () => {
    const { server, source } = await listening();
    const good = client(server.url);
    const mute = client(server.url);
    await Promise.all([good, mute].map((each) => each.next(({ type }) => type === "view")));
    mute.socket.pause();
    await server.close();
    mute.socket.resume();
    expect((await good.closed).code).to.equal(1001);
    await mute.closed;
    expect(source.subscribers).to.equal(0);
  });
});

/** Methods that can be taken apart from their client. */
function bind(from: Client): Pick<Client, "messages" | "next"> {
  return { messages: from.messages, next: (test) => from.next(test) };
}
