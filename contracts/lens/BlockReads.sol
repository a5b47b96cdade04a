// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Any number of reads of one block, in one `eth_call`
/// @notice
/// WHAT IT IS
/// - A question, not a contract: it is never deployed. A node is asked to simulate its creation (`eth_call` without `to`);
///   the constructor makes the reads and returns their answers in the place of code. So it works on every chain and at every
///   block, also at those before anything of ours was there.
///
/// WHAT IT RETURNS
/// - ABI encoding of `(uint256 number, uint256 timestamp, bytes32 parentHash, bytes outcomes, bytes[] answers)`: which block
///   was read, one byte for each call (0 failed, 1 answered, 2 not tried), and what each answered. Of a call that failed,
///   nothing: what it reverted with is the callee's to choose, and takes room that answers need.
///
/// BOUNDS
/// - A call gets its own bound of gas, and no more of its answer is copied than was asked for. A callee that loops or answers
///   with a megabyte costs its own answer and no other's.
/// - A call is tried only where it would get all of its bound, and where enough is left to return every answer. Otherwise it
///   is not tried: an answer, or the lack of one, never depends on what was asked before it.
/// - Creation may return 24,576 bytes (EIP-170) that do not begin with 0xEF (EIP-3541); the first byte here is of the block's
///   number. A question whose answers could be over 24,000 reverts.
/// - A target without code has failed: a call of nothing succeeds on chain, and says nothing.
///
/// TRUST
/// - None. It holds nothing, writes nothing, calls statically, and its caller checks which block was read.
contract BlockReads {
    /// @dev One question: whom, with how much gas, how long an answer may be, and what.
    struct Call {
        address target;
        uint256 gasLimit;
        /// @dev An answer is cut here.
        uint256 answerBytes;
        bytes data;
    }

    /// @dev It reverted, ran out of its gas, or there is no code.
    bytes1 private constant FAILED = 0x00;
    bytes1 private constant ANSWERED = 0x01;
    /// @dev Too little gas was left to give it what it may use.
    bytes1 private constant NOT_TRIED = 0x02;

    uint256 private constant MOST_BYTES = 24_000;

    /// @dev Of a byte that creation returns.
    uint256 private constant DEPOSIT_GAS = 200;
    /// @dev Encoding what is returned: memory and copies, per byte with room to spare, and a constant part.
    uint256 private constant ENCODING_GAS = 20;
    uint256 private constant CLOSING_GAS = 20_000;
    uint256 private constant WORD = 32;
    /// @dev Number, timestamp, parent hash, two offsets, two lengths.
    uint256 private constant HEAD_BYTES = 7 * WORD;

    /// @notice The answers could come to more than creation may return.
    error AnswersTooLong(uint256 most);

    constructor(Call[] memory calls) {
        uint256 most = mostBytes(calls);
        if (most > MOST_BYTES) revert AnswersTooLong(most);
        uint256 reserve = most * (DEPOSIT_GAS + ENCODING_GAS) + CLOSING_GAS;
        bytes memory outcomes = new bytes(calls.length);
        bytes[] memory answers = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            // The 64th part that a call leaves behind does not count as reserve: the bound must fit beside it.
            if (gasleft() < reserve + (calls[i].gasLimit * 64) / 63) {
                outcomes[i] = NOT_TRIED;
                continue;
            }
            (bytes1 outcome, bytes memory answer) = ask(calls[i]);
            outcomes[i] = outcome;
            answers[i] = answer;
        }
        bytes32 parentHash;
        unchecked {
            // Of block 0 the number wraps around to one that has no hash.
            parentHash = blockhash(block.number - 1);
        }
        bytes memory all = abi.encode(block.number, block.timestamp, parentHash, outcomes, answers);
        assembly ("memory-safe") {
            return(add(all, 0x20), mload(all))
        }
    }

    function mostBytes(Call[] memory calls) private pure returns (uint256 most) {
        most = HEAD_BYTES + wholeWords(calls.length);
        // Each answer has an offset and a length.
        for (uint256 i; i < calls.length; ++i) most += 2 * WORD + wholeWords(calls[i].answerBytes);
    }

    function wholeWords(uint256 length) private pure returns (uint256) {
        return (length + WORD - 1) & ~(WORD - 1);
    }

    function ask(Call memory c) private view returns (bytes1 outcome, bytes memory answer) {
        (address target, uint256 gasLimit, uint256 most, bytes memory data) = (
            c.target,
            c.gasLimit,
            c.answerBytes,
            c.data
        );
        if (target.code.length == 0) return (FAILED, "");
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gasLimit, target, add(data, 0x20), mload(data), 0x00, 0x00)
            let size := returndatasize()
            if gt(size, most) {
                size := most
            }
            if iszero(ok) {
                size := 0
            }
            answer := mload(0x40)
            mstore(answer, size)
            let start := add(answer, 0x20)
            let end := add(start, and(add(size, 0x1f), not(0x1f)))
            mstore(0x40, end)
            // Memory may hold something there: what follows the answer up to the word's end is zero.
            if size {
                mstore(sub(end, 0x20), 0)
            }
            returndatacopy(start, 0x00, size)
        }
        outcome = ok ? ANSWERED : FAILED;
    }
}
