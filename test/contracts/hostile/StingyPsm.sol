// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SkyPsmModel} from "../../models/SkyPsmModel.sol";
import {SkyStableModel} from "../../models/SkyStableModel.sol";

/// @dev A PSM that takes less than it is given leave to, in either trade, and pays fewer gems than it is
/// asked for.
contract StingyPsm is SkyPsmModel {
    using SafeERC20 for IERC20Metadata;

    uint256 public leaves;
    uint256 public keeps;

    constructor(IERC20Metadata gem_, SkyStableModel dai_) SkyPsmModel(gem_, dai_) {}

    function set(uint256 leaves_, uint256 keeps_) external {
        (leaves, keeps) = (leaves_, keeps_);
    }

    function sellGem(address usr, uint256 gemAmt) external override returns (uint256 daiOut) {
        daiOut = (gemAmt - leaves) * to18ConversionFactor;
        gem.safeTransferFrom(msg.sender, pocket, gemAmt - leaves);
        dai.transfer(usr, daiOut);
    }

    function buyGem(address usr, uint256 gemAmt) external override returns (uint256 daiIn) {
        daiIn = (gemAmt - leaves) * to18ConversionFactor;
        dai.transferFrom(msg.sender, address(this), daiIn);
        gem.safeTransferFrom(pocket, usr, gemAmt - keeps);
    }
}

/// @dev What a PSM says of itself, as told.
contract PosingPsm {
    address public gem;
    address public dai;
    address public pocket;
    uint256 public to18ConversionFactor;
    uint256 public tin;
    uint256 public tout;

    constructor(address gem_, address dai_, address pocket_, uint256 factor) {
        (gem, dai, pocket, to18ConversionFactor) = (gem_, dai_, pocket_, factor);
    }
}

/// @dev The same, wrapping another.
contract PosingWrapper is PosingPsm {
    address public psm;

    constructor(
        address gem_,
        address dai_,
        address pocket_,
        uint256 factor,
        address psm_
    ) PosingPsm(gem_, dai_, pocket_, factor) {
        psm = psm_;
    }
}
