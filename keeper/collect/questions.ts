// Questions to contracts and strict reading of the answers: what is not exactly of the declared types is `SOURCE_GARBAGE`,
// never a number that only looks like one.
import { AbiCoder, FunctionFragment, Interface, type ParamType } from "ethers";
import { WorldFailure } from "../config/failure";
import type { ContractCall } from "./reading";

const coder = AbiCoder.defaultAbiCoder();
const WORD = 32;

/** No amount, rate or index of any source here comes near; what is above was never a number. */
const IMPLAUSIBLE = 2n ** 128n;

export interface Question<Optional extends boolean = boolean> {
  readonly fragment: FunctionFragment;
  readonly call: ContractCall;
  readonly optional: Optional;
}

/** @param signature As in Solidity: `function name(types) view returns (types)`, results of fixed length only. */
export function ask(to: string, signature: string, args: readonly unknown[] = []): Question<false> {
  return { ...questionOf(to, signature, args), optional: false };
}

/** Of contracts that may not have the function, or may fail to answer. */
export function askIfThere(to: string, signature: string, args: readonly unknown[] = []): Question<true> {
  const { fragment, call } = questionOf(to, signature, args);
  return { fragment, call: { ...call, optional: true }, optional: true };
}

function questionOf(to: string, signature: string, args: readonly unknown[]): Omit<Question, "optional"> {
  const fragment = FunctionFragment.from(signature);
  const answerBytes = fragment.outputs.reduce((bytes, output) => bytes + staticBytes(output), 0);
  return { fragment, call: { to, data: new Interface([fragment]).encodeFunctionData(fragment, args), answerBytes } };
}

function staticBytes(type: ParamType): number {
  if (type.isTuple()) return type.components.reduce((bytes, part) => bytes + staticBytes(part), 0);
  if (type.isArray() || type.type === "bytes" || type.type === "string") {
    throw new RangeError(`${type.type} has no fixed length`);
  }
  return WORD;
}

export type AnswersTo<Q extends Record<string, Question>> = {
  readonly [Name in keyof Q]: Q[Name] extends Question<false> ? Answer : Answer | null;
};

/** Questions by name, so that an answer is never taken for its neighbour's. */
export class Questions<Q extends Record<string, Question>> {
  readonly calls: readonly ContractCall[];

  /** @param of What is read, for failures: source and subject. */
  constructor(
    private readonly of: string,
    private readonly questions: Q,
  ) {
    this.calls = Object.values(questions).map(({ call }) => call);
  }

  /** @throws WorldFailure `SOURCE_GARBAGE`. */
  read(answers: readonly (string | null)[]): AnswersTo<Q> {
    if (answers.length !== this.calls.length) throw garbageOf(this.of, "the number of answers");
    const named = Object.entries(this.questions).map(([name, question], place) => [
      name,
      this.#answer(question, answers[place] ?? null),
    ]);
    return Object.fromEntries(named) as AnswersTo<Q>;
  }

  #answer(question: Question, data: string | null): Answer | null {
    const { fragment, optional } = question;
    // A contract without the function may have a fallback that answers with nothing.
    if (optional && (data === null || data === "0x")) return null;
    if (data === null) throw garbageOf(this.of, fragment.name);
    try {
      const values = coder.decode(fragment.outputs, data);
      // The decoder drops what is over a type's bits; encoded again it shows. A longer answer is one of a newer version.
      const again = coder.encode(fragment.outputs, values.toArray());
      if (data.toLowerCase().startsWith(again)) return new Answer(`${this.of}: ${fragment.name}`, values);
    } catch {
      // Said below.
    }
    throw garbageOf(this.of, fragment.name);
  }
}

/** Values of one answer, by name or place in its signature. */
export class Answer {
  constructor(
    private readonly of: string,
    private readonly values: { readonly [place: number]: unknown; getValue(name: string): unknown },
  ) {}

  /** @throws WorldFailure `SOURCE_GARBAGE` at 2^128 and above. */
  uint(name: string | number = 0): bigint {
    const value = this.word(name);
    if (value < 0n || value >= IMPLAUSIBLE) throw garbageOf(this.of, String(name));
    return value;
  }

  int(name: string | number = 0): bigint {
    const value = this.word(name);
    if (value <= -IMPLAUSIBLE || value >= IMPLAUSIBLE) throw garbageOf(this.of, String(name));
    return value;
  }

  /** Any number: of bits that mean something each. */
  word(name: string | number = 0): bigint {
    const value = this.#value(name);
    if (typeof value !== "bigint") throw garbageOf(this.of, String(name));
    return value;
  }

  /** For small numbers, as decimals and times are. */
  small(name: string | number = 0): number {
    const value = Number(this.uint(name));
    if (!Number.isSafeInteger(value)) throw garbageOf(this.of, String(name));
    return value;
  }

  address(name: string | number = 0): string {
    const value = this.#value(name);
    if (typeof value !== "string") throw garbageOf(this.of, String(name));
    return value;
  }

  #value(name: string | number): unknown {
    return typeof name === "number" ? this.values[name] : this.values.getValue(name);
  }
}

export function garbageOf(of: string, what: string): WorldFailure {
  return new WorldFailure("SOURCE_GARBAGE", `${of}: ${what} is not what the protocol gives`, {
    field: "collect.targets",
    remedy: "Check that the address is of a contract of this kind, on this chain.",
  });
}

/** An address or unit that was found out once and is another now, as after an upgrade. */
export function movedOf(of: string, what: string): WorldFailure {
  return new WorldFailure("SOURCE_MOVED", `${of}: ${what} is another than when the source was located`, {
    field: "collect.targets",
    remedy: "Nothing: sources are located anew.",
  });
}

const MOST_DECIMALS = 36;

/** @throws WorldFailure `SOURCE_GARBAGE` where no token has so many. */
export function decimalsOf(answer: Answer, of: string): number {
  const decimals = answer.small();
  if (decimals > MOST_DECIMALS) throw garbageOf(of, "decimals");
  return decimals;
}
