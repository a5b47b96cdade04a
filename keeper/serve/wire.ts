// What the server says to a client: errors, the data a page starts with, and the messages of the live stream. Shared
// by the server and by the page in the browser, so it holds types and two constants only.
import type { PageView } from "../app/view";

/** An expected failure as a program reads it: what is wrong, where, and what to do. */
export interface Problem {
  readonly code: string;
  /** The parameter, header or part of the request at fault; null when the fault is on our side. */
  readonly field: string | null;
  readonly message: string;
  readonly remedy: string;
}

/** Body of every answer of the API that is not a success. */
export interface ErrorBody {
  readonly error: Problem;
}

/** What the page is rendered from, on the server and again in the browser. Exactly one of `view` and `problem` is set. */
export interface Boot {
  /** Names the client bundle; null when none is built. A page whose build differs from the server's reloads itself. */
  readonly build: string | null;
  readonly view: PageView | null;
  readonly problem: Problem | null;
}

export type LiveMessage =
  | { readonly type: "hello"; readonly heartbeatMs: number; readonly build: string | null }
  | { readonly type: "view"; readonly view: PageView }
  | { readonly type: "unavailable"; readonly problem: Problem }
  | { readonly type: "heartbeat" };

/** Id of the element that holds the JSON of {@link Boot}. */
export const BOOT_ELEMENT = "boot";
/** Id of the element that React renders into and hydrates. */
export const ROOT_ELEMENT = "page";
