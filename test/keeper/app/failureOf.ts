import type { Failure } from "../../../keeper/config/failure";

/** Code and message of what fails, `nothing failed` where nothing does. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return `${(error as Failure).code}: ${(error as Failure).message}`;
  }
  return "nothing failed";
}
