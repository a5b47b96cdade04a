// Times as people read them. All are UTC and on the chain's own clock, which on a local chain may run faster than the
// wall's.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** "21 Nov 2026, 01:09:33 UTC". */
export function timeText(at: number): string {
  const date = new Date(at * 1000);
  return `${dayText(at)} ${date.getUTCFullYear()}, ${clockText(at)}:${two(date.getUTCSeconds())} UTC`;
}

/** "21 Nov". */
export function dayText(at: number): string {
  const date = new Date(at * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ""}`;
}

/** "01:09". */
export function clockText(at: number): string {
  const date = new Date(at * 1000);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** For the `datetime` of a time element. */
export function isoText(at: number): string {
  return new Date(at * 1000).toISOString();
}

/** A length of time in its largest unit: "12 s", "3 min", "6 h", "12 days". */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 2 * MINUTE) {
    return `${whole} s`;
  }
  if (whole < 2 * HOUR) {
    return `${Math.floor(whole / MINUTE)} min`;
  }
  if (whole < 2 * DAY) {
    return `${Math.floor(whole / HOUR)} h`;
  }
  return `${Math.floor(whole / DAY)} days`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
