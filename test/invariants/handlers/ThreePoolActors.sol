// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ThreePoolModel} from "../../models/ThreePoolModel.sol";
import {Ledger} from "../Ledger.sol";
import {ThreePoolWorld} from "../ThreePoolWorld.sol";
import {PoolActors} from "./PoolActors.sol";

/// @title Who acts around a vault in the 3pool
contract ThreePoolActors is PoolActors {
    ThreePoolWorld private immutable w;
    ThreePoolModel private immutable pool;

    /// @dev What was bought in a push, to be sold again; `bought` zero: there was none.
    uint256 private from;
    uint256 private to;
    uint256 private bought;

    constructor(ThreePoolWorld w_, Ledger l_) PoolActors(w_, l_) {
        (w, pool) = (w_, w_.pool());
    }

    /// @dev Out of a coin for another, the asset being one: often about as far as the pool stays steady.
    function pushed(uint256 word) internal override returns (bool) {
        if (word % 8 == 0) return false;
        (from, to) = (uint256(1), word % 2 == 0 ? 0 : 2);
        if ((word >> 8) % 2 == 1) (from, to) = (to, from);
        uint256 most = (word >> 16) % 2 == 0 ? 100_000_000 : 50_000_000;
        uint256 amount = within(next(word, 1), 1, most) * w.unitOf(from);
        uint256 held = w.coins(to).balanceOf(attacker);
        vm.prank(attacker);
        try pool.exchange(int128(uint128(from)), int128(uint128(to)), amount, 0) {
            bought = w.coins(to).balanceOf(attacker) - held;
        } catch {}
        return bought != 0;
    }

    function taken() internal override {
        if (bought == 0) return;
        vm.prank(attacker);
        pool.exchange(int128(uint128(to)), int128(uint128(from)), bought, 0);
        bought = 0;
    }
}
