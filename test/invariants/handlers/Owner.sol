// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Settings} from "./Settings.sol";

/// @title The timelock: changes terms, and puts right what others shut
contract Owner is Settings {
    constructor(World w_, Ledger l_) Settings(w_, l_) {
        noteTerms();
    }

    function set(uint256 word) external harmless {
        send(anySetter(word));
    }

    /// @dev Sometimes to zero: no second at it may count later.
    function setMaxRate(uint256 word) external harmless {
        send(abi.encodeCall(IVault.setMaxRate, (word % 5 == 0 ? 0 : within(word, 0, 2 * WAD))));
    }

    function setQueue(uint256 word) external harmless {
        address[] memory order = new address[](ADAPTERS);
        for (uint256 i; i < ADAPTERS; ++i)
            order[i] = address(w.adapters((word + (word % 2 == 0 ? i : 2 * i)) % ADAPTERS));
        send(abi.encodeCall(IVault.setQueue, (order)));
    }

    function lift(uint256 which) external harmless {
        send(abi.encodeCall(IVault.liftQuarantine, (address(w.adapters(which % ADAPTERS)))));
    }

    function reset() external harmless {
        send(abi.encodeCall(IVault.resetBreaker, ()));
    }

    /// @notice Everything open again, on the first terms.
    function restore() external harmless {
        send(abi.encodeCall(IVault.resetBreaker, ()));
        send(abi.encodeCall(IVault.setDepositCap, (type(uint256).max)));
        send(abi.encodeCall(IVault.setMinimumIdle, (0.3e18)));
        send(abi.encodeCall(IVault.setLossPerCall, (0.001e18)));
        send(abi.encodeCall(IVault.setLossBudget, (0.01e18, 1 days)));
        send(abi.encodeCall(IVault.setTurnoverBudget, (2e18, 1 days)));
        send(abi.encodeCall(IVault.setGroupCap, (0, 0.9e18)));
        send(abi.encodeCall(IVault.setGroupCap, (1, 0.6e18)));
        for (uint256 i; i < ADAPTERS; ++i) {
            address adapter = address(w.adapters(i));
            send(abi.encodeCall(IVault.liftQuarantine, (adapter)));
            send(abi.encodeCall(IVault.setAbsoluteCap, (adapter, vault.totalAssets() / 2)));
            send(abi.encodeCall(IVault.setRelativeCap, (adapter, 0.6e18)));
        }
        for (uint256 i; i < 2; ++i) send(abi.encodeCall(IVault.setKeeper, (w.attackers(i), true)));
    }

    function send(bytes memory data) private {
        vm.prank(address(w.timelock()));
        // A setter that finds today's value reverts, which is as good.
        (bool done, ) = address(vault).call(data);
        if (done) noteTerms();
    }
}
