/** What a condition says of a row: SQL's three truths, over plain values. */

import { containsJson, hasJsonKey, jsonAt, jsonOrder, sameJson } from "./json-values.ts";
import type { Kind } from "./kinds.ts";
import { type EntityName, kindOf, MODEL, type Row } from "./model.ts";
import { addressOf, covers, itemsOf, type Order, spanOf } from "./orders.ts";

/** Null is neither true nor false: a comparison with a value that is not there. */
export type Truth = boolean | null;

/** The rows that a relation leads to, as whoever asks sees them. */
export type Related = (entity: EntityName, row: Row, relation: string) => readonly Row[];

/** Whether a row is like this; the related rows are asked the same way. */
export function holds(related: Related, entity: EntityName, row: Row, where: unknown): Truth {
  return all(
    entriesOf(where).map(([key, part]): Truth => {
      if (key === "and") return all(listOf(part).map((one) => holds(related, entity, row, one)));
      if (key === "or") return not(all(listOf(part).map((one) => not(holds(related, entity, row, one)))));
      if (key === "not") return not(holds(related, entity, row, part));
      const relation = MODEL[entity].relations[key];
      if (relation === undefined) return columnHolds(entity, key, row[key] ?? null, part);
      const rows = related(entity, row, key);
      const isLike = (inner: unknown) => (one: Row) => holds(related, relation.target, one, inner) === true;
      return all(entriesOf(part).map(([name, inner]) => rowsHold(rows, name, inner, isLike(inner))));
    }),
  );
}

function rowsHold(rows: readonly Row[], name: string, inner: unknown, isLike: (row: Row) => boolean): Truth {
  if (inner === null) return name === "is" ? rows.length === 0 : rows.length > 0;
  if (name === "every") return rows.every(isLike);
  return name === "some" || name === "is" ? rows.some(isLike) : !rows.some(isLike);
}

function columnHolds(entity: EntityName, column: string, value: unknown, part: unknown): Truth {
  // When a row died is known by the database only; that it did is all that is asked.
  if (column === "deletedAt") return (value === null) === (part === null);
  const kind = kindOf(entity, column);
  if (!isPlainObject(part)) return equal(kind.order, value, part);
  if (Object.hasOwn(part, "path")) return pathHolds(value, part);
  return all(entriesOf(part).map(([name, wanted]) => operatorHolds(kind, value, name, wanted, part)));
}

/** Operators, or a document; no list, no Date, no Buffer. */
export function isPlainObject(part: unknown): part is Row {
  return typeof part === "object" && part !== null && Object.getPrototypeOf(part) === Object.prototype;
}

function equal(order: Order | undefined, value: unknown, wanted: unknown): Truth {
  if (wanted === null) return value === null;
  if (value === null) return null;
  return order === undefined ? sameJson(value, wanted) : order(value, wanted) === 0;
}

function operatorHolds(kind: Kind, value: unknown, name: string, wanted: unknown, beside: Row): Truth {
  if (name === "mode" || name === "config") return true;
  if (name === "equals") return equal(kind.order, value, wanted);
  if (name === "not") return wanted === null ? value !== null : not(equal(kind.order, value, wanted));
  // Nothing is in an empty list, and everything is not, whatever it is.
  if ((name === "in" || name === "notIn") && listOf(wanted).length === 0) return name === "notIn";
  if (value === null) return null;
  switch (kind.family) {
    case "array":
      return arrayHolds(kind, value, name, wanted);
    case "document":
      return documentHolds(value, name, wanted);
    case "network":
      if (name === "contains") return covers(addressOf(value), addressOf(wanted));
      if (name === "containedBy") return covers(addressOf(wanted), addressOf(value));
      break;
    case "range":
      if (["contains", "containedBy", "overlaps"].includes(name)) return rangeHolds(value, name, wanted);
      break;
    case "text":
    case "words":
      if (["startsWith", "endsWith", "contains", "matches"].includes(name))
        return textHolds(String(value), name, String(wanted), beside.mode === "insensitive");
  }
  return ordered(kind.order, value, name, wanted);
}

function ordered(order: Order | undefined, value: unknown, name: string, wanted: unknown): Truth {
  if (order === undefined) throw new TypeError(`${name} of a value without an order`);
  switch (name) {
    case "in":
      return listOf(wanted).some((one) => order(value, one) === 0);
    case "notIn":
      return !listOf(wanted).some((one) => order(value, one) === 0);
    case "gt":
      return order(value, wanted) > 0;
    case "gte":
      return order(value, wanted) >= 0;
    case "lt":
      return order(value, wanted) < 0;
    case "lte":
      return order(value, wanted) <= 0;
    case "between":
      return order(value, listOf(wanted)[0]) >= 0 && order(value, listOf(wanted)[1]) <= 0;
    default:
      throw new TypeError(`unknown operator ${name}`);
  }
}

/** In the locale C only the letters of ASCII have a case. */
function foldAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function textHolds(value: string, name: string, wanted: string, isInsensitive: boolean): boolean {
  const [text, part] = isInsensitive ? [foldAscii(value), foldAscii(wanted)] : [value, wanted];
  if (name === "startsWith") return text.startsWith(part);
  if (name === "endsWith") return text.endsWith(part);
  if (name === "contains") return text.includes(part);
  return matches(value, wanted);
}

/** Words, `"phrases"`, `-without` and `or`, over words of small letters. */
function matches(text: string, search: string): boolean {
  const words = ` ${text.split(/[^a-z]+/).join(" ")} `;
  const has = (term: string): boolean => {
    const found = words.includes(` ${term.replace(/[-"]/g, "")} `);
    return term.startsWith("-") ? !found : found;
  };
  const choices = search.split(" or ").map((choice) => choice.match(/-?"[^"]*"|[^ ]+/g) ?? []);
  return choices.some((terms) => terms.length > 0 && terms.every(has));
}

function arrayHolds(kind: Kind, value: unknown, name: string, wanted: unknown): Truth {
  const items = itemsOf(value);
  const has = (one: unknown): boolean => items.includes(one);
  if (name === "has") return has(wanted);
  if (name === "hasEvery") return listOf(wanted).every(has);
  if (name === "hasSome") return listOf(wanted).some(has);
  if (name === "containedBy") return items.every((item) => listOf(wanted).includes(item));
  if (name === "isEmpty") return (items.length === 0) === wanted;
  return ordered(kind.order, value, name, wanted);
}

function rangeHolds(value: unknown, name: string, wanted: unknown): boolean {
  const [a, b] = name === "containedBy" ? [spanOf(wanted), spanOf(value)] : [spanOf(value), spanOf(wanted)];
  if (name === "overlaps") return a !== null && b !== null && a.from < b.to && b.from < a.to;
  return b === null || (a !== null && a.from <= b.from && b.to <= a.to);
}

function documentHolds(value: unknown, name: string, wanted: unknown): boolean {
  if (name === "contains") return containsJson(value, wanted);
  return name === "containedBy" ? containsJson(wanted, value) : hasJsonKey(value, String(wanted));
}

function pathHolds(value: unknown, part: Row): Truth {
  const found = jsonAt(value, listOf(part.path));
  return all(
    entriesOf(part).map(([name, wanted]): Truth => {
      if (name === "path") return true;
      if (name === "exists") return (found !== undefined) === wanted;
      if ((name === "in" || name === "notIn") && listOf(wanted).length === 0) return name === "notIn";
      if (found === undefined) return null;
      if (name === "equals" || name === "not") return sameJson(found, wanted) === (name === "equals");
      if (name === "in" || name === "notIn")
        return listOf(wanted).some((one) => sameJson(found, one)) === (name === "in");
      if (name === "contains") return containsJson(found, wanted);
      const ends = name === "between" ? listOf(wanted) : [wanted];
      // An order holds between values of one type only.
      const isComparable = (end: unknown): boolean => found !== null && typeof end === typeof found;
      const [from, to] = ends;
      if (name !== "between") return isComparable(wanted) && ordered(jsonOrder, found, name, wanted);
      return (
        isComparable(from) && isComparable(to) && jsonOrder(found, from) >= 0 && jsonOrder(found, to) <= 0
      );
    }),
  );
}

function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
