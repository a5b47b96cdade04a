import { expect } from "chai";
import { logSink, type LogOptions } from "../../../keeper/events/logSink";
import { type KeeperEvent } from "../../../keeper/events/events";

const trouble: KeeperEvent = { name: "rpc.trouble", code: "RPC_UNREACHABLE", message: "no answer" };
const decision: KeeperEvent = { name: "decision.made", id: "ab12", action: "hold", reason: "gain too small" };
const state: KeeperEvent = { name: "intent.state", intentId: "i", decisionId: "d", state: "planned", reason: null };

function linesOf(options: Partial<LogOptions>, ...events: KeeperEvent[]): string[] {
  const chunks: string[] = [];
  const sink = logSink({
    level: "info",
    format: "json",
    colour: false,
    ...options,
    destination: { write: (chunk: string) => void chunks.push(chunk) },
  });
  for (const event of events) sink.emit(event);
  return chunks.join("").split("\n").slice(0, -1);
}

describe("the log", () => {
  it("writes one JSON line an event, named like the event, with a level and a time", () => {
    const lines = linesOf({}, decision, trouble).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).to.have.length(2);
    expect(lines[0]).to.include({ level: "info", event: "decision.made", id: "ab12", reason: "gain too small" });
    expect(lines[1]).to.include({ level: "warn", event: "rpc.trouble", code: "RPC_UNREACHABLE" });
    expect(Date.parse(String(lines[0]?.["time"]))).to.be.a("number").and.not.NaN;
  });

  it("warns of sources and endpoints in trouble, and not of their recovery", () => {
    const gap = { source: "aave-v3", from: 300, to: 600, buckets: 2, reason: "stopped" };
    const lines = linesOf(
      { level: "warn" },
      { name: "source.trouble", source: "the-graph", code: "SOURCE_BEHIND", message: "at https://host/KEY" },
      { name: "source.recovered", source: "the-graph", outageMs: 5 },
      { name: "source.gap", ...gap },
      { name: "quorum.dissent", endpoint: "a", method: "eth_call", dissent: "lagged" },
      { name: "quorum.joined", endpoint: "a" },
    ).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ event }) => event)).to.deep.equal(["source.trouble", "source.gap", "quorum.dissent"]);
    expect(lines[0]).to.include({ source: "the-graph", code: "SOURCE_BEHIND", message: "at https://host/…" });
    expect(lines[1]).to.include(gap);
  });

  it("writes one short line an event for people", () => {
    const lines = linesOf({ format: "pretty" }, decision);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/ decision\.made id=ab12 action=hold reason="gain too small"$/);
  });

  it("leaves out what is below its level, in both formats", () => {
    for (const format of ["json", "pretty"] as const) {
      expect(linesOf({ format, level: "warn" }, decision, trouble)).to.have.length(1);
      expect(linesOf({ format, level: "info" }, state)).to.have.length(0);
      expect(linesOf({ format, level: "debug" }, state)).to.have.length(1);
      expect(linesOf({ format, level: "silent" }, decision, trouble)).to.have.length(0);
    }
  });

  it("keeps one line and hides URLs' secrets and keys in texts that came from outside", () => {
    const message = `connect https://user:pw@rpc.example/v2/APIKEY?x=1\nwith 0x${"ab".repeat(32)}`;
    for (const format of ["json", "pretty"] as const) {
      const lines = linesOf({ format }, { ...trouble, message });
      expect(lines).to.have.length(1);
      expect(lines[0]).not.to.match(/APIKEY|pw@|abab/);
      expect(lines[0]).to.contain("rpc.example");
    }
  });
});
