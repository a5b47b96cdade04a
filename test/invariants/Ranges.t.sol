// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {UniswapV3Adapter} from "../../contracts/adapters/UniswapV3Adapter.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {Pools} from "./Pools.t.sol";
import {RangeWorld} from "./RangeWorld.sol";
import {RangeActors} from "./handlers/RangeActors.sol";

/// @title The laws of pools, and Uniswap's own, in a genuine pool
abstract contract Ranges is Pools {
    function world() internal virtual returns (RangeWorld);

    function begin() internal override {
        RangeWorld made = world();
        (w, actors) = (made, new RangeActors(made, l));
    }

    function invariant_rangeIsOneAndOnTicks() external view {
        unbroken();
    }

    function invariant_rangeFairValueIsNeverAboveItsCoins() external view {
        unbroken();
    }

    function invariant_rangeFeesAreCountedOnceAsThePoolDoes() external view {
        unbroken();
    }

    function invariant_rangeAnswersNobodyOutsideOfItsCalls() external view {
        unbroken();
    }

    /// @dev A plan's exit is looked at where it happens. The last exit in kind pays to the unit what the pool pays for all.
    function invariant_rangeLeavesNothingBehind() external {
        RangeWorld r = RangeWorld(address(w));
        UniswapV3Adapter adapter = UniswapV3Adapter(address(w.adapter()));
        (int24 lower, int24 upper) = (adapter.tickLower(), adapter.tickUpper());
        (uint256 amount, uint256 pairedAmount) = r.coins();
        vm.prank(address(vault));
        adapter.redeemInKind(1, 1, address(this));
        require(w.token().balanceOf(address(this)) == amount, "of the asset something was left");
        require(r.paired().balanceOf(address(this)) == pairedAmount, "of the paired coin something was left");
        require(r.liquidityOf(address(adapter), lower, upper) == 0, "liquidity was left");
        require(adapter.tickLower() == 0 && adapter.tickUpper() == 0, "the range was not forgotten");
        require(adapter.fairValue() == 0, "nothing is worth something");
        unbroken();
    }

    function itsCoins() internal view override returns (PlainToken[] memory list) {
        list = new PlainToken[](2);
        (list[0], list[1]) = (w.token(), RangeWorld(address(w)).paired());
    }

    function ownActs() internal pure override returns (bytes4[] memory list) {
        list = new bytes4[](5);
        list[0] = RangeActors.wander.selector;
        list[1] = RangeActors.lend.selector;
        list[2] = RangeActors.giveAlms.selector;
        list[3] = RangeActors.tax.selector;
        list[4] = RangeActors.follow.selector;
    }

    function ownStates() internal pure override returns (string[] memory list) {
        list = new string[](7);
        list[0] = "another price";
        list[1] = "another range";
        list[2] = "all taken out";
        list[3] = "fees of both coins";
        list[4] = "fair value under what there is";
        list[5] = "nobody else in the pool";
        list[6] = "liquidity in a range that was left";
    }
}

/// @dev The asset is token0; a twentieth of a per cent; ten ticks apart; the other coin of 18 decimals.
contract RangeAssetFirst is Ranges {
    function world() internal override returns (RangeWorld) {
        return new RangeWorld(true, 18, 500);
    }
}

/// @dev The asset is token1; a hundredth of a per cent, as the largest pool of mainnet's; every tick.
contract RangeAssetSecond is Ranges {
    function world() internal override returns (RangeWorld) {
        return new RangeWorld(false, 6, 100);
    }
}
