// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Everything a keeper or a page needs of a vault and its venues, at one block, in one call
interface IVaultLens {
    /// @param limit WAD share of total assets.
    /// @param window Seconds.
    /// @param available WAD share of total assets that could be spent now.
    struct BudgetView {
        uint256 limit;
        uint256 window;
        uint256 available;
    }

    /// @param name See {IVault.GroupConfiguration}. @param relativeCap WAD share of total assets.
    struct GroupView {
        bytes32 name;
        uint256 relativeCap;
    }

    /// @param fairValue Zero while `readable` is false.
    /// @param counted What the vault's accounting counts for it now: zero while quarantined or unreadable.
    /// @param state ABI encoding of the struct below that belongs to `kind`; empty if the read failed or the kind is
    /// unknown to this lens.
    struct AdapterView {
        address adapter;
        address venue;
        address receipt;
        bytes32 kind;
        bool exact;
        bool readable;
        bool quarantined;
        uint256 fairValue;
        uint256 exitValue;
        uint256 counted;
        uint256 maxDeposit;
        uint256 maxWithdraw;
        uint256 absoluteCap;
        uint256 relativeCap;
        uint256 groupMask;
        bytes state;
    }

    /// @param parentHash Hash of the block before: with the number it pins the snapshot to one chain.
    /// @param accountedAssets Total assets at the last accrual: the base of every limit together with `totalAssets`.
    /// @param sharePrice Assets for 10**decimals shares, scaled by 1e18 (so the price of one whole share is
    /// sharePrice / 1e18 in the asset's smallest unit).
    struct Snapshot {
        uint256 chainId;
        uint256 blockNumber;
        bytes32 parentHash;
        uint256 timestamp;
        uint256 baseFee;
        address vault;
        address asset;
        uint8 assetDecimals;
        uint8 decimals;
        bool opened;
        uint256 idle;
        uint256 totalAssets;
        uint256 accountedAssets;
        uint256 totalSupply;
        uint256 sharePrice;
        uint256 depositCap;
        uint256 minimumIdle;
        uint256 maxRate;
        uint256 lossPerCall;
        BudgetView lossBudget;
        BudgetView turnoverBudget;
        uint8 breaker;
        uint256 breakerUntil;
        address owner;
        address guardian;
        address keeper;
        bool isKeeper;
        uint256 planEpoch;
        uint256 nextNonce;
        GroupView[] groups;
        AdapterView[] adapters;
    }

    /// @notice State of kind "aave-v3". Amounts in the asset's unit as of now (interest accrued), rates in RAY (1e27) a
    /// year. The pool's usage ratio is borrowed / (cash + borrowed).
    /// @param cash What the pool can pay out: its virtual balance, or the aToken's real one in generations without.
    /// @param aTokenSupply Aave's own measure for the supply cap, treasury's accrued part included.
    /// @param supplyCap In the asset's unit; zero: none.
    struct AaveV3State {
        uint256 cash;
        uint256 borrowed;
        uint256 aTokenSupply;
        uint256 supplyCap;
        uint256 liquidityIndex;
        uint256 liquidityRate;
        uint256 variableBorrowRate;
        uint256 baseRate;
        uint256 slope1;
        uint256 slope2;
        uint256 optimalUsage;
        uint256 reserveFactorBps;
        bool active;
        bool frozen;
        bool paused;
    }

    /// @notice State of kind "compound-v3". Amounts in the base token's unit as of now, rates WAD a second.
    struct CompoundV3State {
        uint256 cash;
        uint256 supplied;
        uint256 borrowed;
        uint256 utilization;
        uint256 supplyKink;
        uint256 supplyBasePerSecond;
        uint256 supplySlopeLowPerSecond;
        uint256 supplySlopeHighPerSecond;
        uint256 supplyRatePerSecond;
        uint256 borrowRatePerSecond;
        bool supplyPaused;
        bool withdrawPaused;
    }

    /// @notice State of kind "erc4626".
    /// @param assetsPerShare Assets for 1e18 shares, WAD (index): growth of it between two blocks is the yield.
    struct Erc4626State {
        uint256 totalAssets;
        uint256 totalShares;
        uint256 assetsPerShare;
        uint256 vaultMaxWithdraw;
    }

    /// @notice State of kind "sky-savings".
    /// @param ratePerSecond Growth a second that governance has set, RAY: 1e27 is no interest. Of sUSDS its own, of sDAI
    /// the pot's.
    /// @param assetsPerShare Stable tokens for a share, WAD (index), interest until now included.
    /// @param totalAssets What the savings vault owes its holders, in the asset's unit without fees.
    /// @param cash What buying can pay now: the asset in the PSM's pocket, in the asset's unit.
    /// @param room What selling can take now: the stable token minted beforehand, in the asset's unit without the fee.
    /// @param tin WAD fee on entering. Zero while halted.
    /// @param tout WAD fee on leaving, of which the position's value is already net. Zero while halted.
    struct SkySavingsState {
        uint256 ratePerSecond;
        uint256 assetsPerShare;
        uint256 totalAssets;
        uint256 cash;
        uint256 room;
        uint256 tin;
        uint256 tout;
        bool sellingHalted;
        bool buyingHalted;
    }

    /// @notice State of kind "curve-3pool". Coins in the pool's order.
    /// @param virtualPrice What a receipt stands for, WAD (index): trades move it up by their fees.
    /// @param receipts All of the pool's, WAD; `held`: the adapter's of them.
    /// @param balances What the pool counts of each coin, in the coin's unit.
    /// @param scales 10^(18 - decimals) of each coin.
    /// @param amplification A, times 3 for the invariant.
    /// @param fee Share of a trade, of 1e10.
    /// @param place Of the asset among the coins.
    /// @param dollars What each coin's feed last said, 8 decimals, fresh or not.
    /// @param slippage WAD of fair value that a move may lose.
    /// @param steady Whether the adapter lets anything in or out.
    struct Curve3PoolState {
        uint256 virtualPrice;
        uint256 receipts;
        uint256 held;
        uint256[3] balances;
        uint256[3] scales;
        uint256 amplification;
        uint256 fee;
        uint256 place;
        uint256[3] dollars;
        uint256 slippage;
        bool steady;
    }

    /// @notice State of kind "uniswap-v3". Ticks and square roots are the pool's: of token0 in token1, smallest units.
    /// @param sqrtPrice Spot, times 2^96.
    /// @param meanTick Mean over the adapter's window.
    /// @param meanTicks Means over successive windows, the latest first; empty if the pool does not remember them.
    /// @param window Seconds of one of them.
    /// @param liquidity In range at spot, the adapter's included.
    /// @param held The adapter's liquidity, in range or not; it lies between `tickLower` and `tickUpper`, both zero without.
    /// @param feeGrowthAsset Fees for one unit of liquidity since the pool began, in the asset, times 2^128 (index, it may wrap).
    /// @param feeGrowthPaired The same in the paired coin.
    /// @param cash The asset in the pool.
    /// @param feePips Share of a trade, of 1e6.
    /// @param assetFirst Whether the asset is token0.
    /// @param spacing Of the ticks between which there can be a range.
    /// @param oracleBound Ticks from the feeds' price within which the mean is believed.
    /// @param assetDollars What the asset's feed last said, WAD, fresh or not.
    /// @param pairedDollars The same of the paired coin's.
    /// @param slippage WAD of fair value that a move may lose.
    /// @param steady Whether the adapter lets anything in or out.
    struct UniswapV3State {
        uint256 sqrtPrice;
        int256 meanTick;
        int256[] meanTicks;
        uint256 window;
        uint256 liquidity;
        uint256 held;
        int256 tickLower;
        int256 tickUpper;
        int256 halfWidth;
        uint256 feeGrowthAsset;
        uint256 feeGrowthPaired;
        uint256 cash;
        uint256 pairedDecimals;
        uint256 feePips;
        bool assetFirst;
        int256 spacing;
        int256 oracleBound;
        uint256 assetDollars;
        uint256 pairedDollars;
        uint256 slippage;
        bool steady;
    }

    /// @notice The whole snapshot. Never reverts because of one venue: that venue's `readable` is false.
    function snapshot(address vault, address keeper) external view returns (Snapshot memory);

    /// @dev Present so that the ABI, and the types generated from it, hold the state structs. Never called.
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
        );
}
