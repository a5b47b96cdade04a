// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultTimelock} from "../../contracts/VaultTimelock.sol";
import {Curve3PoolAdapter} from "../../contracts/adapters/Curve3PoolAdapter.sol";
import {ERC4626Adapter} from "../../contracts/adapters/ERC4626Adapter.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IAggregatorV3Metadata} from "../../contracts/interfaces/external/IAggregatorV3Metadata.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {PriceFeedModel} from "../models/PriceFeedModel.sol";
import {ThreePoolModel} from "../models/ThreePoolModel.sol";
import {ThreePoolTokenModel} from "../models/ThreePoolTokenModel.sol";
import {Cheats} from "./Cheats.sol";
import {MarketVenue} from "./MarketVenue.sol";

/// @title An opened vault in a pool of three coins and in one exact venue, and an attacker who has everything else
/// @dev The attacker has the keeper's key, is the pool's only other provider, and has any amount of every coin. Between the
/// handlers' calls the pool is where it belongs, so that what its invariant says of a receipt is what the coins behind it are worth, each at par.
contract PoolWorld is Cheats {
    uint256 public constant WAD = 1e18;
    address public constant GUARDIAN = address(0x6a);
    address public constant ATTACKER = address(0xa0);
    address public constant DEPOSITOR = address(0xd0);
    uint256 public constant HEARTBEAT = 90_000;
    /// @dev Of each coin, in whole ones.
    uint256 private constant POOLED = 60_000_000;

    PlainToken[3] public coins;
    PriceFeedModel[3] public feeds;
    ThreePoolModel public pool;
    ThreePoolTokenModel public receipts;
    MarketVenue public venue;
    Curve3PoolAdapter public adapter;
    ERC4626Adapter public lending;
    VaultTimelock public timelock;
    Vault public vault;
    PlainToken public token;

    constructor() {
        openPool();
        address[] memory proposers = new address[](1);
        proposers[0] = address(0x90);
        timelock = new VaultTimelock(1 days, proposers, proposers, GUARDIAN);
        venue = new MarketVenue(IERC20(address(token)));
        address future = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        adapter = adapterFor(future);
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
            if (i == 1) token.mint(account, 10_000_000e6);
            vm.prank(account);
            token.approve(address(vault), type(uint256).max);
        }
    }

    function openPool() private {
        address[3] memory addresses;
        for (uint256 k; k < 3; ++k) {
            coins[k] = new PlainToken(k == 0 ? 18 : 6);
            addresses[k] = address(coins[k]);
            feeds[k] = new PriceFeedModel(address(this), 8, "PLAIN / USD", 1e8);
        }
        token = coins[1];
        receipts = new ThreePoolTokenModel();
        // A, the fee and the admin's part of mainnet's pool.
        pool = new ThreePoolModel(addresses, receipts, 2_000, 1_000_000, 5_000_000_000);
        receipts.set_minter(address(pool));
        uint256[3] memory amounts;
        for (uint256 k; k < 3; ++k) {
            amounts[k] = POOLED * unitOf(k);
            coins[k].mint(ATTACKER, 1e6 * amounts[k]);
            vm.prank(ATTACKER);
            coins[k].approve(address(pool), type(uint256).max);
        }
        vm.prank(ATTACKER);
        pool.add_liquidity(amounts, 0);
    }

    function adapterFor(address future) private returns (Curve3PoolAdapter) {
        IAggregatorV3Metadata[3] memory list;
        uint256[3] memory heartbeats;
        for (uint256 k; k < 3; ++k) {
            list[k] = IAggregatorV3Metadata(address(feeds[k]));
            heartbeats[k] = HEARTBEAT;
        }
        return
            new Curve3PoolAdapter(
                future,
                address(pool),
                address(receipts),
                address(token),
                list,
                heartbeats,
                0.0005e18,
                0.005e18
            );
    }

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

    /* WHAT THERE IS */

    function unitOf(uint256 k) public pure returns (uint256) {
        return k == 0 ? 1e18 : 1e6;
    }

    function report(uint256 k, uint256 updatedAt) external {
        feeds[k].pushAt(1e8, updatedAt);
    }

    /// @notice Idle, the exact venue, what lies with the adapter, and its receipts by the pool's invariant at rest, at par.
    function trueTotal() public view returns (uint256) {
        return
            token.balanceOf(address(vault)) +
            venue.convertToAssets(venue.balanceOf(address(lending))) +
            token.balanceOf(address(adapter)) +
            (receipts.balanceOf(address(adapter)) * pool.get_virtual_price()) / 1e30;
    }

    /// @notice The part of it that is not the attacker's.
    function ofOthers() external view returns (uint256) {
        uint256 supply = vault.totalSupply();
        return Math.mulDiv(trueTotal(), supply - vault.balanceOf(ATTACKER), supply);
    }
}
