// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Claims} from "../../contracts/Claims.sol";
import {Vault} from "../../contracts/Vault.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {Cheats} from "./Cheats.sol";
import {Ledger} from "./Ledger.sol";
import {World} from "./World.sol";
import {Depositors} from "./handlers/Depositors.sol";
import {Guardian} from "./handlers/Guardian.sol";
import {Keeper} from "./handlers/Keeper.sol";
import {Market} from "./handlers/Market.sol";
import {Owner} from "./handlers/Owner.sol";
import {Strangers} from "./handlers/Strangers.sol";
import {Time} from "./handlers/Time.sol";
import {Trips} from "./handlers/Trips.sol";

/// @title A vault with three depositors, the handlers that act on it, and the ledger of what went wrong
abstract contract Scene is Cheats {
    World internal w;
    Ledger internal l;
    Vault internal vault;
    PlainToken internal token;
    Claims internal claims;
    address[] internal handlers;

    function terms() internal pure virtual returns (World.Terms memory);

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.roll(20_000_000);
        w = new World(terms());
        l = new Ledger();
        (vault, token, claims) = (w.vault(), w.token(), w.claims());
        l.flowIn(vault.totalAssets());
        handlers = [
            address(new Depositors(w, l)),
            address(new Keeper(w, l)),
            address(new Guardian(w, l)),
            address(new Owner(w, l)),
            address(new Market(w, l)),
            address(new Trips(w, l)),
            address(new Strangers(w, l)),
            address(new Time(w, l))
        ];
        uint256 first = 3e5 * w.scale();
        for (uint256 i; i < 3; ++i) {
            address depositor = w.depositors(i);
            vm.prank(depositor);
            vault.deposit(first, depositor);
            l.flowIn(first);
        }
        // A block later limits have a base.
        l.grow(12, vault.maxRate());
        vm.warp(block.timestamp + 12);
        vm.roll(block.number + 1);
    }

    /// @dev Which contracts the fuzzer calls.
    function targetContracts() external view returns (address[] memory) {
        return handlers;
    }

    function unbroken() internal view {
        string memory breach = l.firstBreach();
        require(bytes(breach).length == 0, breach);
    }
}
