// A share of each file's mutants, by seed. Which ones are chosen hangs on what they change and not on where the file
// has moved it, so that an edit elsewhere leaves most of the sample, and its results, as they are.
import { hashOf, type Mutant } from "./mutant";

export interface SampleOptions {
  readonly seed: number;
  /** All of them where it is not given. */
  readonly size?: number;
}

function ranked(mutants: readonly Mutant[], seed: number): Mutant[] {
  const seen = new Map<string, number>();
  return mutants
    .map((mutant) => {
      const name = JSON.stringify([mutant.where, mutant.operator, mutant.original, mutant.replacement]);
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      return { mutant, rank: hashOf(`${seed} ${mutant.file} ${name} ${nth}`) };
    })
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ mutant }) => mutant);
}

/** How many of `size` each file gives: in proportion, the rest to the largest remainders. */
function shares(counts: ReadonlyMap<string, number>, size: number): Map<string, number> {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const wanted = Math.min(size, total);
  const exact = [...counts].map(([file, count]) => ({ file, exact: total === 0 ? 0 : (wanted * count) / total }));
  const given = new Map(exact.map(({ file, exact: share }) => [file, Math.floor(share)]));
  let left = wanted - [...given.values()].reduce((sum, share) => sum + share, 0);
  const byRemainder = [...exact].sort((a, b) => (b.exact % 1) - (a.exact % 1) || (a.file < b.file ? -1 : 1));
  for (const { file } of byRemainder) {
    if (left-- <= 0) break;
    given.set(file, (given.get(file) ?? 0) + 1);
  }
  return given;
}

export function sampleOf(mutants: readonly Mutant[], { seed, size }: SampleOptions): Mutant[] {
  const byFile = new Map<string, Mutant[]>();
  for (const mutant of mutants) byFile.set(mutant.file, [...(byFile.get(mutant.file) ?? []), mutant]);
  const given = shares(new Map([...byFile].map(([file, list]) => [file, list.length])), size ?? mutants.length);
  return [...byFile].flatMap(([file, list]) => ranked(list, seed).slice(0, given.get(file)));
}
