// One question to a contract that may not be what it is said to be, or to one that is not there yet.
import type { Interface, Provider, Result } from "ethers";
import { WorldFailure } from "../keeper/config/failure";
import { creationData, type Creation } from "./modules/creation";

export interface Question {
  readonly to: string;
  readonly abi: Interface;
  readonly method: string;
  readonly args?: readonly unknown[];
}

/** All values of the answer; undefined when there is no such answer to have. A node that is down throws. */
export async function askAll(
  provider: Provider,
  { to, abi, method, args = [] }: Question,
): Promise<Result | undefined> {
  const data = abi.encodeFunctionData(method, [...args]);
  let answer: string;
  try {
    answer = await provider.call({ to, data });
  } catch (error) {
    if ((error as { code?: unknown }).code === "CALL_EXCEPTION") return undefined;
    throw noAnswer(method, error);
  }
  try {
    return abi.decodeFunctionResult(method, answer);
  } catch {
    return undefined;
  }
}

/** The first value of the answer, as {@link askAll}. */
export async function ask(provider: Provider, question: Question): Promise<unknown> {
  return (await askAll(provider, question))?.[0] as unknown;
}

/** How a constructor refuses its arguments, in words that go on from what it is; null: it takes them. Nothing is sent. */
export async function refusalOf(provider: Provider, creation: Creation, abi: Interface): Promise<string | null> {
  try {
    await provider.call({ data: creationData(creation, new Map()) });
    return null;
  } catch (error) {
    const { code, data } = error as { readonly code?: unknown; readonly data?: unknown };
    if (code !== "CALL_EXCEPTION") throw noAnswer(`whether ${creation.id} can be made`, error);
    const refusal = typeof data === "string" ? abi.parseError(data) : null;
    return refusal === null ? "without a reason" : `with ${refusal.name}(${refusal.args.join(", ")})`;
  }
}

function noAnswer(what: string, cause: unknown): WorldFailure {
  return new WorldFailure("NODE_REFUSED", `the node did not answer ${what}`, {
    remedy: "See whether the node is up and holds this state.",
    cause,
  });
}
