// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Curve3PoolAdapter} from "../adapters/Curve3PoolAdapter.sol";
import {SkySavingsAdapter} from "../adapters/SkySavingsAdapter.sol";
import {UniswapV3Adapter} from "../adapters/UniswapV3Adapter.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {IVault} from "../interfaces/IVault.sol";
import {IVaultLens} from "../interfaces/IVaultLens.sol";
import {IAaveV3CommonRateStrategy, IAaveV3Pool, IAaveV3ReserveRateStrategy} from "../interfaces/external/IAaveV3.sol";
import {IComet} from "../interfaces/external/IComet.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {ICurvePool} from "../interfaces/external/ICurvePool.sol";
import {IPot, ISavingsDai, ISavingsUsds, ISkyPsm} from "../interfaces/external/ISky.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3.sol";
import {AaveV3Reserve} from "../libraries/AaveV3Reserve.sol";
import {PoolReads} from "../libraries/PoolReads.sol";

/// @title Everything a keeper or a page needs of a vault and its venues, at one block, in one call
/// @notice
/// WHAT IT IS
/// - A view. It holds nothing, is trusted with nothing by the vault, and can be replaced at any time. A keeper that reads a
///   wrong number plans badly, and the vault bounds what that costs.
/// - Each venue is read by a call of this contract to itself, bounded in gas and caught: a broken venue costs its own entry
///   (`readable` false, `state` empty) and no more.
///
/// WHAT IT READS, AND TRUSTS TO ANSWER
/// - Of Aave the pool, its tokens and the rate strategy; of Compound Comet; of Sky the savings vault (for DAI its pot) and the
///   PSM; of Curve and Uniswap the pool and the feeds that the adapter names. No data provider, no list of addresses: where
///   to ask, the adapters say.
/// - The kind that an adapter gives itself decides how its venue is read. Adapters are vetted by the timelock.
///
/// WHAT CAN GO WRONG
/// - A venue whose read takes more than its bound of gas reads as one that does not answer. So does one that answers in
///   another layout than its kind's.
/// - A node may end the call for its own bound of gas; ten adapters that fail in the worst way ask for tens of millions.
/// - Spot prices, cash and utilisation are those of the moment, and one transaction can make them whatever it likes. The
///   vault uses none of them.
///
/// WHAT IT DOES NOT PROMISE
/// - That the vault will carry out what a plan made of this snapshot asks: other transactions come between.
/// - An answer for a contract that is no vault: the whole call reverts then.
contract VaultLens is IVaultLens {
    uint256 private constant ADAPTER_GAS = 3_000_000;
    /// @dev What the vault gives this read, so that both find the same readable.
    uint256 private constant FAIR_VALUE_GAS = 410_000;

    uint256 private constant BPS_TO_RAY = 1e23;
    uint256 private constant WAD = 1e18;
    /// @dev How many windows back a pool is asked for its mean price.
    uint256 private constant WINDOWS = 8;

    /// @inheritdoc IVaultLens
    function snapshot(address vault, address keeper) external view returns (Snapshot memory snap) {
        IVault v = IVault(vault);
        readChain(snap, v);
        readTotals(snap, v);
        readLimits(snap, v);
        readRoles(snap, v, keeper);
        IVault.GroupConfiguration[] memory groups = v.groups();
        snap.groups = new GroupView[](groups.length);
        for (uint256 i; i < groups.length; ++i) snap.groups[i] = GroupView(groups[i].name, groups[i].relativeCap);
        address[] memory list = v.adapters();
        snap.adapters = new AdapterView[](list.length);
        for (uint256 i; i < list.length; ++i) snap.adapters[i] = readAdapter(v, list[i]);
    }

    /// @inheritdoc IVaultLens
    function stateShapes()
        external
        view
        returns (
            AaveV3State memory aave,
            CompoundV3State memory compound,
            Erc4626State memory erc4626,
            SkySavingsState memory sky,
            Curve3PoolState memory curve,
            UniswapV3State memory uniswap
        )
    {}

    /* ONE VENUE: called by this contract itself */

    /// @notice What the vault would read of an adapter. Reverts if it cannot.
    function adapterFairValue(address adapter) external view returns (uint256) {
        return IAdapter(adapter).fairValue();
    }

    /// @notice What an adapter could take and pay now. Reverts if it cannot say.
    function adapterLimits(
        address adapter
    ) external view returns (uint256 exitValue, uint256 maxDeposit, uint256 maxWithdraw) {
        IAdapter a = IAdapter(adapter);
        return (a.exitValue(), a.maxDeposit(), a.maxWithdraw());
    }

    /// @notice What an adapter is. Reverts if it does not say.
    function adapterIdentity(address adapter) external view returns (address venue, address receipt, bytes32 kind) {
        IAdapter a = IAdapter(adapter);
        return (a.venue(), a.receipt(), a.kind());
    }

    /// @notice ABI encoding of the state struct that belongs to an adapter's kind; empty for a kind that is unknown here.
    function venueState(address adapter) external view returns (bytes memory) {
        IAdapter a = IAdapter(adapter);
        bytes32 kind = a.kind();
        if (kind == "aave-v3") return abi.encode(aaveState(IAaveV3Pool(a.venue()), a.asset()));
        if (kind == "compound-v3") return abi.encode(cometState(IComet(a.venue())));
        if (kind == "erc4626") return abi.encode(erc4626State(IERC4626(a.venue()), adapter));
        if (kind == "sky-savings") return abi.encode(skyState(SkySavingsAdapter(adapter)));
        if (kind == "curve-3pool") return abi.encode(curveState(Curve3PoolAdapter(adapter)));
        if (kind == "uniswap-v3") return abi.encode(uniswapState(UniswapV3Adapter(adapter)));
        return "";
    }

    /* INTERNALS: the vault */

    function readChain(Snapshot memory snap, IVault v) private view {
        snap.chainId = block.chainid;
        snap.blockNumber = block.number;
        snap.parentHash = blockhash(block.number - 1);
        snap.timestamp = block.timestamp;
        snap.baseFee = block.basefee;
        snap.vault = address(v);
        snap.asset = v.asset();
        snap.assetDecimals = IERC20Metadata(snap.asset).decimals();
        snap.decimals = v.decimals();
    }

    function readTotals(Snapshot memory snap, IVault v) private view {
        snap.opened = v.opened();
        snap.idle = v.idle();
        snap.totalAssets = v.totalAssets();
        (snap.accountedAssets, , ) = v.accountedAssets();
        snap.totalSupply = v.totalSupply();
        snap.sharePrice = v.sharePrice();
    }

    function readLimits(Snapshot memory snap, IVault v) private view {
        snap.depositCap = v.depositCap();
        snap.minimumIdle = v.minimumIdle();
        snap.maxRate = v.maxRate();
        snap.lossPerCall = v.lossPerCall();
        BudgetView memory budget;
        (budget.limit, budget.window, budget.available) = v.lossBudget();
        snap.lossBudget = budget;
        BudgetView memory turnover;
        (turnover.limit, turnover.window, turnover.available) = v.turnoverBudget();
        snap.turnoverBudget = turnover;
    }

    function readRoles(Snapshot memory snap, IVault v, address keeper) private view {
        (IVault.Breaker state, uint256 until) = v.breaker();
        snap.breaker = uint8(state);
        snap.breakerUntil = until;
        snap.owner = v.owner();
        snap.guardian = v.guardian();
        snap.keeper = keeper;
        snap.isKeeper = v.isKeeper(keeper);
        snap.planEpoch = v.planEpoch();
        snap.nextNonce = v.nextNonce(keeper);
    }

    function readAdapter(IVault v, address adapter) private view returns (AdapterView memory a) {
        IVault.AdapterRecord memory record = v.adapter(adapter);
        a.adapter = adapter;
        a.exact = record.exact;
        a.quarantined = record.quarantined;
        a.absoluteCap = record.absoluteCap;
        a.relativeCap = record.relativeCap;
        a.groupMask = record.groupMask;
        try this.adapterIdentity{gas: ADAPTER_GAS}(adapter) returns (address venue, address receipt, bytes32 kind) {
            (a.venue, a.receipt, a.kind) = (venue, receipt, kind);
        } catch {
            return a;
        }
        try this.adapterFairValue{gas: FAIR_VALUE_GAS}(adapter) returns (uint256 fairValue) {
            a.readable = true;
            a.fairValue = fairValue;
        } catch {
            return a;
        }
        if (!a.quarantined) {
            a.counted =
                record.totalUnits == 0
                    ? a.fairValue
                    : Math.mulDiv(a.fairValue, record.totalUnits - record.claimUnits, record.totalUnits);
        }
        // Without these a venue has a value and neither takes nor pays.
        try this.adapterLimits{gas: ADAPTER_GAS}(adapter) returns (uint256 exitValue, uint256 most, uint256 payable_) {
            (a.exitValue, a.maxDeposit, a.maxWithdraw) = (exitValue, most, payable_);
        } catch {
            a.exitValue = 0;
        }
        try this.venueState{gas: ADAPTER_GAS}(adapter) returns (bytes memory state) {
            a.state = state;
        } catch {
            a.state = "";
        }
    }

    /* INTERNALS: the venues */

    function aaveState(IAaveV3Pool pool, address asset) private view returns (AaveV3State memory state) {
        IAaveV3Pool.ReserveData memory reserve = pool.getReserveData(asset);
        uint256 configuration = reserve.configuration;
        state.cash = AaveV3Reserve.cash(pool, asset, reserve);
        state.borrowed = AaveV3Reserve.borrowed(pool, asset, reserve);
        state.aTokenSupply = AaveV3Reserve.measuredSupply(pool, asset, reserve);
        state.supplyCap = AaveV3Reserve.supplyCap(configuration);
        state.liquidityIndex = pool.getReserveNormalizedIncome(asset);
        state.liquidityRate = reserve.currentLiquidityRate;
        state.variableBorrowRate = reserve.currentVariableBorrowRate;
        state.reserveFactorBps = AaveV3Reserve.reserveFactorBps(configuration);
        state.active = AaveV3Reserve.isActive(configuration);
        state.frozen = AaveV3Reserve.isFrozen(configuration);
        state.paused = AaveV3Reserve.isPaused(configuration);
        readRates(state, reserve.interestRateStrategyAddress, asset);
    }

    /// @dev A strategy of one reserve answers in RAY, one for all reserves in basis points.
    function readRates(AaveV3State memory state, address strategy, address asset) private view {
        IAaveV3ReserveRateStrategy own = IAaveV3ReserveRateStrategy(strategy);
        try own.getVariableRateSlope1() returns (uint256 slope1) {
            state.slope1 = slope1;
            state.slope2 = own.getVariableRateSlope2();
            state.baseRate = own.getBaseVariableBorrowRate();
            state.optimalUsage = own.OPTIMAL_USAGE_RATIO();
        } catch {
            IAaveV3CommonRateStrategy.InterestRateData memory data = IAaveV3CommonRateStrategy(strategy)
                .getInterestRateDataBps(asset);
            state.slope1 = data.variableRateSlope1 * BPS_TO_RAY;
            state.slope2 = data.variableRateSlope2 * BPS_TO_RAY;
            state.baseRate = data.baseVariableBorrowRate * BPS_TO_RAY;
            state.optimalUsage = data.optimalUsageRatio * BPS_TO_RAY;
        }
    }

    function cometState(IComet comet) private view returns (CompoundV3State memory state) {
        state.cash = IERC20(comet.baseToken()).balanceOf(address(comet));
        state.supplied = comet.totalSupply();
        state.borrowed = comet.totalBorrow();
        state.utilization = comet.getUtilization();
        state.supplyKink = comet.supplyKink();
        state.supplyBasePerSecond = comet.supplyPerSecondInterestRateBase();
        state.supplySlopeLowPerSecond = comet.supplyPerSecondInterestRateSlopeLow();
        state.supplySlopeHighPerSecond = comet.supplyPerSecondInterestRateSlopeHigh();
        state.supplyRatePerSecond = comet.getSupplyRate(state.utilization);
        state.borrowRatePerSecond = comet.getBorrowRate(state.utilization);
        state.supplyPaused = comet.isSupplyPaused();
        state.withdrawPaused = comet.isWithdrawPaused();
    }

    function erc4626State(IERC4626 venue, address adapter) private view returns (Erc4626State memory state) {
        state.totalAssets = venue.totalAssets();
        state.totalShares = venue.totalSupply();
        // Of 1e18 shares of an asset with 6 decimals the vault would name a number of 7 digits, in which a block's
        // growth cannot be seen; of 1e36 shares it names the WAD that is wanted.
        state.assetsPerShare = venue.convertToAssets(1e36);
        state.vaultMaxWithdraw = venue.maxWithdraw(adapter);
    }

    function skyState(SkySavingsAdapter adapter) private view returns (SkySavingsState memory state) {
        IERC4626 savings = IERC4626(adapter.venue());
        uint256 stablePerUnit = adapter.stablePerUnit();
        state.ratePerSecond = skyRate(address(savings));
        state.assetsPerShare = savings.convertToAssets(WAD);
        state.totalAssets = savings.totalAssets() / stablePerUnit;
        state.cash = IERC20(adapter.asset()).balanceOf(adapter.pocket());
        state.room = IERC20(adapter.prefunded()).balanceOf(adapter.litePsm()) / stablePerUnit;
        (state.tin, state.sellingHalted) = skyFee(ISkyPsm(adapter.psm()).tin());
        (state.tout, state.buyingHalted) = skyFee(ISkyPsm(adapter.psm()).tout());
    }

    /// @dev sUSDS has a rate of its own, sDAI that of the pot.
    function skyRate(address savings) private view returns (uint256) {
        try ISavingsUsds(savings).ssr() returns (uint256 ratePerSecond) {
            return ratePerSecond;
        } catch {
            return IPot(ISavingsDai(savings).pot()).dsr();
        }
    }

    /// @dev A PSM has no fee above 1 but the mark of its halt.
    function skyFee(uint256 marked) private pure returns (uint256 fee, bool halted) {
        return marked > WAD ? (0, true) : (marked, false);
    }

    function curveState(Curve3PoolAdapter adapter) private view returns (Curve3PoolState memory state) {
        ICurvePool pool = ICurvePool(adapter.venue());
        state.virtualPrice = pool.get_virtual_price();
        state.receipts = IERC20(adapter.receipt()).totalSupply();
        state.held = IERC20(adapter.receipt()).balanceOf(address(adapter));
        state.amplification = pool.A();
        state.fee = pool.fee();
        state.place = adapter.index();
        state.slippage = adapter.slippage();
        state.steady = adapter.steady();
        for (uint256 k; k < 3; ++k) {
            state.balances[k] = pool.balances(k);
            state.scales[k] = 10 ** (18 - IERC20Metadata(pool.coins(k)).decimals());
            (, int256 answer, , , ) = IAggregatorV3(adapter.feed(k)).latestRoundData();
            state.dollars[k] = answer > 0 ? uint256(answer) : 0;
        }
    }

    function uniswapState(UniswapV3Adapter adapter) private view returns (UniswapV3State memory state) {
        IUniswapV3Pool pool = IUniswapV3Pool(adapter.venue());
        address asset = adapter.asset();
        (state.sqrtPrice, , , , , , ) = pool.slot0();
        uint32 window = adapter.window();
        state.window = window;
        state.meanTick = PoolReads.meanTick(pool, window);
        state.meanTicks = meanTicks(pool, window);
        state.liquidity = pool.liquidity();
        PoolReads.Position memory position = adapter.position();
        (state.held, state.tickLower, state.tickUpper) = (position.liquidity, position.lower, position.upper);
        state.halfWidth = adapter.halfWidth();
        state.assetFirst = asset == pool.token0();
        (state.feeGrowthAsset, state.feeGrowthPaired) = (pool.feeGrowthGlobal0X128(), pool.feeGrowthGlobal1X128());
        if (!state.assetFirst) {
            (state.feeGrowthAsset, state.feeGrowthPaired) = (state.feeGrowthPaired, state.feeGrowthAsset);
        }
        state.cash = IERC20(asset).balanceOf(address(pool));
        state.pairedDecimals = IERC20Metadata(adapter.receipt()).decimals();
        state.feePips = pool.fee();
        state.spacing = pool.tickSpacing();
        state.oracleBound = adapter.oracleBound();
        state.assetDollars = dollarsOf(adapter.assetFeed());
        state.pairedDollars = dollarsOf(adapter.pairedFeed());
        state.slippage = adapter.slippage();
        state.steady = adapter.steady();
    }

    /// @dev WAD; zero of an answer that is none.
    function dollarsOf(IAggregatorV3 feed) private view returns (uint256) {
        (, int256 answer, , , ) = feed.latestRoundData();
        return answer > 0 ? Math.mulDiv(uint256(answer), WAD, 10 ** feed.decimals()) : 0;
    }

    function meanTicks(IUniswapV3Pool pool, uint32 window) private view returns (int256[] memory means) {
        uint32[] memory moments = new uint32[](WINDOWS + 1);
        for (uint256 i; i <= WINDOWS; ++i) moments[i] = uint32(i * window);
        try pool.observe(moments) returns (int56[] memory sums, uint160[] memory) {
            means = new int256[](WINDOWS);
            for (uint256 i; i < WINDOWS; ++i) {
                unchecked {
                    // As the pool's own sum, which may wrap around.
                    means[i] = int56(sums[i] - sums[i + 1]) / int256(uint256(window));
                }
            }
        } catch {}
    }
}
