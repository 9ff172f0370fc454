import type { EntityDescription } from "../schema/index.ts";
import type { Call } from "../sql/index.ts";
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

export function listPage(call: Call): number {
  const { page } = listOptions(call);
  if (page === undefined) return 1;
  if (typeof page !== "number" || !Number.isInteger(page) || page < 1 || page > PAGE_MAX) {
    refuse("page", `must be a whole number from 1 to ${PAGE_MAX}`);
  }
  return page;
}
