// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";

/// @title A Chainlink answer that is positive and not older than its heartbeat
library FreshPrice {
    error NoFeed(address feed);
    error NoHeartbeat(address feed);
    error PriceStale(address feed, uint256 updatedAt, uint256 heartbeat);
    error PriceNotPositive(address feed, int256 answer);

    /// @param heartbeat Seconds after which an answer is stale: the feed's own heartbeat, with room for a late report.
    /// @return price In the feed's unit.
    function read(IAggregatorV3 feed, uint256 heartbeat) internal view returns (uint256 price) {
        (, int256 answer, , uint256 updatedAt, ) = feed.latestRoundData();
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
