// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title One venue as the vault sees it
/// @notice An adapter holds one position for one vault, in the vault's asset, and answers to nobody else.
/// @dev Value flows: the vault transfers assets to the adapter and calls `deposit`; `withdraw` sends assets to the
/// vault. The vault never believes a return value about money: it measures its own balance and `fairValue` before
/// and after. All amounts are in the asset's unit unless said otherwise.
interface IAdapter {
    /// @notice The caller is not the vault that this adapter serves.
    error NotVault(address caller);

    /// @notice The protocol paid something else than what was asked, although the adapter claims to be exact.
    error Inexact(uint256 asked, uint256 received);

    /// @notice The vault that owns this adapter's position. Immutable.
    function vault() external view returns (address);

    /// @notice The asset that the vault counts in. Immutable, equal to the vault's.
    function asset() external view returns (address);

    /// @notice The protocol contract that holds the money: Aave's pool, Comet, an ERC-4626 vault. Immutable.
    function venue() external view returns (address);

    /// @notice Which protocol this is, as ASCII in bytes32: "aave-v3", "compound-v3", "erc4626".
    /// The lens reads a venue's rate state by it.
    function kind() external view returns (bytes32);

    /// @notice The token that proves the position and that an exit in kind pays: aToken, Comet, 4626 shares.
    function receipt() external view returns (address);

    /// @notice True if `withdraw` pays exactly what is asked, so that depositors' exits may use the venue.
    function exact() external view returns (bool);

    /// @notice What the position is worth by a value that no single transaction can push. Used for accounting and to
    /// measure loss. MAY revert when the venue is broken: the vault catches that.
    function fairValue() external view returns (uint256 assets);

    /// @notice What an immediate full exit would return now, liquidity included. Never above `fairValue` by more than
    /// rounding. For limits and warnings, never for accounting.
    function exitValue() external view returns (uint256 assets);

    /// @notice How much the venue takes now: its cap, pause and freeze known. Never reverts; zero when in doubt.
    function maxDeposit() external view returns (uint256 assets);

    /// @notice How much `withdraw` could pay now: position, cash and pause known. Never reverts; zero when in doubt.
    function maxWithdraw() external view returns (uint256 assets);

    /// @notice Puts `assets`, already transferred to the adapter, to work, and sends back what of the asset is left, what
    /// strangers sent here included. Vault only. Leaves no allowance behind.
    /// @param data What the venue needs beyond the amount; empty for lending and ERC-4626 venues.
    function deposit(uint256 assets, bytes calldata data) external;

    /// @notice Sends `assets` to the vault; `type(uint256).max` means the whole position. Vault only.
    /// @return paid What was sent.
    function withdraw(uint256 assets, bytes calldata data) external returns (uint256 paid);

    /// @notice Sends `numerator / denominator` of the position to `receiver` as receipt tokens, rounded down. Vault only.
    /// @return receipts Amount of {receipt} sent.
    function redeemInKind(uint256 numerator, uint256 denominator, address receiver) external returns (uint256 receipts);
}
