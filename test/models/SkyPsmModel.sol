// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SkyStableModel} from "./SkyStableModel.sol";

/// @title Where a peg stability module keeps its gems
contract SkyPocketModel {
    constructor(IERC20Metadata gem) {
        SafeERC20.forceApprove(gem, msg.sender, type(uint256).max);
    }
}

/// @title A peg stability module
/// @notice Stands for Sky's LitePSM, with the interface, the formulas and the roundings that its public source states,
/// written anew and untested against the genuine code: no recorded state holds it. Gems are paid for out of DAI that
/// anybody may have minted beforehand by {fill}, up to the gems in the pocket and a buffer. Left out: the debt ceiling of
/// the whole system, swaps without a fee, emergency shutdown, and the collection of fees, which stay here.
contract SkyPsmModel {
    using SafeERC20 for IERC20Metadata;

    uint256 private constant WAD = 1e18;
    /// @notice The fee that means that there is no such trade.
    uint256 public constant HALTED = type(uint256).max;

    address public immutable governance;
    IERC20Metadata public immutable gem;
    SkyStableModel public immutable dai;
    address public immutable pocket;
    uint256 public immutable to18ConversionFactor;

    /// @notice Fee on selling gems, WAD, or {HALTED}.
    uint256 public tin;
    /// @notice Fee on buying gems, WAD, or {HALTED}.
    uint256 public tout;
    /// @notice DAI that may be minted beyond what the gems cover.
    uint256 public buf;
    /// @notice DAI that was minted here and not burned since.
    uint256 public debt;

    event Filled(uint256 amount);
    event Trimmed(uint256 amount);
    event Sold(address indexed to, uint256 gems, uint256 fee);
    event Bought(address indexed to, uint256 gems, uint256 fee);

    error NotGovernance(address caller);
    error UnknownParameter(bytes32 what);
    error FeeOutOfRange(bytes32 what, uint256 fee);
    error SellingHalted();
    error BuyingHalted();
    error NothingToFill();
    error NothingToTrim();

    constructor(IERC20Metadata gem_, SkyStableModel dai_) {
        governance = msg.sender;
        gem = gem_;
        dai = dai_;
        pocket = address(new SkyPocketModel(gem_));
        to18ConversionFactor = 10 ** (18 - gem_.decimals());
    }

    /// @param what "tin", "tout" or "buf".
    function file(bytes32 what, uint256 data) external {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        if (what != "buf" && data > WAD && data != HALTED) revert FeeOutOfRange(what, data);
        if (what == "tin") tin = data;
        else if (what == "tout") tout = data;
        else if (what == "buf") buf = data;
        else revert UnknownParameter(what);
    }

    function sellGem(address usr, uint256 gemAmt) external virtual returns (uint256 daiOut) {
        if (tin == HALTED) revert SellingHalted();
        daiOut = gemAmt * to18ConversionFactor;
        uint256 fee = (daiOut * tin) / WAD;
        daiOut -= fee;
        gem.safeTransferFrom(msg.sender, pocket, gemAmt);
        dai.transfer(usr, daiOut);
        emit Sold(usr, gemAmt, fee);
    }

    function buyGem(address usr, uint256 gemAmt) external virtual returns (uint256 daiIn) {
        if (tout == HALTED) revert BuyingHalted();
        daiIn = gemAmt * to18ConversionFactor;
        uint256 fee = (daiIn * tout) / WAD;
        daiIn += fee;
        dai.transferFrom(msg.sender, address(this), daiIn);
        gem.safeTransferFrom(pocket, usr, gemAmt);
        emit Bought(usr, gemAmt, fee);
    }

    /// @notice Mints DAI to sell gems for, as far as gems and buffer allow.
    function fill() external returns (uint256 amount) {
        uint256 target = gem.balanceOf(pocket) * to18ConversionFactor + buf;
        if (target <= debt) revert NothingToFill();
        amount = target - debt;
        debt += amount;
        dai.mint(address(this), amount);
        emit Filled(amount);
    }

    /// @notice Burns DAI that is not needed any more.
    function trim() external returns (uint256 amount) {
        uint256 target = gem.balanceOf(pocket) * to18ConversionFactor + buf;
        if (target >= debt) revert NothingToTrim();
        amount = Math.min(debt - target, dai.balanceOf(address(this)));
        debt -= amount;
        dai.burn(amount);
        emit Trimmed(amount);
    }
}

/// @title The same trade against USDS
/// @notice Stands for Sky's wrapper around the LitePSM, which makes USDS of DAI and DAI of USDS one to one.
contract SkyPsmWrapperModel {
    using SafeERC20 for IERC20Metadata;

    uint256 private constant WAD = 1e18;
    uint256 public constant HALTED = type(uint256).max;

    SkyPsmModel public immutable psm;
    SkyStableModel public immutable usds;
    IERC20Metadata public immutable gem;
    address public immutable pocket;
    uint256 public immutable to18ConversionFactor;

    constructor(SkyPsmModel psm_, SkyStableModel usds_) {
        psm = psm_;
        usds = usds_;
        gem = psm_.gem();
        pocket = psm_.pocket();
        to18ConversionFactor = psm_.to18ConversionFactor();
        gem.forceApprove(address(psm_), type(uint256).max);
        psm_.dai().approve(address(psm_), type(uint256).max);
    }

    function sellGem(address usr, uint256 gemAmt) external returns (uint256 usdsOut) {
        gem.safeTransferFrom(msg.sender, address(this), gemAmt);
        usdsOut = psm.sellGem(address(this), gemAmt);
        psm.dai().burn(usdsOut);
        usds.mint(usr, usdsOut);
    }

    /// @dev With the fee that marks a halt the product overflows, as in the genuine one.
    function buyGem(address usr, uint256 gemAmt) external returns (uint256 usdsIn) {
        usdsIn = gemAmt * to18ConversionFactor;
        usdsIn += (usdsIn * psm.tout()) / WAD;
        usds.transferFrom(msg.sender, address(this), usdsIn);
        usds.burn(usdsIn);
        psm.dai().mint(address(this), usdsIn);
        psm.buyGem(usr, gemAmt);
    }

    /// @notice The stable token by the name that the LitePSM has for its own.
    function dai() external view returns (address) {
        return address(usds);
    }

    function tin() external view returns (uint256) {
        return psm.tin();
    }

    function tout() external view returns (uint256) {
        return psm.tout();
    }

    function buf() external view returns (uint256) {
        return psm.buf();
    }
}
