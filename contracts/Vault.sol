// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Claims} from "./Claims.sol";
import {IAdapter} from "./interfaces/IAdapter.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Accounting} from "./libraries/Accounting.sol";
import {BoundedRead} from "./libraries/BoundedRead.sol";
import {Breaking} from "./libraries/Breaking.sol";
import {BreakerState} from "./libraries/BreakerState.sol";
import {InKind} from "./libraries/InKind.sol";
import {RateBudget} from "./libraries/RateBudget.sol";
import {Rebalancing} from "./libraries/Rebalancing.sol";
import {Settings} from "./libraries/Settings.sol";
import {AdapterSlot, ClaimUnits, Position, VaultState} from "./libraries/VaultState.sol";

/// @title Vault
/// @notice Spreads one asset over lending and ERC-4626 venues. A keeper chooses the allocation; the vault bounds what
/// the keeper can cost.
///
/// WHAT IT PROMISES
/// - Exits are never blocked by anything of ours: not by a pause, a tripped breaker, a dead keeper, a full budget, a
///   quarantine or one broken venue. What venues cannot pay now can be left with in kind, or as a claim.
/// - Until a keeper is removed, it can cost depositors at most the loss budget in any window, plus what venues lose
///   within their caps. The keeper's key is taken to be the attacker's.
/// - No role can take funds by what it may do here: no setter pays anybody but fees within their bounds, the keeper moves money
///   between adapters only, and the guardian can only make things safer, at a cost of the emergency budget at most.
/// - The exception is code that the owner adds. The owner is a timelock; after its delay it can add an adapter that keeps what
///   a keeper of its own puts into it. Both are announced, a day ahead or more. Until they are done every depositor can leave,
///   by `redeem` or in kind, and the guardian can cancel them; who stays has trusted the owner with what it announced.
///
/// WHAT IT DOES NOT PROMISE
/// - That a venue's own loss is made good, that what is asked is there to be paid at once, or that exits are served in any
///   order but that of the block. That venues are watched when nobody calls.
///
/// TOTAL ASSETS
/// - Idle plus the fair value of every adapter that counts, as of the last accrual. One accrual a block, before the first
///   read, in every call that changes assets or shares. (A plan of the keeper's only moves assets between places and does
///   not accrue: what it loses is taken off at once, whatever gain still waits.)
/// - Losses count at once. Gains count at most at `maxRate` since the last accrual; the rest waits. So a donation or a
///   one-off gain cannot be caught by who enters just before it.
/// - An adapter that is in quarantine or cannot be read counts for nothing, and nobody can enter while there is one, nor
///   when the share price is a hundredth of par. What was written off so (`writtenOff`) counts again at once when it
///   returns: only those who bore the loss are there.
/// - While a call is under way, views answer from the last accrual: there is no read-only reentrancy.
///
/// SHARES
/// - 18 decimals whatever the asset has; 10^(18 − decimals) virtual shares stand against one virtual unit of asset, and
///   a seed is burned at opening. Roundings are for the vault.
/// - Fees are minted as shares: management by time, performance over a high-water mark of the share price. A write-off
///   that returns is below the mark and no performance.
///
/// EXITS
/// - `withdraw`, `redeem`: idle, then the queue of exact adapters. One that fails is skipped.
/// - `redeemInKind`: a part of everything. Scaled by accounted total / present sum, so that a gain that still drips stays
///   with those who stay.
///
/// THE KEEPER (`libraries/Rebalancing.sol`)
/// - Checks, in this order: keeper, breaker, deadline, nonce, each move, loss, loss budget, turnover budget, caps, idle.
/// - Limits are shares of `limitBase`: the total of an earlier block, never above today's.
/// - Moves to idle are free of the turnover budget and of caps, and allowed while tripped.
///
/// POOLS (adapters that are not exact: a trade moves the venue's price)
/// - Nobody enters while one's price is away from fair value. Depositors' exits never sell a position; it is left by plans, in
///   kind, or by the guardian's exit while tripped, which loses no more than the emergency budget in any window.
/// - What one fell by since it was last recorded is charged to the loss budget.
///
/// THE BREAKER (`libraries/Breaking.sol`)
/// - Tripped by proof of a registered condition (anyone; only the owner resets) or by the guardian (expires). Tripped: no
///   entry, the keeper only to idle, exits open.
///
/// WHAT IS ASKED OF THE ASSET
/// - 0 to 18 decimals, no more than 2^104 units. No charge on transfer: found by balance and refused. No rebasing down.
///   Hooks are harmless. What its issuer can block, nobody here can unblock.
///
/// WHAT IS ASKED OF ADAPTERS
/// - Vetted by the timelock. A read takes at most 400,000 gas; a withdrawal for an exit 1,500,000. They may revert, be
///   paused or be empty; they may not lie.
contract Vault is IVault, ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using RateBudget for RateBudget.Bucket;
    using Breaking for VaultState;
    using InKind for VaultState;
    using Settings for VaultState;

    /* CONSTANTS AND IMMUTABLES */

    /// @dev Where the seed's shares are burned: they count, and nobody has them.
    address private constant BURNED = address(0xdEaD);

    /// @dev What one adapter may use of an exit's gas, and what must have been left for its failure to be believed.
    uint256 private constant EXIT_GAS = 1_500_000;
    uint256 private constant EXIT_GAS_NEEDED = 1_530_000;

    IERC20 private immutable ASSET;
    uint256 private immutable VIRTUAL_SHARES;

    /// @inheritdoc IVault
    address public immutable deployer;

    Claims private immutable CLAIMS;

    /* STORAGE */

    VaultState private s;

    /* CONSTRUCTOR */

    constructor(Configuration memory c) ERC20(c.name, c.symbol) ERC20Permit(c.name) {
        uint8 assetDecimals = IERC20Metadata(c.asset).decimals();
        if (assetDecimals > 18) revert UnsupportedDecimals(assetDecimals);
        ASSET = IERC20(c.asset);
        VIRTUAL_SHARES = 10 ** (18 - assetDecimals);
        deployer = msg.sender;
        CLAIMS = new Claims();
        s.highWaterMark = Accounting.priceOf(0, VIRTUAL_SHARES);
        s.configure(c);
    }

    /// @inheritdoc IVault
    function open(uint256 seed) external nonReentrant {
        s.open(deployer, seed);
        accrueOnce();
        take(seed);
        s.accounted = uint104(seed);
        uint256 shares = seed * VIRTUAL_SHARES;
        _mint(BURNED, shares);
        emit Opened(seed, shares);
    }

    /* OWNER */

    /// @inheritdoc IVault
    function setMaxRate(uint256 rate) external nonReentrant {
        accrueOnce();
        s.setMaxRate(rate);
    }

    /// @inheritdoc IVault
    function setFeeRecipient(address recipient) external nonReentrant {
        accrueOnce();
        s.setFeeRecipient(recipient);
    }

    /// @inheritdoc IVault
    function setGuardian(address account) external {
        s.setGuardian(account);
    }

    /// @inheritdoc IVault
    function transferOwnership(address account) external {
        s.transferOwnership(account);
    }

    /// @inheritdoc IVault
    function addAdapter(AdapterConfiguration calldata configuration) external nonReentrant {
        accrueOnce();
        s.addAdapter(address(ASSET), configuration);
    }

    /// @inheritdoc IVault
    function removeAdapter(address account) external nonReentrant {
        accrueOnce();
        s.removeAdapter(account);
    }

    /// @inheritdoc IVault
    function setQueue(address[] calldata order) external nonReentrant {
        s.setQueue(order);
    }

    /// @inheritdoc IVault
    function addGroup(GroupConfiguration calldata configuration) external {
        s.addGroup(configuration);
    }

    /// @inheritdoc IVault
    function setCondition(address account, bool registered) external {
        s.setCondition(account, registered);
    }

    /// @inheritdoc IVault
    function liftQuarantine(address account) external nonReentrant {
        accrueOnce();
        s.liftQuarantine(account);
        accrueOnce();
    }

    /// @inheritdoc IVault
    function resetBreaker() external {
        s.reset();
    }

    /* GUARDIAN, and OWNER */

    /// @inheritdoc IVault
    function guardianTrip(uint256 duration) external {
        s.guardianTrip(duration);
    }

    /// @inheritdoc IVault
    function quarantine(address account) external nonReentrant {
        accrueOnce();
        s.quarantine(account);
        accrueOnce();
    }

    /// @inheritdoc IVault
    function guardianExit(address account, uint256 assets, uint256 minimum) external nonReentrant returns (uint256) {
        return s.guardianExit(ASSET, account, assets, minimum);
    }

    /// @inheritdoc IVault
    function setKeeper(address keeper, bool allowed) external {
        s.setKeeper(keeper, allowed);
    }

    /// @inheritdoc IVault
    function setAbsoluteCap(address account, uint256 cap) external {
        s.setAbsoluteCap(account, cap);
    }

    /// @inheritdoc IVault
    function setRelativeCap(address account, uint256 cap) external {
        s.setRelativeCap(account, cap);
    }

    /// @inheritdoc IVault
    function setGroupMask(address account, uint256 mask) external {
        s.setGroupMask(account, mask);
    }

    /// @inheritdoc IVault
    function setGroupCap(uint256 group, uint256 cap) external {
        s.setGroupCap(group, cap);
    }

    /// @inheritdoc IVault
    function setDepositCap(uint256 cap) external {
        s.setDepositCap(cap);
    }

    /// @inheritdoc IVault
    function setMinimumIdle(uint256 share) external {
        s.setMinimumIdle(share);
    }

    /// @inheritdoc IVault
    function setLossPerCall(uint256 share) external {
        s.setLossPerCall(share);
    }

    /// @inheritdoc IVault
    function setLossBudget(uint256 limit, uint256 window) external {
        s.setLossBudget(limit, window);
    }

    /// @inheritdoc IVault
    function setTurnoverBudget(uint256 limit, uint256 window) external {
        s.setTurnoverBudget(limit, window);
    }

    /// @inheritdoc IVault
    function setEmergencyBudget(uint256 limit, uint256 window) external {
        s.setEmergencyBudget(limit, window);
    }

    /// @inheritdoc IVault
    function setManagementFee(uint256 fee) external nonReentrant {
        accrueOnce();
        s.setManagementFee(fee);
    }

    /// @inheritdoc IVault
    function setPerformanceFee(uint256 fee) external nonReentrant {
        accrueOnce();
        s.setPerformanceFee(fee, totalSupply() + VIRTUAL_SHARES);
    }

    /* SECOND STEP OF A HANDOVER */

    /// @inheritdoc IVault
    function acceptGuardian() external {
        s.acceptGuardian();
    }

    /// @inheritdoc IVault
    function acceptOwnership() external {
        s.acceptOwnership();
    }

    /* KEEPER */

    /// @inheritdoc IVault
    /// @dev The plan goes to the library as it came: to encode it again would cost some 4,000 gas.
    function rebalance(Move[] calldata, Guard calldata) external nonReentrant {
        uint256 state;
        assembly ("memory-safe") {
            state := s.slot
        }
        Address.functionDelegateCall(
            address(Rebalancing),
            bytes.concat(Rebalancing.rebalance.selector, msg.data[4:], abi.encode(ASSET, state))
        );
    }

    /* ANYONE */

    /// @inheritdoc IVault
    function accrue() external nonReentrant {
        accrueOnce();
    }

    /// @inheritdoc IVault
    function refresh(address account) external nonReentrant {
        s.refresh(account);
    }

    /// @inheritdoc IVault
    function arm(address account) external nonReentrant {
        s.arm(account);
    }

    /// @inheritdoc IVault
    function trip(address account) external nonReentrant {
        s.trip(account);
    }

    /// @inheritdoc IVault
    function disarm(address account) external nonReentrant {
        s.disarm(account);
    }

    /// @inheritdoc IVault
    function reportUnreadable(address account) external nonReentrant {
        s.reportUnreadable(account);
    }

    /// @inheritdoc IVault
    function emergencyExit(address account) external nonReentrant returns (uint256) {
        return s.emergencyExit(ASSET, account);
    }

    /// @inheritdoc IVault
    function multicall(bytes[] calldata data) external returns (bytes[] memory results) {
        results = new bytes[](data.length);
        for (uint256 i; i < data.length; ++i) results[i] = Address.functionDelegateCall(address(this), data[i]);
    }

    /// @inheritdoc IVault
    function permitAsset(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 sig) external {
        try IERC20Permit(address(ASSET)).permit(msg.sender, address(this), value, deadline, v, r, sig) {} catch {}
    }

    /* DEPOSITOR */

    /// @inheritdoc IERC4626
    /// @dev - MUST take exactly `assets` from the caller and mint what they are worth, rounded down.
    /// - MUST revert while nobody can enter ({NotOpened}, {DepositsClosed}, {VenueUnsteady}), above the deposit cap
    /// ({DepositCapExceeded}), for assets that buy no share ({ZeroShares}) and for an asset that charges on transfer
    /// ({TransferMismatch}).
    function deposit(uint256 assets, address receiver) public nonReentrant returns (uint256 shares) {
        address unsteady = Accounting.unsteady(s);
        accrueOnce();
        uint256 most = requireRoom(unsteady);
        if (assets > most) revert DepositCapExceeded(assets, most);
        shares = Math.mulDiv(assets, shareBase(), assetBase());
        enter(assets, shares, receiver);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST mint exactly `shares` and take what they are worth, rounded up. Otherwise as {deposit}.
    function mint(uint256 shares, address receiver) public nonReentrant returns (uint256 assets) {
        address unsteady = Accounting.unsteady(s);
        accrueOnce();
        uint256 most = Math.mulDiv(requireRoom(unsteady), shareBase(), assetBase());
        if (shares > most) revert DepositCapExceeded(shares, most);
        assets = Math.mulDiv(shares, assetBase(), shareBase(), Math.Rounding.Ceil);
        enter(assets, shares, receiver);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST pay exactly `assets` and burn what they are worth, rounded up.
    /// - MUST work while tripped or with an adapter in quarantine, as far as idle and exact venues can pay;
    /// {InsufficientLiquidity} beyond that.
    /// - MUST NOT sell a pool's position.
    /// - MUST spend the holder's allowance to who is not the holder, and MUST refuse a receiver that is nobody or the vault.
    function withdraw(uint256 assets, address receiver, address holder) public nonReentrant returns (uint256 shares) {
        accrueOnce();
        if (assets > s.accounted) revert InsufficientLiquidity(assets, s.accounted);
        shares = Math.mulDiv(assets, shareBase(), assetBase(), Math.Rounding.Ceil);
        leave(assets, shares, receiver, holder);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST burn exactly `shares` and pay what they are worth, rounded down. Otherwise as {withdraw}.
    function redeem(uint256 shares, address receiver, address holder) public nonReentrant returns (uint256 assets) {
        accrueOnce();
        uint256 held = balanceOf(holder);
        if (shares > held) revert ERC20InsufficientBalance(holder, held, shares);
        assets = Math.mulDiv(shares, assetBase(), shareBase());
        leave(assets, shares, receiver, holder);
    }

    /// @inheritdoc IVault
    function deposit(uint256 assets, address receiver, uint256 minShares) external returns (uint256 shares) {
        shares = deposit(assets, receiver);
        if (shares < minShares) revert BoundMissed(shares, minShares);
    }

    /// @inheritdoc IVault
    function mint(uint256 shares, address receiver, uint256 maxAssets) external returns (uint256 assets) {
        assets = mint(shares, receiver);
        if (assets > maxAssets) revert BoundMissed(assets, maxAssets);
    }

    /// @inheritdoc IVault
    function withdraw(
        uint256 assets,
        address receiver,
        address holder,
        uint256 maxShares
    ) external returns (uint256 shares) {
        shares = withdraw(assets, receiver, holder);
        if (shares > maxShares) revert BoundMissed(shares, maxShares);
    }

    /// @inheritdoc IVault
    function redeem(
        uint256 shares,
        address receiver,
        address holder,
        uint256 minAssets
    ) external returns (uint256 assets) {
        assets = redeem(shares, receiver, holder);
        if (assets < minAssets) revert BoundMissed(assets, minAssets);
    }

    /// @inheritdoc IVault
    function redeemInKind(
        uint256 shares,
        address receiver,
        address[] calldata skip
    ) external nonReentrant returns (uint256) {
        requireReceiver(receiver);
        // Also where this block has accrued: what fails to be read since is paid of what it is written off for.
        accrueNow();
        uint256 supply = shareBase();
        _burn(msg.sender, shares);
        return s.redeem(ASSET, CLAIMS, shares, supply, receiver, skip);
    }

    /// @inheritdoc IVault
    function redeemClaim(address account, uint256 units, address receiver) external nonReentrant returns (uint256) {
        requireReceiver(receiver);
        return s.redeemClaim(CLAIMS, account, units, receiver);
    }

    /* VIEWS: ERC-4626 */

    /// @inheritdoc IERC4626
    function asset() external view returns (address) {
        return address(ASSET);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what an accrual now would count: losses in full, gains at most at {maxRate}, nothing that is written off.
    /// - MUST NOT revert but for {InsufficientGas}, and MUST be the last accrual's while a call is under way.
    function totalAssets() external view returns (uint256 total) {
        (total, , ) = stateNow();
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be the same for every caller, rounded down, and MUST know accrual and the fees that are due.
    /// - SHOULD NOT be taken for what a call pays: limits are {maxDeposit}'s and {maxRedeem}'s.
    function convertToShares(uint256 assets) external view returns (uint256) {
        return previewDeposit(assets);
    }

    /// @inheritdoc IERC4626
    /// @dev As {convertToShares}.
    function convertToAssets(uint256 shares) external view returns (uint256) {
        return previewRedeem(shares);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {deposit} mints in the same block, to the unit: accrual and fees included, rounded down.
    /// - MUST NOT know limits: it answers also where {deposit} reverts.
    function previewDeposit(uint256 assets) public view returns (uint256) {
        (uint256 total, uint256 supply, ) = stateNow();
        return Math.mulDiv(assets, supply, total + 1);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {mint} takes in the same block, rounded up. Otherwise as {previewDeposit}.
    function previewMint(uint256 shares) external view returns (uint256) {
        (uint256 total, uint256 supply, ) = stateNow();
        return Math.mulDiv(shares, total + 1, supply, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {withdraw} burns in the same block, rounded up, also beyond what is there to be paid.
    function previewWithdraw(uint256 assets) external view returns (uint256) {
        (uint256 total, uint256 supply, ) = stateNow();
        return Math.mulDiv(assets, supply, total + 1, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {redeem} pays in the same block, rounded down, also beyond what is there to be paid.
    function previewRedeem(uint256 shares) public view returns (uint256) {
        (uint256 total, uint256 supply, ) = stateNow();
        return Math.mulDiv(shares, total + 1, supply);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {deposit} takes now, to the unit: zero while nobody can enter (not open, tripped, an adapter that does not
    /// count, a pool away from fair value, a hundredth of par), else what the deposit cap leaves.
    /// - MUST NOT revert but for {InsufficientGas}, and MUST be zero while a call is under way.
    function maxDeposit(address) external view returns (uint256) {
        (uint256 total, , bool uncounted) = stateNow();
        return room(total, uncounted);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {mint} takes now, to the unit. Otherwise as {maxDeposit}.
    function maxMint(address) external view returns (uint256) {
        (uint256 total, uint256 supply, bool uncounted) = stateNow();
        return Math.mulDiv(room(total, uncounted), supply, total + 1);
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {withdraw} can pay now: the holder's shares, or idle and what exact adapters say they pay, whichever is
    /// less. Open also while tripped.
    /// - MUST NOT revert but for {InsufficientGas}, and MUST be zero while a call is under way.
    /// - A venue that promises what it does not pay can make it too high: the call reverts then.
    function maxWithdraw(address holder) external view returns (uint256) {
        if (_reentrancyGuardEntered()) return 0;
        (uint256 total, uint256 supply, ) = stateNow();
        return liquidity(Math.mulDiv(balanceOf(holder), total + 1, supply));
    }

    /// @inheritdoc IERC4626
    /// @dev - MUST be what {redeem} can pay now, in shares. Otherwise as {maxWithdraw}.
    function maxRedeem(address holder) external view returns (uint256) {
        if (_reentrancyGuardEntered()) return 0;
        (uint256 total, uint256 supply, ) = stateNow();
        uint256 shares = balanceOf(holder);
        uint256 assets = Math.mulDiv(shares, total + 1, supply);
        uint256 payable_ = liquidity(assets);
        return payable_ == assets ? shares : Math.mulDiv(payable_, supply, total + 1);
    }

    /* VIEWS: configuration and state */

    /// @inheritdoc IVault
    function nextNonce(address keeper) external view returns (uint256) {
        return (uint256(s.planEpoch) << 64) | s.keepers[keeper].count;
    }

    /// @inheritdoc IVault
    function planEpoch() external view returns (uint256) {
        return s.planEpoch;
    }

    /// @inheritdoc IVault
    function isKeeper(address account) external view returns (bool) {
        return s.keepers[account].allowed;
    }

    /// @inheritdoc IVault
    function owner() external view returns (address) {
        return s.owner;
    }

    /// @inheritdoc IVault
    function pendingOwner() external view returns (address) {
        return s.pendingOwner;
    }

    /// @inheritdoc IVault
    function guardian() external view returns (address) {
        return s.guardian;
    }

    /// @inheritdoc IVault
    function pendingGuardian() external view returns (address) {
        return s.pendingGuardian;
    }

    /// @inheritdoc IVault
    function feeRecipient() external view returns (address) {
        return s.feeRecipient;
    }

    /// @inheritdoc IVault
    function managementFee() external view returns (uint256) {
        return s.managementFee;
    }

    /// @inheritdoc IVault
    function performanceFee() external view returns (uint256) {
        return s.performanceFee;
    }

    /// @inheritdoc IVault
    function highWaterMark() external view returns (uint256) {
        return s.highWaterMark;
    }

    /// @inheritdoc IVault
    function sharePrice() external view returns (uint256) {
        (uint256 total, uint256 supply, ) = stateNow();
        return Accounting.priceOf(total, supply);
    }

    /// @inheritdoc IVault
    function maxRate() external view returns (uint256) {
        return s.maxRate;
    }

    /// @inheritdoc IVault
    function depositCap() external view returns (uint256) {
        return s.depositCap;
    }

    /// @inheritdoc IVault
    function minimumIdle() external view returns (uint256) {
        return s.minimumIdle;
    }

    /// @inheritdoc IVault
    function lossPerCall() external view returns (uint256) {
        return s.lossPerCall;
    }

    /// @inheritdoc IVault
    function lossBudget() external view returns (uint256, uint256, uint256) {
        return (s.lossBudget.limit, s.lossBudget.window, s.lossBudget.available());
    }

    /// @inheritdoc IVault
    function turnoverBudget() external view returns (uint256, uint256, uint256) {
        return (s.turnoverBudget.limit, s.turnoverBudget.window, s.turnoverBudget.available());
    }

    /// @inheritdoc IVault
    function emergencyBudget() external view returns (uint256, uint256, uint256) {
        return (s.emergencyBudget.limit, s.emergencyBudget.window, s.emergencyBudget.available());
    }

    /// @inheritdoc IVault
    function opened() external view returns (bool) {
        return s.opened;
    }

    /// @inheritdoc IVault
    function breaker() external view returns (Breaker, uint256) {
        return BreakerState.get(s);
    }

    /// @inheritdoc IVault
    function breakerResetAt() external view returns (uint256) {
        return s.breakerResetAt;
    }

    /// @inheritdoc IVault
    function guardianTripFrom() external view returns (uint256) {
        return s.guardianTripFrom;
    }

    /// @inheritdoc IVault
    function condition(address account) external view returns (bool, uint256) {
        return (s.conditions[account].registered, s.conditions[account].armedAt);
    }

    /// @inheritdoc IVault
    function readFailureAt(address account) external view returns (uint256) {
        return s.readFailureAt[account];
    }

    /// @inheritdoc IVault
    function idle() public view returns (uint256) {
        return ASSET.balanceOf(address(this));
    }

    /// @inheritdoc IVault
    function accountedAssets() external view returns (uint256, uint256, uint256) {
        return (s.accounted, s.earlier, s.updatedAt);
    }

    /// @inheritdoc IVault
    function limitBase() external view returns (uint256) {
        return Accounting.limitBase(s);
    }

    /// @inheritdoc IVault
    function writtenOff() external view returns (uint256, bool) {
        return (s.writtenOff, s.uncounted);
    }

    /// @inheritdoc IVault
    function adapters() external view returns (address[] memory list) {
        list = new address[](s.adapterCount);
        for (uint256 i; i < list.length; ++i) list[i] = s.adapters[i].adapter;
    }

    /// @inheritdoc IVault
    function adapter(address account) external view returns (AdapterRecord memory) {
        Position memory position = s.positions[account];
        if (position.place == 0) revert UnknownAdapter(account);
        AdapterSlot memory slot = s.adapters[position.place - 1];
        ClaimUnits memory units = s.claimUnits[account];
        return
            AdapterRecord({
                absoluteCap: position.absoluteCap,
                relativeCap: slot.relativeCap,
                groupMask: slot.groupMask,
                recorded: position.recorded,
                exact: slot.exact,
                quarantined: slot.quarantined,
                claimUnits: units.claimed,
                totalUnits: units.total
            });
    }

    /// @inheritdoc IVault
    function groups() external view returns (GroupConfiguration[] memory list) {
        list = new GroupConfiguration[](s.groupCount);
        for (uint256 i; i < list.length; ++i) {
            list[i] = GroupConfiguration(s.groups[i].name, s.groups[i].relativeCap);
        }
    }

    /// @inheritdoc IVault
    function groupAllocation(uint256 group) external view returns (uint256) {
        if (group >= s.groupCount) revert UnknownGroup(group);
        return s.groups[group].allocated;
    }

    /// @inheritdoc IVault
    function claims() external view returns (address) {
        return address(CLAIMS);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address account) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(account);
    }

    /// @inheritdoc IERC20Metadata
    function decimals() public pure override(ERC20, IERC20Metadata) returns (uint8) {
        return 18;
    }

    /* INTERNALS: accrual */

    /// @dev Brings totals up to date, once a block.
    function accrueOnce() private {
        if (!Accounting.current(s)) accrueNow();
    }

    function accrueNow() private {
        Accounting.Accrual memory a = Accounting.forecast(s, ASSET, shareBase(), par());
        if (s.updatedAt != block.timestamp) {
            s.earlier = s.accounted;
            s.updatedAt = uint32(block.timestamp);
        }
        s.accounted = uint104(a.total);
        s.carry = uint16(a.carry);
        if (s.revalue) s.revalue = false;
        if (a.uncounted != s.uncounted || a.writtenOff != s.writtenOff) {
            s.uncounted = a.uncounted;
            s.writtenOff = uint104(a.writtenOff);
            emit WrittenOff(a.writtenOff, a.uncounted);
        }
        if (a.highWaterMark != 0) s.highWaterMark = a.highWaterMark;
        if (a.managementShares + a.performanceShares != 0) {
            _mint(s.feeRecipient, a.managementShares + a.performanceShares);
        }
        emit Accrued(a.total, totalSupply(), a.managementShares, a.performanceShares);
    }

    /// @dev What an accrual now would lead to. While a call is under way: the last accrual.
    /// @return total Total assets. @return supply Supply with the virtual shares and the fee that is due.
    function stateNow() private view returns (uint256 total, uint256 supply, bool uncounted) {
        supply = shareBase();
        if (_reentrancyGuardEntered() || Accounting.current(s)) return (s.accounted, supply, s.uncounted);
        Accounting.Accrual memory a = Accounting.forecast(s, ASSET, supply, par());
        return (a.total, supply + a.managementShares + a.performanceShares, a.uncounted);
    }

    function shareBase() private view returns (uint256) {
        return totalSupply() + VIRTUAL_SHARES;
    }

    /// @dev What all shares would be worth at the price of the first.
    function par() private view returns (uint256) {
        return shareBase() / VIRTUAL_SHARES;
    }

    function assetBase() private view returns (uint256) {
        return uint256(s.accounted) + 1;
    }

    /* INTERNALS: entry */

    function room(uint256 total, bool uncounted) private view returns (uint256) {
        if (!s.opened || uncounted || _reentrancyGuardEntered() || !enterable(total)) return 0;
        if (Accounting.unsteady(s) != address(0)) return 0;
        return roomUnder(total);
    }

    /// @param unsteady As it was before the accrual, which is what {maxDeposit} sees.
    function requireRoom(address unsteady) private view returns (uint256) {
        uint256 total = s.accounted;
        if (!s.opened) revert NotOpened();
        if (s.uncounted || !enterable(total)) {
            (Breaker state, uint256 until) = BreakerState.get(s);
            revert DepositsClosed(state, until, s.uncounted, total, Accounting.leastTotal(par()));
        }
        if (unsteady != address(0)) revert VenueUnsteady(unsteady);
        return roomUnder(total);
    }

    function roomUnder(uint256 total) private view returns (uint256) {
        uint256 cap = Math.min(s.depositCap, Accounting.MAX_TOTAL);
        return cap > total ? cap - total : 0;
    }

    /// @dev The breaker is not tripped, and the shares have a price to enter at.
    function enterable(uint256 total) private view returns (bool) {
        (Breaker state, ) = BreakerState.get(s);
        return state == Breaker.Closed && !Accounting.isWipedOut(total, par());
    }

    function enter(uint256 assets, uint256 shares, address receiver) private {
        requireReceiver(receiver);
        if (assets != 0 && shares == 0) revert ZeroShares(assets);
        take(assets);
        s.accounted += uint104(assets);
        _mint(receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    function take(uint256 assets) private {
        uint256 before = idle();
        ASSET.safeTransferFrom(msg.sender, address(this), assets);
        uint256 received = idle() - before;
        if (received != assets) revert TransferMismatch(assets, received);
    }

    /* INTERNALS: exit */

    function leave(uint256 assets, uint256 shares, address receiver, address holder) private {
        requireReceiver(receiver);
        if (msg.sender != holder) _spendAllowance(holder, msg.sender, shares);
        _burn(holder, shares);
        s.accounted -= uint104(assets);
        uint256 held = idle();
        if (held < assets) pull(assets, held);
        ASSET.safeTransfer(receiver, assets);
        emit Withdraw(msg.sender, receiver, holder, assets, shares);
    }

    /// @dev Fills idle up to `assets` from exact adapters in the order of the queue. One that fails is skipped, unless the
    /// caller brought too little gas for the failure to mean anything.
    function pull(uint256 assets, uint256 held) private {
        uint256 count = s.adapterCount;
        for (uint256 i; i < count && held < assets; ++i) {
            AdapterSlot memory slot = s.adapters[i];
            if (!slot.exact || slot.quarantined) continue;
            uint256 amount = Math.min(assets - held, Accounting.withdrawable(s, slot));
            if (amount == 0) continue;
            uint256 before;
            if (slot.claimed) (, before) = Accounting.positionValue(slot.adapter);
            uint256 gasBefore = gasleft();
            if (!BoundedRead.tryCall(slot.adapter, EXIT_GAS, abi.encodeCall(IAdapter.withdraw, (amount, "")))) {
                if (gasBefore < EXIT_GAS_NEEDED) revert InsufficientGas(gasBefore, EXIT_GAS_NEEDED);
                continue;
            }
            uint256 received = idle() - held;
            held += received;
            Accounting.bookWithdrawal(s, slot, false, before, received);
        }
        if (held < assets) revert InsufficientLiquidity(assets, held);
    }

    /// @dev `wanted`, or what idle and the queue can pay of it.
    function liquidity(uint256 wanted) private view returns (uint256 sum) {
        sum = idle();
        uint256 count = s.adapterCount;
        for (uint256 i; i < count && sum < wanted; ++i) {
            AdapterSlot memory slot = s.adapters[i];
            if (slot.exact && !slot.quarantined) sum += Accounting.withdrawable(s, slot);
        }
        return Math.min(sum, wanted);
    }

    /// @dev What is paid to the vault itself is nobody's.
    function requireReceiver(address receiver) private view {
        if (receiver == address(0) || receiver == address(this)) revert InvalidReceiver(receiver);
    }
}
