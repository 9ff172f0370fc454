/** What a write makes of the rows in memory, and what it answers. */

import { changedRow, OVERFLOW } from "./changes.ts";
import { entriesOf, isPlainObject, listOf } from "./conditions.ts";
import { died, hasLivingParent, replace, returned } from "./deaths.ts";
import { columnsOf, type EntityName, MODEL, type Row, sameKey } from "./model.ts";
import type { Write } from "./random-writes.ts";
import { readerOf } from "./reading.ts";
import { completed, isDead, visibleRows, type World } from "./world.ts";

/** The codes that PostgreSQL and Plinth may refuse a write with: which of several faults is met first is not said. */
export class Refused extends Error {
  readonly codes: readonly string[];

  constructor(codes: readonly string[]) {
    super(`refused: ${codes.join(", ")}`);
    this.codes = codes;
  }
}

/** When rows died that the interpreter killed: the database says it, and all of one death say the same. */
export class Death {}

/** Writes to the world. Throws `Refused`, and leaves it half written then. */
export function write(world: World, asked: Write): unknown {
  const rows = written(world, asked);
  const codes = brokenRules(world, asked.entity);
  if (codes.length > 0) throw new Refused(codes);
  const isOne = ["create", "update", "upsert", "increment", "delete", "restore"].includes(asked.call);
  const isCounting = ["updateMany", "deleteMany"].includes(asked.call);
  const { returning = !isCounting } = asked;
  if (returning === false) return isOne ? undefined : rows.length;
  const shown = rows.map((row) => {
    const columns = returning === true ? columnsOf(asked.entity) : returning;
    return Object.fromEntries(columns.map((column) => [column, row[column]]));
  });
  return isOne ? shown[0] : shown;
}

/** The rows that were made or changed, as they are then; of those that died, as they died. */
function written(world: World, asked: Write): readonly Row[] {
  const { entity, call, inputs, key, visibility, where } = asked;
  switch (call) {
    case "create":
    case "createMany":
      return inputs.flatMap((input) => created(world, asked, input));
    case "upsert":
    case "upsertMany":
      return upserted(world, asked);
    case "update":
    case "increment": {
      const row = visibleRows(world, entity, visibility).find((one) => sameKey(entity, one, key));
      if (where !== undefined && saysNothing(where) === true) throw new Refused(["INVALID_QUERY"]);
      if (row === undefined) throw new Refused(["NOT_FOUND"]);
      if (!readerOf(world, visibility).isLike(entity, row, where)) throw new Refused(["CONDITION_FAILED"]);
      return changed(world, asked, [row]);
    }
    case "updateMany":
      return changed(world, asked, rowsLike(world, asked));
    case "delete": {
      const row = visibleRows(world, entity, "living").find((one) => sameKey(entity, one, key));
      if (row === undefined) throw new Refused(["NOT_FOUND"]);
      return killed(world, entity, [row]);
    }
    case "deleteMany":
      return killed(
        world,
        entity,
        rowsLike(world, asked).filter((row) => !isDead(row)),
      );
    case "restore": {
      const row = visibleRows(world, entity, "dead").find((one) => sameKey(entity, one, key));
      if (row === undefined) throw new Refused(["NOT_FOUND"]);
      returned(world, entity, row);
      return found(world, entity, row);
    }
  }
}

function rowsLike(world: World, { entity, visibility, where }: Write): readonly Row[] {
  if (where === "all") return visibleRows(world, entity, visibility);
  if (saysNothing(where) === true) throw new Refused(["INVALID_QUERY"]);
  return readerOf(world, visibility).rows(entity, { where });
}

function found(world: World, entity: EntityName, row: Row): readonly Row[] {
  return world[entity].filter((one) => sameKey(entity, one, row));
}

/** A row that meets nobody, or none. */
function created(world: World, { entity, isIgnoring, on }: Write, input: Row): readonly Row[] {
  const row = withDefaults(entity, input);
  const keys = on === undefined ? [MODEL[entity].key, ...MODEL[entity].uniques] : [on];
  if (isIgnoring && keys.some((columns) => meets(world, entity, row, columns) !== undefined)) return [];
  world[entity].push(row);
  return [row];
}

function withDefaults(entity: EntityName, input: Row): Row {
  const { secret } = MODEL[entity];
  const defaults = entity === "sites" ? { status: "open" } : {};
  const row = completed(entity, { ...defaults, ...input });
  return secret === undefined ? row : { ...row, [secret]: null };
}

/** The row that has the same unique key: of the primary key any, else a living one. */
function meets(world: World, entity: EntityName, row: Row, columns: readonly string[]): Row | undefined {
  return world[entity].find(
    (one) =>
      (isPrimary(entity, columns) || (!isDead(one) && !isDead(row))) &&
      columns.every((column) => (row[column] ?? null) !== null && one[column] === row[column]),
  );
}

function isPrimary(entity: EntityName, columns: readonly string[]): boolean {
  return columns === MODEL[entity].key;
}

function changed(world: World, { entity, patch }: Write, rows: readonly Row[]): readonly Row[] {
  let isOverflow = false;
  const next = rows.map((row) => {
    const one = changedRow(entity, row, patch, {});
    isOverflow ||= one === OVERFLOW;
    const kept = one === OVERFLOW ? { ...row, ...patch.values } : one;
    replace(world, entity, row, kept);
    return kept;
  });
  // Another row may have met its fault before.
  if (isOverflow) throw new Refused(["INVALID_DATA", ...brokenRules(world, entity)]);
  return next;
}

/** Each row under its own stamp; what dies with it, under the same. */
function killed(world: World, entity: EntityName, rows: readonly Row[]): readonly Row[] {
  if (!MODEL[entity].isSoft) {
    for (const row of rows) died(world, entity, row, undefined);
    return rows;
  }
  // All rows of the statement are stamped before anything follows them.
  const stamped = rows.map((row) => ({ ...row, deletedAt: new Death() }));
  stamped.forEach((row, i) => {
    replace(world, entity, rows[i] ?? row, row);
  });
  for (const row of stamped) died(world, entity, row, row.deletedAt);
  return stamped;
}

function upserted(world: World, asked: Write): readonly Row[] {
  const { entity, on = [], inputs, patch, take } = asked;
  const identity = (input: Row): string => JSON.stringify(on.map((column) => String(input[column])));
  const needsMore = Object.entries(patch.changes).some(
    ([column, [operation]]) =>
      (operation === "given" || operation === "addGiven") &&
      inputs.some((input) => !Object.hasOwn(input, column)),
  );
  const isTwice = new Set(inputs.map(identity)).size < inputs.length;
  const isKeyless = inputs.some((input) => on.some((column) => input[column] === null));
  const refusals = [
    ...(needsMore || isTwice ? ["INVALID_VALUE"] : []),
    ...(isKeyless ? ["INVALID_QUERY"] : []),
  ];
  if (refusals.length > 0) throw new Refused(refusals);
  // In the order of their keys, which decides where one row takes what another gives up.
  const order = [...inputs].sort((a, b) => (identity(a) < identity(b) ? -1 : 1));
  const rows = new Map(
    order.map((input): [Row, Row] => {
      const row = withDefaults(entity, input);
      const present = meets(world, entity, row, on);
      if (present === undefined) {
        world[entity].push(row);
        return [input, row];
      }
      const { key } = MODEL[entity];
      const taken = Object.keys(input).filter(
        (column) =>
          !on.includes(column) && !key.includes(column) && (take === "all" || take?.includes(column)),
      );
      const next =
        take === undefined
          ? changedRow(entity, present, patch, input)
          : { ...present, ...Object.fromEntries(taken.map((column) => [column, row[column]])) };
      if (next === OVERFLOW) throw new Refused(["INVALID_DATA", "UNIQUE_VIOLATION"]);
      replace(world, entity, present, next);
      if (isDead(next) && isPrimary(entity, on)) returned(world, entity, next);
      const [last = next] = found(world, entity, next);
      return [input, last];
    }),
  );
  return inputs.map((input) => rows.get(input) ?? {});
}

/** The unique keys and references that the rows of an entity break. */
function brokenRules(world: World, entity: EntityName): readonly string[] {
  const { key, uniques, references } = MODEL[entity];
  const rows = world[entity];
  const isTwice = [key, ...uniques].some((columns) => {
    const held = isPrimary(entity, columns) ? rows : rows.filter((row) => !isDead(row));
    const values = held
      .filter((row) => columns.every((column) => (row[column] ?? null) !== null))
      .map((row) => JSON.stringify(columns.map((column) => String(row[column]))));
    return new Set(values).size < values.length;
  });
  const isOrphan = references.some((reference) => {
    const { columns, target } = reference;
    return rows.some((row) => {
      if (columns.some(([own]) => (row[own] ?? null) === null)) return false;
      const isThere = world[target].some((parent) =>
        columns.every(([own, other]) => row[own] === parent[other]),
      );
      return !isThere || (!isDead(row) && !hasLivingParent(world, row, reference));
    });
  });
  return [...(isTwice ? ["UNIQUE_VIOLATION"] : []), ...(isOrphan ? ["FOREIGN_KEY_VIOLATION"] : [])];
}

/** A condition that every row is like, by its form alone; undefined where rows decide. */
function saysNothing(where: unknown): boolean | undefined {
  const every = (truths: readonly (boolean | undefined)[]): boolean | undefined => {
    if (truths.includes(false)) return false;
    return truths.every((truth) => truth === true) ? true : undefined;
  };
  const not = (truth: boolean | undefined): boolean | undefined => (truth === undefined ? undefined : !truth);
  return every(
    entriesOf(where).map(([key, part]) => {
      if (key === "and") return every(listOf(part).map(saysNothing));
      if (key === "or") return not(every(listOf(part).map((one) => not(saysNothing(one)))));
      if (key === "not") return not(saysNothing(part));
      if (!isPlainObject(part) || Object.hasOwn(part, "path")) return undefined;
      return every(entriesOf(part).map(([name, operand]) => operatorSaysNothing(name, operand)));
    }),
  );
}

function operatorSaysNothing(name: string, operand: unknown): boolean | undefined {
  if (name === "in" || name === "notIn") return listOf(operand).length === 0 ? name === "notIn" : undefined;
  return name === "every" && entriesOf(operand).length === 0 ? true : undefined;
}
