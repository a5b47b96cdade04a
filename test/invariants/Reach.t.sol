// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Scene} from "./Scene.sol";
import {World} from "./World.sol";
import {Depositors} from "./handlers/Depositors.sol";
import {Guardian} from "./handlers/Guardian.sol";
import {Keeper} from "./handlers/Keeper.sol";
import {Market} from "./handlers/Market.sol";
import {Owner} from "./handlers/Owner.sol";
import {Strangers} from "./handlers/Strangers.sol";
import {Time} from "./handlers/Time.sol";
import {Trips} from "./handlers/Trips.sol";

/// @title That the handlers get anywhere: a law that nothing puts to the test holds by itself
contract Reach is Scene {
    uint256 private constant CALLS = 8_000;
    uint256 private constant CALL_GAS = 1e9;

    function terms() internal pure override returns (World.Terms memory) {
        return World.Terms(6, false, 0, 0);
    }

    function test_handlersReachEveryStateThatTheLawsAreAbout() external {
        for (uint256 i; i < CALLS; ++i) {
            (address handler, bytes4 selector) = anyCall(next(i, 1));
            // Some venues burn all the gas that they are given.
            (bool done, ) = handler.call{gas: CALL_GAS}(abi.encodeWithSelector(selector, next(i, 2), next(i, 3)));
            require(done, "a handler reverted");
            require(
                bytes(l.firstBreach()).length == 0,
                string.concat(
                    l.firstBreach(),
                    " at ",
                    Strings.toString(i),
                    " ",
                    Strings.toHexString(uint32(selector), 4)
                )
            );
        }
        failTwice();
        requireReached("deposit");
        requireReached("withdrawal");
        requireReached("exit beyond idle");
        requireReached("exit in kind");
        requireReached("exit in kind while something does not count");
        requireReached("exit in kind while a gain drips");
        requireReached("claim redeemed");
        requireReached("plan");
        requireReached("plan while tripped");
        requireReached("plan with a loss");
        requireReached("attackers' gain");
        requireReached("proven trip");
        requireReached("guardian's trip");
        requireReached("quarantine by the guardian");
        requireReached("quarantine by strangers");
        requireReached("emergency exit");
        requireRefused(IVault.NotKeeper.selector, "not the keeper");
        requireRefused(IVault.BreakerTripped.selector, "tripped");
        requireRefused(IVault.WrongNonce.selector, "wrong nonce");
        requireRefused(IVault.LossExceeded.selector, "loss");
        requireRefused(IVault.LossBudgetExceeded.selector, "loss budget");
        requireRefused(IVault.TurnoverBudgetExceeded.selector, "turnover budget");
        requireRefused(IVault.RelativeCapExceeded.selector, "relative cap");
        requireRefused(IVault.AbsoluteCapExceeded.selector, "absolute cap");
        requireRefused(IVault.GroupCapExceeded.selector, "group cap");
        requireRefused(IVault.IdleTooLow.selector, "idle");
    }

    /// @dev Two reports fifty blocks apart of a venue that stays broken are too rare to wait for.
    function failTwice() private {
        (Market market, Trips trips, Time time) = (Market(handlers[4]), Trips(handlers[5]), Time(handlers[7]));
        for (uint256 i; i < w.ADAPTERS(); ++i) {
            market.setReads(i, 1);
            trips.reportUnreadable(i);
            time.passBlocks(59);
            trips.reportUnreadable(i);
        }
        require(bytes(l.firstBreach()).length == 0, l.firstBreach());
    }

    function anyCall(uint256 word) private view returns (address, bytes4) {
        bytes4[39] memory selectors = [
            Depositors.deposit.selector,
            Depositors.mint.selector,
            Depositors.withdraw.selector,
            Depositors.redeem.selector,
            Depositors.redeemInKind.selector,
            Depositors.redeemClaim.selector,
            Depositors.leaveVenue.selector,
            Depositors.enterVenue.selector,
            Depositors.transferShares.selector,
            Depositors.transferClaim.selector,
            Depositors.roundTrip.selector,
            Keeper.rebalance.selector,
            Keeper.bundle.selector,
            Keeper.grind.selector,
            Keeper.replay.selector,
            Keeper.invest.selector,
            Guardian.set.selector,
            Guardian.trip.selector,
            Guardian.quarantine.selector,
            Guardian.removeKeeper.selector,
            Owner.set.selector,
            Owner.lift.selector,
            Owner.restore.selector,
            Market.yield.selector,
            Market.lose.selector,
            Market.donate.selector,
            Market.setCash.selector,
            Market.setReads.selector,
            Market.calm.selector,
            Trips.setCondition.selector,
            Trips.arm.selector,
            Trips.trip.selector,
            Trips.reportUnreadable.selector,
            Trips.emergencyExit.selector,
            Strangers.accrue.selector,
            Strangers.usurp.selector,
            Time.passBlocks.selector,
            Time.passHours.selector,
            Time.passDays.selector
        ];
        uint8[39] memory owners = [
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            1,
            1,
            1,
            1,
            2,
            2,
            2,
            2,
            3,
            3,
            3,
            4,
            4,
            4,
            4,
            4,
            4,
            5,
            5,
            5,
            5,
            5,
            6,
            6,
            7,
            7,
            7
        ];
        uint256 i = word % selectors.length;
        return (handlers[owners[i]], selectors[i]);
    }

    function requireReached(string memory what) private view {
        require(l.reached(what) != 0, string.concat("never reached: ", what));
    }

    function requireRefused(bytes4 reason, string memory what) private view {
        require(l.refused(reason) != 0, string.concat("no plan was refused for: ", what));
    }
}
