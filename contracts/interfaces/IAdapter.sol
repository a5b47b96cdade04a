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
    /// @dev - MUST be the only account that {deposit}, {withdraw} and {redeemInKind} answer to; {NotVault} for any other.
    function vault() external view returns (address);

    /// @notice The asset that the vault counts in. Immutable, equal to the vault's.
    /// @dev - MUST NOT change: the vault compares it once, when the adapter is added.
    function asset() external view returns (address);

    /// @notice The protocol contract that holds the money: Aave's pool, Comet, an ERC-4626 vault. Immutable.
    function venue() external view returns (address);

    /// @notice Which protocol this is, as ASCII in bytes32: "aave-v3", "compound-v3", "erc4626".
    /// The lens reads a venue's rate state by it.
    /// @dev - MUST be constant.
    /// - SHOULD NOT be another protocol's: the lens would read nonsense of it, and the vault nothing.
    function kind() external view returns (bytes32);

    /// @notice The token that proves the position and that an exit in kind pays: aToken, Comet, 4626 shares.
    /// @dev - MUST answer: the auction of rewards sells nothing while one adapter does not.
    function receipt() external view returns (address);

    /// @notice True if `withdraw` pays exactly what is asked, so that depositors' exits may use the venue.
    /// @dev - MUST be constant: the vault asks once.
    /// - MUST be false where a trade moves the venue's price.
    function exact() external view returns (bool);

    /// @notice What the position is worth by a value that no single transaction can push. Used for accounting and to
    /// measure loss.
    /// @dev - MUST NOT be moved by what one transaction does to spot prices, cash or plain token balances of the venue.
    /// - MUST include what claims own of the position: the vault takes its part.
    /// - MUST take 400,000 gas at most, and be 2^104 − 1 at most; else the vault takes it for unreadable.
    /// - MAY revert when the venue is broken or a price is missing: the vault catches that. SHOULD NOT while there is nothing to
    /// value.
    function fairValue() external view returns (uint256 assets);

    /// @notice What an immediate full exit would return now, liquidity included. Never above `fairValue` by more than
    /// rounding. For limits and warnings, never for accounting.
    /// @dev - MAY be pushed, and MAY revert when the venue cannot be read.
    function exitValue() external view returns (uint256 assets);

    /// @notice How much the venue takes now: its cap, pause and freeze known. Never reverts; zero when in doubt.
    /// @dev - MUST NOT promise what {deposit} would refuse within the same block, as far as the venue can be asked.
    function maxDeposit() external view returns (uint256 assets);

    /// @notice How much `withdraw` could pay now: position, cash and pause known. Never reverts; zero when in doubt.
    /// @dev - MUST NOT promise what {withdraw} would refuse within the same block, as far as the venue can be asked.
    /// - MUST take 400,000 gas at most: depositors' exits ask it.
    function maxWithdraw() external view returns (uint256 assets);

    /// @notice Puts `assets`, already transferred to the adapter, to work, and sends back what of the asset is left, what
    /// strangers sent here included. Vault only.
    /// @dev - MUST revert with {NotVault} for any other caller.
    /// - MUST leave no allowance behind.
    /// - MUST NOT send the asset anywhere but to the venue and back to the vault.
    /// - SHOULD refuse, with an error of its own, a move whose price it cannot judge.
    /// @param data What the venue needs beyond the amount; empty for lending and ERC-4626 venues.
    function deposit(uint256 assets, bytes calldata data) external;

    /// @notice Sends `assets` to the vault; `type(uint256).max` means the whole position. Vault only.
    /// @dev - MUST revert with {NotVault} for any other caller, and pay nobody but the vault.
    /// - MUST pay exactly what is asked, or revert, where {exact} is true and an amount was asked. MAY pay what there is of
    /// everything.
    /// - MUST take 1,500,000 gas at most where {exact} is true: depositors' exits call it, and skip one that takes more.
    /// @return paid What was sent.
    function withdraw(uint256 assets, bytes calldata data) external returns (uint256 paid);

    /// @notice Sends `numerator / denominator` of the position to `receiver` as receipt tokens, rounded down. Vault only.
    /// @dev - MUST revert with {NotVault} for any other caller.
    /// - MUST need no price, no liquidity and no rate of the venue's: only that the receipt can be sent.
    /// - MUST take 1,000,000 gas at most: the vault makes a claim of what takes more.
    /// @return receipts Amount of {receipt} sent.
    function redeemInKind(uint256 numerator, uint256 denominator, address receiver) external returns (uint256 receipts);
}
