// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Scene} from "./Scene.sol";
import {World} from "./World.sol";

/// @title The laws of the vault
/// @dev Two kinds. What a handler can see at a call, it notes in the ledger, and the law of that name asserts that nothing
/// was noted. What can be seen of a state is looked at here, after every call; what is tried out here is never kept.
/// Every law also asserts that no other law was breached, so that no call of any campaign is made in vain.
abstract contract Invariants is Scene {
    uint256 private constant ADAPTERS = 3;

    /* WHAT A STOLEN KEY CAN DO */

    function invariant_keeperAndFriendsGainAtMostTheLossBudgetInAnyWindow() external view {
        unbroken();
    }

    function invariant_keeperCostsDepositorsAtMostTheLossBudgetInAnyWindow() external view {
        unbroken();
    }

    function invariant_attackersGainNoMoreThanTheirPlansCost() external view {
        unbroken();
    }

    function invariant_noPlanLosesMoreThanItsBounds() external view {
        unbroken();
    }

    function invariant_turnoverStaysWithinItsBudgetInAnyWindow() external view {
        unbroken();
    }

    function invariant_growthStaysUnderEveryCap() external view {
        unbroken();
    }

    function invariant_noPlanRunsTwice() external view {
        unbroken();
    }

    function invariant_plansLeaveSharesAlone() external view {
        unbroken();
    }

    function invariant_whileTrippedNoPlanIncreasesAnAdapter() external view {
        unbroken();
    }

    function invariant_quarantinedAdaptersGetNothing() external view {
        unbroken();
    }

    function invariant_onlyAPlanFundsAnAdapter() external view {
        unbroken();
    }

    /* WHAT STRANGERS, THE GUARDIAN AND VENUES CAN DO */

    function invariant_strangersTripOnlyWhatHoldsFor30Minutes() external view {
        unbroken();
    }

    function invariant_strangersStopNoClockOfWhatHolds() external view {
        unbroken();
    }

    function invariant_strangersQuarantineOnlyWhatFailedTwice() external view {
        unbroken();
    }

    function invariant_strangersEmptyVenuesOnlyAfterAProvenTrip() external view {
        unbroken();
    }

    function invariant_nobodyWithoutARoleChangesASetting() external view {
        unbroken();
    }

    function invariant_guardianAloneNeverIncreasesRisk() external view {
        unbroken();
    }

    function invariant_guardiansActsEndOutstandingPlans() external view {
        unbroken();
    }

    function invariant_guardiansTripExpires() external view {
        (IVault.Breaker state, uint256 until) = vault.breaker();
        if (state == IVault.Breaker.GuardianTripped) {
            require(until <= block.timestamp + 7 days, "a guardian's trip lasts longer than seven days");
            require(vault.guardianTripFrom() > until, "a guardian may trip again at once");
        }
        unbroken();
    }

    function invariant_nobodyGetsInMidway() external view {
        unbroken();
    }

    /* WHAT SHARES ARE WORTH */

    function invariant_noRoundTripEndsWithMoreThanItBegan() external view {
        unbroken();
    }

    function invariant_sharePriceFallsOnlyByALossOrAFee() external view {
        unbroken();
    }

    function invariant_gainsNeverCountFasterThanMaxRate() external view {
        unbroken();
    }

    function invariant_accrualIsWhatTheViewsSaidAndIdempotent() external view {
        unbroken();
    }

    function invariant_callsMoveExactlyWhatTheirPreviewsSaid() external view {
        unbroken();
    }

    function invariant_totalAssetsNeverAboveIdleAndFairValues() external {
        // In the block of an accrual a later loss waits for the next.
        vm.warp(block.timestamp + 1);
        uint256 sum = w.trueTotal(false);
        uint256 total = vault.totalAssets();
        require(total <= sum, "total assets are above what is there");
        unbroken();
    }

    function invariant_sumOfBalancesIsTotalSupply() external view {
        address[] memory holders = w.holders();
        uint256 sum;
        for (uint256 i; i < holders.length; ++i) sum += vault.balanceOf(holders[i]);
        require(sum == vault.totalSupply(), "balances do not add up to the supply");
        require(vault.balanceOf(address(0)) == 0 && vault.balanceOf(address(vault)) == 0, "nobody's shares");
        unbroken();
    }

    function invariant_equalHoldersLeaveWithTheSame() external {
        (address a, address b) = (w.depositors(0), w.depositors(1));
        uint256 shares = Math.min(vault.balanceOf(a), vault.balanceOf(b)) / 2;
        uint256 dust = w.dust();
        if (vault.allowance(a, b) == 0 && vault.previewRedeem(shares) <= vault.maxWithdraw(a) / 2) {
            vm.prank(a);
            uint256 first = vault.redeem(shares, a, a);
            vm.prank(b);
            try vault.redeem(shares, b, b) returns (uint256 second) {
                require(first <= second + dust && second <= first + dust, "who leaves second gets something else");
            } catch {}
        }
        unbroken();
    }

    /* WHAT IS WRITTEN OFF, CLAIMED AND RECORDED */

    function invariant_writtenOffOnlyWhileSomethingDoesNotCount() external {
        bool counted = w.allCount();
        bool late = accruedBefore();
        vault.accrue();
        (uint256 amount, bool uncounted) = vault.writtenOff();
        require(uncounted == !counted || late, "uncounted is not what the adapters are");
        // Next to nothing left closes entry as well: see {Accounting.isWipedOut}.
        require(uncounted || amount == 0 || vault.maxDeposit(w.depositors(0)) == 0, "something stays written off");
        (uint256 accounted, , ) = vault.accountedAssets();
        require(accounted + amount <= l.most() + w.dust(), "more is written off than there was");
        unbroken();
    }

    /// @dev An accrual of this block found everything readable: what fails since is found in the next block.
    function accruedBefore() private view returns (bool) {
        (, , uint256 updatedAt) = vault.accountedAssets();
        (, bool uncounted) = vault.writtenOff();
        return updatedAt == block.timestamp && !uncounted;
    }

    function invariant_nobodyEntersWhileAnAdapterDoesNotCountOrTripped() external {
        (IVault.Breaker state, ) = vault.breaker();
        if ((!w.allCount() && !accruedBefore()) || state != IVault.Breaker.Closed) {
            address depositor = w.depositors(0);
            require(vault.maxDeposit(depositor) == 0 && vault.maxMint(depositor) == 0, "max is not zero");
            uint256 assets = Math.min(w.scale(), token.balanceOf(depositor));
            vm.prank(depositor);
            try vault.deposit(assets, depositor) {
                revert("somebody entered");
            } catch (bytes memory reason) {
                require(bytes4(reason) == IVault.DepositsClosed.selector, "refused for another reason");
            }
        }
        unbroken();
    }

    function invariant_claimsAreCovered() external view {
        address[] memory holders = w.holders();
        for (uint256 i; i < ADAPTERS; ++i) {
            address adapter = address(w.adapters(i));
            IVault.AdapterRecord memory record = vault.adapter(adapter);
            uint256 sum;
            for (uint256 k; k < holders.length; ++k) sum += claims.balanceOf(holders[k], uint160(adapter));
            require(sum == record.claimUnits, "claims do not add up to the units claimed");
            require(record.claimUnits <= record.totalUnits, "more is claimed than there is");
            require(record.claimUnits != 0 || record.totalUnits == 0, "units without claims");
        }
        unbroken();
    }

    function invariant_claimsKeepTheirWorth() external view {
        unbroken();
    }

    function invariant_groupSumsAreTheSumsOfTheirMembers() external view {
        uint256 groups = vault.groups().length;
        for (uint256 g; g < groups; ++g) {
            uint256 sum;
            for (uint256 i; i < ADAPTERS; ++i) {
                IVault.AdapterRecord memory record = vault.adapter(address(w.adapters(i)));
                if (record.groupMask & (1 << g) != 0) sum += record.recorded;
            }
            require(vault.groupAllocation(g) == sum, "a group is not the sum of its members");
        }
        unbroken();
    }

    function invariant_adaptersKeepNoAllowance() external view {
        for (uint256 i; i < ADAPTERS; ++i) {
            address adapter = address(w.adapters(i));
            require(token.allowance(adapter, address(w.venues(i))) == 0, "an allowance was left behind");
            require(token.allowance(address(vault), adapter) == 0, "the vault allows something");
        }
        unbroken();
    }

    /* EXITS */

    /// @dev In every state, whoever holds shares can leave with them: in kind always, by the queue as far as it pays.
    function invariant_exitIsNeverBlocked() external {
        address holder = anyHolder();
        uint256 shares = vault.balanceOf(holder);
        if (shares != 0) {
            vm.prank(holder);
            vault.redeemInKind(shares, holder, new address[](0));
            require(vault.balanceOf(holder) == 0, "shares were left");
        }
        unbroken();
    }

    /// @dev The states that are ours: a trip, a quarantine, no keeper, caps at zero. Idle pays in all of them.
    function invariant_exitNeverBlockedByPause() external {
        address holder = anyHolder();
        uint256 shares = Math.min(vault.balanceOf(holder), vault.previewWithdraw(vault.idle()));
        if (shares != 0 && vault.previewRedeem(shares) <= vault.idle()) {
            vm.prank(holder);
            vault.redeem(shares, holder, holder);
        }
        unbroken();
    }

    function invariant_whatMaxPromisesCanBeDone() external {
        address holder = anyHolder();
        uint256 kind = uint256(keccak256(abi.encode(vault.totalSupply(), block.timestamp))) % 4;
        bool honest = true;
        for (uint256 i; i < ADAPTERS; ++i) honest = honest && !w.venues(i).refuses();
        if (kind == 0) {
            uint256 assets = Math.min(vault.maxDeposit(holder), token.balanceOf(holder));
            // What is worth no share is refused.
            if (assets != 0 && vault.previewDeposit(assets) != 0) {
                vm.prank(holder);
                vault.deposit(assets, holder);
            }
        } else if (kind == 1) {
            uint256 shares = Math.min(vault.maxMint(holder), vault.previewDeposit(token.balanceOf(holder)));
            if (shares != 0) {
                vm.prank(holder);
                vault.mint(shares, holder);
            }
        } else if (honest && kind == 2) {
            uint256 assets = vault.maxWithdraw(holder);
            vm.prank(holder);
            vault.withdraw(assets, holder, holder);
        } else if (honest) {
            uint256 shares = vault.maxRedeem(holder);
            vm.prank(holder);
            vault.redeem(shares, holder, holder);
        }
        unbroken();
    }

    /* INTERNALS */

    function anyHolder() private view returns (address) {
        address[] memory holders = w.holders();
        return holders[uint256(keccak256(abi.encode(block.number, vault.totalSupply(), vault.idle()))) % 7];
    }
}

/// @dev Six decimals, no fees: as first deployed.
contract SixDecimals is Invariants {
    function terms() internal pure override returns (World.Terms memory) {
        return World.Terms(6, false, 0, 0);
    }
}

/// @dev Both fees at their highest, over a token that calls back.
contract HookedTokenWithFees is Invariants {
    function terms() internal pure override returns (World.Terms memory) {
        return World.Terms(6, true, 0.02e18, 0.2e18);
    }
}

/// @dev As many decimals as shares have: one virtual share.
contract EighteenDecimals is Invariants {
    function terms() internal pure override returns (World.Terms memory) {
        return World.Terms(18, false, 0, 0.1e18);
    }
}

/// @dev Every unit is a whole token.
contract NoDecimals is Invariants {
    function terms() internal pure override returns (World.Terms memory) {
        return World.Terms(0, false, 0.01e18, 0);
    }
}
