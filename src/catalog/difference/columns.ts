import type { CatalogColumn, TableObject } from "../model.ts";
import { addColumn } from "./add-column.ts";
import { allowing } from "./allow.ts";
import { alterColumn } from "./alter-column.ts";
import { columnBefore, parentColumn } from "./column-state.ts";
import { typeOf } from "./column-text.ts";
import { columnConversion } from "./conversion.ts";
import { dropColumn } from "./drop-column.ts";
import { columnPath, followsParents, type Ground } from "./ground.ts";
import { lowerCase, sqlName } from "./names.ts";
import { RANK, type Step } from "./step.ts";

/** Everything about the columns of a table that stays. */
export function columnSteps(ground: Ground, from: TableObject, to: TableObject): readonly Step[] {
  return [
    ...from.columns.flatMap((column) => {
      const fate = ground.decisions.columns.get(column.id);
      if (fate === "anew") return dropColumn(ground, from, column, true);
      return fate === "drop" ? dropColumn(ground, from, column, false) : [];
    }),
    ...to.columns.flatMap((column) => stepsOf(ground, to, column)),
  ];
}

/** Columns of a table that is new, or back: what `create table` leaves to be said, as for one with parents. */
export function stepsOf(ground: Ground, table: TableObject, column: CatalogColumn): readonly Step[] {
  const before = columnBefore(ground, table, column);
  if (before === undefined) return ground.isKept(table.id) ? addColumn(ground, table, column) : [];
  const isRetyped = ground.isKept(table.id) && ground.decisions.columns.get(column.id) === "retype";
  return [
    ...(isRetyped ? retypeColumn(ground, table, column) : []),
    ...alterColumn(ground, table, before, column),
  ];
}

/** A parent's statement changes the type in its partitions and heirs. */
function retypeColumn(ground: Ground, table: TableObject, to: CatalogColumn): readonly Step[] {
  const parent = followsParents(ground, table) ? parentColumn(ground.to, table, to.name) : undefined;
  if (parent !== undefined && ground.decisions.columns.get(parent.column.id) === "retype") return [];
  const from = ground.from.columns.get(to.id)?.column;
  if (from === undefined) return [];
  const below = columnsBelow(ground, table, to.name);
  const { using, rewrites, loses, mayFail } = columnConversion(ground, from, to);
  const path = columnPath(ground, table, to.name);
  if (loses) ground.losses.push({ object: path, what: "data" });
  if (mayFail && from.type !== to.type) {
    ground.mayFail.push(
      `${path}: a value that does not fit ${to.type} makes the change from ${from.type} fail`,
    );
  }
  const name = sqlName(to.name);
  const hadDefault = below.some((id) => ground.from.columns.get(id)?.column.default !== undefined);
  const actions = [
    ...(hadDefault ? [`alter column ${name} drop default`] : []),
    `alter column ${name} type ${typeOf(to)}${using === undefined ? "" : ` using ${using}`}`,
    // A column that counts by itself has no default before it stops counting.
    ...(to.default === undefined || from.identity !== undefined
      ? []
      : [`alter column ${name} set default ${lowerCase(to.default)}`]),
  ];
  const list = actions.length === 1 ? ` ${actions.join()}` : `\n  ${actions.join(",\n  ")}`;
  const statement = `alter table ${ground.ref(table.id)}${list}`;
  return [
    {
      rank: RANK.retype,
      statements: [ground.isBusy(table.id) ? allowed(ground, from, to, rewrites, statement) : statement],
      drops: below,
      makes: below,
      frees: ground.lateNeeds(below.flatMap((id) => ground.from.columns.get(id)?.column.dependsOn ?? [])),
      needs: to.dependsOn,
    },
  ];
}

function allowed(
  ground: Ground,
  from: CatalogColumn,
  to: CatalogColumn,
  rewrites: boolean,
  statement: string,
): string {
  const swap = "PostgreSQL has no online form; a new column, filled in batches and swapped in, is one";
  if (rewrites) return allowing(true, "lock/type", swap, statement);
  const hasIndex = (ground.from.dependents.get(to.id) ?? []).some((id) => {
    const part = ground.from.objects.get(id);
    if (part === undefined || !ground.isKept(id)) return false;
    return part.kind === "index" || (part.kind === "constraint" && part.type !== "check");
  });
  const isSorted = from.collation !== to.collation && hasIndex;
  return allowing(isSorted, "lock/collation", "PostgreSQL builds the column's indexes again", statement);
}

/** Ids of the column here and wherever the server changes it along. */
function columnsBelow(ground: Ground, table: TableObject, name: string): readonly string[] {
  const own = table.columns.find((column) => column.name === name);
  const children = (ground.to.children.get(table.id) ?? []).filter((child) => followsParents(ground, child));
  return own === undefined ? [] : [own.id, ...children.flatMap((child) => columnsBelow(ground, child, name))];
}
