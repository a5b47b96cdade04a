// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface IRewardsHook {
    function handleAction(address user, uint256 totalSupply, uint256 userBalance) external;
}

/// @title A token that tells two rewards contracts of every change, as an aToken tells one
/// @notice So that {AaveRewardsModel} and Aave's genuine contract see the same holders.
contract TwiceRewardedToken is ERC20 {
    address[2] public told;

    constructor(address first, address second) ERC20("Twice rewarded", "TWICE") {
        told = [first, second];
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function burn(address from, uint256 amount) external {
        _burn(from, amount);
    }

    function scaledTotalSupply() external view returns (uint256) {
        return totalSupply();
    }

    function getScaledUserBalanceAndSupply(address user) external view returns (uint256, uint256) {
        return (balanceOf(user), totalSupply());
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 supply = totalSupply();
        (uint256 sender, uint256 receiver) = (balanceOf(from), balanceOf(to));
        super._update(from, to, value);
        for (uint256 i; i < 2; ++i) {
            if (from != address(0)) IRewardsHook(told[i]).handleAction(from, supply, sender);
            if (to != address(0) && to != from) IRewardsHook(told[i]).handleAction(to, supply, receiver);
        }
    }
}

/// @title How Aave's genuine rewards contract pays: by asking a contract like this one, which holds the rewards
contract PayingStrategy {
    using SafeERC20 for IERC20;

    function performTransfer(address to, address reward, uint256 amount) external returns (bool) {
        IERC20(reward).safeTransfer(to, amount);
        return true;
    }

    /// @dev Aave wants a price of each reward for its page.
    function latestAnswer() external pure returns (int256) {
        return 1e8;
    }
}
