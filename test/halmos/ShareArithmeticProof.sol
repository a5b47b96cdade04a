// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultTimelock} from "../../contracts/VaultTimelock.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";

interface Cheats {
    function assume(bool condition) external;
    function warp(uint256 timestamp) external;
    function store(address target, bytes32 slot, bytes32 value) external;
    function load(address target, bytes32 slot) external returns (bytes32);
}

/// @dev Who pays in it always has enough.
contract EndlessToken {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;

    function give(address to, uint256 amount) external {
        balanceOf[to] = amount;
    }

    function transferFrom(address, address to, uint256 amount) external returns (bool) {
        balanceOf[to] += amount;
        return true;
    }

    function transfer(address, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        return true;
    }
}

/// @dev What the vault's conversions are, for every total, supply and amount there is, for `npm run prove`: what each view
/// answers, and what each call takes, gives and leaves, is x·y/d rounded as said, with t total assets and the virtual unit,
/// s supply and the virtual shares. share_laws.py asks what follows. The vault is the genuine one, opened, accrued in this
/// block, with all of its money idle, of an asset with 6 decimals.
contract ShareArithmeticProof {
    Cheats private constant VM = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant START = 1_800_000_000;
    uint256 private constant VIRTUAL_SHARES = 1e12;
    uint256 private constant SEED = 1e6;
    address private constant OTHER = address(0xA11CE);

    /// @dev Places in contracts/storageLayout.json; setUp finds what it knows there.
    bytes32 private constant TOTAL_SUPPLY = bytes32(uint256(2));
    bytes32 private constant TOTALS = bytes32(uint256(8));
    uint256 private constant ACCOUNTED_BITS = 104;

    Vault private vault;
    EndlessToken private token;

    function setUp() external {
        VM.warp(START);
        token = new EndlessToken();
        address[] memory none;
        IVault.Configuration memory c;
        c.asset = address(token);
        c.owner = address(new VaultTimelock(1 days, none, none, OTHER));
        c.guardian = c.feeRecipient = OTHER;
        c.depositCap = type(uint256).max;
        c.lossBudget = c.turnoverBudget = c.emergencyBudget = IVault.BudgetConfiguration(0.01e18, 1 days);
        vault = new Vault(c);
        vault.open(SEED);
        assert(uint256(VM.load(address(vault), TOTAL_SUPPLY)) == SEED * VIRTUAL_SHARES);
        assert(uint256(VM.load(address(vault), TOTALS)) % 2 ** ACCOUNTED_BITS == SEED);
    }

    /// @dev Any totals. The asset's lie idle; all shares are this contract's.
    /// @return t Total assets and the virtual unit. @return s Supply and the virtual shares.
    function any(uint104 accounted, uint256 supply) private returns (uint256 t, uint256 s) {
        VM.warp(START);
        VM.assume(supply <= type(uint256).max - VIRTUAL_SHARES);
        VM.store(address(vault), TOTAL_SUPPLY, bytes32(supply));
        VM.store(address(vault), keccak256(abi.encode(address(this), uint256(0))), bytes32(supply));
        uint256 word = uint256(VM.load(address(vault), TOTALS));
        VM.store(address(vault), TOTALS, bytes32(((word >> ACCOUNTED_BITS) << ACCOUNTED_BITS) | accounted));
        token.give(address(vault), accounted);
        return (uint256(accounted) + 1, supply + VIRTUAL_SHARES);
    }

    function check_previewDeposit_isSharesRoundedDown(uint104 accounted, uint256 supply, uint256 assets) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        assert(vault.previewDeposit(assets) == Math.mulDiv(assets, s, t));
        assert(vault.convertToShares(assets) == Math.mulDiv(assets, s, t));
    }

    function check_previewMint_isAssetsRoundedUp(uint104 accounted, uint256 supply, uint256 shares) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        assert(vault.previewMint(shares) == Math.mulDiv(shares, t, s, Math.Rounding.Ceil));
    }

    function check_previewWithdraw_isSharesRoundedUp(uint104 accounted, uint256 supply, uint256 assets) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        assert(vault.previewWithdraw(assets) == Math.mulDiv(assets, s, t, Math.Rounding.Ceil));
    }

    function check_previewRedeem_isAssetsRoundedDown(uint104 accounted, uint256 supply, uint256 shares) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        assert(vault.previewRedeem(shares) == Math.mulDiv(shares, t, s));
        assert(vault.convertToAssets(shares) == Math.mulDiv(shares, t, s));
    }

    function check_deposit_takesAssetsAndMintsSharesRoundedDown(
        uint104 accounted,
        uint256 supply,
        uint256 assets
    ) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        uint256 shares = vault.deposit(assets, address(this));
        assert(shares == Math.mulDiv(assets, s, t));
        leaves(t + assets, s + shares);
    }

    function check_mint_mintsSharesAndTakesAssetsRoundedUp(uint104 accounted, uint256 supply, uint256 shares) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        uint256 assets = vault.mint(shares, address(this));
        assert(assets == Math.mulDiv(shares, t, s, Math.Rounding.Ceil));
        // That shares under the limit cost no more than there is room for is a law of share_laws.py.
        VM.assume(assets <= type(uint104).max - accounted);
        leaves(t + assets, s + shares);
    }

    function check_withdraw_paysAssetsAndBurnsSharesRoundedUp(
        uint104 accounted,
        uint256 supply,
        uint256 assets
    ) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        uint256 shares = vault.withdraw(assets, address(this), address(this));
        assert(shares == Math.mulDiv(assets, s, t, Math.Rounding.Ceil));
        leaves(t - assets, s - shares);
    }

    function check_redeem_burnsSharesAndPaysAssetsRoundedDown(
        uint104 accounted,
        uint256 supply,
        uint256 shares
    ) external {
        (uint256 t, uint256 s) = any(accounted, supply);
        uint256 assets = vault.redeem(shares, address(this), address(this));
        assert(assets == Math.mulDiv(shares, t, s));
        leaves(t - assets, s - shares);
    }

    function leaves(uint256 t, uint256 s) private view {
        (uint256 accounted, , ) = vault.accountedAssets();
        assert(accounted + 1 == t);
        assert(token.balanceOf(address(vault)) + 1 == t);
        assert(vault.totalSupply() + VIRTUAL_SHARES == s);
        assert(vault.balanceOf(address(this)) == vault.totalSupply());
    }
}
