// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAaveV3Pool, IAaveV3ScaledToken} from "../interfaces/external/IAaveV3.sol";
import {BoundedRead} from "./BoundedRead.sol";

/// @title What a reserve of Aave V3 says of itself, in either generation
/// @notice Reads, and no judgement: an adapter asks it for room and cash, the lens for the state that rates come of. Aave's
/// governance may change the layout of what it answers; both generations that are known here are told apart by whether the
/// pool knows virtual balances. Where it does not answer, calls revert, and who asks for a limit takes that for zero.
/// @dev Bits of the configuration word as in Aave's `ReserveConfiguration` (unchanged since 3.0).
library AaveV3Reserve {
    uint256 private constant RAY = 1e27;
    uint256 private constant CASH_GAS = 100_000;

    /// @notice Of the asset.
    function decimals(uint256 configuration) internal pure returns (uint256) {
        return (configuration >> 48) & 0xff;
    }

    /// @notice Whether the reserve exists for Aave at all.
    function isActive(uint256 configuration) internal pure returns (bool) {
        return (configuration >> 56) & 1 != 0;
    }

    /// @notice Whether supply is stopped; withdrawal is not.
    function isFrozen(uint256 configuration) internal pure returns (bool) {
        return (configuration >> 57) & 1 != 0;
    }

    /// @notice Whether everything is stopped, transfers of aTokens too.
    function isPaused(uint256 configuration) internal pure returns (bool) {
        return (configuration >> 60) & 1 != 0;
    }

    /// @notice The treasury's part of the interest, in basis points.
    function reserveFactorBps(uint256 configuration) internal pure returns (uint256) {
        return (configuration >> 64) & 0xffff;
    }

    /// @notice In the asset's unit; zero: none.
    function supplyCap(uint256 configuration) internal pure returns (uint256) {
        return ((configuration >> 116) & 0xfffffffff) * 10 ** decimals(configuration);
    }

    /// @notice What Aave compares with the supply cap: all aTokens, those still owed to the treasury included.
    /// @dev The treasury's part of the interest since the reserve's last update is not in storage yet but will be when
    /// Aave checks the cap, so it is added; rounded up, so that what fits by this number fits.
    function measuredSupply(
        IAaveV3Pool pool,
        address asset,
        IAaveV3Pool.ReserveData memory reserve
    ) internal view returns (uint256) {
        uint256 index = pool.getReserveNormalizedIncome(asset);
        uint256 scaled = IAaveV3ScaledToken(reserve.aTokenAddress).scaledTotalSupply() + reserve.accruedToTreasury;
        uint256 scaledDebt = IAaveV3ScaledToken(reserve.variableDebtTokenAddress).scaledTotalSupply();
        uint256 growth = pool.getReserveNormalizedVariableDebt(asset) - reserve.variableBorrowIndex;
        uint256 interest = Math.mulDiv(scaledDebt, growth, RAY, Math.Rounding.Ceil);
        uint256 owed = Math.mulDiv(interest, reserveFactorBps(reserve.configuration), 1e4, Math.Rounding.Ceil);
        return Math.mulDiv(scaled, index, RAY, Math.Rounding.Ceil) + owed;
    }

    /// @notice Variable debt with interest until now, from the scaled debt: the debt token's own total reads more of it.
    function borrowed(
        IAaveV3Pool pool,
        address asset,
        IAaveV3Pool.ReserveData memory reserve
    ) internal view returns (uint256) {
        uint256 scaledDebt = IAaveV3ScaledToken(reserve.variableDebtTokenAddress).scaledTotalSupply();
        return Math.mulDiv(scaledDebt, pool.getReserveNormalizedVariableDebt(asset), RAY);
    }

    /// @notice What the pool can pay out: its virtual balance where it keeps one, else what the aToken holds.
    function cash(
        IAaveV3Pool pool,
        address asset,
        IAaveV3Pool.ReserveData memory reserve
    ) internal view returns (uint256) {
        (bool ok, uint256 balance) = BoundedRead.tryUint(
            address(pool),
            CASH_GAS,
            abi.encodeCall(IAaveV3Pool.getVirtualUnderlyingBalance, (asset))
        );
        return ok ? balance : IERC20(asset).balanceOf(reserve.aTokenAddress);
    }
}
