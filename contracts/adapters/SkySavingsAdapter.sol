// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "../interfaces/IAdapter.sol";
import {ILiquidityAdapter} from "../interfaces/ILiquidityAdapter.sol";
import {ISkyPsm, ISkyPsmWrapper} from "../interfaces/external/ISky.sol";
import {BoundedRead} from "../libraries/BoundedRead.sol";
import {MoveData} from "../libraries/MoveData.sol";
import {TrustedRead} from "../libraries/TrustedRead.sol";

/// @title A position in Sky's savings, entered and left through the peg stability module (PSM)
/// @notice The vault's asset is the PSM's gem (USDC). It is sold to the PSM for the stable token, which goes into the
/// savings vault: USDS through the PSM's wrapper into sUSDS, or DAI through the LitePSM into sDAI.
///
/// TRUST
/// - Sky's governance sets the savings rate, both fees and the halt of either direction, and may replace the code of
///   sUSDS. The index of the savings vault is believed: only time and governance move it, a plain transfer does not.
/// - A unit of the stable token is worth a unit of gem, less the fee: that is what the PSM pays while it can. What the
///   market pays for the stable token when the PSM is halted or has run dry is not looked at; a depeg is a condition's
///   matter.
///
/// VALUE
/// - What the savings shares redeem for, less the PSM's fee on buying gems, in whole units of gem, rounded down: so what
///   the position is worth can be withdrawn, and withdrawing is no loss. A fee that governance raises is a loss at once.
/// - While buying gems is halted nobody knows the fee, and none is taken off.
/// - The stable token that lies here counts for nothing: it is less than a unit of gem from the last full withdrawal, or
///   a gift. It goes to work with the next deposit, or leaves with the next full withdrawal.
///
/// KNOWN WAYS OF SKY
/// - Gems are paid out of the PSM's pocket, the stable token out of what was minted to the LitePSM beforehand; either may
///   run dry, and anybody with the other token can make it so for a while. Neither moves the value.
/// - The savings vault rounds against whoever comes: a deposit may be worth one unit of gem less than was paid.
/// - A fee on selling gems (`tin`) makes a deposit worth less than what was given. The vault measures that as a loss.
contract SkySavingsAdapter is IAdapter {
    using SafeERC20 for IERC20;
    using TrustedRead for address;

    uint256 private constant WAD = 1e18;
    /// @dev Of the savings vaults and of both stable tokens.
    uint8 private constant STABLE_DECIMALS = 18;
    /// @dev For one question to a contract that is not known yet to be what it should be.
    uint256 private constant ASK_GAS = 200_000;

    /// @inheritdoc IAdapter
    address public immutable vault;
    /// @inheritdoc IAdapter
    address public immutable asset;
    /// @inheritdoc IAdapter
    address public immutable venue;

    /// @notice Where gems are sold and bought: the LitePSM or the wrapper around it.
    address public immutable psm;
    /// @notice The LitePSM: `psm` itself, or what it wraps.
    address public immutable litePsm;
    /// @notice Who holds the gems that can be bought.
    address public immutable pocket;
    /// @notice What the savings vault takes: USDS or DAI.
    address public immutable stable;
    /// @notice What the LitePSM pays sellers with and must hold: DAI, also where the wrapper makes USDS of it.
    address public immutable prefunded;
    /// @notice Units of the stable token for one unit of the asset, without fees.
    uint256 public immutable stablePerUnit;

    /// @notice The savings vault takes another token than the PSM deals in.
    error WrongSavings(address savings, address takes, address stable);

    /// @notice The PSM converts by another factor than the decimals say.
    error WrongConversion(uint256 factor, uint256 gemDecimals, uint256 stableDecimals);

    /// @notice The LitePSM behind the wrapper deals in another gem, or keeps its gems elsewhere.
    error WrongLitePsm(address litePsm, address gem, address pocket);

    /// @notice The PSM buys no gems now: `tin` is no fee but the mark of its halt.
    error SellingHalted(address psm, uint256 tin);

    /// @notice The PSM sells no gems now: `tout` is no fee but the mark of its halt.
    error BuyingHalted(address psm, uint256 tout);

    /// @notice The PSM has run dry of what it would pay with: of gems, or of the stable token minted beforehand, in the token's
    /// own unit.
    error PsmDry(address token, uint256 asked, uint256 held);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotVault(msg.sender);
        _;
    }

    /// @param psm_ The LitePSM, or the wrapper around it. The asset is its gem.
    /// @param savings The ERC-4626 vault of the stable token that the PSM deals in.
    constructor(address vault_, address psm_, address savings) {
        vault = vault_;
        venue = savings;
        psm = psm_;
        asset = addressFrom(psm_, ISkyPsm.gem.selector);
        stable = addressFrom(psm_, ISkyPsm.dai.selector);
        pocket = addressFrom(psm_, ISkyPsm.pocket.selector);
        stablePerUnit = ask(psm_, ISkyPsm.to18ConversionFactor.selector);
        ask(psm_, ISkyPsm.tin.selector);
        ask(psm_, ISkyPsm.tout.selector);
        checkConversion(asset, stable, stablePerUnit);
        address takes = addressFrom(savings, IERC4626.asset.selector);
        if (takes != stable) revert WrongSavings(savings, takes, stable);
        (bool wraps, uint256 wrapped) = BoundedRead.tryGet(psm_, ASK_GAS, ISkyPsmWrapper.psm.selector);
        litePsm = wraps ? address(uint160(wrapped)) : psm_;
        prefunded = addressFrom(litePsm, ISkyPsm.dai.selector);
        address itsGem = addressFrom(litePsm, ISkyPsm.gem.selector);
        address itsPocket = addressFrom(litePsm, ISkyPsm.pocket.selector);
        if (itsGem != asset || itsPocket != pocket) revert WrongLitePsm(litePsm, itsGem, itsPocket);
    }

    /// @inheritdoc IAdapter
    /// @dev `data`: empty, or `abi.encode(uint256)` of the least savings shares that must come. The PSM's fee is known to
    /// nobody before the block.
    function deposit(uint256 assets, bytes calldata data) external onlyVault {
        uint256 before = data.length == 0 ? 0 : venue.balanceOf(address(this));
        IERC20(asset).forceApprove(psm, assets);
        try ISkyPsm(psm).sellGem(address(this), assets) returns (uint256) {} catch (bytes memory reason) {
            refuseSale(assets, reason);
        }
        if (IERC20(asset).allowance(address(this), psm) != 0) IERC20(asset).forceApprove(psm, 0);
        uint256 amount = stable.balanceOf(address(this));
        if (amount != 0) {
            IERC20(stable).forceApprove(venue, amount);
            IERC4626(venue).deposit(amount, address(this));
            if (IERC20(stable).allowance(address(this), venue) != 0) IERC20(stable).forceApprove(venue, 0);
        }
        // What the PSM did not take, and what strangers sent here, is the vault's.
        uint256 rest = asset.balanceOf(address(this));
        if (rest != 0) IERC20(asset).safeTransfer(vault, rest);
        if (data.length != 0) checkMinimum(venue.balanceOf(address(this)) - before, data);
    }

    /// @inheritdoc IAdapter
    /// @dev All of it means all that the pocket has gems for. `data`: empty, or `abi.encode(uint256)`: of a withdrawal of
    /// everything the least assets that must come, of a withdrawal of an amount the least savings shares that must be left.
    function withdraw(uint256 assets, bytes calldata data) external onlyVault returns (uint256 paid) {
        uint256 fee = psm.get(ISkyPsm.tout.selector);
        if (isHalted(fee)) revert BuyingHalted(psm, fee);
        if (assets == type(uint256).max) {
            assets = redeemAll(fee);
            if (data.length != 0) checkMinimum(assets, data);
            if (assets == 0) {
                requireGems(fairValue());
                return 0;
            }
        } else {
            IERC4626(venue).withdraw(costOf(assets, fee), address(this), address(this));
            if (data.length != 0) checkMinimum(venue.balanceOf(address(this)), data);
        }
        uint256 before = asset.balanceOf(vault);
        IERC20(stable).forceApprove(psm, costOf(assets, fee));
        try ISkyPsm(psm).buyGem(vault, assets) returns (uint256) {} catch (bytes memory reason) {
            requireGems(assets);
            LowLevelCall.bubbleRevert(reason);
        }
        if (IERC20(stable).allowance(address(this), psm) != 0) IERC20(stable).forceApprove(psm, 0);
        paid = asset.balanceOf(vault) - before;
        if (paid != assets) revert Inexact(assets, paid);
    }

    /// @inheritdoc IAdapter
    function redeemInKind(
        uint256 numerator,
        uint256 denominator,
        address receiver
    ) external onlyVault returns (uint256 receipts) {
        receipts = Math.mulDiv(IERC4626(venue).balanceOf(address(this)), numerator, denominator);
        if (receipts != 0) IERC20(venue).safeTransfer(receiver, receipts);
    }

    /// @inheritdoc IAdapter
    function kind() external pure returns (bytes32) {
        return "sky-savings";
    }

    /// @inheritdoc IAdapter
    function exact() external pure returns (bool) {
        return true;
    }

    /// @inheritdoc IAdapter
    function receipt() external view returns (address) {
        return venue;
    }

    /// @inheritdoc IAdapter
    function fairValue() public view returns (uint256) {
        uint256 shares = venue.balanceOf(address(this));
        if (shares == 0) return 0;
        uint256 fee = psm.get(ISkyPsm.tout.selector);
        return unitsFor(venue.get(IERC4626.previewRedeem.selector, shares), isHalted(fee) ? 0 : fee);
    }

    /// @inheritdoc IAdapter
    function exitValue() external view returns (uint256) {
        return Math.min(withdrawableNow(), fairValue());
    }

    /// @inheritdoc IAdapter
    function maxWithdraw() external view returns (uint256) {
        try this.withdrawableNow() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }

    /// @inheritdoc IAdapter
    function maxDeposit() external view returns (uint256) {
        try this.depositableNow() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }

    /// @notice As {maxWithdraw}, but reverts when the PSM or the savings vault cannot be read.
    function withdrawableNow() public view returns (uint256) {
        uint256 fee = psm.get(ISkyPsm.tout.selector);
        if (isHalted(fee)) return 0;
        return Math.min(unitsFor(IERC4626(venue).maxWithdraw(address(this)), fee), asset.balanceOf(pocket));
    }

    /// @notice As {maxDeposit}, but reverts when the PSM or the savings vault cannot be read.
    function depositableNow() external view returns (uint256) {
        uint256 fee = psm.get(ISkyPsm.tin.selector);
        // A fee of all of it leaves nothing to deposit.
        if (isHalted(fee) || fee == WAD) return 0;
        uint256 room = Math.min(prefunded.balanceOf(litePsm), IERC4626(venue).maxDeposit(address(this)));
        return Math.mulDiv(room, WAD, stablePerUnit * (WAD - fee));
    }

    /// @dev Redeems what the pocket has gems for.
    /// @return assets How many gems the stable token that lies here afterwards buys and the pocket has.
    function redeemAll(uint256 fee) private returns (uint256 assets) {
        uint256 shares = Math.min(IERC4626(venue).balanceOf(address(this)), IERC4626(venue).maxRedeem(address(this)));
        uint256 here = stable.balanceOf(address(this));
        uint256 cash = asset.balanceOf(pocket);
        if (unitsFor(here + IERC4626(venue).previewRedeem(shares), fee) <= cash) {
            IERC4626(venue).redeem(shares, address(this), address(this));
            return unitsFor(stable.balanceOf(address(this)), fee);
        }
        uint256 cost = costOf(cash, fee);
        if (cost > here) IERC4626(venue).withdraw(cost - here, address(this), address(this));
        return cash;
    }

    /// @dev Says why the PSM refused to buy gems, if that is a halt or what it pays with; otherwise what it said.
    function refuseSale(uint256 assets, bytes memory reason) private view {
        uint256 fee = psm.get(ISkyPsm.tin.selector);
        if (isHalted(fee)) revert SellingHalted(psm, fee);
        uint256 asked = assets * stablePerUnit;
        asked -= (asked * fee) / WAD;
        uint256 held = prefunded.balanceOf(litePsm);
        if (held < asked) revert PsmDry(prefunded, asked, held);
        LowLevelCall.bubbleRevert(reason);
    }

    function requireGems(uint256 assets) private view {
        uint256 held = asset.balanceOf(pocket);
        if (held < assets) revert PsmDry(asset, assets, held);
    }

    function checkMinimum(uint256 reached, bytes calldata data) private pure {
        uint256 minimum = MoveData.floorOf(data);
        if (reached < minimum) revert ILiquidityAdapter.FloorMissed(reached, minimum);
    }

    /// @dev What the PSM takes of the stable token for so many gems: its own formula and rounding.
    function costOf(uint256 assets, uint256 fee) private view returns (uint256) {
        uint256 amount = assets * stablePerUnit;
        return amount + (amount * fee) / WAD;
    }

    /// @dev How many gems an amount of the stable token buys for sure.
    function unitsFor(uint256 amount, uint256 fee) private view returns (uint256) {
        return Math.mulDiv(amount, WAD, stablePerUnit * (WAD + fee));
    }

    /// @dev A PSM has no fee above 1 but the mark of its halt.
    function isHalted(uint256 fee) private pure returns (bool) {
        return fee > WAD;
    }

    function checkConversion(address gem, address stable_, uint256 factor) private view {
        uint256 gemDecimals = ask(gem, IERC20Metadata.decimals.selector);
        uint256 stableDecimals = ask(stable_, IERC20Metadata.decimals.selector);
        bool right =
            stableDecimals == STABLE_DECIMALS &&
                gemDecimals <= STABLE_DECIMALS &&
                factor == 10 ** (STABLE_DECIMALS - gemDecimals);
        if (!right) revert WrongConversion(factor, gemDecimals, stableDecimals);
    }

    function addressFrom(address target, bytes4 selector) private view returns (address) {
        return address(uint160(ask(target, selector)));
    }

    function ask(address target, bytes4 selector) private view returns (uint256 value) {
        bool ok;
        (ok, value) = BoundedRead.tryGet(target, ASK_GAS, selector);
        if (!ok) revert TrustedRead.NoAnswer(target, selector);
    }
}
