// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title What the handlers remember: breaches of laws, what was spent when, the most that total assets may be
/// @dev Knows no vault. A law is named by its invariant.
contract Ledger {
    struct Entry {
        uint256 time;
        uint256 amount;
    }

    /// @dev Fraction of an asset's unit that {most} is kept in.
    uint256 private constant FINE = 1e9;

    mapping(string law => string) public breaches;
    string public firstLaw;

    mapping(bytes32 account => Entry[]) private spent;
    mapping(bytes32 account => Entry[]) private limits;
    mapping(bytes32 account => uint256) public windowOf;

    uint256 private mostFine;

    /// @notice How often something happened that a campaign is worthless without.
    mapping(string what => uint256) public reached;
    mapping(bytes4 error => uint256) public refused;

    function reach(string memory what) external {
        ++reached[what];
    }

    function refuse(bytes memory reason) external {
        ++refused[bytes4(reason)];
    }

    /* BREACHES */

    function breach(string memory law, string memory what, uint256 found, uint256 bound) external {
        if (bytes(breaches[law]).length != 0) return;
        breaches[law] = string.concat(
            law,
            ": ",
            what,
            " (",
            Strings.toString(found),
            " against ",
            Strings.toString(bound),
            ")"
        );
        if (bytes(firstLaw).length == 0) firstLaw = law;
    }

    /// @notice The first breach of any law; empty: none.
    function firstBreach() external view returns (string memory) {
        return breaches[firstLaw];
    }

    /* SLIDING WINDOWS */

    /// @notice Tells today's terms of a budget. Another window begins a new account.
    function setTerms(bytes32 account, uint256 limit, uint256 window) external {
        Entry[] storage history = limits[account];
        if (windowOf[account] != window) {
            delete limits[account];
            delete spent[account];
            windowOf[account] = window;
        }
        if (history.length == 0 || history[history.length - 1].amount != limit) {
            history.push(Entry(block.timestamp, limit));
        }
    }

    /// @notice Notes a share that was spent.
    /// @return sum What was spent in the window that ends now. @return limit The highest limit in that window.
    function spend(bytes32 account, uint256 share) external returns (uint256 sum, uint256 limit) {
        spent[account].push(Entry(block.timestamp, share));
        uint256 from = block.timestamp - windowOf[account];
        Entry[] storage list = spent[account];
        for (uint256 i = list.length; i > 0 && list[i - 1].time > from; --i) sum += list[i - 1].amount;
        list = limits[account];
        for (uint256 i = list.length; i > 0; --i) {
            if (list[i - 1].amount > limit) limit = list[i - 1].amount;
            if (list[i - 1].time <= from) break;
        }
    }

    /* THE MOST THAT TOTAL ASSETS MAY BE */

    function most() public view returns (uint256) {
        return mostFine / FINE + 1;
    }

    function flowIn(uint256 assets) external {
        mostFine += assets * FINE;
    }

    function flowOut(uint256 assets) external {
        mostFine -= assets * FINE < mostFine ? assets * FINE : mostFine;
    }

    /// @notice `elapsed` seconds pass at `rate` a year, WAD.
    function grow(uint256 elapsed, uint256 rate) external {
        mostFine += (mostFine * rate * elapsed) / (365 days * 1e18) + 1;
    }

    /// @notice A loss was counted: what is gone has to be gained anew. The unit that is left to it is the seconds that the
    /// vault carries over.
    function cutTo(uint256 total) external {
        if (mostFine > (total + 1) * FINE) mostFine = (total + 1) * FINE;
    }
}
