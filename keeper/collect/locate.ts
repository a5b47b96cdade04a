// Finding out once what the calls of a collector need and does not change with each block: addresses of tokens, decimals.
// Each kind of source has its steps; the steps of all sources are made together, a round of one `eth_call` each.
import type { Chain } from "../chain/connect";
import { readAtBlock } from "../chain/blockReads";
import type { Head } from "../chain/heads";
import { Failure, type WorldFailure } from "../config/failure";
import { answersOf } from "./sweep";
import type { ChainCollector, ContractCall } from "./reading";

/** On the way to a collector: calls, and what follows from their answers. Pure, as collectors are. */
export interface LocatingStep {
  readonly source: string;
  readonly subject: string;
  readonly locating: readonly ContractCall[];
  /** @throws WorldFailure `SOURCE_GARBAGE`. */
  next(answers: readonly (string | null)[]): LocatingStep | ChainCollector;
}

export interface Located {
  /** In the order asked for, without those that could not be located. */
  readonly collectors: readonly ChainCollector[];
  readonly failures: readonly {
    readonly source: string;
    readonly subject: string;
    readonly failure: WorldFailure;
  }[];
}

/**
 * The collectors as of `head`. Located anew when one says `SOURCE_MOVED`, and for blocks of long ago.
 *
 * @throws as `readAtBlock`; what is wrong with one source is that source's failure.
 */
export async function locate(
  chain: Chain,
  head: Head,
  starts: readonly (LocatingStep | ChainCollector)[],
): Promise<Located> {
  const found: (LocatingStep | ChainCollector | WorldFailure)[] = [...starts];
  for (;;) {
    const steps = found.flatMap((step, place) => (isStep(step) ? [{ step, place }] : []));
    if (steps.length === 0) break;
    const { answers } = await readAtBlock(
      chain,
      head,
      steps.flatMap(({ step }) => step.locating),
    );
    let from = 0;
    for (const { step, place } of steps) {
      const own = answers.slice(from, (from += step.locating.length));
      found[place] = attempt(() => step.next(answersOf(`${step.source} ${step.subject}`, step.locating, own)));
    }
  }
  const failures = found.flatMap((end, place) => {
    const start = starts[place];
    if (!(end instanceof Failure) || start === undefined) return [];
    return [{ source: start.source, subject: start.subject, failure: end }];
  });
  return { collectors: found.filter((end): end is ChainCollector => "decode" in end), failures };
}

function isStep(step: LocatingStep | ChainCollector | WorldFailure): step is LocatingStep {
  return "locating" in step;
}

function attempt(next: () => LocatingStep | ChainCollector): LocatingStep | ChainCollector | WorldFailure {
  try {
    return next();
  } catch (error) {
    if (error instanceof Failure && error.exitCode === 1) return error as WorldFailure;
    throw error;
  }
}
