// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {PriceFeedModel} from "./PriceFeedModel.sol";

/// @title Compound III's Comet with one collateral
/// @notice Stands for cUSDCv3, which npm does not carry; written from Compound's public documentation and interface.
///
/// # What it promises
/// Supplying, withdrawing, transferring and borrowing the base token give the same balances, totals, rates, events and
/// errors as the genuine contract, to the wei. That holds for every path on which an account's base balance is what
/// counts, so a supplier cannot tell it apart.
///
/// # Arithmetic
/// A balance is kept as a principal: present = principal · index / 1e15, rounded down on both sides. A supply's
/// principal is rounded down and a debt's up, so a supplier's balance may be a unit below what was paid in.
/// Utilisation is taken from the totals at the *stored* indices, as of the last accrual. A rate a second applies to
/// the whole time since then, without compounding inside it.
///
/// # Layout
/// The first eight slots are Comet's own, so that a test can start both from the same recorded totals.
///
/// # Rewards
/// What a unit of principal has earned is counted by two indices, one for suppliers and one for borrowers, which grow by a
/// speed a second over all principal of their side, once that is at least `baseMinForRewards`. An account's part is added up
/// whenever its principal changes, and by `accrueAccount`. {CometRewardsModel} pays it.
///
/// # Left out
/// Liquidation (absorb, buyCollateral), more than one collateral, signatures (allowBySig), governance of reserves and
/// parameters.
contract CometModel {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @dev Rates a year, factors and kinks are in 1e18.
    struct Configuration {
        address governor;
        address pauseGuardian;
        address baseToken;
        address baseTokenPriceFeed;
        uint64 supplyKink;
        uint64 supplyPerYearInterestRateSlopeLow;
        uint64 supplyPerYearInterestRateSlopeHigh;
        uint64 supplyPerYearInterestRateBase;
        uint64 borrowKink;
        uint64 borrowPerYearInterestRateSlopeLow;
        uint64 borrowPerYearInterestRateSlopeHigh;
        uint64 borrowPerYearInterestRateBase;
        uint64 baseTrackingSupplySpeed;
        uint64 baseTrackingBorrowSpeed;
        uint104 baseMinForRewards;
        uint104 baseBorrowMin;
        uint104 targetReserves;
        address collateral;
        address collateralPriceFeed;
        uint64 borrowCollateralFactor;
        uint64 liquidateCollateralFactor;
        uint64 liquidationFactor;
        uint128 collateralSupplyCap;
    }

    struct AssetInfo {
        uint8 offset;
        address asset;
        address priceFeed;
        uint64 scale;
        uint64 borrowCollateralFactor;
        uint64 liquidateCollateralFactor;
        uint64 liquidationFactor;
        uint128 supplyCap;
    }

    struct TotalsBasic {
        uint64 baseSupplyIndex;
        uint64 baseBorrowIndex;
        uint64 trackingSupplyIndex;
        uint64 trackingBorrowIndex;
        uint104 totalSupplyBase;
        uint104 totalBorrowBase;
        uint40 lastAccrualTime;
        uint8 pauseFlags;
    }

    struct UserBasic {
        int104 principal;
        uint64 baseTrackingIndex;
        uint64 baseTrackingAccrued;
        uint16 assetsIn;
        uint8 _reserved;
    }

    struct UserCollateral {
        uint128 balance;
        uint128 _reserved;
    }

    struct TotalsCollateral {
        uint128 totalSupplyAsset;
        uint128 _reserved;
    }

    uint64 private constant SECONDS_PER_YEAR = 31_536_000;
    uint64 private constant BASE_INDEX_SCALE = 1e15;
    uint64 private constant FACTOR_SCALE = 1e18;
    uint256 private constant TRACKING_INDEX_SCALE = 1e15;
    uint256 private constant BASE_ACCRUAL_SCALE = 1e6;
    uint8 private constant PAUSE_SUPPLY = 1 << 0;
    uint8 private constant PAUSE_TRANSFER = 1 << 1;
    uint8 private constant PAUSE_WITHDRAW = 1 << 2;
    uint8 private constant PAUSE_ABSORB = 1 << 3;
    uint8 private constant PAUSE_BUY = 1 << 4;
    uint8 private constant COLLATERAL_BIT = 1;

    string public constant name = "Compound USDC Model";
    string public constant symbol = "cUSDCv3";
    string public constant version = "0";

    address public immutable governor;
    address public immutable pauseGuardian;
    address public immutable baseToken;
    address public immutable baseTokenPriceFeed;
    uint8 public immutable decimals;
    uint256 public immutable baseScale;
    uint256 public immutable supplyKink;
    uint256 public immutable supplyPerSecondInterestRateSlopeLow;
    uint256 public immutable supplyPerSecondInterestRateSlopeHigh;
    uint256 public immutable supplyPerSecondInterestRateBase;
    uint256 public immutable borrowKink;
    uint256 public immutable borrowPerSecondInterestRateSlopeLow;
    uint256 public immutable borrowPerSecondInterestRateSlopeHigh;
    uint256 public immutable borrowPerSecondInterestRateBase;
    uint256 public immutable baseTrackingSupplySpeed;
    uint256 public immutable baseTrackingBorrowSpeed;
    uint256 public immutable baseMinForRewards;
    uint256 public immutable baseBorrowMin;
    uint256 public immutable targetReserves;
    uint8 public constant numAssets = 1;
    address private immutable _collateral;
    address private immutable _collateralPriceFeed;
    uint64 private immutable _collateralScale;
    uint64 private immutable _borrowCollateralFactor;
    uint64 private immutable _liquidateCollateralFactor;
    uint64 private immutable _liquidationFactor;
    uint128 private immutable _collateralSupplyCap;

    TotalsBasic private _totals;
    mapping(address asset => TotalsCollateral) public totalsCollateral;
    mapping(address owner => mapping(address manager => bool)) public isAllowed;
    mapping(address account => uint256) public userNonce;
    mapping(address account => UserBasic) public userBasic;
    mapping(address account => mapping(address asset => UserCollateral)) public userCollateral;

    event Supply(address indexed from, address indexed dst, uint256 amount);
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Withdraw(address indexed src, address indexed to, uint256 amount);
    event SupplyCollateral(address indexed from, address indexed dst, address indexed asset, uint256 amount);
    event TransferCollateral(address indexed from, address indexed to, address indexed asset, uint256 amount);
    event WithdrawCollateral(address indexed src, address indexed to, address indexed asset, uint256 amount);
    event PauseAction(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused);
    event Approval(address indexed owner, address indexed spender, uint256 amount);

    error BadAmount();
    error BadAsset();
    error BadPrice();
    error BorrowTooSmall();
    error NoSelfTransfer();
    error NotCollateralized();
    error Paused();
    error SupplyCapExceeded();
    error Unauthorized();

    constructor(Configuration memory config) {
        governor = config.governor;
        pauseGuardian = config.pauseGuardian;
        baseToken = config.baseToken;
        baseTokenPriceFeed = config.baseTokenPriceFeed;
        decimals = IERC20Metadata(config.baseToken).decimals();
        baseScale = 10 ** IERC20Metadata(config.baseToken).decimals();
        supplyKink = config.supplyKink;
        supplyPerSecondInterestRateSlopeLow = config.supplyPerYearInterestRateSlopeLow / SECONDS_PER_YEAR;
        supplyPerSecondInterestRateSlopeHigh = config.supplyPerYearInterestRateSlopeHigh / SECONDS_PER_YEAR;
        supplyPerSecondInterestRateBase = config.supplyPerYearInterestRateBase / SECONDS_PER_YEAR;
        borrowKink = config.borrowKink;
        borrowPerSecondInterestRateSlopeLow = config.borrowPerYearInterestRateSlopeLow / SECONDS_PER_YEAR;
        borrowPerSecondInterestRateSlopeHigh = config.borrowPerYearInterestRateSlopeHigh / SECONDS_PER_YEAR;
        borrowPerSecondInterestRateBase = config.borrowPerYearInterestRateBase / SECONDS_PER_YEAR;
        baseTrackingSupplySpeed = config.baseTrackingSupplySpeed;
        baseTrackingBorrowSpeed = config.baseTrackingBorrowSpeed;
        baseMinForRewards = config.baseMinForRewards;
        baseBorrowMin = config.baseBorrowMin;
        targetReserves = config.targetReserves;
        _collateral = config.collateral;
        _collateralPriceFeed = config.collateralPriceFeed;
        _collateralScale = uint64(10 ** IERC20Metadata(config.collateral).decimals());
        _borrowCollateralFactor = config.borrowCollateralFactor;
        _liquidateCollateralFactor = config.liquidateCollateralFactor;
        _liquidationFactor = config.liquidationFactor;
        _collateralSupplyCap = config.collateralSupplyCap;
        _totals.baseSupplyIndex = BASE_INDEX_SCALE;
        _totals.baseBorrowIndex = BASE_INDEX_SCALE;
        _totals.lastAccrualTime = uint40(block.timestamp);
    }

    // ---- guardian

    function pause(
        bool supplyPaused,
        bool transferPaused,
        bool withdrawPaused,
        bool absorbPaused,
        bool buyPaused
    ) external {
        if (msg.sender != governor && msg.sender != pauseGuardian) revert Unauthorized();
        _totals.pauseFlags =
            (supplyPaused ? PAUSE_SUPPLY : 0) |
            (transferPaused ? PAUSE_TRANSFER : 0) |
            (withdrawPaused ? PAUSE_WITHDRAW : 0) |
            (absorbPaused ? PAUSE_ABSORB : 0) |
            (buyPaused ? PAUSE_BUY : 0);
        emit PauseAction(supplyPaused, transferPaused, withdrawPaused, absorbPaused, buyPaused);
    }

    // ---- permissions

    function allow(address manager, bool isAllowed_) external {
        _allow(msg.sender, manager, isAllowed_);
    }

    /// @notice Comet's allowances are all or nothing: only 0 and type(uint256).max are accepted.
    function approve(address spender, uint256 amount) external returns (bool) {
        if (amount != 0 && amount != type(uint256).max) revert BadAmount();
        _allow(msg.sender, spender, amount != 0);
        return true;
    }

    function allowance(address owner, address spender) external view returns (uint256) {
        return hasPermission(owner, spender) ? type(uint256).max : 0;
    }

    function hasPermission(address owner, address manager) public view returns (bool) {
        return owner == manager || isAllowed[owner][manager];
    }

    // ---- suppliers and borrowers

    function supply(address asset, uint256 amount) external {
        _supply(msg.sender, msg.sender, asset, amount);
    }

    function supplyTo(address dst, address asset, uint256 amount) external {
        _supply(msg.sender, dst, asset, amount);
    }

    function supplyFrom(address from, address dst, address asset, uint256 amount) external {
        if (!hasPermission(from, msg.sender)) revert Unauthorized();
        _supply(from, dst, asset, amount);
    }

    function withdraw(address asset, uint256 amount) external {
        _withdraw(msg.sender, msg.sender, asset, amount);
    }

    function withdrawTo(address to, address asset, uint256 amount) external {
        _withdraw(msg.sender, to, asset, amount);
    }

    function withdrawFrom(address src, address to, address asset, uint256 amount) external {
        if (!hasPermission(src, msg.sender)) revert Unauthorized();
        _withdraw(src, to, asset, amount);
    }

    function transfer(address dst, uint256 amount) external returns (bool) {
        _transfer(msg.sender, dst, baseToken, amount);
        return true;
    }

    function transferFrom(address src, address dst, uint256 amount) external returns (bool) {
        if (!hasPermission(src, msg.sender)) revert Unauthorized();
        _transfer(src, dst, baseToken, amount);
        return true;
    }

    function transferAsset(address dst, address asset, uint256 amount) external {
        _transfer(msg.sender, dst, asset, amount);
    }

    function transferAssetFrom(address src, address dst, address asset, uint256 amount) external {
        if (!hasPermission(src, msg.sender)) revert Unauthorized();
        _transfer(src, dst, asset, amount);
    }

    /// @notice Brings the indices up to now, and what the account has earned of rewards.
    function accrueAccount(address account) external {
        _accrue();
        _setPrincipal(account, userBasic[account].principal);
    }

    // ---- views

    function totalSupply() external view returns (uint256) {
        (uint64 supplyIndex, ) = _accruedIndices();
        return _present(supplyIndex, _totals.totalSupplyBase);
    }

    function totalBorrow() external view returns (uint256) {
        (, uint64 borrowIndex) = _accruedIndices();
        return _present(borrowIndex, _totals.totalBorrowBase);
    }

    function balanceOf(address account) public view returns (uint256) {
        (uint64 supplyIndex, ) = _accruedIndices();
        int104 principal = userBasic[account].principal;
        return principal > 0 ? _present(supplyIndex, uint104(principal)) : 0;
    }

    function borrowBalanceOf(address account) public view returns (uint256) {
        (, uint64 borrowIndex) = _accruedIndices();
        int104 principal = userBasic[account].principal;
        return principal < 0 ? _present(borrowIndex, uint104(-principal)) : 0;
    }

    function collateralBalanceOf(address account, address asset) external view returns (uint128) {
        return userCollateral[account][asset].balance;
    }

    function getReserves() external view returns (int256) {
        (uint64 supplyIndex, uint64 borrowIndex) = _accruedIndices();
        return
            IERC20(baseToken).balanceOf(address(this)).toInt256() -
            _present(supplyIndex, _totals.totalSupplyBase).toInt256() +
            _present(borrowIndex, _totals.totalBorrowBase).toInt256();
    }

    function getUtilization() public view returns (uint256) {
        uint256 supplied = _present(_totals.baseSupplyIndex, _totals.totalSupplyBase);
        uint256 borrowed = _present(_totals.baseBorrowIndex, _totals.totalBorrowBase);
        return supplied == 0 ? 0 : (borrowed * FACTOR_SCALE) / supplied;
    }

    /// @return Interest a second in 1e18.
    function getSupplyRate(uint256 utilization) public view returns (uint64) {
        return
            _rate(
                utilization,
                supplyKink,
                supplyPerSecondInterestRateBase,
                supplyPerSecondInterestRateSlopeLow,
                supplyPerSecondInterestRateSlopeHigh
            );
    }

    /// @return Interest a second in 1e18.
    function getBorrowRate(uint256 utilization) public view returns (uint64) {
        return
            _rate(
                utilization,
                borrowKink,
                borrowPerSecondInterestRateBase,
                borrowPerSecondInterestRateSlopeLow,
                borrowPerSecondInterestRateSlopeHigh
            );
    }

    function getPrice(address priceFeed) public view returns (uint256) {
        (, int256 price, , , ) = PriceFeedModel(priceFeed).latestRoundData();
        if (price <= 0) revert BadPrice();
        return uint256(price);
    }

    function getAssetInfo(uint8 i) public view returns (AssetInfo memory) {
        if (i >= numAssets) revert BadAsset();
        return
            AssetInfo({
                offset: 0,
                asset: _collateral,
                priceFeed: _collateralPriceFeed,
                scale: _collateralScale,
                borrowCollateralFactor: _borrowCollateralFactor,
                liquidateCollateralFactor: _liquidateCollateralFactor,
                liquidationFactor: _liquidationFactor,
                supplyCap: _collateralSupplyCap
            });
    }

    function getAssetInfoByAddress(address asset) external view returns (AssetInfo memory) {
        if (asset != _collateral) revert BadAsset();
        return getAssetInfo(0);
    }

    function isBorrowCollateralized(address account) public view returns (bool) {
        return _liquidity(account, _borrowCollateralFactor) >= 0;
    }

    function isLiquidatable(address account) external view returns (bool) {
        return _liquidity(account, _liquidateCollateralFactor) < 0;
    }

    function totalsBasic() external view returns (TotalsBasic memory) {
        return _totals;
    }

    function isSupplyPaused() public view returns (bool) {
        return _totals.pauseFlags & PAUSE_SUPPLY != 0;
    }

    function isTransferPaused() public view returns (bool) {
        return _totals.pauseFlags & PAUSE_TRANSFER != 0;
    }

    function isWithdrawPaused() public view returns (bool) {
        return _totals.pauseFlags & PAUSE_WITHDRAW != 0;
    }

    function isAbsorbPaused() external view returns (bool) {
        return _totals.pauseFlags & PAUSE_ABSORB != 0;
    }

    function isBuyPaused() external view returns (bool) {
        return _totals.pauseFlags & PAUSE_BUY != 0;
    }

    function baseTrackingAccrued(address account) external view returns (uint64) {
        return userBasic[account].baseTrackingAccrued;
    }

    function baseIndexScale() external pure returns (uint64) {
        return BASE_INDEX_SCALE;
    }

    function factorScale() external pure returns (uint64) {
        return FACTOR_SCALE;
    }

    function trackingIndexScale() external pure returns (uint256) {
        return TRACKING_INDEX_SCALE;
    }

    function baseAccrualScale() external pure returns (uint64) {
        return uint64(BASE_ACCRUAL_SCALE);
    }

    function priceScale() external pure returns (uint64) {
        return 1e8;
    }

    function maxAssets() external pure returns (uint8) {
        return numAssets;
    }

    // ---- internals: moving money

    function _supply(address from, address dst, address asset, uint256 amount) private {
        if (isSupplyPaused()) revert Paused();
        if (asset == baseToken) {
            _supplyBase(from, dst, amount == type(uint256).max ? borrowBalanceOf(dst) : amount);
        } else {
            _supplyCollateral(from, dst, asset, amount.toUint128());
        }
    }

    function _supplyBase(address from, address dst, uint256 amount) private {
        IERC20(baseToken).safeTransferFrom(from, address(this), amount);
        _accrue();
        uint104 supplied = _credit(dst, amount);
        emit Supply(from, dst, amount);
        if (supplied > 0) emit Transfer(address(0), dst, _present(_totals.baseSupplyIndex, supplied));
    }

    function _withdraw(address src, address to, address asset, uint256 amount) private {
        if (isWithdrawPaused()) revert Paused();
        if (asset == baseToken) {
            _withdrawBase(src, to, amount == type(uint256).max ? balanceOf(src) : amount);
        } else {
            _withdrawCollateral(src, to, asset, amount.toUint128());
        }
    }

    function _withdrawBase(address src, address to, uint256 amount) private {
        _accrue();
        uint104 withdrawn = _debit(src, amount);
        IERC20(baseToken).safeTransfer(to, amount);
        emit Withdraw(src, to, amount);
        if (withdrawn > 0) emit Transfer(src, address(0), _present(_totals.baseSupplyIndex, withdrawn));
    }

    function _transfer(address src, address dst, address asset, uint256 amount) private {
        if (isTransferPaused()) revert Paused();
        if (src == dst) revert NoSelfTransfer();
        if (asset == baseToken) {
            if (amount == type(uint256).max) amount = balanceOf(src);
            _accrue();
            uint104 supplied = _credit(dst, amount);
            uint104 withdrawn = _debit(src, amount);
            uint64 supplyIndex = _totals.baseSupplyIndex;
            if (withdrawn > 0) emit Transfer(src, address(0), _present(supplyIndex, withdrawn));
            if (supplied > 0) emit Transfer(address(0), dst, _present(supplyIndex, supplied));
        } else {
            uint128 moved = amount.toUint128();
            _setCollateral(src, asset, userCollateral[src][asset].balance - moved);
            _setCollateral(dst, asset, userCollateral[dst][asset].balance + moved);
            if (!isBorrowCollateralized(src)) revert NotCollateralized();
            emit TransferCollateral(src, dst, asset, moved);
        }
    }

    /// @dev Adds to a base balance: repays debt first. Returns the principal newly supplied.
    function _credit(address account, uint256 amount) private returns (uint104 supplied) {
        int104 before = userBasic[account].principal;
        int104 then_ = _signedPrincipal(_signedPresent(before) + amount.toInt256());
        _setPrincipal(account, then_);
        // Rounding may leave less than before; the totals then stay, as the genuine contract leaves them.
        if (then_ < before) return 0;
        supplied = then_ <= 0 ? 0 : uint104(before >= 0 ? then_ - before : then_);
        uint104 repaid = before >= 0 ? 0 : uint104(then_ <= 0 ? then_ - before : -before);
        _totals.totalSupplyBase += supplied;
        _totals.totalBorrowBase -= repaid;
    }

    /// @dev Takes from a base balance: what it does not hold is borrowed. Returns the principal withdrawn.
    function _debit(address account, uint256 amount) private returns (uint104 withdrawn) {
        int104 before = userBasic[account].principal;
        int256 balance = _signedPresent(before) - amount.toInt256();
        int104 then_ = _signedPrincipal(balance);
        _setPrincipal(account, then_);
        if (then_ <= before) {
            withdrawn = before <= 0 ? 0 : uint104(then_ >= 0 ? before - then_ : before);
            uint104 borrowed = then_ >= 0 ? 0 : uint104(before <= 0 ? before - then_ : -then_);
            _totals.totalSupplyBase -= withdrawn;
            _totals.totalBorrowBase += borrowed;
        }
        if (balance < 0) {
            if (uint256(-balance) < baseBorrowMin) revert BorrowTooSmall();
            if (!isBorrowCollateralized(account)) revert NotCollateralized();
        }
    }

    function _supplyCollateral(address from, address dst, address asset, uint128 amount) private {
        IERC20(asset).safeTransferFrom(from, address(this), amount);
        if (asset != _collateral) revert BadAsset();
        TotalsCollateral storage total = totalsCollateral[asset];
        total.totalSupplyAsset += amount;
        if (total.totalSupplyAsset > _collateralSupplyCap) revert SupplyCapExceeded();
        _setCollateral(dst, asset, userCollateral[dst][asset].balance + amount);
        emit SupplyCollateral(from, dst, asset, amount);
    }

    function _withdrawCollateral(address src, address to, address asset, uint128 amount) private {
        totalsCollateral[asset].totalSupplyAsset -= amount;
        _setCollateral(src, asset, userCollateral[src][asset].balance - amount);
        // At the stored indices, as the genuine contract does: a withdrawal of collateral does not accrue.
        if (!isBorrowCollateralized(src)) revert NotCollateralized();
        IERC20(asset).safeTransfer(to, amount);
        emit WithdrawCollateral(src, to, asset, amount);
    }

    function _setCollateral(address account, address asset, uint128 balance) private {
        if (asset != _collateral) revert BadAsset();
        userCollateral[account][asset].balance = balance;
        userBasic[account].assetsIn = balance == 0 ? 0 : COLLATERAL_BIT;
    }

    function _allow(address owner, address manager, bool allowed) private {
        isAllowed[owner][manager] = allowed;
        emit Approval(owner, manager, allowed ? type(uint256).max : 0);
    }

    /// @dev With what the old principal has earned since it was last counted.
    function _setPrincipal(address account, int104 principal) private {
        UserBasic storage user = userBasic[account];
        int104 before = user.principal;
        uint256 index = before >= 0 ? _totals.trackingSupplyIndex : _totals.trackingBorrowIndex;
        uint256 size = uint104(before >= 0 ? before : -before);
        uint256 earned = (size * (index - user.baseTrackingIndex)) / TRACKING_INDEX_SCALE;
        user.baseTrackingAccrued += (earned / (baseScale / BASE_ACCRUAL_SCALE)).toUint64();
        user.principal = principal;
        user.baseTrackingIndex = principal >= 0 ? _totals.trackingSupplyIndex : _totals.trackingBorrowIndex;
    }

    // ---- internals: arithmetic

    function _accrue() private {
        if (block.timestamp == _totals.lastAccrualTime) return;
        (_totals.baseSupplyIndex, _totals.baseBorrowIndex) = _accruedIndices();
        _totals.trackingSupplyIndex += _earnedByUnit(baseTrackingSupplySpeed, _totals.totalSupplyBase);
        _totals.trackingBorrowIndex += _earnedByUnit(baseTrackingBorrowSpeed, _totals.totalBorrowBase);
        _totals.lastAccrualTime = uint40(block.timestamp);
    }

    function _accruedIndices() private view returns (uint64 supplyIndex, uint64 borrowIndex) {
        supplyIndex = _totals.baseSupplyIndex;
        borrowIndex = _totals.baseBorrowIndex;
        uint256 elapsed = block.timestamp - _totals.lastAccrualTime;
        if (elapsed == 0) return (supplyIndex, borrowIndex);
        uint256 utilization = getUtilization();
        supplyIndex += _mulFactor(supplyIndex, getSupplyRate(utilization) * elapsed).toUint64();
        borrowIndex += _mulFactor(borrowIndex, getBorrowRate(utilization) * elapsed).toUint64();
    }

    /// @dev Of rewards, since the last accrual.
    function _earnedByUnit(uint256 speed, uint104 principal) private view returns (uint64) {
        if (principal < baseMinForRewards) return 0;
        return ((speed * (block.timestamp - _totals.lastAccrualTime) * baseScale) / principal).toUint64();
    }

    function _rate(
        uint256 utilization,
        uint256 kink,
        uint256 base,
        uint256 slopeLow,
        uint256 slopeHigh
    ) private pure returns (uint64) {
        if (utilization <= kink) return (base + _mulFactor(slopeLow, utilization)).toUint64();
        return (base + _mulFactor(slopeLow, kink) + _mulFactor(slopeHigh, utilization - kink)).toUint64();
    }

    /// @dev Worth of base balance plus weighted collateral, USD with the feed's 8 decimals, at the stored indices.
    function _liquidity(address account, uint64 factor) private view returns (int256) {
        int104 principal = userBasic[account].principal;
        if (principal >= 0) return 0;
        int256 price = int256(getPrice(baseTokenPriceFeed));
        int256 debt = (_signedPresent(principal) * price) / int256(baseScale);
        if (userBasic[account].assetsIn == 0) return debt;
        uint256 held =
            (userCollateral[account][_collateral].balance * getPrice(_collateralPriceFeed)) / _collateralScale;
        return debt + int256(_mulFactor(held, factor));
    }

    function _signedPresent(int104 principal) private view returns (int256) {
        return
            principal >= 0
                ? int256(_present(_totals.baseSupplyIndex, uint104(principal)))
                : -int256(_present(_totals.baseBorrowIndex, uint104(-principal)));
    }

    function _signedPrincipal(int256 present) private view returns (int104) {
        if (present >= 0) {
            return int256((uint256(present) * BASE_INDEX_SCALE) / _totals.baseSupplyIndex).toInt104();
        }
        uint256 index = _totals.baseBorrowIndex;
        return -int256((uint256(-present) * BASE_INDEX_SCALE + index - 1) / index).toInt104();
    }

    function _present(uint64 index, uint104 principal) private pure returns (uint256) {
        return (uint256(principal) * index) / BASE_INDEX_SCALE;
    }

    function _mulFactor(uint256 n, uint256 factor) private pure returns (uint256) {
        return (n * factor) / FACTOR_SCALE;
    }
}
