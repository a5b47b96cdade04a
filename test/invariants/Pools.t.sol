// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Vault} from "../../contracts/Vault.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {ILiquidityAdapter} from "../../contracts/interfaces/ILiquidityAdapter.sol";
import {PlainToken} from "../contracts/hostile/PlainToken.sol";
import {Cheats} from "./Cheats.sol";
import {Ledger} from "./Ledger.sol";
import {PoolWorld} from "./PoolWorld.sol";
import {ThreePoolWorld} from "./ThreePoolWorld.sol";
import {PoolActors} from "./handlers/PoolActors.sol";
import {ThreePoolActors} from "./handlers/ThreePoolActors.sol";

/// @title The vault's laws where a trade moves a venue's price, whatever the venue
/// @dev As in Invariants.t.sol: what a handler sees it notes under the law's name, and every law asserts all of them.
abstract contract Pools is Cheats {
    uint256 private constant CALLS = 1_500;

    PoolWorld internal w;
    Ledger internal l;
    Vault internal vault;
    PoolActors internal actors;

    /// @dev Makes the world, and who acts in it.
    function begin() internal virtual;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.roll(20_000_000);
        l = new Ledger();
        begin();
        vault = w.vault();
        l.setTerms("loss", 0.0004e18, 1 days);
        l.setTerms("emergency", 0.002e18, 7 days);
        address depositor = w.DEPOSITOR();
        vm.prank(depositor);
        vault.deposit(1_000_000e6, depositor);
        vm.warp(block.timestamp + 12);
        vm.roll(block.number + 1);
        IVault.Move[] memory moves = new IVault.Move[](1);
        moves[0] = IVault.Move(address(w.lending()), 200_000e6, "");
        address keeper = w.ATTACKER();
        uint256 nonce = vault.nextNonce(keeper);
        vm.prank(keeper);
        vault.rebalance(moves, IVault.Guard(nonce, block.timestamp, type(uint256).max, 0));
        actors.invest(0);
        require(l.reached("plan") == 1, "the pool has nothing of the vault's");
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(actors);
    }

    function invariant_poolPushesGiveWhoComesAndGoesNothing() external view {
        unbroken();
    }

    function invariant_poolTradesLowerNoFairValue() external view {
        unbroken();
    }

    function invariant_poolPlansLoseNoMoreThanTheirBounds() external view {
        unbroken();
    }

    function invariant_poolLossesStayWithinTheirBudgetsInAnyWindow() external view {
        unbroken();
    }

    function invariant_poolEntryIsShutWhileUnsteady() external view {
        unbroken();
    }

    /// @dev Whatever pool and feeds do, whoever holds shares can leave with his part.
    function invariant_poolExitIsNeverBlocked() external {
        address holder = w.DEPOSITOR();
        uint256 shares = vault.balanceOf(holder);
        vm.prank(holder);
        vault.redeemInKind(shares, holder, new address[](0));
        require(vault.balanceOf(holder) == 0, "shares were left");
        unbroken();
    }

    function invariant_poolAdapterKeepsNoAllowance() external view {
        PlainToken[] memory coins = itsCoins();
        for (uint256 i; i < coins.length; ++i) {
            uint256 allowed = coins[i].allowance(address(w.adapter()), w.adapter().venue());
            require(allowed == 0, "an allowance was left behind");
        }
        unbroken();
    }

    /// @dev In the block of an accrual a later loss waits for the next.
    function invariant_poolTotalAssetsAreNeverAboveWhatIsThere() external {
        vm.warp(block.timestamp + 1);
        require(vault.totalAssets() <= w.trueTotal() + 10, "total assets are above what is there");
        unbroken();
    }

    /// @dev A law that nothing puts to the test holds by itself.
    function test_poolHandlersReachEveryStateThatTheLawsAreAbout() external {
        bytes4[] memory own = ownActs();
        bytes4[11] memory selectors = [
            PoolActors.deposit.selector,
            PoolActors.leave.selector,
            PoolActors.donate.selector,
            PoolActors.setFeeds.selector,
            PoolActors.setQuarantine.selector,
            PoolActors.pass.selector,
            PoolActors.roundTrip.selector,
            PoolActors.besiege.selector,
            PoolActors.sandwich.selector,
            PoolActors.evacuate.selector,
            PoolActors.invest.selector
        ];
        for (uint256 i; i < CALLS; ++i) {
            uint256 word = next(i, 1);
            uint256 which = word % (11 + own.length);
            bytes4 selector = which < 11 ? selectors[which] : own[which - 11];
            (bool done, ) = address(actors).call(abi.encodeWithSelector(selector, next(word, 2)));
            require(done, string.concat("a handler reverted: ", Strings.toString(which)));
            unbroken();
        }
        string[9] memory states = [
            "round trip",
            "unsteady",
            "entry refused, unsteady",
            "plan in a sandwich",
            "plan with a loss",
            "in kind",
            "in kind while a feed is silent",
            "guardian's exit",
            "quarantine"
        ];
        for (uint256 i; i < states.length; ++i) requireReached(states[i]);
        string[] memory more = ownStates();
        for (uint256 i; i < more.length; ++i) requireReached(more[i]);
        require(l.refused(ILiquidityAdapter.Unsteady.selector) != 0, "no plan was refused for: unsteady");
        require(l.refused(IVault.LossBudgetExceeded.selector) != 0, "no plan was refused for: loss budget");
        require(l.refused(IVault.LossExceeded.selector) != 0, "no plan was refused for: loss");
        require(l.refused(ILiquidityAdapter.FloorMissed.selector) != 0, "no plan was refused for: floor");
    }

    /// @dev What the adapter trades and holds.
    function itsCoins() internal view virtual returns (PlainToken[] memory);

    /// @dev Acts and states that this venue alone has.
    function ownActs() internal view virtual returns (bytes4[] memory) {}

    function ownStates() internal view virtual returns (string[] memory) {}

    function requireReached(string memory what) private view {
        require(l.reached(what) != 0, string.concat("never reached: ", what));
    }

    function unbroken() internal view {
        string memory breach = l.firstBreach();
        require(bytes(breach).length == 0, breach);
    }
}

contract ThreePool is Pools {
    function begin() internal override {
        ThreePoolWorld world = new ThreePoolWorld();
        (w, actors) = (world, new ThreePoolActors(world, l));
    }

    function itsCoins() internal view override returns (PlainToken[] memory list) {
        list = new PlainToken[](3);
        for (uint256 k; k < 3; ++k) list[k] = ThreePoolWorld(address(w)).coins(k);
    }
}
