// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title The vault's own surface, beyond ERC-4626 and ERC-2612
/// @dev Units. `assets`: the asset's unit. Shares: 18 decimals. WAD: 1e18 = 1 (a share of total assets, a fee, a
/// yearly rate). Times: unix seconds.
interface IVault is IERC4626, IERC20Permit {
    /* TYPES */

    /// @param adapter Registered adapter.
    /// @param assets Positive: into the adapter. Negative: out of it. `type(int256).min`: all of it, out. Never zero.
    /// @param data Passed to the adapter. Empty for lending and ERC-4626 venues.
    struct Move {
        address adapter;
        int256 assets;
        bytes data;
    }

    /// @param nonce Must equal {nextNonce} of the caller: plan epoch in the upper bits, the keeper's own count below.
    /// @param deadline Last timestamp at which the plan may run.
    /// @param maxLoss Most that the plan may lose, in assets. The vault's own bound holds besides.
    /// @param decision Commitment to the off-chain decision record (keccak256 of its canonical JSON).
    struct Guard {
        uint256 nonce;
        uint256 deadline;
        uint256 maxLoss;
        bytes32 decision;
    }

    /// @param limit WAD share of total assets that any window of `window` seconds may not exceed.
    struct BudgetConfiguration {
        uint256 limit;
        uint256 window;
    }

    /// @param absoluteCap Most assets in the adapter.
    /// @param relativeCap Most of total assets in the adapter, WAD.
    /// @param groupMask Bit i set: the adapter counts towards group i.
    struct AdapterConfiguration {
        address adapter;
        uint256 absoluteCap;
        uint256 relativeCap;
        uint256 groupMask;
    }

    /// @param name What its members share: "aave", "usdt", …, for people.
    /// @param relativeCap Most of total assets in all members together, WAD.
    struct GroupConfiguration {
        bytes32 name;
        uint256 relativeCap;
    }

    /// @notice The whole first configuration. Adapters are in the order of the withdrawal queue.
    struct Configuration {
        address asset;
        string name;
        string symbol;
        address owner;
        address guardian;
        address[] keepers;
        address feeRecipient;
        uint256 managementFee;
        uint256 performanceFee;
        uint256 maxRate;
        uint256 depositCap;
        uint256 minimumIdle;
        uint256 lossPerCall;
        BudgetConfiguration lossBudget;
        BudgetConfiguration turnoverBudget;
        AdapterConfiguration[] adapters;
        GroupConfiguration[] groups;
    }

    enum Breaker {
        Closed,
        /// Tripped by the guardian: a pause, expires by itself.
        GuardianTripped,
        /// Tripped by proof of a registered condition: only the timelock resets it.
        Tripped
    }

    /* EVENTS */

    event Opened(uint256 seedAssets, uint256 seedShares);
    event Accrued(uint256 totalAssets, uint256 totalSupply, uint256 managementFeeShares, uint256 performanceFeeShares);

    /// @notice One plan of a keeper was carried out.
    /// @param moved Assets that went into adapters: what the turnover budget was charged.
    /// @param lost Σ over moves of max(0, fair value given up − value received), never netted.
    event Rebalanced(
        address indexed keeper,
        uint256 indexed nonce,
        bytes32 indexed decision,
        bytes32 movesHash,
        uint256 assetsBefore,
        uint256 assetsAfter,
        uint256 moved,
        uint256 lost
    );

    /// @notice One leg of a plan or of an exit. Enough to rebuild every allocation from logs.
    /// @param assets As in {Move}, with `all` resolved to what was paid.
    /// @param value The adapter's fair value afterwards.
    event Allocated(address indexed adapter, int256 assets, uint256 value);

    /* VIEWS THAT A KEEPER NEEDS */

    /// @notice The nonce that `keeper`'s next plan must carry: `planEpoch << 64 | count`.
    function nextNonce(address keeper) external view returns (uint256);

    /// @notice Raised by every act that ends outstanding plans: a keeper removed, an act of the guardian.
    function planEpoch() external view returns (uint256);

    function isKeeper(address account) external view returns (bool);
    function guardian() external view returns (address);
    function owner() external view returns (address);
    function opened() external view returns (bool);
    function breaker() external view returns (Breaker state, uint256 until);

    /* ENTRY POINTS BEYOND ERC-4626 */

    /// @notice Starts the vault, once: takes `seed` assets from the caller and burns the shares for it.
    function open(uint256 seed) external;

    /// @notice The keeper's only power. Order of the checks: see `Vault`.
    function rebalance(Move[] calldata moves, Guard calldata guard) external;
}
