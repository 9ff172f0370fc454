/** Numbers with a fraction, exactly: what `numeric` computes. */

/** `units` divided by ten to the `scale`; or what is no number, or beyond all numbers. */
export type Decimal =
  | { readonly units: bigint; readonly scale: number }
  | { readonly special: "NaN" | "Infinity" | "-Infinity" };

export function decimalOf(value: unknown): Decimal {
  const text = String(value);
  if (text === "NaN" || text === "Infinity" || text === "-Infinity") return { special: text };
  const [whole = "", fraction = ""] = text.split(".");
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

export function decimalText(decimal: Decimal): string {
  if ("special" in decimal) return decimal.special;
  const { units, scale } = decimal;
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = scale === 0 ? "" : `.${digits.slice(digits.length - scale)}`;
  return `${units < 0n ? "-" : ""}${whole}${fraction}`;
}

/** As PostgreSQL sorts them: NaN is above all, and equal to itself. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = [classOf(a), classOf(b)];
  if (left !== right) return left - right;
  if ("special" in a || "special" in b) return 0;
  const [x, y] = [unitsAt(a, b.scale), unitsAt(b, a.scale)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function classOf(decimal: Decimal): number {
  if (!("special" in decimal)) return 1;
  return { "-Infinity": 0, Infinity: 2, NaN: 3 }[decimal.special];
}

function unitsAt(
  { units, scale }: { readonly units: bigint; readonly scale: number },
  other: number,
): bigint {
  return other <= scale ? units : units * 10n ** BigInt(other - scale);
}

export function plus(a: Decimal, b: Decimal): Decimal {
  if (!("special" in a) && !("special" in b))
    return { units: unitsAt(a, b.scale) + unitsAt(b, a.scale), scale: Math.max(a.scale, b.scale) };
  const specials = [a, b].flatMap((one) => ("special" in one ? [one.special] : []));
  const [first = "NaN"] = specials;
  return { special: specials.every((one) => one === first) ? first : "NaN" };
}

export function times(a: Decimal, b: Decimal): Decimal {
  if (!("special" in a) && !("special" in b)) return { units: a.units * b.units, scale: a.scale + b.scale };
  const sign = signOf(a) * signOf(b);
  if (sign === 0 || Number.isNaN(sign)) return { special: "NaN" };
  return { special: sign > 0 ? "Infinity" : "-Infinity" };
}

function signOf(decimal: Decimal): number {
  if (!("special" in decimal)) return decimal.units === 0n ? 0 : decimal.units > 0n ? 1 : -1;
  return { "-Infinity": -1, Infinity: 1, NaN: Number.NaN }[decimal.special];
}

export function negative(decimal: Decimal): Decimal {
  if (!("special" in decimal)) return { ...decimal, units: -decimal.units };
  if (decimal.special === "NaN") return decimal;
  return { special: decimal.special === "Infinity" ? "-Infinity" : "Infinity" };
}

/** With so many digits behind the point, halves rounded away from zero. */
export function rounded(decimal: Decimal, divisor: bigint, scale: number): Decimal {
  if ("special" in decimal) return decimal;
  const up = 10n ** BigInt(Math.max(0, scale - decimal.scale));
  const down = 10n ** BigInt(Math.max(0, decimal.scale - scale)) * divisor;
  const [units, sign] = decimal.units < 0n ? [-decimal.units, -1n] : [decimal.units, 1n];
  return { units: sign * ((units * up * 2n + down) / (down * 2n)), scale };
}
