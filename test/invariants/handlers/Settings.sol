// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Handler} from "./Handler.sol";

/// @title A setter drawn at random, and how risky the vault's terms are
abstract contract Settings is Handler {
    constructor(World w_, Ledger l_) Handler(w_, l_) {}

    /// @dev A value not far from today's, mostly, for a limit that is zero ends all that could be seen.
    function near(uint256 word, uint256 value, uint256 most) internal pure returns (uint256) {
        if (word % 16 == 0) return next(word, 1) % (most + 1);
        uint256 drawn = (value * (50 + ((word >> 8) % 101))) / 100;
        return drawn > most ? most : drawn;
    }

    function anySetter(uint256 word) internal view returns (bytes memory) {
        uint256 kind = word % 11;
        uint256 drawn = next(word, 1);
        address adapter = address(w.adapters(drawn % ADAPTERS));
        IVault.AdapterRecord memory record = vault.adapter(adapter);
        if (kind == 0)
            return abi.encodeCall(IVault.setAbsoluteCap, (adapter, near(drawn, record.absoluteCap, 2e6 * w.scale())));
        if (kind == 1) return abi.encodeCall(IVault.setRelativeCap, (adapter, near(drawn, record.relativeCap, WAD)));
        if (kind == 2) return abi.encodeCall(IVault.setGroupMask, (adapter, drawn % 4));
        if (kind == 3) return abi.encodeCall(IVault.setGroupCap, (drawn % 2, near(drawn, 0.6e18, WAD)));
        if (kind == 4)
            return abi.encodeCall(IVault.setDepositCap, (near(drawn, 2 * vault.totalAssets(), 1e8 * w.scale())));
        if (kind == 5) return abi.encodeCall(IVault.setMinimumIdle, (near(drawn, 0.05e18, WAD)));
        if (kind == 6) return abi.encodeCall(IVault.setLossPerCall, (near(drawn, 0.001e18, 0.01e18)));
        if (kind == 7) {
            (uint256 limit, uint256 window, ) = vault.lossBudget();
            return abi.encodeCall(IVault.setLossBudget, (near(drawn, limit, 0.05e18), anyWindow(drawn, window)));
        }
        if (kind == 8) {
            (uint256 limit, uint256 window, ) = vault.turnoverBudget();
            return abi.encodeCall(IVault.setTurnoverBudget, (near(drawn, limit, 4e18), anyWindow(drawn, window)));
        }
        if (kind == 9) return abi.encodeCall(IVault.setManagementFee, (near(drawn, vault.managementFee(), 0.02e18)));
        return abi.encodeCall(IVault.setPerformanceFee, (near(drawn, vault.performanceFee(), 0.2e18)));
    }

    function anyWindow(uint256 word, uint256 window) private pure returns (uint256) {
        return word % 8 == 0 ? 1 hours + (next(word, 2) % 3 days) : window;
    }

    /// @dev Tells the ledger today's budgets.
    function noteTerms() internal {
        (uint256 limit, uint256 window, ) = vault.lossBudget();
        l.setTerms("loss", limit, window);
        l.setTerms("gain", limit, window);
        (limit, window, ) = vault.turnoverBudget();
        l.setTerms("turnover", limit, window);
    }

    /// @dev Everything that a limit allows, each so that more is riskier.
    function risks() internal view returns (uint256[] memory list) {
        list = new uint256[](32);
        uint256 n;
        for (uint256 i; i < ADAPTERS; ++i) {
            IVault.AdapterRecord memory record = vault.adapter(address(w.adapters(i)));
            list[n++] = record.absoluteCap;
            list[n++] = record.relativeCap;
            list[n++] = record.groupMask & 1 == 0 ? 1 : 0;
            list[n++] = record.groupMask & 2 == 0 ? 1 : 0;
            list[n++] = record.quarantined ? 0 : 1;
        }
        IVault.GroupConfiguration[] memory groups = vault.groups();
        (list[n++], list[n++]) = (groups[0].relativeCap, groups[1].relativeCap);
        list[n++] = vault.depositCap();
        list[n++] = WAD - vault.minimumIdle();
        list[n++] = vault.lossPerCall();
        (list[n++], , ) = vault.lossBudget();
        (list[n++], , ) = vault.turnoverBudget();
        (list[n++], list[n++]) = (vault.managementFee(), vault.performanceFee());
        (list[n++], list[n++]) = (vault.isKeeper(w.attackers(0)) ? 1 : 0, vault.isKeeper(w.attackers(1)) ? 1 : 0);
        (IVault.Breaker state, ) = vault.breaker();
        list[n++] =
            state == IVault.Breaker.Closed
                ? 2
                : state == IVault.Breaker.GuardianTripped
                    ? 1
                    : 0;
        list[n++] = vault.maxRate();
    }
}
