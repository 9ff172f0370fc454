/** Random conditions, and mostly such that some rows are like them and others are not. */
import fc from "fast-check";
import { ITEMS, type Kind, PIECES, SEARCHED } from "./kinds.ts";
import { type EntityName, kindOf, MODEL } from "./model.ts";
import { anyValue, FREE_IDS, IDS, INITIAL, UUIDS } from "./rows.ts";

type Values = fc.Arbitrary<unknown>;

const WHERES = new Map<string, Values>();

/** A condition on an entity, with conditions on relations and `and`, `or`, `not` as deep as this. */
export function whereOf(entity: EntityName, depth: number): Values {
  const id = `${entity} ${depth}`;
  const known = WHERES.get(id);
  if (known !== undefined) return known;
  const made = madeWhere(entity, depth);
  WHERES.set(id, made);
  return made;
}

function madeWhere(entity: EntityName, depth: number): Values {
  const { columns, isSoft, relations } = MODEL[entity];
  const parts: Record<string, Values> = {};
  for (const column of Object.keys(columns)) parts[column] = columnCondition(entity, column);
  if (isSoft) parts.deletedAt = fc.constantFrom<unknown>(null, { not: null });
  if (depth > 0) {
    for (const [name, { kind, target }] of Object.entries(relations)) {
      const inner = fc.oneof(
        { weight: 1, arbitrary: fc.constant({}) },
        { weight: 5, arbitrary: whereOf(target, depth - 1) },
      );
      const orNull = fc.option(inner, { freq: 5 });
      parts[name] =
        kind === "one"
          ? someOf({ is: orNull, isNot: orNull }, 1)
          : someOf({ some: inner, none: inner, every: inner }, 1);
    }
  }
  const properties = someOf(parts, 2);
  if (depth === 0) return properties;
  const inner = whereOf(entity, depth - 1);
  const lists = fc.array(inner, { maxLength: 3 });
  return fc.oneof(
    { weight: 5, arbitrary: properties },
    { weight: 1, arbitrary: lists.map((and) => ({ and })) },
    { weight: 2, arbitrary: lists.map((or) => ({ or })) },
    { weight: 2, arbitrary: inner.map((not) => ({ not })) },
    { weight: 1, arbitrary: fc.tuple(properties, inner).map(([own, not]) => ({ ...Object(own), not })) },
  );
}

/** An object of one or more of these properties. */
export function someOf(parts: Readonly<Record<string, Values>>, maxLength: number): Values {
  const names = Object.keys(parts);
  return fc
    .subarray(names, { minLength: 1, maxLength: Math.min(maxLength, names.length) })
    .chain((chosen) =>
      fc
        .tuple(...chosen.map((name) => parts[name] ?? fc.constant(null)))
        .map((values) => Object.fromEntries(chosen.map((name, i) => [name, values[i]]))),
    );
}

/** What a column may be compared with: what rows have, and a little besides. */
export function operandOf(entity: EntityName, column: string): Values {
  const kind = kindOf(entity, column);
  if (kind.values.length === 0) return fc.constantFrom(...IDS, ...FREE_IDS);
  const own = INITIAL[entity].map((row) => row[column] ?? null).filter((value) => value !== null);
  const present = [...own, ...(entity === "hosts" && column === "id" ? UUIDS : [])];
  return present.length === 0 ? anyValue(kind) : fc.oneof(anyValue(kind), fc.constantFrom(...present));
}

export function columnCondition(entity: EntityName, column: string): Values {
  const kind = kindOf(entity, column);
  const operand = operandOf(entity, column);
  if (kind.family === "old") return fc.oneof(fc.constantFrom<unknown>(null, { not: null }), atPath());
  if (kind.family === "document") return documentCondition();
  const orNull = fc.option(operand, { freq: 6 });
  return fc.oneof(
    { weight: 1, arbitrary: orNull },
    { weight: 4, arbitrary: operators(kind, column, operand) },
  );
}

function operators(kind: Kind, column: string, operand: Values): Values {
  const orNull = fc.option(operand, { freq: 6 });
  const list = fc.array(operand, { maxLength: 4 });
  const comparisons = {
    equals: orNull,
    not: orNull,
    gt: operand,
    gte: operand,
    lt: operand,
    lte: operand,
    between: fc.tuple(operand, operand),
  };
  const plain = { ...comparisons, in: list, notIn: list };
  const piece = fc.oneof(fc.constantFrom(...PIECES), operand.map(String));
  const patterns = { startsWith: piece, contains: piece, endsWith: piece };
  switch (kind.family) {
    case "text":
      return fc.oneof(someOf({ ...plain, ...patterns }, 2), withMode(someOf(patterns, 2)));
    case "words":
      return fc.oneof(someOf(plain, 2), someOf({ ...plain, matches: searches, startsWith: piece }, 2));
    case "array":
      return someOf({ ...comparisons, ...arrayOperators(column) }, 2);
    case "network":
      return someOf({ ...plain, contains: operand, containedBy: operand }, 2);
    case "range":
      return someOf({ ...plain, contains: operand, containedBy: operand, overlaps: operand }, 2);
    default:
      return someOf(plain, 2);
  }
}

function withMode(conditions: Values): Values {
  return fc
    .tuple(conditions, fc.constantFrom("insensitive", "sensitive"))
    .map(([condition, mode]) => ({ ...Object(condition), mode }));
}

const word = fc.constantFrom(...SEARCHED);
const term = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: word.map((one) => `-${one}`) },
  { weight: 1, arbitrary: fc.tuple(word, word).map(([a, b]) => `"${a} ${b}"`) },
);
const searches = fc
  .array(fc.array(term, { minLength: 1, maxLength: 2 }), { maxLength: 2 })
  .map((choices) => choices.map((terms) => terms.join(" ")).join(" or "));

function arrayOperators(column: string): Record<string, Values> {
  const item = fc.constantFrom(...(ITEMS[column] ?? [1]));
  const items = fc.array(item, { maxLength: 3 });
  return { has: item, hasEvery: items, hasSome: items, containedBy: items, isEmpty: fc.boolean() };
}

const scalar = fc.constantFrom<unknown>("a", "b", "x", "1", "é", 0.5, 1, 2, -1e21, true, false);
const json = fc.oneof(
  scalar,
  fc.constantFrom<unknown>(
    null,
    {},
    [],
    { a: 1 },
    { b: "x", a: 2 },
    [1],
    [2, 1],
    ["a"],
    { a: { b: [2] } },
    [{ a: 1 }],
    [[1]],
    { a: null },
    { "": true },
    { a: { b: [{ c: "é" }] } },
  ),
);

function documentCondition(): Values {
  // A whole document that is null is none.
  const orNull = fc.oneof({ weight: 4, arbitrary: json }, { weight: 1, arbitrary: fc.constant(null) });
  const key = fc.constantFrom("a", "b", "", "c", "x");
  const whole = { equals: orNull, not: orNull, contains: json, containedBy: json, hasKey: key };
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: someOf(whole, 2) },
    { weight: 4, arbitrary: atPath() },
  );
}

function atPath(): Values {
  const step = fc.constantFrom<string | number>("a", "b", "", 0, 1, -1, "0");
  const path = fc.array(step, { minLength: 1, maxLength: 3 });
  const list = fc.array(json, { maxLength: 3 });
  const conditions = someOf(
    {
      equals: json,
      not: json,
      in: list,
      notIn: list,
      gt: scalar,
      gte: scalar,
      lt: scalar,
      lte: scalar,
      between: fc.tuple(scalar, scalar),
      contains: json,
      exists: fc.boolean(),
    },
    2,
  );
  return fc.tuple(path, conditions).map(([steps, condition]) => ({ path: steps, ...Object(condition) }));
}
