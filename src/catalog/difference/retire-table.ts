import type { CatalogColumn, TableObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { continueNumbering } from "./alter-column.ts";
import { columnConversion } from "./conversion.ts";
import { createTable } from "./create-table.ts";
import { columnPath, type Ground, partitionsThere, retiredId } from "./ground.ts";
import { refTo, sqlName } from "./names.ts";
import { namesOf, needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/**
 * A table that has to be made anew, as when rows are to be told apart by another key: the old one moves aside, the
 * rows are copied, and the old one goes.
 */
export function retireTable(ground: Ground, from: TableObject, to: TableObject): readonly Step[] {
  const spare = ground.spareName(from.name, "_old");
  const aside = refTo({ schema: from.schema, name: spare });
  const isRoot = ground.fateOf(from.partitionOf?.parent ?? "") !== "retire";
  const wasAlone = ground.fateOf(to.partitionOf?.parent ?? "") !== "retire";
  return [
    {
      rank: RANK.retire,
      statements: [`alter table ${refTo(from)} rename to ${sqlName(spare)}`],
      drops: [from.id, ...from.columns.map(({ id }) => id)],
      givesUp: namesOf(from),
      makes: [`aside ${from.id}`],
    },
    ...createTable(ground, to),
    ...(isRoot || wasAlone ? [copyRows(ground, from, to, aside)] : []),
    ...(isRoot ? [dropOld(ground, from, aside)] : []),
  ];
}

function copyRows(ground: Ground, from: TableObject, to: TableObject, aside: string): Step {
  const old = new Map(from.columns.map((column) => [column.name, column]));
  const kept = to.columns.filter(({ name, generated }) => old.has(name) && generated === undefined);
  for (const column of from.columns) {
    const isKept = to.columns.some(({ name }) => name === column.name);
    if (!isKept && column.generated === undefined && !ground.from.kept.has(column.id))
      ground.losses.push({ object: columnPath(ground, from, column.name), what: "data" });
  }
  const overriding = kept.some(({ identity }) => identity !== undefined) ? " overriding system value" : "";
  const only = from.partitionKey === undefined ? "only " : "";
  const values = kept.map((column) => valueFor(ground, old.get(column.name), column));
  const copy = `insert into ${refTo(to)} (${kept.map(({ name }) => sqlName(name)).join(", ")})${overriding}
select ${values.join(", ")}
from ${only}${aside}`;
  const reason = "PostgreSQL cannot change what rows are told apart by; nobody may write the table meanwhile";
  const partitions = partitionsThere(ground, to.id);
  const numbered = kept.filter(({ identity }) => identity !== undefined);
  return {
    rank: RANK.copy,
    statements: [
      ...(kept.length === 0 ? [] : [allowing(ground.online, "lock/work-under-lock", reason, copy)]),
      ...numbered.flatMap((column) => continueNumbering(ground, to, column)),
    ],
    frees: [retiredId(from.id)],
    // All of them have to be there before rows can find theirs.
    needs: [to.id, ...partitions, ...to.columns.map(({ id }) => id)],
    makes: [to.id, ...partitions].map((id) => `rows of ${id}`),
  };
}

function valueFor(ground: Ground, from: CatalogColumn | undefined, to: CatalogColumn): string {
  const name = sqlName(to.name);
  if (from === undefined) return name;
  const isSame = from.type === to.type && ground.decisions.columns.get(to.id) !== "retype";
  return isSame ? name : (columnConversion(ground, from, to).using ?? name);
}

function dropOld(ground: Ground, table: TableObject, aside: string): Step {
  const tables = [table, ...oldPartitions(ground, table)];
  return {
    rank: RANK.dropTable,
    statements: [`drop table ${aside}`],
    drops: [
      ...tables.map(({ id }) => retiredId(id)),
      ...tables
        .filter(({ id }) => ground.fateOf(id) === "drop")
        .flatMap((one) => [one.id, ...one.columns.map(({ id }) => id)]),
    ],
    frees: ground.lateNeeds([
      ...tables.flatMap(needsOf),
      ...tables.flatMap(({ columns }) => columns.flatMap(({ dependsOn }) => dependsOn)),
    ]),
    needs: [`rows of ${table.id}`],
  };
}

function oldPartitions(ground: Ground, table: TableObject): readonly TableObject[] {
  return (ground.from.children.get(table.id) ?? [])
    .filter(({ partitionOf }) => partitionOf !== undefined)
    .flatMap((child) => [child, ...oldPartitions(ground, child)]);
}
