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
    /// @dev `owner`, `guardian`: never zero. `feeRecipient`: may be zero while both fees are. `managementFee`: WAD a year,
    /// ≤ 2 %. `performanceFee`: WAD of the gain, ≤ 20 %. `maxRate`: WAD a year, ≤ 200 %. `depositCap`: assets.
    /// `minimumIdle`, `lossPerCall`: WAD share of total assets. `conditions`: of the breaker, each once.
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
        BudgetConfiguration emergencyBudget;
        AdapterConfiguration[] adapters;
        GroupConfiguration[] groups;
        address[] conditions;
    }

    /// @notice What the breaker does: nothing, a pause of the guardian's, or a proven stop.
    enum Breaker {
        Closed,
        /// Tripped by the guardian: a pause, expires by itself.
        GuardianTripped,
        /// Tripped by proof of a registered condition: only the timelock resets it.
        Tripped
    }

    /// @notice What the vault holds of one adapter.
    /// @param recorded Value when a move or an exit last touched it: what group sums are made of.
    /// @param claimUnits Units of its position that belong to holders of claims, out of `totalUnits` (zero: no claims).
    struct AdapterRecord {
        uint256 absoluteCap;
        uint256 relativeCap;
        uint256 groupMask;
        uint256 recorded;
        bool exact;
        bool quarantined;
        uint256 claimUnits;
        uint256 totalUnits;
    }

    /* ERRORS: roles and configuration */

    /// @notice Only the timelock may do this: it is the riskier direction.
    error NotOwner(address caller);
    /// @notice Only the guardian may do this.
    error NotGuardian(address caller);
    /// @notice The safer direction: open to the guardian and to the owner.
    error NotGuardianOrOwner(address caller);
    /// @notice Only a keeper may carry out a plan.
    error NotKeeper(address caller);
    /// @notice The second step of a handover is the new holder's.
    error NotPending(address caller, address pending);
    /// @notice The zero address where somebody must be; `field` is the name of it in ASCII. The number is the zero.
    error ZeroAddress(bytes32 field);
    /// @notice A value is on the wrong side of `bound`, the least or the most that `field` may be, in its unit.
    error OutOfRange(bytes32 field, uint256 given, uint256 bound);
    /// @notice A setter was called with today's value.
    error Unchanged(bytes32 field);
    /// @notice The asset has more than 18 decimals.
    error UnsupportedDecimals(uint8 decimals);
    /// @notice {open} works once. There is no number to give: the vault is open or not.
    error AlreadyOpened();
    /// @notice Nobody deposits before {open}. There is no number to give.
    error NotOpened();
    /// @notice The owner, or who would be, answers no `getMinDelay()`. There is no number.
    error OwnerNotTimelock(address owner);
    /// @notice The owner's delay is under a day. In seconds.
    error DelayTooShort(uint256 delay, uint256 minimum);
    /// @notice The deployer still has a role, of the vault by its name or of the timelock by its identifier.
    error DeployerHoldsRole(address deployer, bytes32 role);
    /// @notice The seed would not protect the price of the first shares. In assets.
    error SeedTooSmall(uint256 seed, uint256 minimum);
    /// @notice The adapter answers to `vault`, which is not this one.
    error AdapterOfOtherVault(address adapter, address vault);
    /// @notice The adapter counts in `asset`, which is not the vault's.
    error AdapterOfOtherAsset(address adapter, address asset);
    /// @notice The adapter is registered already.
    error AdapterKnown(address adapter);
    /// @notice There is no code at an address that is to be an adapter.
    error NotContract(address account);
    /// @notice No adapter of the vault is at this address.
    error UnknownAdapter(address adapter);
    /// @notice The vault has no group of this number: {groups} are counted from zero.
    error UnknownGroup(uint256 group);
    /// @notice There would be `given` adapters.
    error TooManyAdapters(uint256 given, uint256 most);
    /// @notice There would be `given` groups.
    error TooManyGroups(uint256 given, uint256 most);
    /// @notice The adapter holds `value` assets and is not in quarantine; zero: it cannot be read.
    error AdapterNotEmpty(address adapter, uint256 value);
    /// @notice The queue's entry at `position` is no adapter, or there twice; or so many were given and not `count`.
    error NotPermutation(uint256 position, uint256 count);

    /* ERRORS: depositors */

    /// @notice No entry: the breaker is tripped (`state`, until when if that is known), an adapter is quarantined or cannot be
    /// read (`uncounted`), or next to nothing is left: `total` is under `least`, a hundredth of par.
    error DepositsClosed(Breaker state, uint256 until, bool uncounted, uint256 total, uint256 least);
    /// @notice No entry: the price of a venue of several tokens is away from fair value, or cannot be judged.
    error VenueUnsteady(address adapter);
    /// @notice More than the deposit cap leaves room for: in assets of a deposit, in shares of a {mint}.
    error DepositCapExceeded(uint256 assets, uint256 available);
    /// @notice So few assets buy no share.
    error ZeroShares(uint256 assets);
    /// @notice The asset delivered something else than was asked: it charges on transfer.
    error TransferMismatch(uint256 asked, uint256 received);
    /// @notice What a call would give or take is beyond the caller's own bound, in the unit of what is bounded.
    error BoundMissed(uint256 actual, uint256 bound);
    /// @notice Nobody, or the vault itself, would be paid. There is no number.
    error InvalidReceiver(address receiver);
    /// @notice Idle and the queue can pay `available` of the assets that were asked for.
    error InsufficientLiquidity(uint256 asked, uint256 available);
    /// @notice Too little gas to read or call a venue in full, so nothing may be concluded from its failure.
    error InsufficientGas(uint256 available, uint256 required);
    /// @notice None, or more units than the caller holds.
    error ClaimTooLarge(uint256 units, uint256 held);

    /* ERRORS: rebalance, in the order of its checks */

    /// @notice A plan that puts money into adapters while tripped; `until` is zero of a proven trip.
    error BreakerTripped(Breaker state, uint256 until);
    /// @notice The plan came after its deadline. Unix seconds.
    error DeadlinePassed(uint256 deadline, uint256 timestamp);
    /// @notice The plan is of another nonce than the keeper's next: repeated, out of order, or of an epoch that was ended.
    error WrongNonce(uint256 given, uint256 expected);
    /// @notice A plan of no moves. There is no number to give.
    error NoMoves();
    /// @notice The move at `index` of a plan, or an exit of one adapter (zero), is of nothing or brought nothing in.
    error EmptyMove(uint256 index);
    /// @notice The withdrawal at `index` comes after a deposit.
    error UnorderedMove(uint256 index);
    /// @notice The move at `index` is of an adapter that the plan has moved already.
    error DuplicateMove(uint256 index, address adapter);
    /// @notice The adapter is in quarantine. There is no number.
    error AdapterQuarantined(address adapter);
    /// @notice The adapter's fair value cannot be read, so nothing can be measured. There is no number: it says none.
    error AdapterUnreadable(address adapter);
    /// @notice The adapter, or its venue, reverted without a reason. `gasLeft` says whether it ran out of gas: a 63rd of what it
    /// had is left then.
    error AdapterFailed(address adapter, uint256 gasLeft);
    /// @notice A deposit of more assets than are idle at that move.
    error IdleExceeded(uint256 asked, uint256 idle);
    /// @notice The plan lost more assets than it, or any one plan, may.
    error LossExceeded(uint256 lost, uint256 bound);
    /// @notice `asked` and `available` are WAD shares of total assets.
    error LossBudgetExceeded(uint256 asked, uint256 available);
    /// @notice As {LossBudgetExceeded}, of what the plan put into adapters.
    error TurnoverBudgetExceeded(uint256 asked, uint256 available);
    /// @notice An adapter that grew is above its cap, in assets.
    error AbsoluteCapExceeded(address adapter, uint256 value, uint256 cap);
    /// @notice An adapter that grew is above its share of total assets, in assets.
    error RelativeCapExceeded(address adapter, uint256 value, uint256 cap);
    /// @notice A group of an adapter that grew is above its share of total assets, in assets.
    error GroupCapExceeded(uint256 group, uint256 value, uint256 cap);
    /// @notice The plan lowered idle under its minimum, in assets.
    error IdleTooLow(uint256 idle, uint256 minimum);

    /* ERRORS: breaker and quarantine */

    /// @notice `until`: when a guardian's trip ends; zero of one by proof.
    error AlreadyTripped(Breaker state, uint256 until);
    /// @notice The breaker is not tripped, or not by proof where that is needed.
    error NotTripped(Breaker state);
    /// @notice A trip of no time, or of more than seven days. Seconds.
    error TripTooLong(uint256 duration, uint256 longest);
    /// @notice The guardian may trip again at `earliest`. Unix seconds.
    error TripTooSoon(uint256 timestamp, uint256 earliest);
    /// @notice The condition is not registered. There is no number.
    error UnknownCondition(address condition);
    /// @notice The condition does not hold now, or cannot be asked. Its own views have its numbers.
    error ConditionNotHolding(address condition);
    /// @notice The condition holds now. Its own views have its numbers.
    error ConditionHolding(address condition);
    /// @notice The condition was armed at `armedAt` and may still trip. Unix seconds.
    error AlreadyArmed(address condition, uint256 armedAt);
    /// @notice The condition is not armed: the time of its arming is zero.
    error NotArmed(address condition);
    /// @notice A trip is possible from `earliest` to `latest`.
    error OutsideTripWindow(uint256 timestamp, uint256 earliest, uint256 latest);
    /// @notice The adapter is not in quarantine. There is no number.
    error NotQuarantined(address adapter);
    /// @notice The adapter's read works, and answers with `value`.
    error StillReadable(address adapter, uint256 value);
    /// @notice The second report counts from block `earliest` on.
    error ReportTooEarly(uint256 blockNumber, uint256 earliest);
    /// @notice Such an adapter is left by {guardianExit}, at the guardian's risk.
    error NotExact(address adapter);
    /// @notice Such an adapter is left by {emergencyExit}, which loses nothing.
    error IsExact(address adapter);
    /// @notice `asked` and `available` are WAD shares of total assets.
    error EmergencyBudgetExceeded(uint256 asked, uint256 available);
    /// @notice A withdrawal would take more of a position than the vault's part of it: the rest belongs to claims.
    error ClaimsImpaired(address adapter, uint256 taken, uint256 vaultPart);

    /* EVENTS */

    /// @notice The vault takes deposits from now on.
    event Opened(uint256 seedAssets, uint256 seedShares);
    /// @notice Total assets were brought up to date; `totalSupply` is with the fee shares and without the virtual ones.
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

    /// @notice What is recorded of an adapter changed: a leg of a plan or of an exit, a refresh. Enough to rebuild every
    /// allocation from logs.
    /// @param assets As in {Move}, with `all` resolved to what was paid; zero where the vault moved no assets.
    /// @param value The adapter's fair value afterwards. After an exit in kind, or when it cannot be read: what was recorded
    /// before, less what left.
    event Allocated(address indexed adapter, int256 assets, uint256 value);

    /// @notice Total assets were written down because an adapter could not be read or is in quarantine, or to next to
    /// nothing, or what was written off came back. `writtenOff` counts again at once when it returns.
    event WrittenOff(uint256 writtenOff, bool uncounted);

    /// @notice `pending` may accept ownership.
    event OwnershipOffered(address indexed pending);
    /// @notice The owner changed; first: from zero.
    event OwnerChanged(address indexed previous, address indexed current);
    /// @notice `pending` may accept the guardian's office.
    event GuardianOffered(address indexed pending);
    /// @notice The guardian changed; first: from zero.
    event GuardianChanged(address indexed previous, address indexed current);
    /// @notice A keeper was added or removed.
    event KeeperChanged(address indexed keeper, bool allowed);
    /// @notice All outstanding plans have ended.
    event PlanEpochRaised(uint256 planEpoch);
    /// @notice Fees are minted to another; first: from zero.
    event FeeRecipientChanged(address indexed previous, address indexed current);
    /// @notice One limit was changed; `field` is its name in ASCII.
    event LimitChanged(bytes32 indexed field, uint256 previous, uint256 current, address indexed by);
    /// @notice A budget has new terms: WAD share of total assets, seconds.
    event BudgetChanged(bytes32 indexed field, uint256 limit, uint256 window, address indexed by);
    /// @notice State of a budget after it was spent from, WAD share of total assets.
    event BudgetSpent(bytes32 indexed field, uint256 share, uint256 used);
    /// @notice An adapter was added at the end of the queue. Caps as in {AdapterConfiguration}.
    event AdapterAdded(
        address indexed adapter,
        bool exact,
        uint256 absoluteCap,
        uint256 relativeCap,
        uint256 groupMask
    );
    /// @notice An adapter was removed, with `abandoned` assets in it that nobody could read out.
    event AdapterRemoved(address indexed adapter, uint256 abandoned);
    /// @notice Caps or groups of an adapter are now these.
    event AdapterCapsChanged(
        address indexed adapter,
        uint256 absoluteCap,
        uint256 relativeCap,
        uint256 groupMask,
        address indexed by
    );
    /// @notice A group was added or has another cap, WAD.
    event GroupChanged(uint256 indexed group, bytes32 name, uint256 relativeCap, address indexed by);
    /// @notice The withdrawal queue is now in this order.
    event QueueChanged(address[] adapters);

    /// @notice An adapter counts for nothing from the next accrual on.
    event Quarantined(address indexed adapter, address indexed by);
    /// @notice An adapter counts again from the next accrual on.
    event QuarantineLifted(address indexed adapter);
    /// @notice A failed read was noted: the first of two.
    event ReadFailureReported(address indexed adapter, uint256 blockNumber);
    /// @notice A read that works took the note back.
    event ReadFailureCleared(address indexed adapter);
    /// @notice A condition was registered or unregistered, and is not armed.
    event ConditionChanged(address indexed condition, bool registered);
    /// @notice A condition may trip from 30 minutes after `timestamp` on.
    event ConditionArmed(address indexed condition, uint256 timestamp);
    /// @notice A condition did not hold any more.
    event ConditionDisarmed(address indexed condition);
    /// @notice The breaker's state; `condition` is zero where none proved it, `until` where no time ends it.
    event BreakerChanged(Breaker state, uint256 until, address indexed condition);
    /// @notice Money was brought to idle while tripped, by anyone or by the guardian.
    /// @param assetsAfter Total assets: less by what the venue took beyond what it paid.
    event EmergencyExit(address indexed adapter, uint256 received, uint256 assetsAfter);

    /// @notice An exit in kind: shares burned, assets paid, and what left total assets.
    event RedeemedInKind(
        address indexed owner,
        address indexed receiver,
        uint256 shares,
        uint256 idlePaid,
        uint256 accountedPaid
    );
    /// @notice One adapter's part of an exit in kind. `claimUnits` is zero when `receipts` were paid.
    event PaidInKind(address indexed adapter, address indexed receiver, uint256 receipts, uint256 claimUnits);
    /// @notice A claim was paid in receipts of the adapter.
    event ClaimRedeemed(address indexed adapter, address indexed receiver, uint256 units, uint256 receipts);
    /// @notice Of an adapter's position, claims have `claimed` of `total` units; both zero: nothing is claimed.
    event ClaimUnitsChanged(address indexed adapter, uint256 total, uint256 claimed);

    /* VIEWS THAT A KEEPER NEEDS */

    /// @notice The nonce that `keeper`'s next plan must carry: `planEpoch << 64 | count`.
    function nextNonce(address keeper) external view returns (uint256);

    /// @notice Raised by every act that ends outstanding plans: a keeper removed, an act of the guardian.
    function planEpoch() external view returns (uint256);

    /// @notice Whether `account` may call {rebalance}.
    function isKeeper(address account) external view returns (bool);
    /// @notice Who may make things safer at once.
    function guardian() external view returns (address);
    /// @notice The timelock.
    function owner() external view returns (address);
    /// @notice Whether {open} was called.
    function opened() external view returns (bool);
    /// @notice The state now: a guardian's trip that has expired reads as closed. `until` is its end, zero otherwise.
    function breaker() external view returns (Breaker state, uint256 until);

    /* FURTHER VIEWS */

    /// @notice Who may call {acceptOwnership}.
    function pendingOwner() external view returns (address);
    /// @notice Who may call {acceptGuardian}.
    function pendingGuardian() external view returns (address);
    /// @notice Who created the vault: must hold nothing when it opens.
    function deployer() external view returns (address);
    /// @notice Who is minted the shares of both fees.
    function feeRecipient() external view returns (address);
    /// @notice WAD a year of total assets.
    function managementFee() external view returns (uint256);
    /// @notice WAD of what the share price gains above {highWaterMark}.
    function performanceFee() external view returns (uint256);

    /// @notice Share price above which the performance fee is taken, in the unit of {sharePrice}.
    function highWaterMark() external view returns (uint256);

    /// @notice Assets for 10**decimals shares, scaled by 1e18.
    function sharePrice() external view returns (uint256);
    /// @notice WAD a year: the most that gains add to total assets.
    function maxRate() external view returns (uint256);
    /// @notice Total assets up to which deposits are taken, 2^120 − 1 meaning none.
    function depositCap() external view returns (uint256);
    /// @notice WAD share of total assets below which a plan may not lower idle.
    function minimumIdle() external view returns (uint256);
    /// @notice WAD share of total assets that one plan may lose.
    function lossPerCall() external view returns (uint256);

    /// @notice Budget of what plans lose.
    /// @return limit WAD share of total assets for any window.
    /// @return window Seconds.
    /// @return available WAD share that could be spent now.
    function lossBudget() external view returns (uint256 limit, uint256 window, uint256 available);
    /// @notice Budget of what plans put into adapters; returns as {lossBudget}.
    function turnoverBudget() external view returns (uint256 limit, uint256 window, uint256 available);
    /// @notice Budget of what the guardian's exits lose; returns as {lossBudget}.
    function emergencyBudget() external view returns (uint256 limit, uint256 window, uint256 available);

    /// @notice Asset held by the vault itself.
    function idle() external view returns (uint256);

    /// @notice Totals that limits and the next accrual start from.
    /// @return total Total assets at the last accrual, deposits and exits since then included.
    /// @return earlier The same at the end of the last block before the last accrual's.
    /// @return updatedAt When it was accrued.
    function accountedAssets() external view returns (uint256 total, uint256 earlier, uint256 updatedAt);

    /// @notice What every limit that is a share of total assets is a share of.
    function limitBase() external view returns (uint256);

    /// @notice What is written off because an adapter does not count.
    /// @return amount What counts again at once when the adapters that do not count come back.
    /// @return uncounted Whether an adapter did not count at the last accrual; while so, nobody can enter.
    function writtenOff() external view returns (uint256 amount, bool uncounted);

    /// @notice All adapters, in the order of the withdrawal queue.
    function adapters() external view returns (address[] memory);
    /// @notice Terms and state of one adapter. Reverts with {UnknownAdapter}.
    function adapter(address account) external view returns (AdapterRecord memory);
    /// @notice All groups; bit i of a group mask is the i-th.
    function groups() external view returns (GroupConfiguration[] memory);

    /// @notice Sum of the recorded values of a group's members.
    function groupAllocation(uint256 group) external view returns (uint256);

    /// @notice State of one condition of the breaker.
    /// @return registered Whether the timelock registered it.
    /// @return armedAt When it was armed; zero: not armed.
    function condition(address account) external view returns (bool registered, uint256 armedAt);

    /// @notice When the breaker was last reset: conditions take their reference from then.
    function breakerResetAt() external view returns (uint256);

    /// @notice First timestamp at which the guardian may trip again.
    function guardianTripFrom() external view returns (uint256);

    /// @notice Block of the first failed read that was reported; zero: none.
    function readFailureAt(address account) external view returns (uint256);

    /// @notice ERC-6909 token of the claims; an adapter's id is its address as a number.
    function claims() external view returns (address);

    /* ENTRY POINTS BEYOND ERC-4626 */

    /// @notice Starts the vault, once: takes `seed` assets (10^6 units at least) from the caller and burns the shares for it.
    /// Anyone, once the owner is a timelock and the deployer holds no role.
    /// @dev - MUST revert with {AlreadyOpened} the second time, with {SeedTooSmall} or {OutOfRange} for another seed, with
    /// {OwnerNotTimelock}, {DelayTooShort} or {DeployerHoldsRole} while the roles are not as they must be, and with
    /// {TransferMismatch} where the asset charges on transfer.
    function open(uint256 seed) external;

    /// @notice The keeper's only power. Order of the checks: see `Vault`; each has its own error, in that order above.
    /// @dev - MUST carry out every move, in the order given, or none.
    /// - MUST NOT lose more than `guard.maxLoss`, the bound of a call and what the loss budget has left. A move to idle that
    /// loses no more than rounding is bound by `guard.maxLoss` only.
    /// - MUST NOT let an adapter that grew end above a cap, nor idle end under its minimum and lower than before.
    /// - MUST NOT put money anywhere but into adapters of this vault, nor into one in quarantine or that cannot be read.
    /// - MUST use the nonce up, so that no plan runs twice.
    /// - Passes on what an adapter reverts with.
    function rebalance(Move[] calldata moves, Guard calldata guard) external;

    /// @notice Brings total assets up to date. Anyone; everything that needs it does it by itself.
    /// @dev - MUST NOT revert but for {InsufficientGas}, or while a call of the vault is under way.
    /// - MUST count losses in full, gains at most at {maxRate}, and mint the fees that are due.
    function accrue() external;

    /// @notice Brings one adapter's recorded value, and its groups' sums, up to date. Anyone.
    /// @dev - MUST revert with {UnknownAdapter}, and with {AdapterUnreadable} where there is no value to record.
    /// - MUST charge the loss budget with what a pool fell by since it was recorded.
    function refresh(address account) external;

    /// @notice Several calls of the caller's in one.
    /// @dev - MUST make each as the caller would, in order, and revert with what the first that fails reverts with.
    /// @param data Calldata of functions of this contract. @return results What each returned.
    function multicall(bytes[] calldata data) external returns (bytes[] memory results);

    /// @notice Tries the asset's own permit for the vault; a failure is ignored, for anyone may have used it before.
    /// @dev - MUST NOT revert for a permit that is used, expired or wrong: what follows in a multicall fails by the allowance.
    /// @param value In the asset's unit. @param deadline Unix seconds.
    function permitAsset(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice As ERC-4626, but reverts with {BoundMissed} if it would mint fewer than `minShares`.
    /// @dev - SHOULD be preferred where a price may move between signing and inclusion.
    function deposit(uint256 assets, address receiver, uint256 minShares) external returns (uint256 shares);
    /// @notice As ERC-4626, but reverts with {BoundMissed} if it would take more than `maxAssets`.
    /// @dev - SHOULD be preferred where a price may move between signing and inclusion.
    function mint(uint256 shares, address receiver, uint256 maxAssets) external returns (uint256 assets);
    /// @notice As ERC-4626, but reverts with {BoundMissed} if it would burn more than `maxShares`.
    /// @dev - SHOULD be preferred: an exit while an adapter is written off leaves that part behind.
    function withdraw(
        uint256 assets,
        address receiver,
        address holder,
        uint256 maxShares
    ) external returns (uint256 shares);
    /// @notice As ERC-4626, but reverts with {BoundMissed} if it would pay fewer than `minAssets`.
    /// @dev - SHOULD be preferred: an exit while an adapter is written off leaves that part behind.
    function redeem(
        uint256 shares,
        address receiver,
        address holder,
        uint256 minAssets
    ) external returns (uint256 assets);

    /// @notice Burns the caller's `shares` for its part of idle and of every position as receipt tokens. A part that is
    /// skipped, or that the venue refuses, becomes a claim of `receiver`.
    /// @dev - MUST work paused, tripped, illiquid, and with adapters that fail in any way.
    /// - MUST NOT pay a part of a gain that still drips, nor touch what belongs to claims.
    /// - MUST revert with {InvalidReceiver}, with {UnknownAdapter} for an entry of `skip`, with ERC-20's error for more shares
    /// than there are, and with {InsufficientGas} rather than make a claim of what the caller brought too little gas for.
    /// @param skip Adapters whose receipts the caller does not want now.
    /// @return idlePaid Assets paid.
    function redeemInKind(
        uint256 shares,
        address receiver,
        address[] calldata skip
    ) external returns (uint256 idlePaid);

    /// @notice Turns `units` of the caller's claim on an adapter into its receipt tokens.
    /// @dev - MUST work after the adapter was removed.
    /// - MUST revert with {InvalidReceiver}, with {ClaimTooLarge} for none or more than are held, and with whatever the venue
    /// refuses with; the claim stays then.
    /// @return receipts In the unit of the adapter's {IAdapter.receipt}.
    function redeemClaim(address account, uint256 units, address receiver) external returns (uint256 receipts);

    /* ANYONE: breaker and quarantine */

    /// @notice Starts the clock of a registered condition that holds.
    /// @dev - MUST revert with {UnknownCondition}, with {AlreadyArmed} while the last arming may still trip, with
    /// {ConditionNotHolding}, and with {InsufficientGas} for who brings too little to ask the condition.
    function arm(address account) external;

    /// @notice Trips the breaker by a condition that still holds, from 30 minutes to one day after it was armed.
    /// @dev - MUST revert with {UnknownCondition}, {AlreadyTripped} after a proven trip, {NotArmed}, {OutsideTripWindow},
    /// {ConditionNotHolding} or {InsufficientGas}.
    /// - MUST override a guardian's trip, and last until {resetBreaker}.
    /// - Between arming and tripping the condition is not looked at: who sees it not hold has to {disarm}.
    function trip(address account) external;

    /// @notice Stops the clock of a condition that does not hold.
    /// @dev - MUST revert with {UnknownCondition}, {NotArmed}, {ConditionHolding} or {InsufficientGas}.
    function disarm(address account) external;

    /// @notice Notes a failed read of an adapter; the second note, far enough from the first, quarantines it. A read that
    /// works clears the first note.
    /// @dev - MUST revert with {UnknownAdapter}, with {AdapterQuarantined} where it is done, with {StillReadable} for a read that
    /// works and no note to clear, with {ReportTooEarly} under 50 blocks, and with {InsufficientGas}: no failure is believed
    /// for which the caller brought too little.
    function reportUnreadable(address account) external;

    /// @notice While tripped by proof: pulls what an exact venue can pay to idle.
    /// @dev - MUST revert with {NotTripped}, {UnknownAdapter}, {NotExact}, and with {EmptyMove} where nothing came.
    /// - MUST take what the venue keeps off total assets at once.
    /// @return received Assets.
    function emergencyExit(address account) external returns (uint256 received);

    /* GUARDIAN */

    /// @notice Pauses for `duration` seconds, at most seven days. Not again before as much time has passed after its end.
    /// @dev - MUST revert with {NotGuardian}, {AlreadyTripped}, {TripTooLong} for none or more, and {TripTooSoon}.
    /// - MUST end all outstanding plans.
    function guardianTrip(uint256 duration) external;
    /// @notice While tripped, by proof or by the guardian: moves assets out of an adapter that is not exact to idle, at no
    /// worse than the adapter's own floor. What it loses comes out of the emergency budget.
    /// @dev - MUST revert with {NotGuardian}, {NotTripped}, {UnknownAdapter}, {IsExact}, {AdapterUnreadable} without a value to
    /// measure by, {EmptyMove} where nothing is asked or came, {BoundMissed}, {ClaimsImpaired} and {EmergencyBudgetExceeded}.
    /// @param assets What to ask the adapter for; the greatest number: everything. @param minimum Least to come in.
    /// @return received Assets.
    function guardianExit(address account, uint256 assets, uint256 minimum) external returns (uint256 received);
    /// @notice Writes an adapter off at once: entry closes, the keeper may only withdraw from it, exits go by the rest. Guardian
    /// or owner.
    /// @dev - MUST revert with {NotGuardianOrOwner}, {UnknownAdapter}, and {AdapterQuarantined} where it is done.
    function quarantine(address account) external;

    /* OWNER, or GUARDIAN in the safer direction */

    /// @notice Who may call {rebalance}. Safer: removal, which also ends all outstanding plans.
    /// @dev - MUST revert with {NotOwner} or {NotGuardianOrOwner}, {ZeroAddress}, and {Unchanged} with today's value.
    function setKeeper(address keeper, bool allowed) external;
    /// @notice Most assets in an adapter; 2^120 − 1 and more: none. Safer: lower.
    /// @dev - MUST NOT force anything out: a position above it may only shrink.
    /// - MUST revert with {UnknownAdapter}, {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setAbsoluteCap(address account, uint256 cap) external;
    /// @notice Most of total assets in an adapter, WAD, at most 1. Safer: lower.
    /// @dev - As {setAbsoluteCap}, and with {OutOfRange}.
    function setRelativeCap(address account, uint256 cap) external;
    /// @notice Groups an adapter counts towards, bit i for the i-th. Safer: more of them.
    /// @dev - MUST carry the adapter's recorded value along.
    /// - MUST revert with {UnknownAdapter}, {UnknownGroup}, {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setGroupMask(address account, uint256 mask) external;
    /// @notice Most of total assets in a group's members together, WAD, at most 1. Safer: lower.
    /// @dev - MUST revert with {UnknownGroup}, {OutOfRange}, {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setGroupCap(uint256 group, uint256 cap) external;
    /// @notice Total assets, in the asset's unit, up to which deposits are taken; 2^120 − 1 and more: none. Safer: lower.
    /// @dev - MUST revert with {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setDepositCap(uint256 cap) external;
    /// @notice WAD share of total assets under which a plan may not lower idle, at most 1. Safer: higher.
    /// @dev - MUST revert with {OutOfRange}, {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setMinimumIdle(uint256 share) external;
    /// @notice WAD share of total assets that one plan may lose, at most 1. Safer: lower.
    /// @dev - MUST revert with {OutOfRange}, {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setLossPerCall(uint256 share) external;
    /// @notice WAD share of total assets that plans may lose in any window of `window` seconds (1 hour to a year). Safer: a
    /// lower limit over the same window. Another window is the owner's.
    /// @dev - MUST NOT refill what is used.
    /// - MUST revert with {OutOfRange}, {NotOwner} or {NotGuardianOrOwner}, and {Unchanged}.
    function setLossBudget(uint256 limit, uint256 window) external;
    /// @notice As {setLossBudget}, of what plans put into adapters.
    function setTurnoverBudget(uint256 limit, uint256 window) external;
    /// @notice As {setLossBudget}, of what the guardian's exits lose.
    function setEmergencyBudget(uint256 limit, uint256 window) external;
    /// @notice WAD a year, at most 2 %. Safer: lower.
    /// @dev - MUST take the fee until now at the old rate.
    /// - MUST revert with {OutOfRange}, {ZeroAddress} without a recipient, {NotOwner} or {NotGuardianOrOwner}, {Unchanged}.
    function setManagementFee(uint256 fee) external;
    /// @notice WAD of gains, at most 20 %. Safer: lower. One that begins, begins at today's price.
    /// @dev - As {setManagementFee}.
    function setPerformanceFee(uint256 fee) external;

    /* OWNER: each reverts with {NotOwner} for anyone else */

    /// @notice WAD a year, at most 200 %: the most that gains add to total assets.
    /// @dev - MUST let no time before it count at the new rate.
    /// - MUST revert with {OutOfRange} and {Unchanged}.
    function setMaxRate(uint256 rate) external;
    /// @notice Who is minted the shares of both fees from now on. Zero only while both fees are; {ZeroAddress} otherwise.
    /// @dev - MUST mint to the old one what is due until now. One step: see contracts/README.md.
    function setFeeRecipient(address recipient) external;
    /// @notice Offers the guardian's office, to be accepted by {acceptGuardian}; a second offer replaces the first.
    /// @dev - MUST leave the guardian in office until then.
    /// - MUST revert with {ZeroAddress}.
    function setGuardian(address account) external;
    /// @notice Offers ownership, to be accepted by another timelock; a second offer replaces the first.
    /// @dev - MUST leave the owner in office until then.
    /// - MUST revert with {ZeroAddress}.
    function transferOwnership(address account) external;
    /// @notice Adds an adapter of this vault and asset at the end of the queue.
    /// @dev - MUST revert with {TooManyAdapters}, {ZeroAddress}, {AdapterKnown}, {NotContract}, {AdapterOfOtherVault},
    /// {AdapterOfOtherAsset}, {OutOfRange} and {UnknownGroup}.
    /// - What the adapter holds already is a gain that drips.
    function addAdapter(AdapterConfiguration calldata configuration) external;

    /// @notice Removes an adapter that is empty, or gives up one that is in quarantine.
    /// @dev - MUST revert with {UnknownAdapter}, and with {AdapterNotEmpty} where neither is so, or it cannot be read.
    /// - MUST leave claims on it as they are.
    function removeAdapter(address account) external;
    /// @notice Orders the withdrawal queue: a permutation of {adapters}; {NotPermutation} otherwise.
    function setQueue(address[] calldata order) external;
    /// @notice Adds a group; its bit is its position. At most 8: {TooManyGroups}; its cap is WAD, at most 1: {OutOfRange}.
    function addGroup(GroupConfiguration calldata configuration) external;
    /// @notice Registers or unregisters a condition of the breaker; either way it is not armed.
    /// @dev - MUST revert with {ZeroAddress} and {Unchanged}.
    /// - MUST NOT end a trip.
    function setCondition(address account, bool registered) external;
    /// @notice Lets an adapter count again: what is there, up to what was written off, at once.
    /// @dev - MUST revert with {UnknownAdapter} and {NotQuarantined}.
    function liftQuarantine(address account) external;
    /// @notice Ends any trip; {NotTripped} without one.
    /// @dev - MUST have conditions take their reference anew ({breakerResetAt}).
    function resetBreaker() external;

    /* SECOND STEP OF A HANDOVER */

    /// @notice By the pending guardian; {NotPending} for anyone else.
    function acceptGuardian() external;
    /// @notice By the pending owner, which must be a timelock with a delay of at least a day.
    /// @dev - MUST revert with {NotPending}, {OwnerNotTimelock} and {DelayTooShort}.
    function acceptOwnership() external;
}
