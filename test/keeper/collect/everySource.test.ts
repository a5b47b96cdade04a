// What the rows of every source keep, whatever it is: readings of a block, of an API, events of a range. One list of all of them.
import { expect } from "chai";
import type { Chain } from "../../../keeper/chain/connect";
import { quantity } from "../../../keeper/chain/connect";
import { RANGE_SOURCES, rangeSources } from "../../../keeper/collect/rangeSources";
import { Failure } from "../../../keeper/config/failure";
import { READINGS, RANGES, everySource, type CollectedRow, type EverySource, type OneSource } from "./everySource";
import { failureOf } from "./failureOf";
import { halfJson, htmlPage, status, type Reply } from "./scriptedServer";

const HASH = /^0x[0-9a-f]{64}$/;
const DIGITS = /^-?(0|[1-9]\d*)$/;
/** Of events: whole amounts, which no double holds. */
const AMOUNTS = ["amount0", "amount1", "sqrtPriceX96", "liquidity", "gasUsed", "gasPriceWei"];

/** A good envelope of either protocol, with this in it. */
const holding =
  (result: unknown): Reply =>
  (response, { body }) => {
    const { id, method } = (body === "" ? {} : JSON.parse(body)) as { readonly id?: number; readonly method?: string };
    const answer = method === undefined ? { data: result } : { jsonrpc: "2.0", id, result };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  };

const SPOILT: Readonly<Record<string, Reply>> = {
  "an HTML page": htmlPage,
  "truncated JSON": halfJson,
  "no answer": (response) => void response.destroy(),
  "HTTP 500": status(500, {}, "Secret gateway page"),
  "an empty object": holding({}),
  "an empty list": holding([]),
  "a number": holding(7),
  null: holding(null),
};

/** What rows may lack where a node does not serve it (README): they are the same rows otherwise. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  "uniswap-v3": ["gasUsed", "gasPriceWei"],
  curve: ["gasUsed", "gasPriceWei"],
  gas: ["state"],
};

describe("every source", function () {
  this.timeout(180_000);
  let world: EverySource;
  before(async () => {
    world = await everySource();
  });
  after(() => world?.end());

  const source = (name: string): OneSource => {
    const found = world.sources.get(name);
    if (found === undefined) throw new Error(`no source ${name}`);
    for (const upstream of found.upstreams) upstream.rest();
    return found;
  };

  it("is in the list that these tests go through", () => {
    expect([...world.sources.keys()]).to.have.members([...RANGES, ...READINGS]);
    expect([...rangeSources({ env: {} }).keys()]).to.have.members(RANGES);
    expect([...RANGE_SOURCES.keys()].every((name) => RANGES.includes(name))).to.equal(true);
  });

  for (const name of [...RANGES, ...READINGS]) {
    describe(name, () => {
      it("names itself, when it was and was known, and its block, on every row", async () => {
        const { rows, from, blockless = false } = source(name);
        const all = await rows();
        expect(all).to.not.have.length(0);
        expect([...new Set(all.map((row) => row.source))]).to.have.members([...from]);
        for (const { observedAt, availableAt, block, blockHash } of all) {
          expect(Number.isSafeInteger(observedAt) && Number.isSafeInteger(availableAt)).to.equal(true);
          expect(observedAt).to.be.above(1_500_000_000);
          expect(availableAt).to.be.at.least(observedAt);
          if (blockless) expect([block ?? 0, blockHash]).to.deep.equal([0, null]);
          else {
            expect(block).to.be.at.least(1);
            expect(blockHash).to.match(HASH);
          }
        }
      });

      it("says the same of the same world, in plain JSON in which no digit is lost", async () => {
        const all = await source(name).rows();
        expect(await source(name).rows()).to.deep.equal(all);
        expect(JSON.parse(JSON.stringify(all))).to.deep.equal(all);
        for (const row of all) {
          for (const [field, value] of Object.entries(row)) {
            if (AMOUNTS.includes(field) && value !== null) expect(value, field).to.match(DIGITS);
          }
          if ("state" in row) expect(() => JSON.parse(row.state) as unknown).to.not.throw();
        }
      });

      for (const [what, reply] of Object.entries(SPOILT)) {
        it(`makes no row of ${what}, whichever question gets it`, async () => {
          const genuine = await source(name).rows();
          const { upstreams, rows } = world.sources.get(name) as OneSource;
          for (const upstream of upstreams) {
            for (const kind of new Set(upstream.kinds)) {
              for (const each of upstreams) each.rest();
              upstream.spoil(kind, reply);
              const end = await rows().catch((error: unknown) => error);
              const known = (all: readonly CollectedRow[]) => without(all, OPTIONAL[name] ?? []);
              if (Array.isArray(end)) expect(known(end), `${kind}: other rows`).to.deep.equal(known(genuine));
              else {
                expect(end, `${kind}: ${String(end)}`).to.be.instanceOf(Failure);
                expect((end as Failure).line()).to.not.contain("Secret");
              }
            }
          }
        });
      }
    });
  }

  for (const name of RANGES) {
    describe(`${name}, of a range`, () => {
      const range = () => {
        const { range: found } = source(name);
        if (found === undefined) throw new Error(`${name} is of no range`);
        return found;
      };
      const signal = new AbortController().signal;

      it("gives the same rows in parts as in one, in the chain's order and none outside", async () => {
        const { over, chain, from, to } = range();
        const whole = await over(chain).collect(from, to, signal);
        // Where a part begins with a row, what was before it is asked of the chain.
        const cuts = [whole.rows.length >> 1, whole.rows.length - 1].map((place) => whole.rows[place]?.block ?? from);
        const starts = [...new Set([from, ...cuts])];
        expect(starts.length).to.be.above(1);
        const parts = [];
        for (const [place, start] of starts.entries()) {
          parts.push(await over(chain).collect(start, (starts[place + 1] ?? to + 1) - 1, signal));
        }
        expect(parts.flatMap(({ rows }) => rows)).to.deep.equal(whole.rows);
        expect(parts.at(-1)?.toHash).to.equal(whole.toHash);
        whole.rows.forEach((row, place) => {
          expect(row.block).to.be.within(from, to);
          const before = whole.rows[place - 1];
          if (before === undefined) return;
          expect(row.block > before.block || (row.block === before.block && row.logIndex > before.logIndex)).to.equal(
            true,
          );
        });
      });

      it("waits for a last block that the node does not have", async () => {
        const { over, chain, from, to } = range();
        expect((await failureOf(over(chain).collect(from, to + 1_000, signal))).code).to.equal("BLOCK_GONE");
      });

      it("gives nothing of a range whose last block is another at the end", async () => {
        const { over, chain, from, to } = range();
        const asked = await collectOver((times) => times >= 0);
        expect(asked.failure).to.equal(null);
        const last = asked.times;
        expect(last).to.be.at.least(2);
        expect((await collectOver((times) => times < last)).failure).to.equal("CHUNK_REORGED");

        async function collectOver(genuine: (times: number) => boolean) {
          let times = 0;
          const shifting: Chain = {
            ...chain,
            request: async (method, params) => {
              const answer = await chain.request(method, params);
              if (method !== "eth_getBlockByNumber" || params[0] !== quantity(to)) return answer;
              times += 1;
              return genuine(times) ? answer : { ...(answer as object), hash: `0x${"22".repeat(32)}` };
            },
          };
          const failure = await over(shifting)
            .collect(from, to, signal)
            .then(
              () => null,
              (error: unknown) => (error as Failure).code,
            );
          return { times, failure };
        }
      });
    });
  }
});

function without(rows: readonly CollectedRow[], fields: readonly string[]): unknown[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([field]) => !fields.includes(field))));
}
