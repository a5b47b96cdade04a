// Asks a source that speaks JSON over HTTP: no faster than it allows, again where asking again can help, never longer than
// the deadline, and only for answers that have the expected shape. Knows no source. What fails names the source and the
// remedy, never the body nor the URL, which may hold a key.
import type { z } from "zod";
import { InputFailure, WorldFailure } from "../config/failure";
import { type Clock, TimeIsUp, backOff, wallClock, within } from "../chain/clock";
import { type RateLimit, RequestRate } from "../chain/requestRate";

export interface HttpSourceOptions {
  /** As shown and stored, for example `the-graph`. */
  readonly name: string;
  /** What the operator changes when the source is at fault, for example `sources.theGraph`. */
  readonly field: string;
  /** With or without a path; `http:` or `https:`. */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly rate: RateLimit;
  /** Of one attempt, its body included. */
  readonly timeoutMs: number;
  /** Of a whole question: its turn, all attempts, the pauses between. */
  readonly deadlineMs: number;
  readonly attempts: number;
  /** Unpacked: a small packed body may be a large one. */
  readonly maxBodyBytes: number;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

export interface HttpQuestion<T> {
  /** Joined to the base URL. */
  readonly path: string;
  /** Sent by POST as JSON; absent: GET. */
  readonly body?: unknown;
  readonly shape: z.ZodType<T>;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpSource {
  readonly name: string;
  readonly field: string;
  readonly clock: Clock;
  /**
   * @throws WorldFailure `SOURCE_UNREACHABLE`, `SOURCE_LIMITED` (429), `SOURCE_REFUSED` (another 4xx), `SOURCE_MOVED`
   * (a redirect), `SOURCE_TOO_LARGE`, `SOURCE_GARBAGE` (not JSON, broken JSON, another shape); the reason of the signal,
   * at once.
   */
  ask<T>(question: HttpQuestion<T>): Promise<T>;
}

const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 30_000;
/** A source that asks for a longer rest is asked again after this one all the same. */
const LONGEST_REST_MS = 15 * 60_000;

/** An attempt that another one may mend. */
interface Again {
  readonly code: "SOURCE_UNREACHABLE" | "SOURCE_LIMITED";
  readonly why: string;
  /** As the source wished by Retry-After; null: it did not say. */
  readonly restMs: number | null;
}

type Attempt<T> = { readonly answer: T } | { readonly again: Again };

/** @throws InputFailure `SOURCE_URL_INVALID`. */
export function openHttpSource(options: HttpSourceOptions): HttpSource {
  const base = options.baseUrl.replace(/\/+$/, "");
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) {
    throw new InputFailure("SOURCE_URL_INVALID", `the address of ${options.name} is not an http(s) URL`, {
      field: options.field,
      remedy: "Write it as https://host/path.",
    });
  }
  const clock = options.clock ?? wallClock;
  const rate = new RequestRate(options.rate, clock);
  const source = { ...options, baseUrl: base, clock };
  return {
    name: options.name,
    field: options.field,
    clock,
    ask: (question) => ask(source, rate, question),
  };
}

type Source = HttpSourceOptions & { readonly clock: Clock };

async function ask<T>(source: Source, rate: RequestRate, question: HttpQuestion<T>): Promise<T> {
  const { clock, deadlineMs } = source;
  const deadline = clock.now() + deadlineMs;
  let last: Again = {
    code: "SOURCE_LIMITED",
    why: "has no turn for us in time: it wants rest, or our own rate limit is used up",
    restMs: null,
  };
  try {
    return await within({ ms: deadlineMs, clock, signal: question.signal }, async (signal) => {
      for (let attempt = 1; ; attempt += 1) {
        await rate.turn(signal);
        if (attempt === 1) last = unreachable("does not answer in time");
        const outcome = await attemptOnce(source, question, signal);
        if ("answer" in outcome) return outcome.answer;
        last = outcome.again;
        const pause = pauseOf(source, attempt, last);
        if (last.restMs !== null) rate.pause(clock.now() + last.restMs);
        if (attempt >= source.attempts || clock.now() + pause > deadline) throw failed(source, last);
        await clock.sleep(pause, signal);
      }
    });
  } catch (error) {
    question.signal?.throwIfAborted();
    if (error instanceof TimeIsUp) throw failed(source, last);
    throw error;
  }
}

function pauseOf(source: Source, attempt: number, { restMs }: Again): number {
  const random = source.random ?? Math.random;
  // After a rest that the source asked for, a little more: others were told the same.
  if (restMs !== null) return restMs + random() * FIRST_BACK_OFF_MS;
  return backOff(attempt, { firstMs: FIRST_BACK_OFF_MS, longestMs: LONGEST_BACK_OFF_MS, random });
}

async function attemptOnce<T>(source: Source, question: HttpQuestion<T>, outer: AbortSignal): Promise<Attempt<T>> {
  try {
    const limit = { ms: source.timeoutMs, clock: source.clock, signal: outer };
    return await within(limit, (signal) => exchange(source, question, signal));
  } catch (error) {
    outer.throwIfAborted();
    if (error instanceof WorldFailure) throw error;
    if (error instanceof TimeIsUp) return { again: unreachable("does not answer in time") };
    return { again: unreachable(`cannot be reached${codeOf(error)}`) };
  }
}

async function exchange<T>(source: Source, question: HttpQuestion<T>, signal: AbortSignal): Promise<Attempt<T>> {
  const posted = question.body === undefined ? {} : { method: "POST", body: JSON.stringify(question.body) };
  const response = await fetch(`${source.baseUrl}${question.path}`, {
    ...posted,
    headers: {
      accept: "application/json",
      ...(question.body === undefined ? {} : { "content-type": "application/json" }),
      ...source.headers,
    },
    // A POST that follows a redirect becomes a GET; a login page answers with 200.
    redirect: "manual",
    signal,
  });
  if (response.ok) return { answer: parsed(source, question, await textOf(source, response)) };
  // An unread body would keep the connection.
  await response.body?.cancel();
  const { status } = response;
  const restMs = restOf(response.headers.get("retry-after"), source.clock.now());
  if (status === 429) {
    return { again: { code: "SOURCE_LIMITED", why: "has had enough of us (HTTP 429)", restMs } };
  }
  if (status >= 500) return { again: { ...unreachable(`answers with HTTP ${status}`), restMs } };
  if (status >= 300 && status < 400) {
    throw failure(source, "SOURCE_MOVED", `sends elsewhere (HTTP ${status})`, "Name the address that it is at now.");
  }
  throw failure(source, "SOURCE_REFUSED", `refuses the request (HTTP ${status})`, "Check its address and its API key.");
}

async function textOf(source: Source, response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return Buffer.concat(parts).toString("utf8");
    size += value.byteLength;
    if (size > source.maxBodyBytes) {
      await reader?.cancel();
      const said = `answers with more than ${source.maxBodyBytes} bytes`;
      throw failure(source, "SOURCE_TOO_LARGE", said, "Check its address, or allow more.");
    }
    parts.push(value);
  }
}

function parsed<T>(source: Source, question: HttpQuestion<T>, text: string): T {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    if (/^\s*</.test(text)) throw garbage(source, "answers with a page of HTML instead of JSON");
    throw garbage(source, "answers with JSON that is broken or ends in the middle");
  }
  const result = question.shape.safeParse(body);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.map(String).join(".") ?? "";
  throw garbage(source, `answers in another shape than it should${at === "" ? "" : `, at ${at}`}`);
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function restOf(header: string | null, now: number): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), LONGEST_REST_MS);
}

function unreachable(why: string): Again {
  return { code: "SOURCE_UNREACHABLE", why, restMs: null };
}

/** Names of system errors (ECONNREFUSED) say what is wrong and hold no address. */
function codeOf(error: unknown): string {
  const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code) ? ` (${code})` : "";
}

function failed(source: Source, { code, why, restMs }: Again): WorldFailure {
  const rest = restMs === null ? "" : `, and wants ${Math.ceil(restMs / 1_000)} s of rest`;
  const remedy =
    code === "SOURCE_LIMITED"
      ? "Ask it less often, or get a plan with more requests; it is asked again by itself."
      : "Check the network and its address; it is asked again by itself.";
  return failure(source, code, `${why}${rest}`, remedy);
}

/** A source's answer that is not what it should be. */
export function garbage(source: { readonly name: string; readonly field: string }, what: string): WorldFailure {
  return failure(source, "SOURCE_GARBAGE", what, "Check that its address is that of the API; nothing of it was kept.");
}

/** @param what What the source does, as what follows its name. */
export function failure(
  source: { readonly name: string; readonly field: string },
  code: `SOURCE_${string}`,
  what: string,
  remedy: string,
): WorldFailure {
  return new WorldFailure(code, `${source.name} ${what}`, { field: source.field, remedy });
}
