// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {ILiquidityAdapter} from "../interfaces/ILiquidityAdapter.sol";
import {IVault} from "../interfaces/IVault.sol";
import {BoundedRead} from "./BoundedRead.sol";
import {RateBudget} from "./RateBudget.sol";
import {TrustedRead} from "./TrustedRead.sol";
import {AdapterSlot, ClaimUnits, MAX_ADAPTERS, Position, VaultState, WAD, YEAR} from "./VaultState.sol";

/// @title What the vault is worth: reads of adapters, and the accrual they lead to
/// @notice
/// WHAT IT PROMISES
/// - A read of an adapter is bounded in gas and caught. It fails by the adapter's doing only: a caller who brings too little
///   gas for it is refused, and a value above what the vault can count is none.
/// - An accrual counts losses in full and at once, gains at most at `maxRate`, and beyond that only what was written off. Fees
///   come out of what counts.
/// - Limits are shares of a total that no transaction of the same block has raised ({limitBase}).
///
/// WHAT IT TRUSTS
/// - Adapters, not to lie about value within a transaction. Nothing else of them: they may revert, burn gas, or answer anything.
///
/// WHAT CAN GO WRONG
/// - What a read says at the accrual is what is booked. A value that was down for that moment has been a loss, and comes back
///   as a gain that drips.
/// - Recorded values are those of the last move: group sums are off by the interest since then.
///
/// WHAT IT DOES NOT PROMISE
/// - That what is counted can be paid now: liquidity is asked for elsewhere ({withdrawable}).
library Accounting {
    using RateBudget for RateBudget.Bucket;

    /// @dev Gas that one read of an adapter is given. Enough for a vault of vaults; a read that wants more has failed.
    uint256 internal constant READ_GAS = 400_000;

    /// @dev Gas that must be left before a read: 64/63 of READ_GAS (EIP-150) and what making the call costs. A caller who
    /// brings less is refused; otherwise anybody could make a sound adapter's read fail and write its value off.
    uint256 internal constant READ_GAS_NEEDED = 415_000;

    uint256 internal constant MAX_TOTAL = type(uint104).max;

    /// @dev What a venue's rounding may take from one withdrawal (Aave and Comet: up to 2).
    uint256 internal constant ROUNDING = 2;

    /// @dev A price of an empty vault's shares times this is the scale of share prices: see {IVault.sharePrice}.
    uint256 internal constant PRICE_SCALE = 1e36;

    /// @dev How many times below par, which is never zero, the share price closes entry.
    uint256 private constant WIPED_OUT = 100;

    /// @dev Of what part of the total on an inexact adapter's price matters to who enters: a ten-thousandth.
    uint256 private constant STEADY_FROM = 10_000;

    /// @param total Total assets, `writtenOff` of them not counted. @param carry Seconds kept for the next accrual. The mark is zero if
    /// it stays. @param uncounted Whether an adapter does not count.
    struct Accrual {
        uint256 total;
        uint256 writtenOff;
        uint256 carry;
        uint256 managementShares;
        uint256 performanceShares;
        uint256 highWaterMark;
        bool uncounted;
    }

    /// @notice One word of an adapter, bounded in gas. Never reverts, but for a caller who brings too little gas.
    function read(address adapter, bytes4 selector) internal view returns (bool ok, uint256 value) {
        if (gasleft() < READ_GAS_NEEDED) revert IVault.InsufficientGas(gasleft(), READ_GAS_NEEDED);
        return BoundedRead.tryGet(adapter, READ_GAS, selector);
    }

    /// @notice Fair value of the vault's part of an adapter's position.
    /// @return ok False: the adapter cannot be read, or answers with what cannot be.
    function fairValue(VaultState storage s, AdapterSlot memory slot) internal view returns (bool ok, uint256 value) {
        (ok, value) = positionValue(slot.adapter);
        if (ok && slot.claimed) value = vaultPart(s, slot.adapter, value);
    }

    /// @notice Fair value of an adapter's whole position, claims included.
    function positionValue(address adapter) internal view returns (bool ok, uint256 value) {
        (ok, value) = read(adapter, IAdapter.fairValue.selector);
        if (value > MAX_TOTAL) return (false, 0);
    }

    /// @notice What the vault's exit could take from an adapter now; zero when in doubt.
    function withdrawable(VaultState storage s, AdapterSlot memory slot) internal view returns (uint256 value) {
        bool ok;
        (ok, value) = read(slot.adapter, IAdapter.maxWithdraw.selector);
        if (!ok || value > MAX_TOTAL) return 0;
        if (slot.claimed) {
            uint256 own;
            (ok, own) = fairValue(s, slot);
            value = ok ? Math.min(value, own) : 0;
        }
    }

    /// @notice The part of an amount of an adapter's position that no claim has. Only for a position with claims.
    function vaultPart(VaultState storage s, address adapter, uint256 amount) internal view returns (uint256) {
        ClaimUnits memory units = s.claimUnits[adapter];
        return Math.mulDiv(amount, units.total - units.claimed, units.total);
    }

    /// @notice After a move of the vault's: its units change with the position, those of claims and their worth stay. What
    /// the venue took of the position beyond what it paid is the vault's loss, and none of the claims'. Claims on a position
    /// that had become worthless keep the smallest of parts.
    /// @param before The whole position. @param afterwards The whole position.
    function resizeUnits(VaultState storage s, address adapter, uint256 before, uint256 afterwards) internal {
        ClaimUnits memory units = s.claimUnits[adapter];
        uint256 total =
            before == 0 ? units.total + units.total * afterwards * WAD : Math.mulDiv(units.total, afterwards, before);
        setUnits(s, adapter, Math.max(total, units.claimed), units.claimed);
    }

    /// @notice Stores the units of an adapter's position and how many belong to claims; both zero: none does.
    function setUnits(VaultState storage s, address adapter, uint256 total, uint256 claimed) internal {
        s.claimUnits[adapter] = ClaimUnits(total, claimed);
        emit IVault.ClaimUnitsChanged(adapter, total, claimed);
    }

    /// @dev A withdrawal from an adapter of what is the vault's: begun before the call of the adapter, ended after it.
    /// @param known Whether the position could be read. @param before The whole position. @param part The vault's of it,
    /// where there are claims. @param amount What to ask for.
    struct Withdrawal {
        bool known;
        uint256 before;
        uint256 part;
        uint256 amount;
    }

    /// @notice Claims of others on the position are never withdrawn, and without a value the parts are not known.
    /// @param amount Assets; the greatest number: everything.
    function beginWithdrawal(
        VaultState storage s,
        AdapterSlot memory slot,
        uint256 amount
    ) internal returns (Withdrawal memory w) {
        (w.known, w.before) = positionValue(slot.adapter);
        w.amount = amount;
        if (slot.claimed) {
            if (!w.known) revert IVault.AdapterUnreadable(slot.adapter);
            w.part = vaultPart(s, slot.adapter, w.before);
            w.amount = Math.min(amount, w.part);
        }
        if (w.known) chargeFall(s, slot, slot.claimed ? w.part : w.before);
    }

    /// @return lost What the position fell by beyond what came in: off total assets already.
    function endWithdrawal(
        VaultState storage s,
        AdapterSlot memory slot,
        Withdrawal memory w,
        uint256 received
    ) internal returns (uint256 lost) {
        lost = bookWithdrawal(s, slot, w.known, w.before, received);
        if (slot.claimed && received + lost > w.part + ROUNDING) {
            revert IVault.ClaimsImpaired(slot.adapter, received + lost, w.part);
        }
        bookLoss(s, slot, lost);
    }

    /// @notice Charges the loss budget with what an inexact adapter fell by since it was last recorded, whoever is to blame,
    /// before it is recorded anew. It may use the budget up: it refuses nothing by itself.
    /// @param value Fair value of the vault's part now.
    function chargeFall(VaultState storage s, AdapterSlot memory slot, uint256 value) internal {
        if (slot.exact || slot.quarantined) return;
        uint256 recorded = s.positions[slot.adapter].recorded;
        if (value >= recorded) return;
        uint256 share = RateBudget.shareOf(recorded - value, limitBase(s));
        emit IVault.BudgetSpent("lossBudget", share, s.lossBudget.charge(share));
    }

    /// @notice The first adapter whose venue's price is away from fair value, or cannot be judged; zero: none is. One that
    /// holds less than {STEADY_FROM} of the total is not asked: its price says nothing about that of shares.
    function unsteady(VaultState storage s) internal view returns (address) {
        if (s.inexactCount == 0) return address(0);
        uint256 count = s.adapterCount;
        for (uint256 i; i < count; ++i) {
            AdapterSlot memory slot = s.adapters[i];
            if (slot.exact) continue;
            if (s.positions[slot.adapter].recorded * STEADY_FROM < s.accounted) continue;
            (bool ok, uint256 answer) = read(slot.adapter, ILiquidityAdapter.steady.selector);
            if (!ok || answer != 1) return slot.adapter;
        }
        return address(0);
    }

    /// @notice Books a withdrawal from an adapter: units of claims, recorded value, event.
    /// @param known Whether the position could be read before. @param before The whole position.
    /// @param received What came in.
    /// @return lost What the position fell by beyond that; nothing if it was not known. One that cannot be read afterwards
    /// is taken to be lost, but what is recorded of it, and so what its groups hold, only falls by what came in.
    function bookWithdrawal(
        VaultState storage s,
        AdapterSlot memory slot,
        bool known,
        uint256 before,
        uint256 received
    ) internal returns (uint256 lost) {
        (bool ok, uint256 value) = positionValue(slot.adapter);
        if (known && before > value + received) lost = before - value - received;
        if (slot.claimed) {
            resizeUnits(s, slot.adapter, before, ok ? value : before - Math.min(before, received));
            value = vaultPart(s, slot.adapter, value);
        }
        if (!ok) {
            value = s.positions[slot.adapter].recorded;
            value -= Math.min(value, received);
        }
        recordValue(s, slot, value);
        emit IVault.Allocated(slot.adapter, -int256(received), value);
    }

    /// @notice Takes a loss off total assets at once, so that no gain which still waits makes up for it: who is here when it
    /// happens bears it. (What is in quarantine does not count, so neither does a loss in it.)
    function bookLoss(VaultState storage s, AdapterSlot memory slot, uint256 lost) internal {
        if (lost != 0 && !slot.quarantined) s.accounted -= uint104(Math.min(s.accounted, lost));
    }

    /// @notice Idle and every adapter that counts.
    /// @dev Every deposit pays for one turn of this loop an adapter, so the common case, neither in quarantine nor with
    /// claims, is told by the slot's two topmost bytes, without taking the slot apart.
    /// @return sum What is there now, gains that still drip included.
    /// @return uncounted Whether an adapter is in quarantine or cannot be read.
    function sumNow(VaultState storage s, IERC20 asset) internal view returns (uint256 sum, bool uncounted) {
        sum = TrustedRead.balanceOf(address(asset), address(this));
        uint256 count = s.adapterCount;
        AdapterSlot[MAX_ADAPTERS] storage slots = s.adapters;
        for (uint256 i; i < count; ++i) {
            uint256 word;
            assembly ("memory-safe") {
                word := sload(add(slots.slot, i))
            }
            (bool ok, uint256 value) = word >> 240 == 0
                ? positionValue(address(uint160(word)))
                : specialValue(s, slots[i]);
            if (ok) sum += value;
            else uncounted = true;
        }
    }

    function specialValue(VaultState storage s, AdapterSlot memory slot) private view returns (bool, uint256) {
        return slot.quarantined ? (false, 0) : fairValue(s, slot);
    }

    /// @notice Whether total assets were brought up to date in this block.
    /// @dev Never while an adapter does not count: who makes a read fail for a moment must not fix the price for a block.
    function current(VaultState storage s) internal view returns (bool) {
        return s.updatedAt == block.timestamp && !s.revalue && !s.uncounted;
    }

    /// @notice What an accrual now would do. Supply is with the virtual shares, `par` what it was first sold for.
    /// @dev Losses count at once. Gains count at most at `maxRate` since the last accrual, and beyond that up to what was
    /// written off while nobody could enter, because an adapter did not count or next to nothing was left: it comes back to
    /// those who bore it.
    function forecast(
        VaultState storage s,
        IERC20 asset,
        uint256 supply,
        uint256 par
    ) internal view returns (Accrual memory a) {
        uint256 accounted = s.accounted;
        uint256 elapsed = block.timestamp - s.updatedAt;
        uint256 sum;
        (sum, a.uncounted) = sumNow(s, asset);

        uint256 growth = (accounted * s.maxRate * (elapsed + s.carry)) / (YEAR * WAD);
        uint256 back = s.writtenOff;
        a.total = Math.min(Math.min(sum, accounted + growth + back), MAX_TOTAL);
        if (a.uncounted || isWipedOut(a.total, par)) {
            if (a.total < accounted) a.writtenOff = Math.min(back + accounted - a.total, MAX_TOTAL);
            else a.writtenOff = back - Math.min(back, a.total - Math.min(a.total, accounted + growth));
        }
        // Seconds in which the growth was less than a unit. Not those in which it was of next to nothing, because the rest was
        // written off: it would be much once that is back.
        if (growth == 0 && back == 0 && sum > accounted && s.maxRate != 0) {
            a.carry = Math.min(elapsed + s.carry, type(uint16).max);
        }
        if (s.managementFee != 0 || s.performanceFee != 0) fees(s, a, supply, elapsed);
    }

    /// @notice Nobody can enter at so small a part of par: shares bought then would overflow sooner than be of use, and would
    /// take the return of what was lost from those who lost it.
    function isWipedOut(uint256 total, uint256 par) internal pure returns (bool) {
        return total < leastTotal(par);
    }

    /// @notice Total assets from which on somebody can enter: a hundredth of par, less the virtual unit.
    function leastTotal(uint256 par) internal pure returns (uint256) {
        return (par - 1) / WIPED_OUT;
    }

    function fees(VaultState storage s, Accrual memory a, uint256 supply, uint256 elapsed) private view {
        uint256 total = a.total + 1;
        uint256 assets = Math.min((a.total * s.managementFee * elapsed) / (YEAR * WAD), a.total);
        a.managementShares = Math.mulDiv(assets, supply, total - assets);
        supply += a.managementShares;
        if (s.performanceFee == 0) return;
        uint256 price = priceOf(a.total, supply);
        uint256 mark = s.highWaterMark;
        if (price <= mark) return;
        assets = Math.mulDiv(Math.mulDiv(price - mark, supply, PRICE_SCALE), s.performanceFee, WAD);
        a.performanceShares = Math.mulDiv(assets, supply, total - assets);
        a.highWaterMark = priceOf(a.total, supply + a.performanceShares);
    }

    /// @notice Assets for 1e18 shares, scaled by 1e18. Supply is with the virtual shares.
    function priceOf(uint256 total, uint256 supply) internal pure returns (uint256) {
        return ((total + 1) * PRICE_SCALE) / supply;
    }

    /// @notice What limits that are shares of total assets are shares of: the total of an earlier block, and not above
    /// today's. Neither a deposit nor an exit in this block widens it.
    function limitBase(VaultState storage s) internal view returns (uint256) {
        return s.updatedAt == block.timestamp ? Math.min(s.earlier, s.accounted) : s.accounted;
    }

    /// @notice Writes an adapter's recorded value and moves its groups' sums by the difference.
    function recordValue(VaultState storage s, AdapterSlot memory slot, uint256 value) internal {
        Position storage position = s.positions[slot.adapter];
        value = Math.min(value, type(uint120).max);
        uint256 before = position.recorded;
        if (before == value) return;
        position.recorded = uint120(value);
        uint256 group;
        for (uint256 mask = slot.groupMask; mask != 0; (mask >>= 1, ++group)) {
            if (mask & 1 == 0) continue;
            uint256 allocated = s.groups[group].allocated + value;
            s.groups[group].allocated = uint128(allocated - Math.min(allocated, before));
        }
    }
}
