// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Claims} from "../Claims.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Accounting} from "./Accounting.sol";
import {AdapterFailure} from "./AdapterFailure.sol";
import {AdapterSlot, ClaimUnits, VaultState} from "./VaultState.sol";

/// @title The exit that needs nobody: a part of everything, as receipts or as claims
/// @notice
/// WHAT IT PROMISES
/// - Whoever holds shares gets their part of idle and of every position, whatever state vault and venues are in: in receipts,
///   or, of what is skipped or refused, as a claim. No adapter can end the exit: each payment is bounded in gas and caught.
/// - What is paid is scaled by accounted total / present sum, so a gain that still drips stays with those who stay. Of what does
///   not count, the part of what was written off.
/// - What belongs to earlier claims is not touched.
///
/// WHAT IT TRUSTS
/// - Adapters, to send of the position the part that is asked and no more. Of a quarantined one too.
///
/// WHAT CAN GO WRONG
/// - An adapter that cannot be read is taken for its recorded value: a gain that waits in it goes with the exit.
/// - A venue that takes the receipts and reverts afterwards has not taken them: its call is undone whole.
///
/// WHAT IT DOES NOT PROMISE
/// - That receipts can be turned into assets, or that their issuer lets them be sent. Assets at once: that is `redeem`.
/// @dev Linked library: runs in the vault's storage. The vault has accrued, and has burned the shares already.
library InKind {
    using SafeERC20 for IERC20;

    /// @dev Units a position is divided into when the first claim on it is made.
    uint256 private constant UNITS = 1e27;

    /// @dev Gas that a payment of receipts is given, and what must be left before: a venue that burns all it is given
    /// becomes a claim and does not end the exit; a caller who brings too little cannot turn a payment into a claim.
    uint256 private constant PAY_GAS = 1_000_000;
    uint256 private constant PAY_GAS_NEEDED = 1_030_000;

    /// @dev What an adapter was found to be worth at the beginning, in the order of the queue. Each is read once: ten that burn
    /// all gas of a read must leave enough for the exit.
    struct Reading {
        bool ok;
        uint256 value;
    }

    /// @dev The exit's part of the vault, in parts of `denominator`, scaled so that a gain which still drips stays:
    /// `numerator` of what counts; `uncounted` of what does not, where what was written off is what is paid of.
    struct Exit {
        Claims claims;
        uint256 shares;
        uint256 numerator;
        uint256 uncounted;
        uint256 denominator;
        address receiver;
        uint256 skipMask;
        Reading[] readings;
    }

    /// @notice See {IVault.redeemInKind}.
    /// @param supply Supply before the burn, with the virtual shares: their part stays.
    /// @return idlePaid Assets paid.
    function redeem(
        VaultState storage s,
        IERC20 asset,
        Claims claims,
        uint256 shares,
        uint256 supply,
        address receiver,
        address[] calldata skip
    ) external returns (uint256 idlePaid) {
        Exit memory exit = Exit(
            claims,
            shares,
            0,
            0,
            supply,
            receiver,
            skipMask(s, skip),
            new Reading[](s.adapterCount)
        );
        uint256 accountedPaid = settle(s, asset, exit);
        idlePaid = payIdle(asset, exit);
        for (uint256 i; i < exit.readings.length; ++i) payPart(s, exit, i);
        emit IVault.RedeemedInKind(msg.sender, receiver, shares, idlePaid, accountedPaid);
    }

    /// @dev Takes the exit's part off total assets, at the price of this block's accrual whatever happened since, and finds
    /// the scale of what is paid.
    function settle(VaultState storage s, IERC20 asset, Exit memory exit) private returns (uint256 accountedPaid) {
        uint256 accounted = s.accounted;
        uint256 written = s.writtenOff;
        (uint256 sum, uint256 uncounted) = readAll(s, asset, exit.readings);
        exit.numerator = sum > accounted ? Math.mulDiv(exit.shares, accounted, sum) : exit.shares;
        exit.uncounted = uncounted > written ? Math.mulDiv(exit.shares, written, uncounted) : exit.shares;
        accountedPaid = Math.mulDiv(accounted, exit.shares, exit.denominator);
        s.accounted = uint104(accounted - accountedPaid);
        s.writtenOff = uint104(written - Math.mulDiv(written, exit.shares, exit.denominator));
    }

    /// @return sum Idle and what counts.
    /// @return uncounted What the others would count for: what is recorded, of one that cannot be read.
    function readAll(
        VaultState storage s,
        IERC20 asset,
        Reading[] memory readings
    ) private view returns (uint256 sum, uint256 uncounted) {
        sum = asset.balanceOf(address(this));
        for (uint256 i; i < readings.length; ++i) {
            AdapterSlot memory slot = s.adapters[i];
            (bool ok, uint256 value) = Accounting.fairValue(s, slot);
            readings[i] = Reading(ok, value);
            if (!ok) uncounted += s.positions[slot.adapter].recorded;
            else if (slot.quarantined) uncounted += value;
            else sum += value;
        }
    }

    function payIdle(IERC20 asset, Exit memory exit) private returns (uint256 paid) {
        paid = Math.mulDiv(asset.balanceOf(address(this)), exit.numerator, exit.denominator);
        if (paid != 0) asset.safeTransfer(exit.receiver, paid);
    }

    function payPart(VaultState storage s, Exit memory exit, uint256 place) private {
        AdapterSlot memory slot = s.adapters[place];
        bool ok = exit.readings[place].ok;
        if (ok && exit.readings[place].value == 0) return;
        uint256 numerator = slot.quarantined || !ok ? exit.uncounted : exit.numerator;
        if (numerator == 0) return;
        uint256 denominator = exit.denominator;
        uint256 left = recordedAfter(s, slot.adapter, numerator, denominator);
        ClaimUnits memory units = s.claimUnits[slot.adapter];
        uint256 part;
        if (units.total != 0) {
            // Of the position's units the vault owns only some.
            part = Math.mulDiv(units.total - units.claimed, numerator, denominator);
            if (part == 0) return;
            (numerator, denominator) = (part, units.total);
        }
        if (exit.skipMask & (1 << place) == 0) {
            (bool paid, uint256 receipts) = tryPay(slot.adapter, numerator, denominator, exit.receiver);
            if (paid) {
                if (part != 0) Accounting.setUnits(s, slot.adapter, units.total - part, units.claimed);
                record(s, slot, left);
                emit IVault.PaidInKind(slot.adapter, exit.receiver, receipts, 0);
                return;
            }
        }
        if (units.total == 0) {
            part = Math.mulDiv(UNITS, numerator, denominator);
            units.total = UNITS;
        }
        if (part == 0) return;
        Accounting.setUnits(s, slot.adapter, units.total, units.claimed + part);
        s.adapters[s.positions[slot.adapter].place - 1].claimed = true;
        exit.claims.mint(exit.receiver, slot.adapter, part);
        record(s, slot, left);
        emit IVault.PaidInKind(slot.adapter, exit.receiver, 0, part);
    }

    /// @notice Pays a claim in receipts. The claim stays if the venue refuses.
    function redeemClaim(
        VaultState storage s,
        Claims claims,
        address adapter,
        uint256 amount,
        address receiver
    ) external returns (uint256 receipts) {
        uint256 held = claims.balanceOf(msg.sender, uint160(adapter));
        if (amount == 0 || amount > held) revert IVault.ClaimTooLarge(amount, held);
        ClaimUnits memory units = s.claimUnits[adapter];
        claims.burn(msg.sender, adapter, amount);
        bool last = units.claimed == amount;
        Accounting.setUnits(s, adapter, last ? 0 : units.total - amount, units.claimed - amount);
        uint256 place = s.positions[adapter].place;
        if (last && place != 0) s.adapters[place - 1].claimed = false;
        try IAdapter(adapter).redeemInKind(amount, units.total, receiver) returns (uint256 sent) {
            receipts = sent;
        } catch (bytes memory reason) {
            AdapterFailure.raise(adapter, reason);
        }
        emit IVault.ClaimRedeemed(adapter, receiver, amount, receipts);
    }

    function tryPay(
        address adapter,
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) private returns (bool paid, uint256 receipts) {
        if (gasleft() < PAY_GAS_NEEDED) revert IVault.InsufficientGas(gasleft(), PAY_GAS_NEEDED);
        bytes memory data = abi.encodeCall(IAdapter.redeemInKind, (numerator, denominator, receiver));
        assembly ("memory-safe") {
            paid := call(PAY_GAS, adapter, 0, add(data, 0x20), mload(data), 0x00, 0x20)
            paid := and(paid, gt(returndatasize(), 0x1f))
            if paid {
                receipts := mload(0x00)
            }
        }
    }

    /// @dev Rounded up: what is recorded counts against caps.
    function recordedAfter(
        VaultState storage s,
        address adapter,
        uint256 numerator,
        uint256 denominator
    ) private view returns (uint256) {
        uint256 recorded = s.positions[adapter].recorded;
        return recorded - Math.mulDiv(recorded, numerator, denominator);
    }

    function record(VaultState storage s, AdapterSlot memory slot, uint256 value) private {
        Accounting.recordValue(s, slot, value);
        emit IVault.Allocated(slot.adapter, 0, value);
    }

    function skipMask(VaultState storage s, address[] calldata skip) private view returns (uint256 mask) {
        for (uint256 i; i < skip.length; ++i) {
            uint256 place = s.positions[skip[i]].place;
            if (place == 0) revert IVault.UnknownAdapter(skip[i]);
            mask |= 1 << (place - 1);
        }
    }
}
