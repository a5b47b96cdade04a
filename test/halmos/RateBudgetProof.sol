// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {RateBudget} from "../../contracts/libraries/RateBudget.sol";

interface Assumptions {
    function assume(bool condition) external;
    function warp(uint256 timestamp) external;
}

/// @dev The steps of the proof that no window holds more than a budget's limit, each for every number there is, for
/// `npm run prove`. With `size` half of the limit: what is used up grows by what is spent (spending), never above `size`
/// (full), and falls by at most `size` in a window (refilling, waiting). So all that is spent in one window is at most
/// `size` used up at its end and `size` that refilled within it: together the limit.
contract RateBudgetProof {
    using RateBudget for RateBudget.Bucket;

    Assumptions private constant VM = Assumptions(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant START = 1_800_000_000;

    RateBudget.Bucket private bucket;

    /// @dev A bucket in any state that a vault's can be in, used up at START.
    function any(uint64 limit, uint64 used, uint32 window) private {
        VM.assume(limit <= 16e18 && window >= 1 hours && window <= 365 days);
        VM.warp(START);
        bucket = RateBudget.Bucket(limit, used, window, uint40(START));
    }

    function check_spending_usesUpWhatIsSpent(uint64 limit, uint64 used, uint32 window, uint64 share) external {
        any(limit, used, window);
        VM.assume(share <= bucket.available());
        bucket.charge(share);
        assert(bucket.usedNow() == uint256(used) + share);
        assert(bucket.updatedAt == START);
    }

    function check_full_neverHoldsMoreThanHalfTheLimit(
        uint64 limit,
        uint64 used,
        uint32 window,
        uint64 share
    ) external {
        any(limit, used, window);
        VM.assume(share <= bucket.available());
        bucket.charge(share);
        assert(share == 0 || bucket.usedNow() <= limit / 2);
        assert(bucket.available() <= limit / 2);
    }

    /// @dev Of the limits that a vault begins with, over a day: with neither number known the solver finds no end.
    function check_refilling_atMostHalfOfALossLimitInAWindow(uint64 used, uint32 elapsed) external {
        refilling(0.01e18, used, elapsed);
    }

    function check_refilling_atMostHalfOfATurnoverLimitInAWindow(uint64 used, uint32 elapsed) external {
        refilling(4e18, used, elapsed);
    }

    function refilling(uint64 limit, uint64 used, uint32 elapsed) private {
        any(limit, used, 1 days);
        VM.assume(elapsed <= 1 days);
        VM.warp(START + elapsed);
        assert(bucket.usedNow() + limit / 2 >= used);
        assert(bucket.usedNow() <= used);
    }

    function check_configure_refillsNothing(
        uint64 limit,
        uint64 used,
        uint32 window,
        uint64 newLimit,
        uint32 newWindow
    ) external {
        any(limit, used, window);
        VM.assume(newLimit <= 16e18 && newWindow >= 1 hours && newWindow <= 365 days);
        bucket.configure(newLimit, newWindow);
        assert(bucket.usedNow() == used);
    }
}
