// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultTimelock} from "../../contracts/VaultTimelock.sol";
import {ERC4626Adapter} from "../../contracts/adapters/ERC4626Adapter.sol";
import {ILiquidityAdapter} from "../../contracts/interfaces/ILiquidityAdapter.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {PriceFeedModel} from "../models/PriceFeedModel.sol";
import {Cheats} from "./Cheats.sol";
import {MarketVenue} from "./MarketVenue.sol";

/// @title An opened vault in a pool and in one exact venue, and an attacker who has everything else
/// @dev The attacker has the keeper's key, is the pool's only other provider, and has any amount of every coin. Between the
/// handlers' calls the pool is where it belongs: see each world.
abstract contract PoolWorld is Cheats {
    uint256 public constant WAD = 1e18;
    address public constant GUARDIAN = address(0x6a);
    address public constant ATTACKER = address(0xa0);
    address public constant DEPOSITOR = address(0xd0);
    uint256 public constant HEARTBEAT = 90_000;

    PriceFeedModel[] public feeds;
    MarketVenue public venue;
    ILiquidityAdapter public adapter;
    ERC4626Adapter public lending;
    VaultTimelock public timelock;
    Vault public vault;
    PlainToken public token;

    /// @dev For the end of a constructor: `token` and all that the adapter asks for are there.
    function build() internal {
        address[] memory proposers = new address[](1);
        proposers[0] = address(0x90);
        timelock = new VaultTimelock(1 days, proposers, proposers, GUARDIAN);
        venue = new MarketVenue(IERC20(address(token)));
        address future = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        adapter = newAdapter(future);
        lending = new ERC4626Adapter(future, address(venue));
        vault = new Vault(configuration());
        require(address(vault) == future, "the vault is not where its adapters take it to be");
        token.mint(address(this), 2e6);
        token.approve(address(vault), 1e6);
        token.approve(address(venue), 1e6);
        vault.open(1e6);
        venue.deposit(1e6, address(0xdEaD));
        for (uint256 i; i < 2; ++i) {
            address account = i == 0 ? ATTACKER : DEPOSITOR;
            token.mint(account, i == 0 ? 60_000_000e6 : 10_000_000e6);
            vm.prank(account);
            token.approve(address(vault), type(uint256).max);
        }
    }

    /// @dev One contract is made, and no other.
    function newAdapter(address future) internal virtual returns (ILiquidityAdapter);

    function configuration() private view returns (IVault.Configuration memory c) {
        c.asset = address(token);
        c.name = "Tiller";
        c.symbol = "T";
        c.owner = address(timelock);
        c.guardian = GUARDIAN;
        c.keepers = new address[](1);
        c.keepers[0] = ATTACKER;
        c.feeRecipient = address(0xfeefee);
        c.maxRate = 0.5e18;
        c.depositCap = type(uint256).max;
        c.lossPerCall = 0.0002e18;
        c.lossBudget = IVault.BudgetConfiguration(0.0004e18, 1 days);
        c.turnoverBudget = IVault.BudgetConfiguration(16e18, 1 days);
        c.emergencyBudget = IVault.BudgetConfiguration(0.002e18, 7 days);
        c.groups = new IVault.GroupConfiguration[](1);
        c.groups[0] = IVault.GroupConfiguration("all", 1e18);
        c.adapters = new IVault.AdapterConfiguration[](2);
        c.adapters[0] = IVault.AdapterConfiguration(address(lending), type(uint256).max, 1e18, 1);
        c.adapters[1] = IVault.AdapterConfiguration(address(adapter), type(uint256).max, 1e18, 1);
    }

    /* FEEDS */

    function feedCount() external view returns (uint256) {
        return feeds.length;
    }

    /// @notice A feed says what it said last.
    function report(uint256 k, uint256 updatedAt) public {
        feeds[k].pushAt(feeds[k].latestAnswer(), updatedAt);
    }

    /* WHAT THERE IS */

    /// @notice What is behind the adapter, what lies with it included, by the venue at rest and not by what the adapter says.
    /// @dev What it tries out is not kept.
    function behind() public virtual returns (uint256);

    /// @notice Idle, the exact venue, and what is behind the adapter.
    function trueTotal() public returns (uint256) {
        return token.balanceOf(address(vault)) + venue.convertToAssets(venue.balanceOf(address(lending))) + behind();
    }

    /// @notice The part of it that is not the attacker's.
    function ofOthers() external returns (uint256) {
        uint256 supply = vault.totalSupply();
        return Math.mulDiv(trueTotal(), supply - vault.balanceOf(ATTACKER), supply);
    }
}
