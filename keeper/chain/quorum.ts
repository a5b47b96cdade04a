// What money depends on is read from several endpoints at once and believed only where enough of them say the same, byte for
// byte. Asks no more of them than it needs: those that failed or lied come last for a while.
import canonicalize from "canonicalize";
import { InputFailure, WorldFailure } from "../config/failure";
import type { Sink } from "../events/events";
import { type Clock, TimeIsUp, wallClock, within } from "./clock";
import { RpcError, isUnknownBlock } from "./failures";

export interface QuorumEndpoint {
  /** For people: no path, no key. Two of one name would be one endpoint with two votes. */
  readonly name: string;
}

export interface QuorumOptions<Endpoint extends QuorumEndpoint> {
  /** In order of preference. */
  readonly endpoints: readonly Endpoint[];
  /** How many must agree: more than half of all, or two answers could win. */
  readonly needed: number;
  /** Of each endpoint; then another one is asked. */
  readonly timeoutMs: number;
  readonly sink: Sink;
  readonly clock?: Clock;
}

/** One endpoint and no other. Null: it does not have what was asked for. Asked of a block that is named, never a moving tag. */
export type Question<Endpoint> = (endpoint: Endpoint) => Promise<unknown>;

export interface AgreeOptions {
  /** What of an answer must be the same. Default: all of it. */
  readonly essence?: (answer: unknown) => unknown;
  readonly signal?: AbortSignal;
}

/** What an endpoint did that is no vote for the answer that won. */
export type Dissent = "disagreed" | "lagged" | "failed" | "silent";

export const QUORUM_LACKING = "QUORUM_LACKING";

const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 15 * 60_000;
/** A node that is behind by a moment is no news; one that is time after time is. */
const LAGS_BEFORE_TOLD = 3;

interface Member<Endpoint> {
  readonly endpoint: Endpoint;
  restsUntil: number;
  troubles: number;
  told: boolean;
  /** What it dissented on last, and the number of the next question then: an answer to an earlier one says nothing new. */
  trouble: { readonly method: string; readonly before: number } | null;
}

interface Vote<Endpoint> {
  readonly member: Member<Endpoint>;
  /** Number of the question. */
  readonly asked: number;
  /** Equal texts are equal answers. */
  readonly text: string;
  /** The answer, or the revert that was the answer. */
  readonly answer: { readonly value: unknown } | { readonly reverted: RpcError };
}

interface Abstention<Endpoint> {
  readonly member: Member<Endpoint>;
  readonly dissent: Exclude<Dissent, "disagreed">;
  /** The node's own words where it refused; null: it said null, or nothing of use. */
  readonly refusal: RpcError | null;
}

type Outcome<Endpoint> = Vote<Endpoint> | Abstention<Endpoint>;

interface Asking<Endpoint> extends AgreeOptions {
  readonly question: Question<Endpoint>;
}

export class Quorum<Endpoint extends QuorumEndpoint> {
  readonly needed: number;
  readonly #options: QuorumOptions<Endpoint>;
  readonly #members: readonly Member<Endpoint>[];
  readonly #clock: Clock;
  #questions = 0;

  /** @throws InputFailure `QUORUM_IMPOSSIBLE`. */
  constructor(options: QuorumOptions<Endpoint>) {
    const { endpoints, needed } = options;
    const names = new Set(endpoints.map(({ name }) => name));
    if (names.size < endpoints.length) throw impossible("two endpoints have one name");
    if (!Number.isInteger(needed) || needed > endpoints.length || 2 * needed <= endpoints.length) {
      throw impossible(`${needed} of ${endpoints.length} endpoints are no quorum`);
    }
    this.needed = needed;
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#members = endpoints.map((endpoint) => ({ endpoint, restsUntil: 0, troubles: 0, told: false, trouble: null }));
  }

  /**
   * What at least `needed` endpoints answer alike; null where so many do not have it.
   *
   * @param method For people.
   * @throws RpcError when they agree that the call reverts, or refuse it alike, as one of a block that they do not know;
   * WorldFailure `QUORUM_LACKING`; the reason of the signal.
   */
  async agree(method: string, question: Question<Endpoint>, options: AgreeOptions = {}): Promise<unknown> {
    const outcomes = await this.#gather({ question, ...options });
    const winner = this.#winner(outcomes);
    const refusing = winner === null ? this.#refusing(outcomes) : [];
    for (const outcome of outcomes)
      if (isVote(outcome) || !refusing.includes(outcome)) this.#note(method, outcome, winner);
    const [refused] = refusing;
    if (refused !== undefined) {
      if (refused.refusal !== null) throw refused.refusal;
      return null;
    }
    if (winner === null) throw this.#lacking(method, outcomes);
    if ("reverted" in winner.answer) throw winner.answer.reverted;
    return winner.answer.value;
  }

  /**
   * The answers of all that do not rest, uncompared, and at least of `needed`.
   *
   * @param enough Whether so many answers will do; those that come later are not waited for.
   * @throws WorldFailure `QUORUM_LACKING` when fewer than `needed` answer.
   */
  async poll(
    method: string,
    question: Question<Endpoint>,
    enough: (answers: readonly unknown[]) => boolean,
  ): Promise<unknown[]> {
    const now = this.#clock.now();
    const inOrder = this.#inOrder();
    const awake = inOrder.filter(({ restsUntil }) => restsUntil <= now).length;
    const asked = new Map(
      inOrder.slice(0, Math.max(awake, this.needed)).map((member) => [member, this.#ask(member, { question })]),
    );
    const outcomes: Outcome<Endpoint>[] = [];
    const note = (outcome: Outcome<Endpoint>): void => {
      if (!isVote(outcome)) this.#note(method, outcome, null);
    };
    while (asked.size > 0) {
      const outcome = await Promise.race(asked.values());
      asked.delete(outcome.member);
      outcomes.push(outcome);
      note(outcome);
      const answers = answersIn(outcomes);
      if (answers.length < this.needed || !enough(answers)) continue;
      for (const late of asked.values()) void late.then(note);
      return answers;
    }
    const answers = answersIn(outcomes);
    if (answers.length < this.needed) throw this.#lacking(method, outcomes);
    return answers;
  }

  /** Outcomes until enough agree or nobody is left to ask. */
  async #gather(asking: Asking<Endpoint>): Promise<Outcome<Endpoint>[]> {
    const left = this.#inOrder();
    const asked = new Map<Member<Endpoint>, Promise<Outcome<Endpoint>>>();
    const outcomes: Outcome<Endpoint>[] = [];
    for (;;) {
      // As many more as are missing should all that are asked agree with the largest party.
      while (largestParty(outcomes) + asked.size < this.needed) {
        const member = left.shift();
        if (member === undefined) break;
        asked.set(member, this.#ask(member, asking));
      }
      if (asked.size === 0 || this.#winner(outcomes) !== null) return outcomes;
      const outcome = await Promise.race(asked.values());
      asked.delete(outcome.member);
      outcomes.push(outcome);
    }
  }

  #inOrder(): Member<Endpoint>[] {
    const now = this.#clock.now();
    const resting = this.#members.filter(({ restsUntil }) => restsUntil > now);
    return [
      ...this.#members.filter(({ restsUntil }) => restsUntil <= now),
      ...resting.sort((a, b) => a.restsUntil - b.restsUntil),
    ];
  }

  async #ask(member: Member<Endpoint>, { question, essence, signal }: Asking<Endpoint>): Promise<Outcome<Endpoint>> {
    const limit = { ms: this.#options.timeoutMs, clock: this.#clock, signal };
    const asked = this.#questions++;
    try {
      const value = await within(limit, async () => question(member.endpoint));
      if (value == null) return { member, dissent: "lagged", refusal: null };
      return { member, asked, text: textOf(essence === undefined ? value : essence(value)), answer: { value } };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TimeIsUp) return { member, dissent: "silent", refusal: null };
      if (!(error instanceof RpcError)) return { member, dissent: "failed", refusal: null };
      if (isUnknownBlock(error)) return { member, dissent: "lagged", refusal: error };
      if (error.data === null) return { member, dissent: "failed", refusal: error };
      return { member, asked, text: `revert ${textOf(error.data)}`, answer: { reverted: error } };
    }
  }

  #winner(outcomes: readonly Outcome<Endpoint>[]): Vote<Endpoint> | null {
    const votes = outcomes.filter(isVote);
    return votes.find((vote) => partyOf(vote, votes).length >= this.needed) ?? null;
  }

  /** Of as many as must agree: those that do not have what was asked for, or refuse it with one code. */
  #refusing(outcomes: readonly Outcome<Endpoint>[]): readonly Abstention<Endpoint>[] {
    const parties = new Map<string, Abstention<Endpoint>[]>();
    for (const outcome of outcomes) {
      if (isVote(outcome) || (outcome.dissent !== "lagged" && outcome.refusal === null)) continue;
      const key = outcome.dissent === "lagged" ? outcome.dissent : String(outcome.refusal?.rpcCode);
      parties.set(key, [...(parties.get(key) ?? []), outcome]);
    }
    return [...parties.values()].find((party) => party.length >= this.needed) ?? [];
  }

  /** One event when an endpoint leaves the others, one when it is with them again. */
  #note(method: string, outcome: Outcome<Endpoint>, winner: Vote<Endpoint> | null): void {
    const { member } = outcome;
    const { sink } = this.#options;
    const endpoint = member.endpoint.name;
    // Without a winner nobody knows who of those that answered lied.
    if (isVote(outcome) && winner === null) return;
    if (isVote(outcome) && outcome.text === winner?.text) {
      // One that lies in one method only is not with the others by its answers to another.
      const { trouble } = member;
      if (trouble !== null && (trouble.method !== method || outcome.asked < trouble.before)) return;
      if (member.told) sink.emit({ name: "quorum.joined", endpoint });
      Object.assign(member, { troubles: 0, restsUntil: 0, told: false, trouble: null });
      return;
    }
    member.troubles += 1;
    member.trouble = { method, before: this.#questions };
    member.restsUntil =
      this.#clock.now() + Math.min(FIRST_REST_MS * 2 ** Math.min(member.troubles - 1, 10), LONGEST_REST_MS);
    const dissent = isVote(outcome) ? "disagreed" : outcome.dissent;
    if (member.told || (dissent === "lagged" && member.troubles < LAGS_BEFORE_TOLD)) return;
    member.told = true;
    sink.emit({ name: "quorum.dissent", endpoint, method, dissent });
  }

  #lacking(method: string, outcomes: readonly Outcome<Endpoint>[]): WorldFailure {
    const votes = outcomes.filter(isVote);
    const parties = [...new Set(votes.map(({ text }) => text))].map((text) =>
      votes
        .filter((vote) => vote.text === text)
        .map(({ member }) => member.endpoint.name)
        .join(" and "),
    );
    const others = outcomes.flatMap((outcome) =>
      isVote(outcome) ? [] : [`${outcome.member.endpoint.name} ${outcome.dissent}`],
    );
    const answered = parties.length === 0 ? [] : [`answers of ${parties.join(", another of ")}`];
    return new WorldFailure(
      QUORUM_LACKING,
      `no ${this.needed} endpoints agree on ${method}: ${[...answered, ...others].join("; ")}`,
      { field: "chain.rpcUrls", remedy: "Check the endpoints that are named; nothing is decided until enough agree." },
    );
  }
}

const isVote = <Endpoint>(outcome: Outcome<Endpoint>): outcome is Vote<Endpoint> => "text" in outcome;

const answersIn = (outcomes: readonly Outcome<unknown>[]): unknown[] =>
  outcomes.flatMap((outcome) => (isVote(outcome) && "value" in outcome.answer ? [outcome.answer.value] : []));

const partyOf = <Endpoint>(vote: Vote<Endpoint>, votes: readonly Vote<Endpoint>[]): readonly Vote<Endpoint>[] =>
  votes.filter(({ text }) => text === vote.text);

function largestParty(outcomes: readonly Outcome<unknown>[]): number {
  const votes = outcomes.filter(isVote);
  return votes.reduce((most, vote) => Math.max(most, partyOf(vote, votes).length), 0);
}

/** Bytes as hex say the same in either case; objects in any order of their members. */
function textOf(value: unknown): string {
  if (typeof value === "string" && /^0x[0-9a-f]*$/i.test(value)) return value.toLowerCase();
  return canonicalize(value) ?? typeof value;
}

function impossible(what: string): InputFailure {
  return new InputFailure("QUORUM_IMPOSSIBLE", what, {
    field: "chain.quorum",
    remedy: "Name different endpoints, and ask for more than half of them and no more than there are.",
  });
}
