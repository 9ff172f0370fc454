import type { Connection } from "../../driver/index.ts";
import { encodeArray } from "../../statement/index.ts";
import { baseValue, isSortable } from "./base-values.ts";
import { type Hints, hintsOf, mergeHints } from "./hints.ts";
import { valuesNear } from "./near-values.ts";
import { castValues, testValues } from "./queries.ts";
import { type Random, seededRandom } from "./random.ts";
import type { TypeShape, TypeUse } from "./shape.ts";

/** What making values needs. */
export interface PoolGround {
  readonly connection: Connection;
  readonly types: ReadonlyMap<string, TypeShape>;
  readonly seed: string;
  /** About how many values a type without an end should give. */
  readonly size: number;
  readonly cache: Map<string, readonly string[]>;
}

/** Arrays in arrays in composites end somewhere. */
const DEPTH_LIMIT = 8;
const ARRAY_LENGTH_LIMIT = 20;

/**
 * Values of a type that the server accepts, as text in its own form, each once: those near the constants of the
 * conditions first. Empty for a type nobody knows values of, and for a domain none of them fits.
 */
export async function poolOf(
  ground: PoolGround,
  use: TypeUse,
  hints: Hints,
  depth = 0,
): Promise<readonly string[]> {
  const type = ground.types.get(use.id);
  if (type === undefined || depth > DEPTH_LIMIT) return [];
  const key = JSON.stringify([use, hints]);
  const known = ground.cache.get(key);
  if (known !== undefined) return known;
  const values = [...new Set(await valuesOf(ground, type, use, hints, depth))];
  const sql = use.sql ?? type.sql;
  const accepted =
    type.kind === "domain" ? values : await askServer(ground.connection, castValues(sql, false), values);
  const pool = [...new Set(accepted)];
  ground.cache.set(key, pool);
  return pool;
}

async function valuesOf(
  ground: PoolGround,
  type: TypeShape,
  use: TypeUse,
  hints: Hints,
  depth: number,
): Promise<readonly string[]> {
  const random = seededRandom(`${ground.seed} ${type.sql}`);
  const inner = (of: TypeUse, more: Hints = hints): Promise<readonly string[]> =>
    poolOf(ground, of, more, depth + 1);
  const { of } = type;
  switch (type.kind) {
    case "base":
      return baseValues(ground, type, use, hints, random);
    case "enum":
      return type.labels;
    case "domain": {
      const own = mergeHints([
        hints,
        ...(await Promise.all(type.checks.map((check) => hintsOf(check.expression)))),
      ]);
      const base = of === undefined ? [] : await inner(of, own);
      return domainValues(ground, type, base);
    }
    case "array": {
      // The modifier of `varchar(3)[]` is that of its items.
      const item = of === undefined ? undefined : { ...of, modifier: use.modifier, sql: itemSql(use) };
      return item === undefined ? [] : arraysOf(await inner(item), hints);
    }
    case "composite": {
      const parts: (readonly string[])[] = [];
      for (const attribute of type.attributes) parts.push(await inner(attribute.type));
      return recordsOf(parts, ground.size);
    }
    case "range":
      return of === undefined ? [] : rangesOf(ground, of, await inner(of));
    case "multirange":
      return of === undefined
        ? []
        : (await inner(of)).map((range) => (range === "empty" ? "{}" : `{${range}}`));
  }
}

function baseValues(
  ground: PoolGround,
  type: TypeShape,
  use: TypeUse,
  hints: Hints,
  random: Random,
): readonly string[] {
  const near = valuesNear(type.name, type.category, hints, random);
  const base: string[] = [];
  for (let n = 0; n < ground.size; n++) {
    const value = baseValue({ name: type.name, category: type.category, modifier: use.modifier }, n);
    if (value !== undefined) base.push(value);
  }
  // Nobody has heard of the type: something of what others look like may do.
  return base.length > 0 ? [...near, ...base] : [...near, "1", "a", "{}", "[1,2]", "(1,2)", "0"];
}

async function domainValues(
  ground: PoolGround,
  type: TypeShape,
  base: readonly string[],
): Promise<readonly string[]> {
  const baseSql = type.of?.sql ?? "text";
  const conditions = type.checks.map(({ expression }) => expression);
  if (conditions.length === 0) return base;
  const text = testValues({ table: "candidates", column: "value", type: baseSql, conditions });
  return askServer(ground.connection, text, base, true);
}

function itemSql(use: TypeUse): string | undefined {
  return use.sql?.endsWith("[]") === true ? use.sql.slice(0, -2) : undefined;
}

function arraysOf(items: readonly string[], hints: Hints): readonly string[] {
  if (items.length === 0) return ["{}"];
  const lengths = hints.numbers.map(Number).filter((length) => length <= ARRAY_LENGTH_LIMIT);
  const cut = (from: number, length: number): string =>
    encodeArray(Array.from({ length }, (_, at) => items[(from + at) % items.length] ?? ""));
  return [
    ...items.map((_, at) => cut(at, (at % 3) + 1)),
    ...lengths.flatMap((length) => [length - 1, length, length + 1].map((one) => cut(0, Math.max(0, one)))),
    ...items.map((item) => encodeArray([item])),
    "{}",
  ];
}

/** `("a","b")`, a missing part as nothing. */
function recordsOf(parts: readonly (readonly string[])[], size: number): readonly string[] {
  return Array.from({ length: size }, (_, at) => {
    const cells = parts.map((pool) => {
      const value = pool[at % Math.max(1, pool.length)];
      return value === undefined ? "" : quotePart(value);
    });
    return `(${cells.join(",")})`;
  });
}

function quotePart(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '""')}"`;
}

/** Ranges that do not overlap, for exclusion constraints, which takes the values in the server's order. */
async function rangesOf(
  ground: PoolGround,
  of: TypeUse,
  values: readonly string[],
): Promise<readonly string[]> {
  const subtype = ground.types.get(of.id);
  const sorted =
    subtype !== undefined && isSortable(subtype.name)
      ? await askServer(ground.connection, castValues(of.sql ?? subtype.sql, true), values)
      : values;
  const between = (first: number): readonly string[] =>
    sorted
      .slice(first + 1)
      .flatMap((upper, at) =>
        at % 2 === 0 ? [`[${quotePart(sorted[first + at] ?? "")},${quotePart(upper)})`] : [],
      );
  // The second lot overlaps the first: of use where a check lets only few through.
  return [...between(0), ...between(1), "empty"];
}

/**
 * Sends values to a statement that fails as a whole when one of them is bad, and leaves out what is: halves at a
 * time. With `givesPlaces` the answer says which values passed instead of giving them.
 */
export async function askServer(
  connection: Connection,
  text: string,
  values: readonly string[],
  givesPlaces = false,
): Promise<readonly string[]> {
  if (values.length === 0) return [];
  try {
    const { rows } = await connection.query({ text, values: [encodeArray(values)] });
    return rows.flatMap(([cell]) => (givesPlaces ? (values[Number(cell) - 1] ?? []) : (cell ?? [])));
  } catch (error) {
    if (!connection.isOpen) throw error;
    if (values.length === 1) return [];
    const middle = Math.ceil(values.length / 2);
    return [
      ...(await askServer(connection, text, values.slice(0, middle), givesPlaces)),
      ...(await askServer(connection, text, values.slice(middle), givesPlaces)),
    ];
  }
}
