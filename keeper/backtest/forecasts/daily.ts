// Hourly values as daily ones: what is drawn anew for an interval are days.

const DAY = 86_400;

/** Means by day, of the days that hold any. @param moments Unix seconds, ascending. */
export function daily(values: Float64Array, moments: Float64Array): Float64Array {
  const days: number[] = [];
  let [day, sum, count] = [NaN, 0, 0];
  const end = (): void => void (count > 0 && days.push(sum / count));
  values.forEach((value, i) => {
    const of = Math.floor((moments[i] as number) / DAY);
    if (of !== day) {
      end();
      [day, sum, count] = [of, 0, 0];
    }
    sum += value;
    count += 1;
  });
  end();
  return Float64Array.from(days);
}
