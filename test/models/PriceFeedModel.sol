// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title A price feed in Chainlink's shape
/// @notice Stands for Chainlink's EACAggregatorProxy (AggregatorV3Interface and the older `latestAnswer`, which Aave's
/// oracle reads). Where Chainlink has a network of reporters, this has one account that pushes answers.
contract PriceFeedModel {
    struct Round {
        int256 answer;
        uint256 updatedAt;
    }

    uint256 public constant version = 4;
    uint8 public immutable decimals;
    address public immutable reporter;
    string public description;
    uint80 public latestRound;
    mapping(uint80 roundId => Round) private _rounds;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    error NotReporter(address caller);
    error NoDataPresent();

    constructor(address reporter_, uint8 decimals_, string memory description_, int256 answer) {
        reporter = reporter_;
        decimals = decimals_;
        description = description_;
        _push(answer, block.timestamp);
    }

    /// @notice Reports a price as of now.
    function push(int256 answer) external {
        pushAt(answer, block.timestamp);
    }

    /// @notice Reports a price with a time of its own, so that a test can make a stale one.
    function pushAt(int256 answer, uint256 updatedAt) public {
        if (msg.sender != reporter) revert NotReporter(msg.sender);
        _push(answer, updatedAt);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRound);
    }

    function latestAnswer() external view returns (int256) {
        return _rounds[latestRound].answer;
    }

    function latestTimestamp() external view returns (uint256) {
        return _rounds[latestRound].updatedAt;
    }

    function getRoundData(
        uint80 roundId
    ) public view returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) {
        Round storage round = _rounds[roundId];
        if (round.updatedAt == 0) revert NoDataPresent();
        return (roundId, round.answer, round.updatedAt, round.updatedAt, roundId);
    }

    function _push(int256 answer, uint256 updatedAt) private {
        latestRound++;
        _rounds[latestRound] = Round(answer, updatedAt);
        emit AnswerUpdated(answer, latestRound, updatedAt);
    }
}
