// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Handler} from "./Handler.sol";

/// @title The clock: between two of its calls everything happens in one block
contract Time is Handler {
    uint256 private constant BLOCK = 12;

    constructor(World w_, Ledger l_) Handler(w_, l_) {}

    function passBlocks(uint256 word) external {
        pass(BLOCK * (1 + (word % 60)));
    }

    function passHours(uint256 word) external {
        pass(within(word, BLOCK, 6 hours));
    }

    function passDays(uint256 word) external {
        pass(within(word, 6 hours, 3 days));
    }

    /// @notice To just before, or just after, midnight: where a budget by the calendar would begin anew.
    function passMidnight(uint256 word) external {
        uint256 midnight = block.timestamp - (block.timestamp % 1 days) + 1 days;
        pass(midnight - block.timestamp + (word % 2 == 0 ? 0 : BLOCK));
        if (word % 4 == 1) pass(1 days - 2 * BLOCK);
    }

    function pass(uint256 elapsed) private {
        l.grow(elapsed, vault.maxRate());
        vm.warp(block.timestamp + elapsed);
        vm.roll(block.number + (elapsed + BLOCK - 1) / BLOCK);
        checkTotal();
    }
}
