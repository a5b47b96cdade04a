// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev The functions of Sky's peg stability module that are used here: of the LitePSM (DAI) and of the wrapper around it
/// (USDS), which answers alike. "Gem" is the other stablecoin (USDC).
interface ISkyPsm {
    function gem() external view returns (address);
    /// @dev The stable token: DAI of the LitePSM, USDS of the wrapper.
    function dai() external view returns (address);
    /// @dev Who holds the gems.
    function pocket() external view returns (address);
    /// @dev Stable units for one unit of gem.
    function to18ConversionFactor() external view returns (uint256);
    /// @dev Fee on selling gems, WAD of the stable amount; the largest number while halted.
    function tin() external view returns (uint256);
    /// @dev Fee on buying gems, WAD of the stable amount on top of it; the largest number while halted.
    function tout() external view returns (uint256);
    function sellGem(address usr, uint256 gemAmt) external returns (uint256 stableOut);
    function buyGem(address usr, uint256 gemAmt) external returns (uint256 stableIn);
}

/// @dev What only the wrapper has.
interface ISkyPsmWrapper {
    /// @dev The LitePSM behind it.
    function psm() external view returns (address);
}

/// @dev What sUSDS has beyond ERC-4626.
interface ISavingsUsds {
    /// @dev Growth a second, RAY.
    function ssr() external view returns (uint256);
}

/// @dev What sDAI has beyond ERC-4626.
interface ISavingsDai {
    function pot() external view returns (address);
}

/// @dev Where DAI earns.
interface IPot {
    /// @dev Growth a second, RAY.
    function dsr() external view returns (uint256);
}
