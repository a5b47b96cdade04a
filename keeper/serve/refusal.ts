// Turns whatever was thrown while a request was answered into a status and a typed body. The message of an error that
// nobody expected stays inside: it may quote a URL with a password.
import { Failure, InputFailure } from "../config/failure";
import type { Problem } from "./wire";

/** The request is wrong. `status` is the HTTP status to answer with. */
export class RequestFailure extends InputFailure {
  constructor(
    readonly status: 400 | 404 | 405,
    code: string,
    message: string,
    details: { readonly field: string; readonly remedy: string },
  ) {
    super(code, message, details);
  }
}

export interface Refusal {
  readonly status: number;
  readonly problem: Problem;
  /** True when it is ours and nobody expected it: worth a line in the log. */
  readonly defect: boolean;
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof RequestFailure) {
    return { status: error.status, problem: error.toJSON(), defect: false };
  }
  if (error instanceof Failure) {
    return { status: 503, problem: error.toJSON(), defect: false };
  }
  const status = statusOf(error);
  if (status !== null) {
    return {
      status,
      problem: {
        code: "REQUEST_INVALID",
        field: "request",
        message: "the request is malformed or too large",
        remedy: "Send a plain GET with a short path; the routes are listed in keeper/serve/README.md.",
      },
      defect: false,
    };
  }
  return {
    status: 500,
    problem: {
      code: "SERVE_DEFECT",
      field: null,
      message: "the server met an error of its own",
      remedy: "Look for serve.trouble in the keeper's log and report it.",
    },
    defect: true,
  };
}

/** The 4xx status that the HTTP layer gave to a bad request; null for anything else. */
function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) {
    return null;
  }
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}
