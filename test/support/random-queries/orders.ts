/** How PostgreSQL orders the values of each type, said of the values that an application sees. None of them is null. */
import { compareDecimals, decimalOf } from "./decimal.ts";

/** Below zero where the first comes first, zero where they are equal. */
export type Order = (a: unknown, b: unknown) => number;

const compare = <T extends bigint | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** NaN is above all numbers, and equal to itself; both zeros are one. */
export const byNumber: Order = (a, b) => {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return compare(x, y);
};

export const byBigInt: Order = (a, b) => compare(BigInt(String(a)), BigInt(String(b)));

export const byDecimal: Order = (a, b) => compareDecimals(decimalOf(a), decimalOf(b));

/** The collation C: byte by byte in UTF-8, which is the order of code points. */
export const byText: Order = (a, b) => Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));

/** Blanks at the end of a `char(n)` are no part of it. */
export const byPaddedText: Order = (a, b) =>
  byText(String(a).replace(/ +$/, ""), String(b).replace(/ +$/, ""));

export const byDate: Order = (a, b) => compare(millisecondsOf(a), millisecondsOf(b));

function millisecondsOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : Number.NaN;
}

/** `2026-11-21 09:20:00.123456+00` in microseconds. */
export const byInstantText: Order = (a, b) => compare(microsecondsOf(a), microsecondsOf(b));

const FOREVER = 10n ** 30n;

function microsecondsOf(value: unknown): bigint {
  const text = String(value);
  if (text.endsWith("infinity")) return text === "infinity" ? FOREVER : -FOREVER;
  const [, year = "", rest = "", fraction = ""] =
    /^(\d+)(-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text) ?? [];
  // A Date knows years of six digits by a sign.
  const seconds = Date.parse(`+${year.padStart(6, "0")}${rest.replace(" ", "T")}Z`) / 1_000;
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}

/** `1 mon -2 days 03:00:00.5`; a month has thirty days, and a day 24 hours. */
export const byInterval: Order = (a, b) => compare(lengthOf(a), lengthOf(b));

function lengthOf(value: unknown): bigint {
  const text = String(value);
  const part = (unit: string): bigint => BigInt(new RegExp(`(-?\\d+) ${unit}s?\\b`).exec(text)?.[1] ?? "0");
  const [, sign = "", hours = "0", minutes = "0", seconds = "0", fraction = ""] =
    /(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?/.exec(text) ?? [];
  const clock =
    (BigInt(hours) * 3_600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n +
    BigInt(fraction.padEnd(6, "0"));
  const days = (part("year") * 12n + part("mon")) * 30n + part("day");
  return days * 86_400_000_000n + (sign === "-" ? -clock : clock);
}

export const byBytes: Order = (a, b) =>
  Buffer.isBuffer(a) && Buffer.isBuffer(b) ? Buffer.compare(a, b) : Number.NaN;

export const byPlaceIn =
  (values: readonly unknown[]): Order =>
  (a, b) =>
    compare(values.indexOf(a), values.indexOf(b));

export interface Address {
  readonly width: 32 | 128;
  readonly bits: bigint;
  readonly prefix: number;
}

/** `10.1.2.3/8` or `fe80::1`; without a prefix it is a host. */
export function addressOf(value: unknown): Address {
  const [address = "", prefix] = String(value).split("/");
  const isSix = address.includes(":");
  const width = isSix ? 128 : 32;
  const bits = isSix ? sixOf(address) : numberOf(address.split("."), 8n, 10);
  return { width, bits, prefix: prefix === undefined ? width : Number(prefix) };
}

function sixOf(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const zeros: string[] = Array.from({ length: 8 - first.length - last.length }, () => "0");
  return numberOf([...first, ...zeros, ...last], 16n, 16);
}

function numberOf(groups: readonly string[], bits: bigint, base: 10 | 16): bigint {
  return groups.reduce((sum, group) => (sum << bits) + BigInt(base === 16 ? `0x${group}` : group), 0n);
}

/** The first bits of an address. */
function networkOf({ width, bits }: Address, prefix: number): bigint {
  return bits >> BigInt(width - prefix);
}

/** Whether `outer` is a network with all of `inner` in it. */
export function covers(outer: Address, inner: Address): boolean {
  return (
    outer.width === inner.width &&
    outer.prefix <= inner.prefix &&
    networkOf(outer, outer.prefix) === networkOf(inner, outer.prefix)
  );
}

/** IPv4 first; then the bits that both networks have, the length of the network, the address. */
export const byAddress: Order = (a, b) => {
  const [x, y] = [addressOf(a), addressOf(b)];
  const shared = Math.min(x.prefix, y.prefix);
  return (
    compare(x.width, y.width) ||
    compare(networkOf(x, shared), networkOf(y, shared)) ||
    compare(x.prefix, y.prefix) ||
    compare(x.bits, y.bits)
  );
};

/** From `from` up to, and without, `to`; null is empty. */
export type Span = { readonly from: number; readonly to: number } | null;

/** As PostgreSQL writes ranges of whole numbers: `[1,5)`, `(,3)`, `empty`. */
export function spanOf(value: unknown): Span {
  const found = /^[[(](-?\d*),(-?\d*)\)$/.exec(String(value));
  if (found === null) return null;
  const [, from = "", to = ""] = found;
  return {
    from: from === "" ? Number.NEGATIVE_INFINITY : Number(from),
    to: to === "" ? Number.POSITIVE_INFINITY : Number(to),
  };
}

export const byRange: Order = (a, b) => {
  const [x, y] = [spanOf(a), spanOf(b)];
  if (x === null || y === null) return Number(x !== null) - Number(y !== null);
  return compare(x.from, y.from) || compare(x.to, y.to);
};

/** Item by item, null above all; then by the number of items, then by their arrangement. */
export const byItems =
  (item: Order): Order =>
  (a, b) => {
    const [x, y] = [itemsOf(a), itemsOf(b)];
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      const [left, right] = [x[i] ?? null, y[i] ?? null];
      const order =
        left === null || right === null ? Number(left === null) - Number(right === null) : item(left, right);
      if (order !== 0) return order;
    }
    return compare(x.length, y.length) || byLengths(lengthsOf(a), lengthsOf(b));
  };

/** The innermost items of an array of arrays. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [];
}

function lengthsOf(value: unknown): readonly number[] {
  return Array.isArray(value) && value.length > 0 ? [value.length, ...lengthsOf(value[0])] : [];
}

function byLengths(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((length, i) => length !== b[i]);
  return compare(a.length, b.length) || (differing < 0 ? 0 : compare(a[differing] ?? 0, b[differing] ?? 0));
}
