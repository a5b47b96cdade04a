// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev The functions of Aave V3 that are used here, of both generations: with and without virtual balances.
interface IAaveV3Pool {
    /// @dev Layout of 3.0 to 3.2, which later generations keep for this function.
    struct ReserveData {
        uint256 configuration;
        uint128 liquidityIndex;
        uint128 currentLiquidityRate;
        uint128 variableBorrowIndex;
        uint128 currentVariableBorrowRate;
        uint128 currentStableBorrowRate;
        uint40 lastUpdateTimestamp;
        uint16 id;
        address aTokenAddress;
        address stableDebtTokenAddress;
        address variableDebtTokenAddress;
        address interestRateStrategyAddress;
        uint128 accruedToTreasury;
        uint128 unbacked;
        uint128 isolationModeTotalDebt;
    }

    function getReserveData(address asset) external view returns (ReserveData memory);
    function getReserveNormalizedIncome(address asset) external view returns (uint256);
    function getReserveNormalizedVariableDebt(address asset) external view returns (uint256);

    /// @dev 3.1 and later.
    function getVirtualUnderlyingBalance(address asset) external view returns (uint128);

    function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
    function withdraw(address asset, uint256 amount, address to) external returns (uint256);
}

/// @dev Of aTokens and variable debt tokens.
interface IAaveV3ScaledToken {
    function scaledTotalSupply() external view returns (uint256);
}

/// @dev Of aTokens.
interface IAaveV3RewardedToken {
    /// @dev Zero where Aave pays no rewards.
    function getIncentivesController() external view returns (address);
}

/// @dev Aave's RewardsController (aave-v3-periphery).
interface IAaveV3Rewards {
    /// @param assets aTokens that the caller holds.
    /// @param amount At most; in `reward`'s unit.
    function claimRewards(
        address[] calldata assets,
        uint256 amount,
        address to,
        address reward
    ) external returns (uint256);
}

/// @dev A rate strategy of one reserve (3.0, 3.0.2). Rates in RAY a year.
interface IAaveV3ReserveRateStrategy {
    function OPTIMAL_USAGE_RATIO() external view returns (uint256);
    function getBaseVariableBorrowRate() external view returns (uint256);
    function getVariableRateSlope1() external view returns (uint256);
    function getVariableRateSlope2() external view returns (uint256);
}

/// @dev A rate strategy for all reserves (3.1 and later).
interface IAaveV3CommonRateStrategy {
    /// @dev In basis points.
    struct InterestRateData {
        uint16 optimalUsageRatio;
        uint32 baseVariableBorrowRate;
        uint32 variableRateSlope1;
        uint32 variableRateSlope2;
    }

    function getInterestRateDataBps(address reserve) external view returns (InterestRateData memory);
}
