// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICondition} from "../interfaces/ICondition.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {BoundedRead} from "../libraries/BoundedRead.sol";

/// @title A Chainlink feed is silent, absurd, or says that the asset has lost its peg
/// @notice
/// WHAT IT JUDGES
/// - Holds when the feed cannot be read; when its last answer is older than the heartbeat; when its last answer is not
///   positive and is of an earlier block; or when every answer that was in force during the last 30 minutes was outside of
///   the bounds. One answer within them, of this block too, refutes a depeg.
/// - Rounds are walked back from the last one until one is 30 minutes old, at most 24 of them. So many reports in less
///   time, all outside, are taken for enough: a feed is never as busy as on the day that this is for.
/// - Where an earlier round cannot be read (the first of a phase, after Chainlink changed the aggregator), the walk ends
///   without proof: half an hour after such a change it finds one again.
///
/// WHO CAN MOVE IT
/// - Chainlink's reporters and its owners, who may point the proxy elsewhere or stop it. No other transaction, for no
///   answer is a spot price. A reader who brings little gas changes nothing: the vault demands what this may use.
/// - Every vault is judged alike: the argument is not looked at, and nothing is stored.
///
/// KNOWN LIMITS
/// - That a feed cannot be read is judged at arming and at tripping only; there is no round to look back at.
/// - A feed follows the market by its deviation threshold; the bounds must be wider than that.
contract OracleTrouble is ICondition {
    /// @dev Of a round what is judged: its number, its answer in the feed's unit, and unix seconds.
    struct Round {
        uint80 id;
        int256 answer;
        uint256 updatedAt;
    }

    uint256 private constant WINDOW = 30 minutes;
    uint256 private constant MOST_ROUNDS = 24;
    /// @dev A round of a real proxy takes about 15,000 gas; 24 of them leave room in the million that the vault gives.
    uint256 private constant READ_GAS = 100_000;

    /// @notice The Chainlink feed (proxy) that is watched.
    IAggregatorV3 public immutable feed;
    /// @notice Seconds after which an answer is stale: the feed's own heartbeat, with room for a late report.
    uint256 public immutable heartbeat;
    /// @notice Answers from `lower` to `upper` are sound, in the feed's unit.
    int256 public immutable lower;
    /// @notice See {lower}.
    int256 public immutable upper;

    /// @notice There is no code at the feed's address.
    error NoFeed(address feed);
    /// @notice A heartbeat of zero: every answer would be stale.
    error NoHeartbeat(address feed);
    /// @notice The bounds are not above zero, or not in order.
    error BoundsOutOfOrder(int256 lower, int256 upper);

    /// @param heartbeat_ Seconds. @param lower_ In the feed's unit, above zero and below `upper_`.
    constructor(IAggregatorV3 feed_, uint256 heartbeat_, int256 lower_, int256 upper_) {
        if (address(feed_).code.length == 0) revert NoFeed(address(feed_));
        if (heartbeat_ == 0) revert NoHeartbeat(address(feed_));
        if (lower_ <= 0 || lower_ >= upper_) revert BoundsOutOfOrder(lower_, upper_);
        feed = feed_;
        heartbeat = heartbeat_;
        lower = lower_;
        upper = upper_;
    }

    /// @inheritdoc ICondition
    function holds(address) external view returns (bool) {
        (bool ok, Round memory round) = read(abi.encodeCall(IAggregatorV3.latestRoundData, ()));
        // An answer from the future is one that cannot be read.
        if (!ok || round.updatedAt > block.timestamp) return true;
        if (block.timestamp - round.updatedAt > heartbeat) return true;
        if (round.answer <= 0 && round.updatedAt < block.timestamp) return true;
        return outsideThroughout(round);
    }

    function outsideThroughout(Round memory round) private view returns (bool) {
        for (uint256 i; i < MOST_ROUNDS; ++i) {
            if (round.answer >= lower && round.answer <= upper) return false;
            if (round.updatedAt + WINDOW <= block.timestamp) return true;
            // The lower 64 bits count within the phase.
            if (uint64(round.id) <= 1) return false;
            uint80 earlier = round.id - 1;
            bool ok;
            (ok, round) = read(abi.encodeCall(IAggregatorV3.getRoundData, (earlier)));
            if (!ok || round.updatedAt == 0 || round.updatedAt > block.timestamp) return false;
            round.id = earlier;
        }
        return true;
    }

    /// @dev Bounded in gas and in what is copied of the answer: the feed may be replaced by anything.
    function read(bytes memory data) private view returns (bool ok, Round memory round) {
        uint256[5] memory words;
        (ok, words) = BoundedRead.tryRound(address(feed), READ_GAS, data);
        if (ok) round = Round(uint80(words[0]), int256(words[1]), words[3]);
    }
}
