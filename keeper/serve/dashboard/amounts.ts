// Amounts, prices and rates as people read them. Amounts are cut, never rounded up: the page must not show a cent that
// is not there. No locale: the server and every browser must write the same text.

/** "1234567" with 6 decimals → "1.23"; more than nothing but less than shown → "<0.01". */
export function amountText(units: string, decimals: number, places = 2): string {
  const negative = units.startsWith("-");
  const digits = (negative ? units.slice(1) : units).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = decimals === 0 ? "" : digits.slice(-decimals);
  const shown = fraction.slice(0, places);
  const sign = negative ? "−" : "";
  if (!/[1-9]/.test(whole) && !/[1-9]/.test(shown) && /[1-9]/.test(fraction)) {
    return `${sign}<0.${"0".repeat(Math.max(0, places - 1))}1`;
  }
  const grouped = groupThousands(whole.replace(/^0+(?=\d)/, ""));
  return `${sign}${grouped}${places > 0 && decimals > 0 ? `.${shown.padEnd(places, "0")}` : ""}`;
}

/** A share price cut to `places` decimals: "1.000123456789012345" → "1.00012345". */
export function priceText(price: string, places = 8): string {
  const [whole = "0", fraction = ""] = price.split(".");
  return `${groupThousands(whole)}.${fraction.slice(0, places).padEnd(places, "0")}`;
}

/** Whole units as a number, for charts and shares of a total only. */
export function amountNumber(units: string, decimals: number): number {
  return Number(units) / 10 ** decimals;
}

/** 0.0421 → "4.21%". */
export function percentText(fraction: number, places = 2): string {
  const text = (Math.abs(fraction) * 100).toFixed(places);
  return `${fraction < 0 && Number(text) !== 0 ? "−" : ""}${groupThousands(text)}%`;
}

/** A change with its sign and as many decimals as it takes to show two digits of it: "+0.00034%". */
export function growthText(fraction: number): string {
  const percent = Math.abs(fraction) * 100;
  const places = percent === 0 ? 2 : Math.min(10, Math.max(2, 1 - Math.floor(Math.log10(percent))));
  const text = percent.toFixed(places);
  const sign = Number(text) === 0 ? "±" : fraction < 0 ? "−" : "+";
  return `${sign}${text}%`;
}

/** 12345 → "12,345". */
export function countText(count: number): string {
  return groupThousands(String(count));
}

/** "0x1234…cdef". */
export function shortHex(hex: string): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

function groupThousands(digits: string): string {
  const [whole = "", ...rest] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".");
}
