// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Vault} from "../../contracts/Vault.sol";

/// @title Somebody whom tokens and venues call in the middle of the vault's calls, and who tries to make something of it
contract Listener {
    Vault private vault;
    bool private expecting;

    uint256 public heardPrice;
    uint256 public heardRoom;
    bool public entered;

    function setVault(Vault vault_) external {
        vault = vault_;
    }

    /// @param value A call of the vault's is under way from now on, or is over.
    function expect(bool value) external {
        if (value) (heardPrice, heardRoom, entered) = (0, 0, false);
        expecting = value;
    }

    fallback() external {
        if (!expecting) return;
        heardPrice = vault.sharePrice();
        uint256 room = vault.maxDeposit(address(this)) + vault.maxWithdraw(address(0xdEaD));
        if (room > heardRoom) heardRoom = room;
        bytes[4] memory calls = [
            abi.encodeCall(Vault.accrue, ()),
            abi.encodeWithSignature("deposit(uint256,address)", 0, address(this)),
            abi.encodeWithSignature("redeem(uint256,address,address)", 0, address(this), address(this)),
            abi.encodeCall(Vault.redeemInKind, (0, address(this), new address[](0)))
        ];
        for (uint256 i; i < calls.length; ++i) {
            (bool done, ) = address(vault).call(calls[i]);
            entered = entered || done;
        }
    }
}
