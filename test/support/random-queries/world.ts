/** All rows in memory, and who sees which of them. */
import type { Related } from "./conditions.ts";
import { ENTITIES, type EntityName, MODEL, type Row } from "./model.ts";
import { INITIAL, TOKEN } from "./rows.ts";

export type Visibility = "living" | "all" | "dead";

/** Plain lists of rows. Those that died together have the very same `deletedAt`. */
export type World = Record<EntityName, Row[]>;

export function newWorld(): World {
  const tables = ENTITIES.map((entity): [EntityName, Row[]] => [
    entity,
    INITIAL[entity].map((row) => completed(entity, row)),
  ]);
  return Object.fromEntries(tables) as World;
}

/** With what the database adds. */
export function completed(entity: EntityName, row: Row): Row {
  const { columns, isSoft, secret } = MODEL[entity];
  const nothing = Object.fromEntries(Object.keys(columns).map((column) => [column, null]));
  return {
    ...nothing,
    ...row,
    ...(isSoft ? { deletedAt: null, deletedBy: null } : {}),
    ...(secret === undefined ? {} : { [secret]: TOKEN }),
  };
}

export function copyOf(world: World): World {
  return Object.fromEntries(ENTITIES.map((entity) => [entity, [...world[entity]]])) as World;
}

export function isDead(row: Row): boolean {
  return (row.deletedAt ?? null) !== null;
}

export function visibleRows(world: World, entity: EntityName, visibility: Visibility): readonly Row[] {
  if (visibility === "all" || !MODEL[entity].isSoft) return world[entity];
  return world[entity].filter((row) => isDead(row) === (visibility === "dead"));
}

/** Who asks for the dead sees all related rows; everybody else the living. A walk's rows come with the nearest first. */
export function relatedIn(world: World, outer: Visibility): Related {
  const visibility = outer === "living" ? "living" : "all";
  return (entity, row, name) => {
    const relation = MODEL[entity].relations[name];
    if (relation === undefined) throw new TypeError(`no relation ${name} of ${entity}`);
    const { target, on, through, walk } = relation;
    const rows = visibleRows(world, target, visibility);
    if (through !== undefined) {
      const links = visibleRows(world, through.entity, visibility).filter((link) => areEqual(row, link, on));
      return rows.filter((one) => links.some((link) => areEqual(link, one, through.on)));
    }
    const step = (from: Row): readonly Row[] => rows.filter((one) => areEqual(from, one, on));
    return walk === undefined ? step(row) : levels(row, step).flat();
  };
}

/** Level by level; a row that was met already, as the first one was, ends its way. */
export function levels(first: Row, step: (row: Row) => readonly Row[]): readonly (readonly Row[])[] {
  const met = new Set([first.id]);
  const found: (readonly Row[])[] = [];
  for (let level: readonly Row[] = [first]; level.length > 0; ) {
    level = level.flatMap(step).filter((row) => !met.has(row.id));
    for (const row of level) met.add(row.id);
    if (level.length > 0) found.push(level);
  }
  return found;
}

/** Null equals nothing. */
export function areEqual(a: Row, b: Row, on: readonly (readonly [string, string])[]): boolean {
  return on.every(([left, right]) => {
    const value = a[left] ?? null;
    return value !== null && value === b[right];
  });
}
