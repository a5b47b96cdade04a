// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev The few traits of Aave V3 that its adapter and the lens must cope with, each to be set by hand. Not a model of
/// Aave: rates and indices are what the test says.
contract SmallAaveDebt {
    uint256 public scaledTotalSupply;

    function set(uint256 scaled) external {
        scaledTotalSupply = scaled;
    }
}

/// @dev Answers as a strategy of one reserve does (RAY), and as none that is for all reserves.
contract SmallAaveOwnStrategy {
    uint256 public constant OPTIMAL_USAGE_RATIO = 0.92e27;
    uint256 public constant getBaseVariableBorrowRate = 0.01e27;
    uint256 public constant getVariableRateSlope1 = 0.09e27;
    uint256 public constant getVariableRateSlope2 = 0.6e27;
}

/// @dev Answers as a strategy for all reserves does (basis points).
contract SmallAaveCommonStrategy {
    struct InterestRateData {
        uint16 optimalUsageRatio;
        uint32 baseVariableBorrowRate;
        uint32 variableRateSlope1;
        uint32 variableRateSlope2;
    }

    function getInterestRateDataBps(address) external pure returns (InterestRateData memory) {
        return InterestRateData(9_200, 100, 900, 6_000);
    }
}

interface ISmallAaveRewards {
    function handleAction(address user, uint256 totalSupply, uint256 userBalance) external;
}

contract SmallAaveToken is ERC20 {
    SmallAavePool private immutable POOL;
    address private immutable ASSET;
    uint256 public rounding;
    bool public transfersBroken;
    address public getIncentivesController;
    bool public tellsOfTransfers;

    constructor(SmallAavePool pool, address asset) ERC20("Small aToken", "aSML") {
        POOL = pool;
        ASSET = asset;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function burn(address from, uint256 amount) external {
        _burn(from, amount);
    }

    /// @dev Units by which every balance reads low, as Aave's rounding may make it.
    function setRounding(uint256 units) external {
        rounding = units;
    }

    function pay(address to, uint256 amount) external {
        IERC20(ASSET).transfer(to, amount);
    }

    /// @dev Aave tells its rewards contract of every transfer.
    function setRewards(address rewards, bool tells) external {
        (getIncentivesController, tellsOfTransfers) = (rewards, tells);
    }

    function getScaledUserBalanceAndSupply(address user) external view returns (uint256, uint256) {
        return (super.balanceOf(user), totalSupply());
    }

    function scaledTotalSupply() external view returns (uint256) {
        return totalSupply();
    }

    function balanceOf(address account) public view override returns (uint256) {
        uint256 balance = (super.balanceOf(account) * POOL.index()) / 1e27;
        return balance > rounding ? balance - rounding : 0;
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 scaled = from == address(0) || to == address(0) ? value : (value * 1e27) / POOL.index();
        if (tellsOfTransfers) {
            ISmallAaveRewards rewards = ISmallAaveRewards(getIncentivesController);
            if (from != address(0)) rewards.handleAction(from, totalSupply(), super.balanceOf(from));
            if (to != address(0)) rewards.handleAction(to, totalSupply(), super.balanceOf(to));
        }
        super._update(from, to, scaled);
    }
}

contract SmallAavePool {
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

    address public immutable asset;
    SmallAaveToken public immutable aToken;
    SmallAaveDebt public immutable debt;
    uint256 public index = 1e27;
    uint256 public debtIndex = 1e27;
    uint256 public configuration;
    address public strategy;
    uint128 public accruedToTreasury;
    bool public virtualBalances;
    uint128 public virtualBalance;
    uint256 public underpays;
    bool public takesLess;
    bool public broken;

    constructor(address asset_) {
        asset = asset_;
        aToken = new SmallAaveToken(this, asset_);
        debt = new SmallAaveDebt();
        configure(6, true, false, false, 0, 1_000);
        strategy = address(new SmallAaveOwnStrategy());
    }

    function configure(
        uint256 decimals,
        bool active,
        bool frozen,
        bool paused,
        uint256 cap,
        uint256 reserveFactorBps
    ) public {
        configuration =
            (decimals << 48) |
            (active ? 1 << 56 : 0) |
            (frozen ? 1 << 57 : 0) |
            (paused ? 1 << 60 : 0) |
            (reserveFactorBps << 64) |
            (cap << 116);
    }

    function setIndices(uint256 index_, uint256 debtIndex_, uint128 treasury) external {
        (index, debtIndex, accruedToTreasury) = (index_, debtIndex_, treasury);
    }

    /// @dev Switches to the generation with virtual balances and a common strategy.
    function modernise(uint128 balance) external {
        virtualBalances = true;
        virtualBalance = balance;
        strategy = address(new SmallAaveCommonStrategy());
    }

    function misbehave(uint256 underpays_, bool takesLess_, bool broken_) external {
        (underpays, takesLess, broken) = (underpays_, takesLess_, broken_);
    }

    function getReserveData(address asset_) external view returns (ReserveData memory data) {
        require(!broken, "broken");
        if (asset_ != asset) return data;
        data.configuration = configuration;
        data.liquidityIndex = 1e27;
        data.currentLiquidityRate = 0.05e27;
        data.variableBorrowIndex = 1e27;
        data.currentVariableBorrowRate = 0.07e27;
        data.aTokenAddress = address(aToken);
        data.variableDebtTokenAddress = address(debt);
        data.interestRateStrategyAddress = strategy;
        data.accruedToTreasury = accruedToTreasury;
    }

    function getReserveNormalizedIncome(address) external view returns (uint256) {
        return index;
    }

    function getReserveNormalizedVariableDebt(address) external view returns (uint256) {
        return debtIndex;
    }

    function getVirtualUnderlyingBalance(address) external view returns (uint128) {
        require(virtualBalances, "unknown function");
        return virtualBalance;
    }

    function supply(address, uint256 amount, address onBehalfOf, uint16) external {
        uint256 taken = takesLess ? amount / 2 : amount;
        IERC20(asset).transferFrom(msg.sender, address(aToken), taken);
        aToken.mint(onBehalfOf, (taken * 1e27) / index);
        virtualBalance += uint128(taken);
    }

    function withdraw(address, uint256 amount, address to) external returns (uint256) {
        uint256 balance = aToken.balanceOf(msg.sender);
        if (amount == type(uint256).max) amount = balance;
        require(amount != 0 && amount <= balance, "amount");
        aToken.burn(msg.sender, (amount * 1e27) / index);
        aToken.pay(to, amount - underpays);
        if (virtualBalances) virtualBalance -= uint128(amount);
        return amount;
    }
}
