/** What becomes of the rows below one that dies, returns or is removed. */
import { ENTITIES, type EntityName, MODEL, type ReferenceModel, type Row, sameKey } from "./model.ts";
import { areEqual, isDead, type World } from "./world.ts";

/** Puts another row in the place of one. */
export function replace(world: World, entity: EntityName, old: Row, row: Row | undefined): void {
  world[entity] = world[entity].flatMap((one) => (one !== old ? [one] : row === undefined ? [] : [row]));
}

/** All references to an entity, with the rows of one that make them. */
function referring(
  world: World,
  entity: EntityName,
  row: Row,
): readonly {
  readonly child: EntityName;
  readonly reference: ReferenceModel;
  readonly rows: readonly Row[];
}[] {
  return ENTITIES.flatMap((child) =>
    MODEL[child].references
      .filter(({ target }) => target === entity)
      .map((reference) => ({
        child,
        reference,
        rows: world[child].filter((one) => areEqual(one, row, reference.columns)),
      })),
  );
}

/** The row with this key dies, and what is below it with it: stamped as it is, removed, or without a parent. */
export function died(world: World, entity: EntityName, key: Row, stamp: unknown): void {
  const row = world[entity].find((one) => sameKey(entity, one, key));
  if (row === undefined) return;
  if (!MODEL[entity].isSoft) {
    removed(world, entity, row);
    return;
  }
  replace(world, entity, row, { ...row, deletedAt: stamp });
  for (const { child, reference, rows } of referring(world, entity, row)) {
    for (const one of rows) {
      if (reference.onDelete === "set null") replace(world, child, one, orphaned(one, reference));
      else if (!isDead(one)) died(world, child, one, stamp);
    }
  }
}

function removed(world: World, entity: EntityName, row: Row): void {
  replace(world, entity, row, undefined);
  for (const { child, reference, rows } of referring(world, entity, row)) {
    for (const one of rows) {
      if (reference.onDelete === "set null") replace(world, child, one, orphaned(one, reference));
      else removed(world, child, one);
    }
  }
}

function orphaned(row: Row, { columns }: ReferenceModel): Row {
  return { ...row, ...Object.fromEntries(columns.map(([own]) => [own, null])) };
}

/** The row lives again, and with it what died when it did, unless another parent is dead. */
export function returned(world: World, entity: EntityName, row: Row): void {
  const stamp = row.deletedAt;
  const living = { ...row, deletedAt: null, deletedBy: null };
  replace(world, entity, row, living);
  for (const { child, reference, rows } of referring(world, entity, living)) {
    if (reference.onDelete !== "cascade" || !MODEL[child].isSoft) continue;
    for (const one of rows) {
      const isKept = MODEL[child].references.some(
        (other) => other !== reference && !hasLivingParent(world, one, other),
      );
      if (one.deletedAt === stamp && !isKept) returned(world, child, one);
    }
  }
}

/** Whether a row refers to nothing, or to a row that lives. */
export function hasLivingParent(world: World, row: Row, { columns, target }: ReferenceModel): boolean {
  if (columns.some(([own]) => (row[own] ?? null) === null)) return true;
  return world[target].some((parent) => areEqual(row, parent, columns) && !isDead(parent));
}
