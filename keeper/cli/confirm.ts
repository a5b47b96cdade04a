// Asking before something that cannot be taken back: a word to type on a terminal, --yes in a script, and never by default.
import { createInterface } from "node:readline/promises";
import { InputFailure } from "../config/failure";

export interface Confirmation {
  /** What is about to happen, one line. */
  readonly what: string;
  /** To be typed; anything else is a no. */
  readonly word: string;
  readonly yes: boolean;
}

/** @throws InputFailure `CONFIRMATION_MISSING` without a terminal and without --yes, `NOT_CONFIRMED` after another answer. */
export async function confirm({ what, word, yes }: Confirmation): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new InputFailure("CONFIRMATION_MISSING", `nothing was done: ${what} asks for a confirmation`, {
      field: "--yes",
      remedy: "Run it on a terminal, or with --yes if you mean it.",
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what}\nType ${word} to go on: `);
    if (answer.trim() === word) return;
  } finally {
    terminal.close();
  }
  throw new InputFailure("NOT_CONFIRMED", "nothing was done", {
    field: "the answer",
    remedy: `Type ${word} to go on.`,
  });
}
