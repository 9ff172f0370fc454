/** Computed columns of every kind, in SQL for the database and in TypeScript for the interpreter. */
import { bigint, boolean, date, integer, jsonb, numeric, text, timestamp } from "drizzle-orm/pg-core";
import fc from "fast-check";
import { type Computed, computed } from "plinth";
import { COMPUTED, type ComputedName, type KindName } from "./kinds.ts";
import { type EntityName, kindOf, MODEL, type Row } from "./model.ts";
import * as schema from "./schema.ts";

const { regions, sites, permits, readings, notes, labels, siteLabels, hosts } = schema;
const TABLES = { regions, sites, permits, readings, notes, labels, siteLabels, hosts };

/** What each computed column makes of a row. */
const MEANINGS = new WeakMap<object, (row: Row) => unknown>();

interface Maker {
  /** Kinds of columns it is made of. */
  readonly of: readonly KindName[];
  readonly sql: (column: unknown, given: number) => Computed<unknown>;
  readonly value: (value: unknown, given: number) => unknown;
}

const orNull =
  (change: (value: unknown, given: number) => unknown) =>
  (value: unknown, given: number): unknown =>
    value === null ? null : change(value, given);
const same = (value: unknown): unknown => value;
const SUFFIXES = ["", "a", "%", "ä", "'", "\\"];
const suffixOf = (given: number): string => SUFFIXES[given % SUFFIXES.length] ?? "";

/** Each text with as many values as come with it. */
const MAKERS: Readonly<Record<ComputedName, Maker>> = {
  theText: {
    of: ["id", "text", "name", "code", "summary"],
    sql: (column, given) => computed(text())`${column} || ${suffixOf(given)}`,
    value: orNull((value, given) => String(value) + suffixOf(given)),
  },
  theLength: {
    of: ["text", "name", "code", "summary", "id"],
    sql: (column) => computed(integer())`length(${column})`,
    value: orNull((value) => [...String(value)].length),
  },
  theFlag: {
    of: ["id", "text", "int", "document", "few", "instant", "tags", "host"],
    sql: (column) => computed(boolean().notNull())`${column} is null`,
    value: (value) => value === null,
  },
  theNumber: {
    of: ["few", "int", "small"],
    sql: (column, given) => computed(integer().notNull())`coalesce(${column}, ${given})`,
    value: (value, given) => value ?? given,
  },
  theBig: {
    of: ["big"],
    sql: (column) => computed(bigint({ mode: "bigint" }))`${column}`,
    value: same,
  },
  thePrice: { of: ["price"], sql: (column) => computed(numeric())`${column}`, value: same },
  theInstant: {
    of: ["instantText"],
    sql: (column) => computed(timestamp({ withTimezone: true, mode: "string" }))`${column}`,
    value: same,
  },
  theDay: { of: ["day"], sql: (column) => computed(date())`${column}`, value: same },
  theTags: { of: ["tags"], sql: (column) => computed(text().array())`${column}`, value: same },
  theDocument: { of: ["document"], sql: (column) => computed(jsonb())`${column}`, value: same },
};

/** Some computed columns of an entity, by their names; undefined where it has nothing to compute with. */
export function computeOf(entity: EntityName): fc.Arbitrary<Readonly<Record<string, Computed<unknown>>>> {
  const { columns } = MODEL[entity];
  const parts = Object.entries(MAKERS).flatMap(([name, maker]) => {
    const fit = Object.keys(columns).filter((column) => maker.of.some((kind) => columns[column] === kind));
    return fit.length === 0 ? [] : [[name, made(entity, maker, fit)] as const];
  });
  return fc
    .subarray(parts, { minLength: 1, maxLength: 2 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen), { noNullPrototype: true }));
}

function made(
  entity: EntityName,
  { sql, value }: Maker,
  columns: readonly string[],
): fc.Arbitrary<Computed<unknown>> {
  const table: Readonly<Record<string, unknown>> = { ...TABLES[entity] };
  return fc.tuple(fc.constantFrom(...columns), fc.integer({ min: 0, max: 9 })).map(([column, given]) => {
    const one = sql(table[column], given);
    MEANINGS.set(one, (row) => value(row[column] ?? null, given));
    return one;
  });
}

/** Which of the names a list can be sorted by. */
export function sortableNames(compute: unknown): readonly string[] {
  return namesOf(compute).filter((name) => kindOf("sites", name).isSortable);
}

export function namesOf(compute: unknown): readonly string[] {
  return Object.keys(Object(compute)).filter((name) => Object.hasOwn(COMPUTED, name));
}

/** The row with what is computed of it; the very same one where that is nothing. */
export function computedRow(row: Row, compute: unknown): Row {
  if (compute === undefined) return row;
  const given: Readonly<Record<string, unknown>> = Object(compute);
  const values = Object.keys(given).map((name) => [name, meaningOf(given[name])(row)]);
  return { ...row, ...Object.fromEntries(values) };
}

function meaningOf(one: unknown): (row: Row) => unknown {
  const meaning = MEANINGS.get(Object(one));
  if (meaning === undefined) throw new TypeError("a computed column that nobody made here");
  return meaning;
}
