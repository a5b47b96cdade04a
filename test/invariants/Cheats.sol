// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev The few of forge's cheatcodes that are used here.
interface Vm {
    function warp(uint256 timestamp) external;

    function roll(uint256 blockNumber) external;

    function prank(address caller) external;

    function getNonce(address account) external view returns (uint64);

    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);

    function getCode(string calldata artifact) external view returns (bytes memory creationCode);

    function snapshotState() external returns (uint256 id);

    function revertToStateAndDelete(uint256 id) external returns (bool);
}

/// @title What every contract here needs of forge, and of arithmetic on fuzzed words
abstract contract Cheats {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev A word of the fuzzer as a number from `least` to `most`; the ends come up often, for that is where bugs are.
    function within(uint256 word, uint256 least, uint256 most) internal pure returns (uint256) {
        if (most <= least) return least;
        if (word % 16 == 0) return least;
        if (word % 16 == 1) return most;
        return least + (uint256(keccak256(abi.encode(word))) % (most - least + 1));
    }

    /// @dev Another word made of one, so that a handler needs few arguments.
    function next(uint256 word, uint256 salt) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(word, salt)));
    }
}
