/** What every kind of edit of a planned schema works with. */
import type { ColumnPlan, PlannedRename, SchemaPlan, TablePlan } from "./random-schema.ts";

/** A change of a schema, and the one it leads to. */
export interface Edit {
  readonly what: string;
  readonly plan: SchemaPlan;
  readonly renames: readonly PlannedRename[];
}

/** An edit that fits the schema, if there is one of this kind. The serial keeps new names new. */
export type Draw = (plan: SchemaPlan, random: () => number, serial: number) => Edit | undefined;

export function pick<T>(random: () => number, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

export function edited(what: string, plan: SchemaPlan, renames: readonly PlannedRename[] = []): Edit {
  return { what, plan, renames };
}

export function withTable(plan: SchemaPlan, old: TablePlan, table: TablePlan): SchemaPlan {
  return { ...plan, tables: plan.tables.map((one) => (one === old ? table : one)) };
}

/** What speaks of a column, so that dropping it must take along, or leave the column alone. */
export function isUsed(plan: SchemaPlan, table: TablePlan, column: string): boolean {
  return (
    table.columns.some((one) => one.generatedFrom === column) ||
    table.indexes.some((index) => index.columns.includes(column)) ||
    table.checks.some((check) => check.column === column) ||
    table.uniques.some((unique) => unique.column === column) ||
    table.foreignKeys.some((key) => key.column === column) ||
    plan.views.some((view) => view.table === table.name && view.columns.includes(column))
  );
}

/** A column of a random table that an edit may change. */
export function draw(
  plan: SchemaPlan,
  random: () => number,
  fits: (column: ColumnPlan, table: TablePlan) => boolean,
) {
  const all = plan.tables.flatMap((table) =>
    table.columns.filter((column) => fits(column, table)).map((column) => ({ table, column })),
  );
  return pick(random, all);
}

export function withColumn(
  plan: SchemaPlan,
  table: TablePlan,
  old: ColumnPlan,
  column: ColumnPlan,
): SchemaPlan {
  return withTable(plan, table, {
    ...table,
    columns: table.columns.map((one) => (one === old ? column : one)),
  });
}

export const isPlain = (column: ColumnPlan): boolean =>
  column.generatedFrom === undefined && typeof column.type === "string";

export function isPartitionedBy(table: TablePlan, column: ColumnPlan): boolean {
  return table.partitions !== undefined && column.name === "happened_at";
}
