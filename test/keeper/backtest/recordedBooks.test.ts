import { expect } from "chai";
import { booksOf, type BookStep } from "../../../keeper/backtest/recordedBooks";
import type { Plan } from "../../../keeper/decide/strategy";

const YEAR = 365 * 86_400;
const HOUR = 3_600;
const APR = 0.06;

/** A lender at 6 % and a venue whose index grows by a thousandth an hour, at uneven times. */
function step(hour: number, held: readonly [number, number], change: Partial<BookStep> = {}): BookStep {
  return {
    ...{ at: 1e9 + hour * HOUR, sharePrice: 10n ** 18n, idle: 0, plan: null },
    held: new Map([
      ["lender", held[0]],
      ["grower", held[1]],
    ]),
    pays: new Map([
      ["lender", { apr: APR, index: null }],
      ["grower", { apr: 0.5, index: 1e15 * 1.001 ** hour }],
    ]),
    ...change,
  };
}

function plan(moves: readonly { venue: string; assets: bigint; all?: boolean }[]): Plan {
  return {
    ...{ action: "rebalance", reason: "", nonce: 0n, deadline: 0, maxLoss: 0n, expectedGainUsd: 0, costUsd: 0 },
    moves: moves.map((move) => ({ adapter: "0x00", all: false, minimum: 0n, ...move })),
  };
}

describe("the books of a recording", () => {
  it("begin with what the vault held, and earn what the venues paid at whatever times blocks came", () => {
    const books = booksOf([step(0, [0, 0], { idle: 100 }), step(3, [60, 40]), step(5, [60, 40]), step(10, [60, 40])]);
    expect(books?.from).to.equal(1e9 + 3 * HOUR);
    expect(books?.to).to.equal(1e9 + 10 * HOUR);
    const lent = 60 * (1 + (APR * HOUR) / YEAR) ** 7;
    expect(books?.backtestReturn).to.be.closeTo((lent + 40 * 1.001 ** 7) / 100 - 1, 1e-9);
  });

  it("follow a plan a step later, by its share of what there is, and know what a share is worth on the chain", () => {
    const moved = plan([
      { venue: "lender", assets: -60n, all: true },
      { venue: "grower", assets: 30n },
    ]);
    const books = booksOf([
      step(0, [60, 40], { sharePrice: 2_000n }),
      step(1, [60, 40], { plan: moved }),
      step(2, [0, 70], { idle: 30 }),
      step(5, [0, 70], { idle: 30, sharePrice: 2_010n }),
    ]);
    const rate = 1 + (APR * HOUR) / YEAR;
    const decidedOn = 60 * rate + 40 * 1.001;
    // Seventy of a hundred parts go to the grower, the rest stays idle; an hour's interest is there before it is traded.
    const idle = 0.3 * decidedOn;
    const grower = 40 * 1.001 ** 2 + 60 * rate ** 2 - idle;
    expect(books?.backtestReturn).to.be.closeTo((grower * 1.001 ** 3 + idle) / 100 - 1, 1e-9);
    expect(books?.chainReturn).to.be.closeTo(0.005, 1e-12);
  });

  it("carry out what the first block with money planned, as after a restart", () => {
    const moved = plan([
      { venue: "lender", assets: -100n, all: true },
      { venue: "grower", assets: 100n },
    ]);
    const books = booksOf([
      step(0, [100, 0], { plan: moved }),
      step(1, [0, 100]),
      step(4, [0, 100], { sharePrice: 1_003n * 10n ** 15n }),
    ]);
    expect(books?.from).to.equal(1e9);
    const rate = 1 + (APR * HOUR) / YEAR;
    expect(books?.backtestReturn).to.be.closeTo(rate * 1.001 ** 3 - 1, 1e-9);
    expect(books?.chainReturn).to.be.closeTo(0.003, 1e-12);
  });

  it("are none without money in a venue over two blocks, and forget blocks that were taken back", () => {
    expect(booksOf([])).to.equal(null);
    expect(booksOf([step(0, [0, 0]), step(1, [0, 0])])).to.equal(null);
    expect(booksOf([step(0, [60, 40])])).to.equal(null);
    const straight = booksOf([step(0, [60, 40]), step(1, [60, 40]), step(2, [60, 40])]);
    const reorganised = booksOf([
      step(0, [60, 40]),
      step(1, [60, 40]),
      step(2, [1, 99]),
      step(1, [60, 40]),
      step(2, [60, 40]),
    ]);
    expect(reorganised).to.deep.equal(straight);
  });
});
