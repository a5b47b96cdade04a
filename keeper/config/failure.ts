// What an operator can cause or meet, as opposed to a defect of ours: one line that names the field and the remedy,
// and the exit code that a program needs.

/** 2: the input is wrong and trying again will not help. 1: the world is (a server down, a chain that moved on). */
export type ExitCode = 1 | 2;

export interface FailureDetails {
  /** The field, option, file or environment variable at fault, as the operator wrote it. */
  readonly field?: string;
  /** What to do about it, as an imperative sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/**
 * Base of every expected failure. `message` says what is wrong in one line and never holds a secret, a URL with
 * credentials or a response body.
 */
export abstract class Failure extends Error {
  abstract readonly code: string;
  abstract readonly exitCode: ExitCode;
  readonly field: string | undefined;
  readonly remedy: string;

  constructor(message: string, details: FailureDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.field = details.field;
    this.remedy = details.remedy;
  }

  /** The one line that a command prints. */
  line(): string {
    const field = this.field === undefined ? "" : `${this.field}: `;
    return `${field}${this.message} (${this.code}). ${this.remedy}`.replace(/\s*\n\s*/g, " ");
  }

  toJSON(): { code: string; field: string | null; message: string; remedy: string } {
    return { code: this.code, field: this.field ?? null, message: this.message, remedy: this.remedy };
  }
}

/** Something that the operator gave is wrong: a config value, an option, a file. Exit code 2. */
export class InputFailure extends Failure {
  readonly exitCode = 2;
  constructor(
    readonly code: string,
    message: string,
    details: FailureDetails & { readonly field: string },
  ) {
    super(message, details);
  }
}

/** The world does not play along: a node, relay or database that is down, lies or is another one. Exit code 1. */
export class WorldFailure extends Failure {
  readonly exitCode = 1;
  constructor(
    readonly code: string,
    message: string,
    details: FailureDetails,
  ) {
    super(message, details);
  }
}
