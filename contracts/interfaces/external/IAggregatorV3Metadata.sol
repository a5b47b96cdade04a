// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IAggregatorV3} from "./IAggregatorV3.sol";

/// @dev What a Chainlink price feed says of itself.
interface IAggregatorV3Metadata is IAggregatorV3 {
    function decimals() external view returns (uint8);

    /// @dev "USDC / USD".
    function description() external view returns (string memory);
}
