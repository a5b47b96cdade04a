// What every collector of the chain keeps, one list of all of them: on what the local chain answers, or contracts that it does not
// have as they encode it, and on garbage. What the rows of every source keep, of the chain or not: everySource.test.ts.
import { expect } from "chai";
import { readAtBlock } from "../../../keeper/chain/blockReads";
import { WorldFailure } from "../../../keeper/config/failure";
import { locate } from "../../../keeper/collect/locate";
import type { BlockMoment, ChainCollector, Reading, StateValue } from "../../../keeper/collect/reading";
import { answersOf, historyRow, readingRow } from "../../../keeper/collect/sweep";
import { ENCODED, answersIn, located as locatedIn } from "./encodedContracts";
import { startLocalVenues, type LocalVenues } from "./localVenues";

/** `source subject` of all: what is not here is not tested, and the first test says so. */
const EVERY = [
  "aave-v3 aave-v3-usdc",
  "compound-v3 compound-v3-usdc",
  "erc4626 savings-usdc",
  "erc4626 sky-susds",
  "curve curve-3pool",
  "uniswap-v3 uniswap-v3-usdc-usdt",
  "chainlink usdc-usd",
  "chainlink usdt-usd",
  "chainlink dai-usd",
  "chainlink eth-usd",
  "aave-v3 aave-v3-usdt",
  "aave-v3 aave-v3-weth",
  "aave-v3 aave-v3.2",
  "erc4626 sdai",
  "erc4626 metamorpho",
];

const WORD_DIGITS = 64;
const MANY = 40;

/** What a broken, hostile or wrong contract could answer for `genuine`. */
const GARBAGE: Record<string, (genuine: string) => string> = {
  nothing: () => "0x",
  "one byte": () => "0x01",
  "less than a word": (genuine) => genuine.slice(0, -2),
  "all bits set": (genuine) => `0x${"ff".repeat((genuine.length - 2) / 2)}`,
  zeros: (genuine) => `0x${"00".repeat((genuine.length - 2) / 2)}`,
  "an error's text": () =>
    `0x08c379a0${"20".padStart(WORD_DIGITS, "0")}${"3".padStart(WORD_DIGITS, "0")}${"6f6e65".padEnd(WORD_DIGITS, "0")}`,
};

describe("every collector of the chain", function () {
  this.timeout(120_000);
  let local: LocalVenues;
  let at: BlockMoment;
  let collectors: readonly ChainCollector[];
  /** What the chain answered, by `source subject`. */
  const genuine = new Map<string, readonly (string | null)[]>();

  const nameOf = ({ source, subject }: { source: string; subject: string }): string => `${source} ${subject}`;
  const collector = (name: string): ChainCollector => {
    const found = collectors.find((each) => nameOf(each) === name);
    if (found === undefined) throw new Error(`no collector ${name}`);
    return found;
  };
  const answers = (name: string): readonly (string | null)[] => genuine.get(name) ?? [];

  before(async () => {
    local = await startLocalVenues();
    const head = await local.head();
    at = { chainId: local.chain.chainId, number: head.number, hash: head.hash, timestamp: head.timestamp };
    const located = await locate(local.chain, head, local.targets.sources);
    expect(located.failures.map(({ failure }) => failure.line())).to.deep.equal([]);
    const encoded = ENCODED.map(({ start, world }) => ({ each: locatedIn(start, world), world }));
    for (const { each, world } of encoded) genuine.set(nameOf(each), answersIn(world, each.calls()));
    collectors = [...located.collectors, ...encoded.map(({ each }) => each)];
    for (const each of located.collectors) {
      const read = await readAtBlock(local.chain, head, each.calls());
      genuine.set(nameOf(each), answersOf(nameOf(each), each.calls(), read.answers));
    }
  });
  after(() => local.end());

  /** The reading, or the typed failure that refused the answers. */
  function decoded(name: string, given: readonly (string | null)[]): Reading | WorldFailure {
    try {
      return collector(name).decode(given, at);
    } catch (error) {
      if (error instanceof WorldFailure) return error;
      throw error;
    }
  }

  it("is in the list that these tests go through", () => {
    expect(collectors.map(nameOf)).to.have.members(EVERY);
  });

  for (const name of EVERY) {
    describe(name, () => {
      it("asks the same calls each time, all of them with data and room for an answer", () => {
        const calls = collector(name).calls();
        expect(collector(name).calls()).to.deep.equal(calls);
        expect(calls).to.not.have.length(0);
        for (const call of calls) {
          expect(call.to).to.match(/^0x[0-9a-fA-F]{40}$/);
          expect(call.data).to.match(/^0x([0-9a-f]{2}){4,}$/);
          expect(call.answerBytes).to.be.within(32, 1_000);
        }
      });

      it("asks for as many bytes as it needs: answers cut there decode to the same", () => {
        const longer = answers(name).map((answer) => (answer === null ? null : `${answer}${"00".repeat(32)}`));
        const cut = collector(name)
          .calls()
          .map((call, place) => longer[place]?.slice(0, 2 + 2 * call.answerBytes) ?? null);
        expect(cut).to.deep.equal(answers(name));
        expect(decoded(name, longer)).to.deep.equal(decoded(name, cut));
      });

      it("names itself, and decodes the same answers to the same reading", () => {
        const reading = collector(name).decode(answers(name), at);
        expect(nameOf(reading)).to.equal(name);
        expect(collector(name).decode([...answers(name)], { ...at })).to.deep.equal(reading);
      });

      it("gives plain JSON in which no digit is lost", () => {
        const { state } = collector(name).decode(answers(name), at);
        expect(JSON.parse(JSON.stringify(state))).to.deep.equal(state);
        const visit = (value: StateValue): void => {
          if (typeof value === "object" && value !== null) value.forEach(visit);
          else if (typeof value === "number") expect(Number.isSafeInteger(value)).to.equal(true);
          else if (typeof value === "string") expect(value).to.match(/^(-?(0|[1-9]\d*)|0x[0-9a-fA-F]{40})$/);
        };
        Object.values(state).forEach(visit);
      });

      it("gives rates and amounts that could be true", () => {
        const { rates } = collector(name).decode(answers(name), at);
        if (rates === null) return;
        for (const usd of [rates.suppliedUsd, rates.borrowedUsd]) if (usd !== null) expect(usd).to.be.within(0, 1e12);
        for (const apr of [rates.supplyApr, rates.borrowApr]) if (apr !== null) expect(apr).to.be.within(0, 0.5);
        expect(rates.index).to.match(/^[1-9]\d{14,}$/);
      });

      for (const [what, garbage] of Object.entries(GARBAGE)) {
        it(`makes no number of ${what}, in any one answer or in all`, () => {
          const given = answers(name);
          const spoiled = given.map((_, spoilt) =>
            given.map((answer, place) => (place === spoilt && answer !== null ? garbage(answer) : answer)),
          );
          for (const each of [...spoiled, given.map((answer) => (answer === null ? null : garbage(answer)))]) {
            const end = decoded(name, each);
            if (end instanceof WorldFailure) expect(end.code).to.be.oneOf(["SOURCE_GARBAGE", "SOURCE_MOVED"]);
            else expectFinite(end);
          }
          const all = decoded(
            name,
            given.map((answer) => (answer === null ? null : garbage(answer))),
          );
          expect(all, "all of it garbage").to.be.instanceOf(WorldFailure);
        });
      }

      it("refuses answers of another number, and none at all where one is needed", () => {
        const given = answers(name);
        for (const wrong of [[], given.slice(1), [...given, "0x"], given.map(() => null)]) {
          const end = decoded(name, wrong);
          expect(end, `${wrong.length} answers`).to.be.instanceOf(WorldFailure);
          expect((end as WorldFailure).code).to.equal("SOURCE_GARBAGE");
        }
      });

      it("never takes one bit's flip for something that is not a number", () => {
        const given = answers(name);
        for (let flip = 0; flip < MANY; flip += 1) {
          const place = (flip * 7) % given.length;
          const answer = given[place];
          if (answer === undefined || answer === null || answer.length < 4) continue;
          const digit = 2 + ((flip * 13) % (answer.length - 2));
          const flipped = (Number.parseInt(answer[digit] ?? "0", 16) ^ 8).toString(16);
          const spoilt = `${answer.slice(0, digit)}${flipped}${answer.slice(digit + 1)}`;
          const end = decoded(
            name,
            given.map((each, k) => (k === place ? spoilt : each)),
          );
          if (!(end instanceof WorldFailure)) expectFinite(end);
        }
      });

      it("makes a row of the reading with the block's time and hash, and its point of a series", () => {
        const reading = collector(name).decode(answers(name), at);
        const availableAt = at.timestamp + 3;
        expect(readingRow(reading, at, availableAt)).to.include({
          ...{ chainId: at.chainId, source: reading.source, subject: reading.subject },
          ...{ block: at.number, blockHash: at.hash, observedAt: at.timestamp, availableAt },
        });
        const row = historyRow(reading, at, availableAt);
        if (reading.rates === null) expect(row).to.equal(null);
        else {
          const expected = { observedAt: at.timestamp, block: at.number, blockHash: at.hash, source: reading.source };
          expect(row).to.deep.equal({ ...expected, availableAt, ...reading.rates, flags: 0 });
        }
      });
    });
  }

  it("writes a state with sorted keys, whatever order it was made in", () => {
    const reading = { source: "s", subject: "t", state: { b: "1", a: [true, null] }, rates: null };
    expect(readingRow(reading, at, 1).state).to.equal('{"a":[true,null],"b":"1"}');
  });
});

function expectFinite({ state, rates }: Reading): void {
  const numbers = [...Object.values(state), ...Object.values(rates ?? {})].flat() as StateValue[];
  for (const value of numbers) if (typeof value === "number") expect(Number.isFinite(value)).to.equal(true);
}
