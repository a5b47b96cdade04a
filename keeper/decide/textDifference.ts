// Where two texts that should be equal begin to differ, with a little around it.

const AROUND = 20;

export function firstDifference(stored: string, recomputed: string): string {
  let at = 0;
  while (at < stored.length && stored[at] === recomputed[at]) at += 1;
  const around = (text: string): string => text.slice(Math.max(0, at - AROUND), at + AROUND);
  return `"${around(stored)}" is recorded where "${around(recomputed)}" is computed`;
}
