// A token amount in whole tokens, as text, to the token's smallest unit: digit by digit, never through a float.

/** A BigDecimal is rounded to 34 significant digits (The Graph docs, GraphQL types): an amount of more may have lost some. */
const EXACT_DIGITS = 34;

const DECIMAL = /^(-?)(\d{1,100})(?:\.(\d{1,100}))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Decimal string in the smallest unit; null where `text` is no number, or not exactly so many units. */
export function unitsOf(text: string, decimals: number): string | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`;
  /** Zeros to add behind the digits; negative: digits to take away, which must be zeros. */
  const shift = decimals - fraction.length + Number(exponent);
  const cut = shift < 0 ? digits.length + shift : digits.length;
  if (!/^0*$/.test(digits.slice(Math.max(0, cut)))) return null;
  const units = BigInt(`${digits.slice(0, Math.max(0, cut))}${"0".repeat(Math.max(0, shift))}` || "0");
  if (units.toString().length > EXACT_DIGITS) return null;
  return (sign === "-" ? -units : units).toString();
}
