import { z } from "zod";

/** As many digits as a number holds exactly; a page past the end is empty. */
const PAGE_MAX = 999_999_999_999_999;
const LIMIT_DEFAULT = 10;
const LIMIT_MAX_DEFAULT = 100;

const DIGITS = /^[1-9]\d{0,14}$/;

/** `page=2`: digits only, so that `1e3`, `01` and `1.5` are no numbers. @default 1 */
export function pageNumber() {
  return wholeNumber(1, PAGE_MAX);
}

/** `limit=20`: rows per page. @default 10, at most 100 */
export function pageLimit(options: { readonly default?: number; readonly max?: number } = {}) {
  const { default: initial = LIMIT_DEFAULT, max = LIMIT_MAX_DEFAULT } = options;
  return wholeNumber(1, max, `must be a whole number from 1 to ${max}`).default(initial);
}

/** A number written as plain digits, from `least` to `most`. */
export function wholeNumber(
  least: number,
  most: number,
  message = `must be a whole number from ${least} to ${most}`,
) {
  return z
    .string()
    .refine((text) => DIGITS.test(text) && Number(text) >= least && Number(text) <= most, message)
    .transform(Number);
}

/** `sort=-createdAt`: one of `keys`, with `-` in front for descending. */
export function sortKey<const K extends string>(keys: readonly K[]) {
  const message = `must be one of ${keys.join(", ")}; with - in front for descending`;
  return z.string().transform((text, context): K | `-${K}` => {
    const descending = text.startsWith("-");
    const key = keys.find((known) => known === (descending ? text.slice(1) : text));
    if (key !== undefined) return descending ? `-${key}` : key;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** A day that exists, as `YYYY-MM-DD`. */
export function calendarDay() {
  // PostgreSQL has no year 0.
  return z.iso
    .date("must be a day that exists, as YYYY-MM-DD")
    .refine((day) => !day.startsWith("0000"), "must be a day that exists, as YYYY-MM-DD");
}
