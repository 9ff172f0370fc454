import type { CatalogColumn, TableObject } from "../model.ts";
import { columnPath, type Ground } from "./ground.ts";
import { sqlName } from "./names.ts";
import { RANK, type Step } from "./step.ts";

/** What a step says it makes when a column takes no null any more. */
export function notNullId(columnId: string): string {
  return `not null ${columnId}`;
}

/** What a step says it makes when the rows that were there have their value. */
export function filledId(columnId: string): string {
  return `filled ${columnId}`;
}

/**
 * Refuses nulls from now on. In a table in use the server would read every row while nobody else can: a check
 * that has been validated, which takes a weak lock, spares it the reading.
 */
export function setNotNull(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
  remark?: string,
): readonly Step[] {
  const [ref, name] = [ground.ref(table.id), sqlName(column.name)];
  const set = `alter table ${ref} alter column ${name} set not null`;
  const needs = [column.id, filledId(column.id)];
  const makes = [notNullId(column.id)];
  if (!ground.isBusy(table.id)) return [{ rank: RANK.alterColumn, statements: [set], needs, makes }];
  const check = sqlName(ground.spareName(`${table.name}_${column.name}`, "_is_set"));
  const added = `${check} on ${columnPath(ground, table, column.name)}`;
  const validated = `validated ${added}`;
  const add = `alter table ${ref} add constraint ${check} check (${name} is not null) not valid`;
  return [
    {
      // Rows that are written from here on need their value: those that were there have to have it before.
      rank: RANK.guard,
      statements: [withRemark(remark, add)],
      needs,
      makes: [added],
    },
    {
      rank: RANK.validate,
      statements: [`alter table ${ref} validate constraint ${check}`],
      needs: [added],
      makes: [validated],
    },
    {
      rank: RANK.notNull,
      statements: [set, `alter table ${ref} drop constraint ${check}`],
      needs: [validated],
      makes,
    },
  ];
}

function withRemark(remark: string | undefined, statement: string): string {
  return remark === undefined ? statement : `-- ${remark}\n${statement}`;
}
