// What money depends on is read from several endpoints at once and believed only where enough of them say the same, byte for
// byte. Asks no more of them than it needs: those that failed or lied come last for a while.
import canonicalize from "canonicalize";
import { RpcError, isUnknownBlock } from "../chain/failures";
import { InputFailure, WorldFailure } from "../config/failure";
import type { Sink } from "../events/events";
import { type Clock, TimeIsUp, wallClock, within } from "./clock";

export interface QuorumEndpoint {
  /** For people: no path, no key. Two of one name would be one endpoint with two votes. */
  readonly name: string;
  /** One endpoint and no other: as `Chain.request`, of a chain with one URL. */
  request(method: string, params: readonly unknown[]): Promise<unknown>;
}

export interface QuorumOptions {
  /** In order of preference. */
  readonly endpoints: readonly QuorumEndpoint[];
  /** How many must agree: more than half of all, or two answers could win. */
  readonly needed: number;
  /** Of each endpoint; then another one is asked. */
  readonly timeoutMs: number;
  readonly sink: Sink;
  readonly clock?: Clock;
}

/** What an endpoint did that is no vote for the answer that won. */
export type Dissent = "disagreed" | "lagged" | "failed" | "silent";

const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 15 * 60_000;
/** They name another block for each endpoint and moment. */
const MOVING_TAGS: ReadonlySet<unknown> = new Set(["latest", "pending", "safe", "finalized", "earliest"]);

interface Member {
  readonly endpoint: QuorumEndpoint;
  restsUntil: number;
  troubles: number;
}

interface Vote {
  readonly member: Member;
  /** Equal texts are equal answers. */
  readonly text: string;
  /** The answer, or the revert that was the answer. */
  readonly answer: { readonly value: unknown } | { readonly reverted: RpcError };
}

type Outcome = Vote | { readonly member: Member; readonly dissent: Exclude<Dissent, "disagreed"> };

export class Quorum {
  readonly #options: QuorumOptions;
  readonly #members: readonly Member[];
  readonly #clock: Clock;

  /** @throws InputFailure `QUORUM_IMPOSSIBLE`. */
  constructor(options: QuorumOptions) {
    const { endpoints, needed } = options;
    const names = new Set(endpoints.map(({ name }) => name));
    if (names.size < endpoints.length) throw impossible("two endpoints have one name");
    if (!Number.isInteger(needed) || needed > endpoints.length || 2 * needed <= endpoints.length) {
      throw impossible(`${needed} of ${endpoints.length} endpoints are no quorum`);
    }
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    this.#members = endpoints.map((endpoint) => ({ endpoint, restsUntil: 0, troubles: 0 }));
  }

  /**
   * What at least `needed` endpoints answer alike.
   *
   * @param params Must name the block by its hash or number: another tag is a TypeError.
   * @throws RpcError when they agree that the call reverts; WorldFailure `QUORUM_LACKING`; the reason of `signal`.
   */
  async read(
    method: string,
    params: readonly unknown[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    if (params.some((param) => MOVING_TAGS.has(param))) throw new TypeError(`${method} is not pinned to a block`);
    const outcomes = await this.#gather(method, { params, signal });
    const winner = this.#winner(outcomes);
    for (const outcome of outcomes) this.#note(method, outcome, winner);
    if (winner === null) throw this.#lacking(method, outcomes);
    if ("reverted" in winner.answer) throw winner.answer.reverted;
    return winner.answer.value;
  }

  /** Outcomes until enough agree or nobody is left to ask. */
  async #gather(
    method: string,
    { params, signal }: { readonly params: readonly unknown[]; readonly signal: AbortSignal | undefined },
  ): Promise<Outcome[]> {
    const left = this.#inOrder();
    const asked = new Map<Member, Promise<Outcome>>();
    const outcomes: Outcome[] = [];
    for (;;) {
      // As many more as are missing should all that are asked agree with the largest party.
      while (largestParty(outcomes) + asked.size < this.#options.needed) {
        const member = left.shift();
        if (member === undefined) break;
        asked.set(member, this.#ask(member, { method, params, signal }));
      }
      if (asked.size === 0 || this.#winner(outcomes) !== null) return outcomes;
      const outcome = await Promise.race(asked.values());
      asked.delete(outcome.member);
      outcomes.push(outcome);
    }
  }

  #inOrder(): Member[] {
    const now = this.#clock.now();
    const resting = this.#members.filter(({ restsUntil }) => restsUntil > now);
    return [
      ...this.#members.filter(({ restsUntil }) => restsUntil <= now),
      ...resting.sort((a, b) => a.restsUntil - b.restsUntil),
    ];
  }

  async #ask(
    member: Member,
    {
      method,
      params,
      signal,
    }: { readonly method: string; readonly params: readonly unknown[]; readonly signal: AbortSignal | undefined },
  ): Promise<Outcome> {
    const limit = { ms: this.#options.timeoutMs, clock: this.#clock, signal };
    try {
      const value = await within(limit, async () => member.endpoint.request(method, params));
      // A node that does not have the block says null, or that it does not know it.
      if (value == null) return { member, dissent: "lagged" };
      return { member, text: textOf(value), answer: { value } };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TimeIsUp) return { member, dissent: "silent" };
      if (isUnknownBlock(error)) return { member, dissent: "lagged" };
      if (error instanceof RpcError && error.data !== null) {
        return { member, text: `revert ${textOf(error.data)}`, answer: { reverted: error } };
      }
      return { member, dissent: "failed" };
    }
  }

  #winner(outcomes: readonly Outcome[]): Vote | null {
    const votes = outcomes.filter(isVote);
    return votes.find((vote) => partyOf(vote, votes).length >= this.#options.needed) ?? null;
  }

  /** One event when an endpoint leaves the others, one when it is with them again. */
  #note(method: string, outcome: Outcome, winner: Vote | null): void {
    const { member } = outcome;
    const { sink } = this.#options;
    const endpoint = member.endpoint.name;
    // Without a winner nobody knows who of those that answered lied.
    if (isVote(outcome) && winner === null) return;
    if (isVote(outcome) && outcome.text === winner?.text) {
      if (member.troubles > 0) sink.emit({ name: "quorum.joined", endpoint });
      member.troubles = 0;
      member.restsUntil = 0;
      return;
    }
    member.troubles += 1;
    member.restsUntil =
      this.#clock.now() + Math.min(FIRST_REST_MS * 2 ** Math.min(member.troubles - 1, 10), LONGEST_REST_MS);
    const dissent = isVote(outcome) ? "disagreed" : outcome.dissent;
    if (member.troubles === 1) sink.emit({ name: "quorum.dissent", endpoint, method, dissent });
  }

  #lacking(method: string, outcomes: readonly Outcome[]): WorldFailure {
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
    const { needed } = this.#options;
    return new WorldFailure(
      "QUORUM_LACKING",
      `no ${needed} endpoints agree on ${method}: ${[...answered, ...others].join("; ")}`,
      { field: "chain.rpcUrls", remedy: "Check the endpoints that are named; nothing is decided until enough agree." },
    );
  }
}

const isVote = (outcome: Outcome): outcome is Vote => "text" in outcome;

const partyOf = (vote: Vote, votes: readonly Vote[]): readonly Vote[] => votes.filter(({ text }) => text === vote.text);

function largestParty(outcomes: readonly Outcome[]): number {
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
    field: "chain.rpcUrls",
    remedy: "Name different endpoints, and ask for more than half of them and no more than there are.",
  });
}
