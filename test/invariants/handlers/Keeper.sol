// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Plans} from "./Plans.sol";

/// @title The attacker: holds the keepers' keys, has friends with money, and friends who run venues
/// @dev What a plan costs is counted by the venues, what the attackers gain by what they own. Neither asks the vault.
contract Keeper is Plans {
    constructor(World w_, Ledger l_) Plans(w_, l_) {}

    /// @notice One plan by itself.
    function rebalance(uint256 word) external {
        attack(word, 0, 1, 0);
    }

    /// @notice Friends' acts, a plan, friends' acts, all in one block.
    function bundle(uint256 word) external {
        attack(word, 1 + (word % 2), 1 + ((word >> 8) % 2), 1 + ((word >> 16) % 3));
    }

    /// @notice As many small losses as fit.
    function grind(uint256 word) external {
        attack(word, (word >> 12) % 2, 4 + (word % 8), (word >> 8) % 2);
    }

    function invest(uint256 word) external {
        runInvestment(word);
    }

    /// @notice The last plan that ran, once more.
    function replay() external {
        replayLast();
    }

    function attack(uint256 word, uint256 actsBefore, uint256 plans, uint256 actsAfter) private {
        address[] memory group = w.attackerGroup();
        uint256 wealth = w.wealthOf(group);
        uint256 costs = costsOfAll();
        uint256 base = vault.limitBase();
        uint256 strays = w.strays();
        // A gift that waited in a venue may count at once in place of what is written off.
        uint256 dust = w.dust() * (actsBefore + plans + actsAfter) + giftsInPlaceOfWriteOffs();

        for (uint256 i; i < actsBefore; ++i)
            perform(group[next(word, i) % 3], next(word, 10 + i) % 5, next(word, 20 + i));
        for (uint256 i; i < plans; ++i) {
            if (plans > 2) runGrind(next(word, 30 + i));
            else runPlan(next(word, 30 + i));
        }
        for (uint256 i; i < actsAfter; ++i) {
            perform(group[next(word, 40 + i) % 3], 2 + (next(word, 50 + i) % 5), next(word, 60 + i));
        }
        checkTotal();

        // One that lay with an adapter was nobody's; as it comes in it may count as far as time allows.
        dust += strays - Math.min(strays, w.strays());
        uint256 wealthAfter = w.wealthOf(group);
        if (wealthAfter <= wealth + dust || (actsBefore + actsAfter != 0 && !w.allRead())) return;
        uint256 gain = wealthAfter - wealth - dust;
        l.reach("attackers' gain");
        costs = costsOfAll() - costs;
        if (gain > costs) {
            l.breach("invariant_attackersGainNoMoreThanTheirPlansCost", "gain", gain, costs);
        }
        (uint256 sum, uint256 limit) = l.spend("gain", base == 0 ? type(uint64).max : Math.mulDiv(gain, WAD, base));
        if (sum > limit) {
            l.breach("invariant_keeperAndFriendsGainAtMostTheLossBudgetInAnyWindow", "share gained", sum, limit);
        }
    }

    function giftsInPlaceOfWriteOffs() private view returns (uint256) {
        (uint256 off, ) = vault.writtenOff();
        uint256 sum = w.trueTotal(false) + w.strays();
        return Math.min(off, sum - Math.min(sum, vault.totalAssets()));
    }
}
