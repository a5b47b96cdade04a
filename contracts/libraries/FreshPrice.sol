// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {BoundedRead} from "./BoundedRead.sol";

/// @title A Chainlink answer that is positive and not older than its heartbeat
/// @notice
/// WHAT IT TRUSTS
/// - The feed's reporters, and its owners, who may point the proxy elsewhere. A wrong answer that is fresh is believed: who uses
///   it bounds what that costs.
///
/// WHAT CAN GO WRONG
/// - A feed follows its market by its deviation threshold, and is late by its reports. The heartbeat is the timelock's choice;
///   one that is too long believes an old price, one that is too short finds none on a quiet day.
/// - It may be silent, gone, or answer less than a round: then there is no price, by an error that says which feed.
///
/// WHAT IT DOES NOT PROMISE
/// - A price within bounds, nor one of the same moment as another feed's. The sequencer of a rollup is not asked: this is for
///   chains without one.
library FreshPrice {
    /// @notice There is no code at a feed's address.
    error NoFeed(address feed);
    /// @notice A heartbeat of zero: no answer would ever be fresh.
    error NoHeartbeat(address feed);
    /// @notice The feed reverts, is gone, or answers with less than a round. There is no number: it says none.
    error PriceUnreadable(address feed);
    /// @notice The last answer is older than `heartbeat` seconds, or of the future.
    error PriceStale(address feed, uint256 updatedAt, uint256 heartbeat);
    /// @notice The last answer is zero or less.
    error PriceNotPositive(address feed, int256 answer);

    /// @param heartbeat Seconds after which an answer is stale: the feed's own heartbeat, with room for a late report.
    /// @return price In the feed's unit.
    function read(IAggregatorV3 feed, uint256 heartbeat) internal view returns (uint256 price) {
        (bool ok, uint256[5] memory round) = BoundedRead.tryRound(
            address(feed),
            gasleft(),
            abi.encodeCall(IAggregatorV3.latestRoundData, ())
        );
        if (!ok) revert PriceUnreadable(address(feed));
        (int256 answer, uint256 updatedAt) = (int256(round[1]), round[3]);
        // An answer from the future is none either.
        if (updatedAt > block.timestamp || block.timestamp - updatedAt > heartbeat) {
            revert PriceStale(address(feed), updatedAt, heartbeat);
        }
        if (answer <= 0) revert PriceNotPositive(address(feed), answer);
        return uint256(answer);
    }

    /// @notice For constructors.
    function check(IAggregatorV3 feed, uint256 heartbeat) internal view {
        if (address(feed).code.length == 0) revert NoFeed(address(feed));
        if (heartbeat == 0) revert NoHeartbeat(address(feed));
    }
}
