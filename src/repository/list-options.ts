import type { EntityDescription } from "../schema/index.ts";
import type { Call, Select } from "../sql/index.ts";
import { isUsualLimit } from "./limit.ts";
import { refuse } from "./options.ts";
import type { ReadShape } from "./selection.ts";

/** Rows a page has and may have at most, where the entity says nothing else. */
export const LIST_LIMIT_DEFAULT = 10;
export const LIST_LIMIT_MAX_DEFAULT = 100;

/** Fifteen digits, which a number holds exactly; a page past the end is empty. */
const PAGE_MAX = 999_999_999_999_999;

export interface ListShape extends ReadShape {
  readonly where?: object;
  readonly sort?: unknown;
  readonly distinctOn?: unknown;
  readonly limit?: unknown;
  readonly page?: unknown;
  readonly total?: unknown;
  readonly after?: unknown;
}

/** The options of a list call, its first argument. */
export function listOptions({ input: [options] }: Call): ListShape {
  return typeof options === "object" && options !== null ? options : {};
}

export function listLimit(entity: EntityDescription, call: Call): number {
  const { limit } = listOptions(call);
  const max = entity.list.maxLimit ?? LIST_LIMIT_MAX_DEFAULT;
  if (limit === undefined) return Math.min(entity.list.limit ?? LIST_LIMIT_DEFAULT, max);
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > max) {
    refuse("limit", `must be a whole number between 1 and ${max}`);
  }
  return limit;
}

/** The rows a page asks for, and some more. What is not given is the same in every call of the shape. */
export function pageLimit(entity: EntityDescription, call: Call, more = 0): Select["limit"] {
  const { limit } = listOptions(call);
  const asked = listLimit(entity, call);
  if (limit === undefined || isUsualLimit(limit)) return asked + more;
  return { kind: "parameter", value: (one) => String(listLimit(entity, one) + more) };
}

/** The rows before a page; none where no page is named. */
export function pageOffset(entity: EntityDescription, call: Call): Select["offset"] {
  if (listOptions(call).page === undefined) return undefined;
  return {
    kind: "parameter",
    // A page far past the end has an offset that a number cannot hold exactly.
    value: (one) => String(BigInt(listPage(one) - 1) * BigInt(listLimit(entity, one))),
  };
}

export function listPage(call: Call): number {
  const { page } = listOptions(call);
  if (page === undefined) return 1;
  if (typeof page !== "number" || !Number.isInteger(page) || page < 1 || page > PAGE_MAX) {
    refuse("page", `must be a whole number from 1 to ${PAGE_MAX}`);
  }
  return page;
}
