// Work on a list, some at a time: a node is asked enough at once to be busy and not so much that it refuses.

/** In the order of `items`. The first failure ends it: nothing more is begun. */
export async function concurrently<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let place = next++; place < items.length && !failed; place = next++) {
      try {
        results[place] = await work(items[place] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}
