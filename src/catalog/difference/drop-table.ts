import type { CatalogObject, TableObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import { refTo, sqlName } from "./names.ts";
import { namesOf, needsOf, type PartObject, parentsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/** Drops a table and what goes with it: its partitions, keys, indexes, triggers, sequences. */
export function dropTable(ground: Ground, table: TableObject): readonly Step[] {
  if (goesWithParent(ground, table)) return [];
  ground.losses.push({ object: refTo(table), what: "data" });
  const tables = [table, ...partitionsOf(ground, table)];
  const late = tables.flatMap((one) =>
    one.columns
      .filter((column) => isInTheWay(ground, one, column.dependsOn))
      .map((column) => ({ one, column })),
  );
  const lateIds = new Set(late.map(({ column }) => column.id));
  const along = tables.flatMap((one) => goingAlong(ground, one));
  return [
    ...late.map(({ one, column }) => ({
      rank: RANK.dropConstraint,
      statements: [`alter table ${refTo(one)} alter column ${sqlName(column.name)} drop default`],
      frees: column.dependsOn,
      makes: [`reset ${column.id}`],
    })),
    {
      rank: RANK.dropTable,
      statements: [`drop table ${refTo(table)}`],
      drops: [
        ...tables.flatMap((one) => [one.id, ...one.columns.map(({ id }) => id)]),
        ...along.map(({ id }) => id),
      ],
      frees: ground.lateNeeds([
        ...tables.flatMap(needsOf),
        ...tables.flatMap(({ columns }) =>
          columns.flatMap(({ id, dependsOn }) => (lateIds.has(id) ? [] : dependsOn)),
        ),
        ...along.flatMap(needsOf),
        ...tables.flatMap((one) => parentColumns(ground, one)),
      ]),
      needs: [...lateIds].map((id) => `reset ${id}`),
      givesUp: [...tables, ...along].flatMap(namesOf),
    },
  ];
}

/** What is done to the parents' columns need not be done here any more. */
function parentColumns(ground: Ground, table: TableObject): readonly string[] {
  return parentsOf(table).flatMap((id) => {
    const parent = ground.from.objects.get(id);
    return parent?.kind === "table" ? parent.columns.map((column) => column.id) : [];
  });
}

/** Its default has to let go of something that needs the table itself. */
function isInTheWay(ground: Ground, table: TableObject, dependsOn: readonly string[]): boolean {
  const others = dependsOn.filter(
    (id) => id !== table.id && ground.from.columns.get(id)?.table.id !== table.id,
  );
  return ground.reach.from.leadsTo(others, table.id);
}

/** A partition goes when its table does. */
function goesWithParent(ground: Ground, table: TableObject): boolean {
  const fate = ground.fateOf(table.partitionOf?.parent ?? "");
  return fate === "drop" || fate === "retire";
}

function partitionsOf(ground: Ground, table: TableObject): readonly TableObject[] {
  return (ground.from.children.get(table.id) ?? []).flatMap((child) =>
    child.partitionOf !== undefined && ground.fateOf(child.id) === "drop"
      ? [child, ...partitionsOf(ground, child)]
      : [],
  );
}

/** Parts of the table, and sequences its columns own, for which nothing else is to be done. */
export function goingAlong(ground: Ground, table: TableObject): readonly CatalogObject[] {
  const parts = (ground.from.parts.get(table.id) ?? []).filter((part) => !isTangled(ground, part));
  const owned = [...ground.from.objects.values()].filter(
    (object) =>
      object.kind === "sequence" &&
      ground.fateOf(object.id) === "drop" &&
      ground.from.columns.get(object.ownedBy ?? "")?.table.id === table.id,
  );
  return [...parts, ...owned];
}

/**
 * A part of a table that goes, which has to go before it: something it needs needs the table, or two tables refer to
 * each other, by way of others perhaps.
 */
export function isTangled(ground: Ground, part: PartObject): boolean {
  const table = ground.from.objects.get(part.table);
  if (table?.kind !== "table") return false;
  if (part.kind === "constraint" && part.references !== undefined)
    return isCircular(ground, part.references, table);
  return isInTheWay(ground, table, part.dependsOn);
}

function isCircular(ground: Ground, references: string, table: TableObject): boolean {
  if (references === table.id) return false;
  const seen = new Set<string>();
  const waiting = [references];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === table.id) return true;
    if (seen.has(id) || ground.fateOf(id) !== "drop") continue;
    seen.add(id);
    for (const part of ground.from.parts.get(id) ?? []) {
      if (part.kind === "constraint" && part.references !== undefined) waiting.push(part.references);
    }
    const object = ground.from.objects.get(id);
    if (object?.kind === "table") waiting.push(...parentsOf(object));
  }
  return false;
}
