// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IComet} from "../../../contracts/interfaces/external/IComet.sol";

/// @dev The few traits of Comet that its adapter and the lens must cope with. Not a model of Comet: it lends to whoever
/// withdraws too much, as Comet does to who has collateral.
contract SmallComet {
    address public immutable baseToken;
    mapping(address account => int256) public principal;
    bool public isSupplyPaused;
    bool public isWithdrawPaused;
    bool public isTransferPaused;
    bool public broken;
    uint256 public totalSupply;
    uint256 public rounding;
    uint256 public underpays;
    uint64 private baseBorrowIndex = 1e15;
    uint40 private lastAccrualTime = uint40(block.timestamp);
    uint256 public leaves;

    uint256 public constant totalBorrow = 700e6;
    uint256 public constant getUtilization = 0.7e18;
    uint256 public constant supplyKink = 0.8e18;
    uint256 public constant supplyPerSecondInterestRateBase = 1;
    uint256 public constant supplyPerSecondInterestRateSlopeLow = 1_030_568_239;
    uint256 public constant supplyPerSecondInterestRateSlopeHigh = 12_683_916_793;

    constructor(address base) {
        baseToken = base;
    }

    function pause(bool supply_, bool withdraw_, bool transfer_) external {
        (isSupplyPaused, isWithdrawPaused, isTransferPaused) = (supply_, withdraw_, transfer_);
    }

    function misbehave(uint256 rounding_, uint256 underpays_, bool broken_) external {
        (rounding, underpays, broken) = (rounding_, underpays_, broken_);
    }

    /// @dev Base borrow index as of now; it grows at `getBorrowRate` from here.
    function setBorrowIndex(uint64 index) external {
        (baseBorrowIndex, lastAccrualTime) = (index, uint40(block.timestamp));
    }

    function totalsBasic() external view returns (IComet.TotalsBasic memory totals) {
        (totals.baseBorrowIndex, totals.lastAccrualTime) = (baseBorrowIndex, lastAccrualTime);
    }

    /// @dev So much of what is supplied stays with who supplies it.
    function setLeaves(uint256 amount) external {
        leaves = amount;
    }

    function setTotalSupply(uint256 total) external {
        totalSupply = total;
    }

    function balanceOf(address account) public view returns (uint256) {
        require(!broken, "broken");
        uint256 balance = principal[account] > 0 ? uint256(principal[account]) : 0;
        return balance > rounding ? balance - rounding : 0;
    }

    function getSupplyRate(uint256 utilization) external pure returns (uint64) {
        return uint64(utilization / 1e9);
    }

    function getBorrowRate(uint256 utilization) external pure returns (uint64) {
        return uint64(utilization / 5e8);
    }

    function supply(address asset, uint256 amount) external {
        require(!isSupplyPaused, "paused");
        amount -= leaves;
        IERC20(asset).transferFrom(msg.sender, address(this), amount);
        principal[msg.sender] += int256(amount);
        totalSupply += amount;
    }

    function withdrawTo(address to, address asset, uint256 amount) external {
        require(!isWithdrawPaused, "paused");
        if (amount == type(uint256).max) amount = balanceOf(msg.sender);
        principal[msg.sender] -= int256(amount);
        IERC20(asset).transfer(to, amount - underpays);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        require(!isTransferPaused, "paused");
        principal[msg.sender] -= int256(amount);
        principal[to] += int256(amount);
        return true;
    }
}
