import { expect } from "chai";
import { Failure } from "../../../keeper/config/failure";

/** The expected failure of an action that must not succeed. */
export async function failureOf(action: Promise<unknown>): Promise<Failure> {
  try {
    await action;
  } catch (error) {
    expect(error).to.be.instanceOf(Failure);
    return error as Failure;
  }
  throw new Error("it succeeded");
}
