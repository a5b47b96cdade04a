import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputFailure } from "../../../keeper/config/failure";
import { dayAt, PROTOCOL_FILE, protocolsOf, readProtocols } from "../../../keeper/risk/protocolFile";

interface Json {
  protocols: Record<string, unknown>[];
}

describe("the file of protocols", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-protocols-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function failureOf(work: () => unknown): InputFailure {
    try {
      work();
    } catch (error) {
      expect(error).to.be.instanceOf(InputFailure);
      return error as InputFailure;
    }
    throw new Error("it was accepted");
  }
  const changed = (change: (json: Json) => unknown): string => {
    const json = JSON.parse(readFileSync(PROTOCOL_FILE, "utf8")) as Json;
    const file = path.join(folder, "changed.json");
    writeFileSync(file, JSON.stringify(change(json) ?? json));
    return file;
  };

  it("that ships is sound, and every figure of it says where it is from and when", () => {
    const protocols = readProtocols();
    expect(protocols.map(({ id }) => id)).to.include.members([
      ...["aave-v3", "compound-v3", "curve-3pool", "uniswap-v3", "sky", "morpho"],
    ]);
    const figures = protocols.flatMap((protocol) =>
      Object.values(protocol).flatMap((value) => (typeof value === "object" ? [value] : [])),
    );
    expect(figures).to.have.length(8 * protocols.length);
    for (const { source, date } of figures) {
      expect(source.length).to.be.above(10);
      expect(dayAt(date)).to.be.within(dayAt("2020-01"), dayAt("2026-12"));
    }
  });

  for (const [what, change, field] of [
    ["a negative depth", { tvlUsd: { value: -1, source: "a", date: "2025-01-01" } }, "protocols.aave-v3.tvlUsd.value"],
    ["a figure without a source", { audits: { value: 1, date: "2025-01-01" } }, "protocols.aave-v3.audits.source"],
    ["an empty source", { audits: { value: 1, source: "", date: "2025-01" } }, "protocols.aave-v3.audits.source"],
    ["a day that is none", { researchedTo: "2025-02-30" }, "protocols.aave-v3.researchedTo"],
    ["half an audit", { audits: { value: 0.5, source: "a", date: "2025-01" } }, "protocols.aave-v3.audits.value"],
    ["an unknown field", { rating: "AAA" }, "protocols.aave-v3"],
    [
      "an unknown severity",
      { incidents: { value: [{ date: "2025-01", what: "x", severity: "bad" }], source: "a", date: "2025-01" } },
      "protocols.aave-v3.incidents.value.0.severity",
    ],
  ] as const) {
    it(`refuses ${what}, by the field`, () => {
      const file = changed((json) => {
        Object.assign(json.protocols[0] ?? {}, change);
      });
      const failure = failureOf(() => readProtocols(file));
      expect(failure.code).to.equal("PROTOCOLS_MALFORMED");
      expect(failure.field).to.equal(field);
    });
  }

  it("refuses a protocol that is named twice, a file that is none, and one that is not there", () => {
    const twice = changed((json) => ({ ...json, protocols: [...json.protocols, json.protocols[0]] }));
    expect(failureOf(() => readProtocols(twice)).message).to.match(/twice/);
    const file = path.join(folder, "text.json");
    writeFileSync(file, "{");
    expect(failureOf(() => readProtocols(file))).to.include({ code: "PROTOCOLS_UNREADABLE", field: file });
    expect(failureOf(() => readProtocols(path.join(folder, "none.json"))).code).to.equal("PROTOCOLS_UNREADABLE");
    expect(failureOf(() => readProtocols(changed(() => [1]))).code).to.equal("PROTOCOLS_MALFORMED");
  });

  it("gives each venue the protocol of its kind, an ERC-4626 none, and the one that the operator names", () => {
    const venues = [
      { id: "a", kind: "aave-v3" },
      { id: "b", kind: "erc4626" },
      { id: "c", kind: "erc4626" },
    ] as const;
    const found = protocolsOf(venues, { c: "morpho" }, readProtocols());
    expect([...found].map(([venue, protocol]) => [venue, protocol?.id ?? null])).to.deep.equal([
      ["a", "aave-v3"],
      ["b", null],
      ["c", "morpho"],
    ]);
    const failure = failureOf(() => protocolsOf(venues, { b: "nobody" }, readProtocols()));
    expect(failure).to.include({ code: "PROTOCOL_UNKNOWN", field: "risk.protocols.b" });
    expect(failure.remedy).to.contain("aave-v3");
  });
});
