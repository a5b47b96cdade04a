// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Curve3PoolAdapter} from "../../contracts/adapters/Curve3PoolAdapter.sol";
import {ILiquidityAdapter} from "../../contracts/interfaces/ILiquidityAdapter.sol";
import {IAggregatorV3Metadata} from "../../contracts/interfaces/external/IAggregatorV3Metadata.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {PriceFeedModel} from "../models/PriceFeedModel.sol";
import {ThreePoolModel} from "../models/ThreePoolModel.sol";
import {ThreePoolTokenModel} from "../models/ThreePoolTokenModel.sol";
import {PoolWorld} from "./PoolWorld.sol";

/// @title A vault in Curve's 3pool (its model)
/// @dev At rest what the pool's invariant says of a receipt is what the coins behind it are worth, each at par.
contract ThreePoolWorld is PoolWorld {
    /// @dev Of each coin, in whole ones.
    uint256 private constant POOLED = 60_000_000;

    PlainToken[3] public coins;
    ThreePoolModel public pool;
    ThreePoolTokenModel public receipts;

    constructor() {
        address[3] memory addresses;
        for (uint256 k; k < 3; ++k) {
            coins[k] = new PlainToken(k == 0 ? 18 : 6);
            addresses[k] = address(coins[k]);
            feeds.push(new PriceFeedModel(address(this), 8, "PLAIN / USD", 1e8));
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
        build();
    }

    function newAdapter(address future) internal override returns (ILiquidityAdapter) {
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

    function unitOf(uint256 k) public pure returns (uint256) {
        return k == 0 ? 1e18 : 1e6;
    }

    /// @dev Its receipts by the pool's invariant, at par.
    function behind() public view override returns (uint256) {
        return
            token.balanceOf(address(adapter)) +
            (receipts.balanceOf(address(adapter)) * pool.get_virtual_price()) / 1e30;
    }
}
