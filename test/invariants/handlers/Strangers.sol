// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";
import {Handler} from "./Handler.sol";

/// @title Anyone: the calls that are open to all, and attempts at those that are not
contract Strangers is Handler {
    constructor(World w_, Ledger l_) Handler(w_, l_) {}

    /// @notice What an accrual does is what the views said before, and a second one in the block does nothing.
    function accrue() external harmless {
        string memory law = "invariant_accrualIsWhatTheViewsSaidAndIdempotent";
        (uint256 total, uint256 price) = (vault.totalAssets(), vault.sharePrice());
        vault.accrue();
        for (uint256 k; k < 2; ++k) {
            if (vault.totalAssets() != total) l.breach(law, "total assets", vault.totalAssets(), total);
            if (vault.sharePrice() != price) l.breach(law, "share price", vault.sharePrice(), price);
            (uint256 accounted, , ) = vault.accountedAssets();
            if (accounted != total) l.breach(law, "accounted", accounted, total);
            uint256 supply = vault.totalSupply();
            vault.accrue();
            if (vault.totalSupply() != supply) l.breach(law, "supply", vault.totalSupply(), supply);
        }
    }

    function refresh(uint256 which) external harmless {
        try vault.refresh(address(w.adapters(which % ADAPTERS))) {} catch {}
    }

    /// @notice One of the calls that need a role, by somebody who has none.
    function usurp(uint256 word) external harmless {
        address stranger = w.attackers(2);
        address adapter = address(w.adapters(word % ADAPTERS));
        bytes memory data = restricted(next(word, 1), adapter, stranger);
        address target = address(vault);
        uint256 kind = word % 8;
        if (kind == 0) {
            (target, data) = (adapter, abi.encodeWithSignature("withdraw(uint256,bytes)", type(uint256).max, ""));
        } else if (kind == 1) {
            (target, data) = (
                adapter,
                abi.encodeWithSignature("redeemInKind(uint256,uint256,address)", 1, 1, stranger)
            );
        } else if (kind == 2) {
            target = address(claims);
            data = abi.encodeWithSignature("mint(address,address,uint256)", stranger, adapter, 1e27);
        }
        vm.prank(stranger);
        (bool done, ) = target.call(data);
        if (done) l.breach("invariant_nobodyWithoutARoleChangesASetting", "done", uint32(bytes4(data)), 0);
    }

    function restricted(uint256 word, address adapter, address stranger) private view returns (bytes memory) {
        uint256 kind = word % 20;
        uint256 value = next(word, 1) % WAD;
        if (kind == 0) return abi.encodeCall(IVault.setKeeper, (stranger, true));
        if (kind == 1) return abi.encodeCall(IVault.setAbsoluteCap, (adapter, value));
        if (kind == 2) return abi.encodeCall(IVault.setRelativeCap, (adapter, value));
        if (kind == 3) return abi.encodeCall(IVault.setGroupMask, (adapter, 0));
        if (kind == 4) return abi.encodeCall(IVault.setGroupCap, (0, value));
        if (kind == 5) return abi.encodeCall(IVault.setDepositCap, (value));
        if (kind == 6) return abi.encodeCall(IVault.setMinimumIdle, (value));
        if (kind == 7) return abi.encodeCall(IVault.setLossPerCall, (value));
        if (kind == 8) return abi.encodeCall(IVault.setLossBudget, (value, 1 days));
        if (kind == 9) return abi.encodeCall(IVault.setTurnoverBudget, (value, 1 days));
        if (kind == 10) return abi.encodeCall(IVault.setMaxRate, (value));
        if (kind == 11) return abi.encodeCall(IVault.setFeeRecipient, (stranger));
        if (kind == 12) return abi.encodeCall(IVault.guardianTrip, (1 + (value % 7 days)));
        if (kind == 13) return abi.encodeCall(IVault.quarantine, (adapter));
        if (kind == 14) return abi.encodeCall(IVault.liftQuarantine, (adapter));
        if (kind == 15) return abi.encodeCall(IVault.resetBreaker, ());
        if (kind == 16) return abi.encodeCall(IVault.removeAdapter, (adapter));
        if (kind == 17) return abi.encodeCall(IVault.transferOwnership, (stranger));
        if (kind == 18) return abi.encodeCall(IVault.open, (1e6));
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0] = IVault.Move(adapter, type(int256).min, "");
        return
            abi.encodeCall(
                IVault.rebalance,
                (moves, IVault.Guard(vault.nextNonce(stranger), block.timestamp, type(uint256).max, 0))
            );
    }
}
