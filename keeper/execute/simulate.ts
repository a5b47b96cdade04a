// The plan, run by a node on the state of one block, before anybody else sees it.
import { type ErrorDescription, Interface, type Provider, isHexString } from "ethers";
import { IAdapter__factory } from "../../typechain-types/factories/contracts/interfaces/IAdapter__factory";
import { ILiquidityAdapter__factory } from "../../typechain-types/factories/contracts/interfaces/ILiquidityAdapter__factory";
import { IVault__factory } from "../../typechain-types/factories/contracts/interfaces/IVault__factory";

export interface PlanCall {
  readonly vault: string;
  readonly keeper: string;
  readonly calldata: string;
  readonly gasLimit: bigint;
  /** Block whose state it runs on. */
  readonly block: number;
}

export type Simulation =
  | { readonly kind: "succeeds" }
  /** In words: the vault's own error with its arguments where it is one. */
  | { readonly kind: "reverts"; readonly reason: string };

/** Other errors that reach the vault's caller: OpenZeppelin's tokens and guards. */
const FOREIGN_ERRORS = new Interface([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
  "error ERC4626ExceededMaxDeposit(address receiver, uint256 assets, uint256 max)",
  "error ERC4626ExceededMaxWithdraw(address owner, uint256 assets, uint256 max)",
  "error ERC4626ExceededMaxRedeem(address owner, uint256 shares, uint256 max)",
  "error SafeERC20FailedOperation(address token)",
  "error ReentrancyGuardReentrantCall()",
  "error Error(string reason)",
  "error Panic(uint256 code)",
]);

const INTERFACES: readonly Interface[] = [
  IVault__factory.createInterface(),
  IAdapter__factory.createInterface(),
  ILiquidityAdapter__factory.createInterface(),
  FOREIGN_ERRORS,
];

/** @throws what the provider throws when it cannot answer; a revert is an answer. */
export async function simulatePlan(provider: Provider, call: PlanCall): Promise<Simulation> {
  try {
    await provider.call({
      from: call.keeper,
      to: call.vault,
      data: call.calldata,
      gasLimit: call.gasLimit,
      blockTag: call.block,
    });
    return { kind: "succeeds" };
  } catch (thrown) {
    if (ranOutOfGas(thrown)) return { kind: "reverts", reason: `runs out of its ${call.gasLimit} gas` };
    const data = revertData(thrown);
    if (data === null) throw thrown;
    return { kind: "reverts", reason: describeRevert(data) };
  }
}

/** Nodes tell this by an error of their own, not by a revert. */
function ranOutOfGas(thrown: unknown): boolean {
  const { error, message } = thrown as { error?: { message?: unknown }; message?: unknown };
  return /out ?of ?gas/i.test(`${String(error?.message)} ${String(message)}`);
}

/** Return data of a reverted call; `0x` if it had none; null if `thrown` is something else than a revert. */
function revertData(thrown: unknown): string | null {
  const { code, data } = thrown as { code?: unknown; data?: unknown };
  if (code !== "CALL_EXCEPTION") return null;
  return isHexString(data) ? data : "0x";
}

/** A revert in one line, from its return data. */
export function describeRevert(data: string): string {
  if (data === "0x") return "reverts without a reason (out of gas, or a call of something that is not there)";
  for (const one of INTERFACES) {
    const error = parse(one, data);
    if (error !== null) return `${error.name}(${argumentsOf(error)})`;
  }
  return `unknown error ${data.slice(0, 10)}`;
}

function parse(one: Interface, data: string): ErrorDescription | null {
  try {
    return one.parseError(data);
  } catch {
    return null;
  }
}

function argumentsOf(error: ErrorDescription): string {
  return error.fragment.inputs.map((input, index) => `${input.name}: ${String(error.args[index])}`).join(", ");
}
