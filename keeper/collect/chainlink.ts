// The last round of a Chainlink feed and whether it is stale. A price is no rate: nothing goes into a series of rates.
// Source: chainlink, AggregatorV3Interface.sol.
import { Questions, ask, decimalsOf, garbageOf } from "./questions";
import type { ChainCollector } from "./reading";

const SOURCE = "chainlink";

const ROUND = `function latestRoundData() view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt,
  uint80 answeredInRound)`;

export interface ChainlinkTarget {
  readonly subject: string;
  readonly feed: string;
  /** The feed promises a round at least so often. */
  readonly heartbeatSeconds: number;
}

export function chainlinkCollector({ subject, feed, heartbeatSeconds }: ChainlinkTarget): ChainCollector {
  const of = `${SOURCE} ${subject}`;
  const questions = new Questions(of, {
    round: ask(feed, ROUND),
    decimals: ask(feed, "function decimals() view returns (uint8)"),
  });
  return {
    source: SOURCE,
    subject,
    calls: () => questions.calls,
    decode: (answers, at) => {
      const { round, decimals } = questions.read(answers);
      const updatedAt = round.small("updatedAt");
      // A feed without a round reverts, and no round is of the future.
      if (round.uint("roundId") === 0n || updatedAt > at.timestamp) throw garbageOf(of, "the round");
      const ageSeconds = at.timestamp - updatedAt;
      return {
        source: SOURCE,
        subject,
        state: {
          roundId: String(round.uint("roundId")),
          // Zero and below have been answered by feeds in trouble: kept as it is, and no consumer may take it for a price.
          answer: String(round.int("answer")),
          decimals: decimalsOf(decimals, of),
          startedAt: round.small("startedAt"),
          updatedAt,
          answeredInRound: String(round.uint("answeredInRound")),
          ageSeconds,
          heartbeatSeconds,
          stale: ageSeconds > heartbeatSeconds,
        },
        rates: null,
      };
    },
  };
}
