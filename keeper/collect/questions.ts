// Questions to contracts and strict reading of the answers: what is not exactly of the declared types is `SOURCE_GARBAGE`,
// never a number that only looks like one.
import { FunctionFragment, Interface, getAddress, type ParamType } from "ethers";
import { WorldFailure } from "../config/failure";
import type { ContractCall } from "./reading";

const WORD = 32;
const WORD_DIGITS = 2 * WORD;

/** No amount, rate or index of any source here comes near; what is above was never a number. */
const IMPLAUSIBLE = 2n ** 128n;

interface Result {
  readonly name: string;
  readonly bits: number;
  readonly signed: boolean;
}

const ADDRESS_BITS = 160;

export interface Question<Optional extends boolean = boolean> {
  readonly method: string;
  readonly results: readonly Result[];
  readonly call: ContractCall;
  readonly optional: Optional;
}

/** @param signature As in Solidity: `function name(types) view returns (types)`, its results numbers and addresses. */
export function ask(to: string, signature: string, args: readonly unknown[] = []): Question<false> {
  return { ...questionOf(to, signature, args), optional: false };
}

/** Of contracts that may not have the function, or may fail to answer. */
export function askIfThere(to: string, signature: string, args: readonly unknown[] = []): Question<true> {
  const { call, ...question } = questionOf(to, signature, args);
  return { ...question, call: { ...call, optional: true }, optional: true };
}

function questionOf(to: string, signature: string, args: readonly unknown[]): Omit<Question, "optional"> {
  const fragment = FunctionFragment.from(signature);
  const results = fragment.outputs.map(resultOf);
  const data = new Interface([fragment]).encodeFunctionData(fragment, args);
  return { method: fragment.name, results, call: { to, data, answerBytes: results.length * WORD } };
}

/** @throws RangeError for what is not one word long: no question here needs it. */
function resultOf({ name, type }: ParamType): Result {
  const number = /^(u?)int(\d+)$/.exec(type);
  if (number !== null) return { name, bits: Number(number[2]), signed: number[1] === "" };
  if (type === "address") return { name, bits: ADDRESS_BITS, signed: false };
  throw new RangeError(`${type} is not read here`);
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

  #answer({ method, results, optional }: Question, data: string | null): Answer | null {
    // A contract without the function may have a fallback that answers with nothing.
    if (optional && (data === null || data === "0x")) return null;
    // A longer answer is one of a newer version.
    if (data === null || data.length < 2 + results.length * WORD_DIGITS) throw garbageOf(this.of, method);
    const values = results.map(({ bits, signed }, place) => {
      const from = 2 + place * WORD_DIGITS;
      const word = BigInt(`0x${data.slice(from, from + WORD_DIGITS)}`);
      const value = signed ? BigInt.asIntN(8 * WORD, word) : word;
      // Over the type's bits is what no contract of the type answers.
      if (value !== (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)))
        throw garbageOf(this.of, method);
      return value;
    });
    return new Answer(
      `${this.of}: ${method}`,
      results.map(({ name }) => name),
      values,
    );
  }
}

/** Values of one answer, by name or place in its signature. */
export class Answer {
  constructor(
    private readonly of: string,
    private readonly names: readonly string[],
    private readonly values: readonly bigint[],
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
    const value = this.values[typeof name === "number" ? name : this.names.indexOf(name)];
    if (value === undefined) throw new RangeError(`${this.of} has no ${name}`);
    return value;
  }

  /** For small numbers, as decimals and times are. */
  small(name: string | number = 0): number {
    const value = Number(this.uint(name));
    if (!Number.isSafeInteger(value)) throw garbageOf(this.of, String(name));
    return value;
  }

  /** With its checksum. */
  address(name: string | number = 0): string {
    const digits = this.word(name).toString(16);
    return getAddress(`0x${digits.padStart(ADDRESS_BITS / 4, "0")}`);
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
