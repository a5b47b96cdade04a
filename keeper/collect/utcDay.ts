/** The day of a moment (unix seconds) in UTC: 2025-01-31. */
export function utcDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
