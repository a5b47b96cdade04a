// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title A share of total assets that no window of a given length may exceed
/// @notice What it promises: that the shares spent in any window come to the limit at most, whatever the sequence of amounts and
/// moments; where the limit was changed within the window, to the greater of the two.
/// What it asks: that whoever charges has compared with {available} first, and knows what the share is of. What it does not
/// promise: the whole limit at once; half of it is the most.
/// @dev A bucket of half the limit that refills by half the limit in one window: whoever spends the full bucket at the
/// start of a window can spend one refill within it, together the limit and never more. (A bucket of the whole limit
/// would allow twice the limit in one window.) What is spent is rounded up, what refills is rounded down. Shares are
/// fixed at the time of spending, so that no change of total assets refills the bucket.
library RateBudget {
    /// @param limit WAD share for any window. @param used WAD share not refilled at `updatedAt`. @param window Seconds.
    struct Bucket {
        uint64 limit;
        uint64 used;
        uint32 window;
        uint40 updatedAt;
    }

    uint256 private constant WAD = 1e18;

    /// @notice WAD share that may be spent now.
    function available(Bucket storage self) internal view returns (uint256) {
        uint256 size = self.limit / 2;
        uint256 spent = usedNow(self);
        return spent < size ? size - spent : 0;
    }

    /// @notice What of earlier spending has not refilled yet.
    function usedNow(Bucket storage self) internal view returns (uint256) {
        uint256 used = self.used;
        if (used == 0) return 0;
        uint256 refilled = (uint256(self.limit / 2) * (block.timestamp - self.updatedAt)) / self.window;
        return refilled < used ? used - refilled : 0;
    }

    /// @notice `amount` as a WAD share of `base`, rounded up; the greatest share if there is no base to be a share of.
    function shareOf(uint256 amount, uint256 base) internal pure returns (uint256) {
        if (base == 0 || amount > type(uint128).max) return type(uint64).max;
        return Math.min(Math.ceilDiv(amount * WAD, base), type(uint64).max);
    }

    /// @notice Charges `share`, which the caller has compared with {available}; beyond the bucket's size it saturates.
    /// @return used What is used up afterwards.
    function charge(Bucket storage self, uint256 share) internal returns (uint256 used) {
        used = Math.min(usedNow(self) + share, type(uint64).max);
        self.used = uint64(used);
        self.updatedAt = uint40(block.timestamp);
    }

    /// @notice Changes the terms. What was used stays used, at the refill of the old terms until now.
    function configure(Bucket storage self, uint256 limit, uint256 window) internal {
        if (self.window != 0) self.used = uint64(usedNow(self));
        self.limit = uint64(limit);
        self.window = uint32(window);
        self.updatedAt = uint40(block.timestamp);
    }
}
