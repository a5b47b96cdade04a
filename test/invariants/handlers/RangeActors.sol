// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {UniswapV3Adapter} from "../../../contracts/adapters/UniswapV3Adapter.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IUniswapV3Pool} from "../../../contracts/interfaces/external/IUniswapV3.sol";
import {PoolReads} from "../../../contracts/libraries/PoolReads.sol";
import {Ledger} from "../Ledger.sol";
import {RangeWorld} from "../RangeWorld.sol";
import {PoolActors} from "./PoolActors.sol";

/// @title Who acts around a vault in a range of Uniswap V3
contract RangeActors is PoolActors {
    /// @dev Units of both coins that valuing a position may round by.
    uint256 private constant ROUNDING = 4;
    /// @dev Ticks that the sale of an exit may move spot.
    int24 private constant MOST_TRAVEL = 2_000;

    /// @dev A range that the adapter has been in, and what strangers put into it since it was left: liquidity.
    struct Range {
        int24 lower;
        int24 upper;
        uint128 alms;
    }

    RangeWorld private immutable w;
    IUniswapV3Pool private immutable pool;
    UniswapV3Adapter private immutable ranged;
    Range[] private ranges;

    constructor(RangeWorld w_, Ledger l_) PoolActors(w_, l_) {
        (w, pool, ranged) = (w_, w_.pool(), UniswapV3Adapter(address(w_.adapter())));
    }

    /* THE MARKET */

    /// @notice The paired coin has another price, everywhere at once but in the mean; or comes home; often time passes.
    function wander(uint256 word) external {
        nextBlock();
        w.setAnswer(word % 4 == 0 ? int256(within(next(word, 1), 99_200_000, 100_800_000)) : int256(1e8));
        taken();
        if (word % 4 == 0) l.reach("another price");
        if (word % 8 != 0) vm.warp(block.timestamp + 1 days);
        answer();
        look();
    }

    /// @notice As an honest keeper would: the range goes where the price has gone, by a full exit and an entry a day after a
    /// fall was charged.
    function follow(uint256 word) external {
        try vault.refresh(address(adapter)) {} catch {}
        vm.warp(block.timestamp + 1 days);
        vm.roll(block.number + 1);
        answer();
        vault.accrue();
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0] = IVault.Move(address(adapter), type(int256).min, "");
        judged(moves, 0);
        moves[0].assets = int256(vault.idle() / (2 + (word % 4)) + 1);
        judged(moves, 0);
    }

    /// @notice The attacker's own liquidity comes and goes: none but ours, or many times ours just around par.
    function lend(uint256 word) external {
        int24 par = w.middle();
        if (word % 8 == 0) {
            aimAt(par - 2 * w.spacing(), par + 2 * w.spacing(), 0);
            aimAt(par - w.WIDE(), par + w.WIDE(), 0);
        } else if (word % 8 == 1 && ranges.length != 0) {
            // A provider beside a range, so that its ticks are the pool's before the adapter comes back to it.
            Range memory beside = ranges[next(word, 1) % ranges.length];
            if ((word >> 8) % 2 == 0) aimAt(beside.upper, beside.upper + 20 * w.spacing(), w.deep() / 1_000);
            else aimAt(beside.lower - 20 * w.spacing(), beside.lower, w.deep() / 1_000);
        } else {
            uint128[4] memory choice = [uint128(0), w.deep() / 1_000, w.deep(), w.deep() * 10];
            int24 half = word % 3 == 0 ? 2 * w.spacing() : w.WIDE();
            aimAt(par - half, par + half, choice[(word >> 8) % 4]);
        }
        uint128 ours = w.liquidityOf(address(adapter), ranged.tickLower(), ranged.tickUpper());
        if (ours != 0 && pool.liquidity() == ours) l.reach("nobody else in the pool");
        look();
    }

    function aimAt(int24 lower, int24 upper, uint128 aim) private {
        uint128 held = w.liquidityOf(address(w.trader()), lower, upper);
        if (aim > held) w.trader().mint(address(w.trader()), lower, upper, aim - held);
        if (aim < held) w.trader().burn(lower, upper, held - aim);
    }

    /// @notice Gifts: liquidity in the adapter's range, in one that it left, or the paired coin.
    function giveAlms(uint256 word) external {
        if (word % 3 == 0) {
            w.paired().mint(address(adapter), within(next(word, 1), 1, w.paired().totalSupply() / 1e10));
        } else if (ranges.length != 0) {
            Range storage range = ranges[word % 3 == 1 ? next(word, 1) % ranges.length : ranges.length - 1];
            uint128 liquidity = uint128(within(next(word, 2), 1, w.deep() / 1_000));
            w.trader().mint(address(adapter), range.lower, range.upper, liquidity);
            if (!isCurrent(range)) {
                range.alms += liquidity;
                l.reach("liquidity in a range that was left");
            }
        }
        look();
    }

    function tax(uint256 word) external {
        w.tax(word % 3 == 0 ? 0 : uint8(4 + (word % 7)));
    }

    /* OF POOLACTORS */

    /// @dev Often to an end of what is steady.
    function pushed(uint256 word) internal override returns (bool) {
        if (word % 8 == 0) return false;
        int24 tick = w.meanTick();
        int24 ticks = int24(int256(within(next(word, 1), 0, 22))) - 11;
        if (word % 4 == 1) ticks = int24(int256(within(next(word, 1), 0, 400))) - 200;
        if (word % 16 == 3) ticks = int24(int256(within(next(word, 1), 0, 10_000))) - 5_000;
        w.trader().push(w.priceAway(tick, ticks));
        return true;
    }

    function taken() internal override {
        w.trader().push(w.restPrice());
    }

    /// @dev Where no price can be read, nobody enters, no plan runs, and an exit in kind asks for none.
    function shortfall(uint256 there) internal override returns (uint256) {
        if (!reads()) return 0;
        uint256 low = Math.saturatingSub(there, adapter.fairValue());
        if (low > there / 10_000) l.reach("fair value under what there is");
        return low;
    }

    function emptied() internal override {
        l.reach("all taken out");
        string memory law = "invariant_rangeLeavesNothingBehind";
        for (uint256 i; i < ranges.length; ++i) {
            Range memory range = ranges[i];
            (uint128 liquidity, , , uint128 owed0, uint128 owed1) = pool.positions(
                keccak256(abi.encodePacked(address(adapter), range.lower, range.upper))
            );
            // What strangers put into a range that was left, and its fees, are nobody's.
            if (range.alms != 0) continue;
            if (liquidity != 0) l.breach(law, "liquidity", liquidity, 0);
            if (owed0 != 0 || owed1 != 0) l.breach(law, "owed by the pool", owed0, owed1);
        }
        uint256 amount = w.token().balanceOf(address(adapter));
        uint256 paired = w.paired().balanceOf(address(adapter));
        // What a pool that ran dry did not buy stays, and counts.
        if (ranDry()) {
            l.reach("all sold into a pool that ran dry");
            paired = 0;
        }
        if (amount != 0 || paired != 0) l.breach(law, "with the adapter", amount, paired);
    }

    /// @dev The sale of an exit went as far as it may.
    function ranDry() private view returns (bool) {
        (, int24 tick, , , , , ) = pool.slot0();
        int24 off = tick - w.meanTick();
        return (off < 0 ? -off : off) >= MOST_TRAVEL - w.SPOT_BOUND() - 1;
    }

    function look() internal override {
        lookAtRanges();
        lookAtFees();
        lookAtCallbacks();
        lookAtSteadiness();
        if (reads()) lookAtValue();
    }

    /* LAWS */

    function lookAtRanges() private {
        string memory law = "invariant_rangeIsOneAndOnTicks";
        (int24 lower, int24 upper) = (ranged.tickLower(), ranged.tickUpper());
        bool known = lower == upper;
        if (known && lower != 0) l.breach(law, "an empty range away from zero", uint24(lower), 0);
        for (uint256 i; i < ranges.length; ++i) {
            Range storage range = ranges[i];
            if (isCurrent(range)) {
                (known, range.alms) = (true, 0);
                continue;
            }
            uint128 left = w.liquidityOf(address(adapter), range.lower, range.upper);
            if (left != range.alms) l.breach(law, "liquidity in a range that was left", left, range.alms);
        }
        if (known) return;
        ranges.push(Range(lower, upper, 0));
        l.reach(ranges.length == 1 ? "a range" : "another range");
        int24 spacing = w.spacing();
        if (lower % spacing != 0 || upper % spacing != 0) l.breach(law, "off ticks", uint24(lower), uint24(upper));
        if (upper - lower != 2 * w.HALF_WIDTH()) l.breach(law, "width", uint24(upper - lower), 0);
        int24 off = lower + w.HALF_WIDTH() - w.meanTick();
        if (off > spacing / 2 || off < -spacing / 2) l.breach(law, "off the mean", uint24(off < 0 ? -off : off), 0);
    }

    /// @dev As the pool itself counts them when it is told to.
    function lookAtFees() private {
        (int24 lower, int24 upper) = (ranged.tickLower(), ranged.tickUpper());
        if (w.liquidityOf(address(adapter), lower, upper) == 0) return;
        PoolReads.Position memory said = ranged.position();
        (uint256 fees0, uint256 fees1) = w.fees();
        string memory law = "invariant_rangeFeesAreCountedOnceAsThePoolDoes";
        if (said.fees0 != fees0) l.breach(law, "of token0", said.fees0, fees0);
        if (said.fees1 != fees1) l.breach(law, "of token1", said.fees1, fees1);
        if (fees0 != 0 && fees1 != 0) l.reach("fees of both coins");
    }

    /// @dev Not even in the transaction of a plan, after it.
    function lookAtCallbacks() private {
        string memory law = "invariant_rangeAnswersNobodyOutsideOfItsCalls";
        for (uint256 i; i < 2; ++i) {
            address caller = i == 0 ? address(pool) : attacker;
            vm.prank(caller);
            try ranged.uniswapV3MintCallback(0, 0, "") {
                l.breach(law, "for liquidity", i, 0);
            } catch {}
            vm.prank(caller);
            try ranged.uniswapV3SwapCallback(0, 0, "") {
                l.breach(law, "for a trade", i, 0);
            } catch {}
        }
    }

    /// @dev Further from the mean than it may be, spot lets nobody in, whatever the adapter says of itself.
    function lookAtSteadiness() private {
        (, int24 tick, , , , , ) = pool.slot0();
        int24 off = tick - w.meanTick();
        if (off < 0) off = -off;
        if (off <= w.SPOT_BOUND() || !adapter.steady()) return;
        l.breach("invariant_poolEntryIsShutWhileUnsteady", "steady at ticks off the mean", uint24(off), 0);
    }

    /// @dev Wherever spot is, the coins that are behind it are worth no less: not by the feeds, nor by the mean as far as it is
    /// believed. What an exit pays by the adapter is not more either.
    function lookAtValue() private {
        string memory law = "invariant_rangeFairValueIsNeverAboveItsCoins";
        uint256 value = adapter.fairValue();
        if (value == 0) return;
        uint256 worth = w.behind() + ROUNDING;
        if (value > worth) l.breach(law, "by the feeds", value, worth);
        worth = w.behindAtMean() + ROUNDING;
        if (value > worth) l.breach(law, "by the mean", value, worth);
        worth = adapter.exitValue();
        if (value < worth) l.breach(law, "under what an exit pays", value, worth);
    }

    function isCurrent(Range memory range) private view returns (bool) {
        return range.lower == ranged.tickLower() && range.upper == ranged.tickUpper();
    }
}
