// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Claims} from "../../contracts/Claims.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultTimelock} from "../../contracts/VaultTimelock.sol";
import {ERC4626Adapter} from "../../contracts/adapters/ERC4626Adapter.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {HostileToken} from "../contracts/hostile/HostileToken.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {SwitchCondition} from "../contracts/hostile/SwitchCondition.sol";
import {Cheats} from "./Cheats.sol";
import {Listener} from "./Listener.sol";
import {MarketVenue} from "./MarketVenue.sol";

/// @title An opened vault over three venues, everybody who deals with it, and what they own
/// @dev Values are measured from the venues themselves (`MarketVenue.valueOf`), not from what the vault says of them.
contract World is Cheats {
    uint256 public constant ADAPTERS = 3;
    uint256 public constant WAD = 1e18;
    address public constant GUARDIAN = address(0x6a);
    address public constant FEE_RECIPIENT = address(0xfeefee);
    address public constant BURNED = address(0xdEaD);

    /// @dev Two stolen keeper keys, a friend, and where the friend's venues send what they take.
    address public constant THIEF = address(0xa3);
    address[4] public attackers = [address(0xa0), address(0xa1), address(0xa2), THIEF];
    address[3] public depositors = [address(0xd0), address(0xd1), address(0xd2)];

    PlainToken public immutable token;
    Vault public immutable vault;
    Claims public immutable claims;
    VaultTimelock public immutable timelock;
    uint256 public immutable virtualShares;
    /// @dev What amounts are multiples of: one token, but no less than a million units.
    uint256 public immutable scale;

    MarketVenue[ADAPTERS] public venues;
    ERC4626Adapter[ADAPTERS] public adapters;
    SwitchCondition[2] public conditions;
    Listener public immutable listener = new Listener();

    /// @param hooked The token calls back whoever asked for it.
    struct Terms {
        uint8 decimals;
        bool hooked;
        uint256 managementFee;
        uint256 performanceFee;
    }

    constructor(Terms memory terms) {
        token = terms.hooked ? PlainToken(address(new HostileToken())) : new PlainToken(terms.decimals);
        virtualShares = 10 ** (18 - terms.decimals);
        scale = Math.max(10 ** terms.decimals, 1e6);
        address[] memory proposers = new address[](1);
        proposers[0] = address(0x90);
        timelock = new VaultTimelock(1 days, proposers, proposers, GUARDIAN);

        token.mint(address(this), 10 * scale);
        address future = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2 * ADAPTERS);
        for (uint256 i; i < ADAPTERS; ++i) {
            venues[i] = new MarketVenue(IERC20(address(token)));
            adapters[i] = new ERC4626Adapter(future, address(venues[i]));
        }
        vault = new Vault(configuration(terms));
        require(address(vault) == future, "the vault is not where its adapters take it to be");
        claims = Claims(vault.claims());
        listener.setVault(vault);

        token.approve(address(vault), type(uint256).max);
        vault.open(scale);
        for (uint256 i; i < ADAPTERS; ++i) {
            // A venue's first shares are burned, as the adapter asks of whoever adds one.
            token.approve(address(venues[i]), scale);
            venues[i].deposit(scale, BURNED);
        }
        for (uint256 i; i < 2; ++i) {
            conditions[i] = new SwitchCondition();
            vm.prank(address(timelock));
            vault.setCondition(address(conditions[i]), true);
        }
        for (uint256 i; i < ADAPTERS; ++i) venues[i].setListener(address(listener));
        if (terms.hooked) HostileToken(address(token)).setHook(address(vault), address(listener), "x");
        for (uint256 i; i < depositors.length; ++i) fund(depositors[i], 1e6 * scale);
        for (uint256 i; i < attackers.length; ++i) fund(attackers[i], 1e6 * scale);
    }

    function fund(address account, uint256 amount) private {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(vault), type(uint256).max);
        for (uint256 i; i < ADAPTERS; ++i) {
            vm.prank(account);
            token.approve(address(venues[i]), type(uint256).max);
        }
    }

    function configuration(Terms memory terms) private view returns (IVault.Configuration memory c) {
        c.asset = address(token);
        c.name = "Tiller";
        c.symbol = "T";
        c.owner = address(timelock);
        c.guardian = GUARDIAN;
        c.keepers = new address[](2);
        (c.keepers[0], c.keepers[1]) = (attackers[0], attackers[1]);
        c.feeRecipient = FEE_RECIPIENT;
        c.managementFee = terms.managementFee;
        c.performanceFee = terms.performanceFee;
        c.maxRate = 0.5e18;
        c.depositCap = type(uint256).max;
        c.minimumIdle = 0.05e18;
        c.lossPerCall = 0.001e18;
        c.lossBudget = IVault.BudgetConfiguration(0.01e18, 1 days);
        c.turnoverBudget = IVault.BudgetConfiguration(2e18, 1 days);
        c.emergencyBudget = IVault.BudgetConfiguration(0.02e18, 7 days);
        c.groups = new IVault.GroupConfiguration[](2);
        c.groups[0] = IVault.GroupConfiguration("all", 0.9e18);
        c.groups[1] = IVault.GroupConfiguration("two", 0.6e18);
        c.adapters = new IVault.AdapterConfiguration[](ADAPTERS);
        for (uint256 i; i < ADAPTERS; ++i) {
            c.adapters[i] = IVault.AdapterConfiguration({
                adapter: address(adapters[i]),
                absoluteCap: i == 1 ? 2e6 * scale : type(uint256).max,
                relativeCap: 0.6e18,
                groupMask: i == 0 ? 1 : 3
            });
        }
    }

    /* WHAT THERE IS */

    /// @notice Value of an adapter's whole position by the venue, whatever its reads do.
    function positionOf(uint256 i) public view returns (uint256) {
        return venues[i].valueOf(venues[i].balanceOf(address(adapters[i])));
    }

    /// @notice The vault's part of it: what no claim has.
    function vaultPartOf(uint256 i) public view returns (uint256) {
        IVault.AdapterRecord memory record = vault.adapter(address(adapters[i]));
        uint256 position = positionOf(i);
        if (record.totalUnits == 0) return position;
        return Math.mulDiv(position, record.totalUnits - record.claimUnits, record.totalUnits);
    }

    function counts(uint256 i) public view returns (bool) {
        return !vault.adapter(address(adapters[i])).quarantined && reads(i);
    }

    /// @notice Whether the share price is without adapter `i`. What fails in the block of an accrual counts in the next.
    function writtenDown(uint256 i) public view returns (bool) {
        if (counts(i)) return false;
        (, bool uncounted) = vault.writtenOff();
        (uint256 accounted, , uint256 updatedAt) = vault.accountedAssets();
        return updatedAt != block.timestamp || uncounted || vault.totalAssets() != accounted;
    }

    function reads(uint256 i) public view returns (bool) {
        return !venues[i].broken() && !venues[i].burnsGas();
    }

    function allCount() public view returns (bool) {
        for (uint256 i; i < ADAPTERS; ++i) if (!counts(i)) return false;
        return true;
    }

    function allRead() public view returns (bool) {
        for (uint256 i; i < ADAPTERS; ++i) if (!reads(i)) return false;
        return true;
    }

    /// @notice Idle and every position of the vault's; what does not count as well, if `all`.
    function trueTotal(bool all) public view returns (uint256 sum) {
        sum = token.balanceOf(address(vault));
        for (uint256 i; i < ADAPTERS; ++i) if (all || counts(i)) sum += vaultPartOf(i);
    }

    /// @notice Tokens that were sent to adapters: the next move through one brings them in.
    function strays() public view returns (uint256 sum) {
        for (uint256 i; i < ADAPTERS; ++i) sum += token.balanceOf(address(adapters[i]));
    }

    /// @notice What roundings of the vault and of three venues may move in one call, in assets.
    function dust() public view returns (uint256 sum) {
        sum = 8;
        for (uint256 i; i < ADAPTERS; ++i) sum += 4 * (venues[i].convertToAssets(1) + 1);
    }

    /* WHAT THEY OWN */

    /// @notice Tokens, shares at today's price and with their part of what does not count, claims, receipts. In assets.
    function wealthOf(address[] memory group) public view returns (uint256 sum) {
        uint256 shares;
        uint256[ADAPTERS] memory receipts;
        uint256[ADAPTERS] memory units;
        for (uint256 k; k < group.length; ++k) {
            sum += token.balanceOf(group[k]);
            shares += vault.balanceOf(group[k]);
            for (uint256 i; i < ADAPTERS; ++i) {
                receipts[i] += venues[i].balanceOf(group[k]);
                units[i] += claims.balanceOf(group[k], uint160(address(adapters[i])));
            }
        }
        if (shares != 0) sum += vault.previewRedeem(shares);
        uint256 supply = vault.totalSupply() + virtualShares;
        for (uint256 i; i < ADAPTERS; ++i) {
            if (receipts[i] != 0) sum += venues[i].valueOf(receipts[i]);
            if (units[i] != 0) {
                sum += Math.mulDiv(positionOf(i), units[i], vault.adapter(address(adapters[i])).totalUnits);
            }
            if (shares != 0 && writtenDown(i)) sum += Math.mulDiv(vaultPartOf(i), shares, supply);
        }
    }

    function attackerGroup() public view returns (address[] memory group) {
        group = new address[](attackers.length);
        for (uint256 i; i < group.length; ++i) group[i] = attackers[i];
    }

    function depositorGroup() public view returns (address[] memory group) {
        group = new address[](depositors.length);
        for (uint256 i; i < group.length; ++i) group[i] = depositors[i];
    }

    /// @notice Everybody who may hold shares or claims.
    function holders() public view returns (address[] memory list) {
        list = new address[](9);
        for (uint256 i; i < 4; ++i) list[i] = attackers[i];
        for (uint256 i; i < 3; ++i) list[4 + i] = depositors[i];
        (list[7], list[8]) = (FEE_RECIPIENT, BURNED);
    }
}
