// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @dev A feed whose rounds are what the test says, and which can be broken in the ways that a call can fail.
contract HostileFeed {
    enum Mode {
        Works,
        Reverts,
        BurnsGas,
        AnswersShort,
        Bomb
    }

    struct Round {
        int256 answer;
        uint256 updatedAt;
    }

    Mode public mode;
    uint80 public latest;
    mapping(uint80 id => Round) public rounds;

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function set(uint80 id, int256 answer, uint256 updatedAt) external {
        latest = id;
        rounds[id] = Round(answer, updatedAt);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latest);
    }

    function getRoundData(uint80 id) public view returns (uint80, int256, uint256, uint256, uint80) {
        if (mode == Mode.Reverts) revert("no");
        if (mode == Mode.BurnsGas) while (gasleft() > 0) {}
        if (mode == Mode.AnswersShort) {
            assembly {
                return(0, 0x80)
            }
        }
        if (mode == Mode.Bomb) {
            assembly {
                revert(0, 100000)
            }
        }
        Round storage round = rounds[id];
        return (id, round.answer, round.updatedAt, round.updatedAt, id);
    }
}
