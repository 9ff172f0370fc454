import { FILL_SETTING, type KeptColumn } from "../kept-column.ts";
import type { CatalogColumn, TableObject } from "../model.ts";
import { batches, type Fill, inOne, touchedColumns } from "./fill.ts";
import type { Ground } from "./ground.ts";
import { literal, lowerCase, sqlName } from "./names.ts";
import { filledId } from "./not-null.ts";
import { RANK, type Step } from "./step.ts";

/** What a row holds before its fill. */
type Held = "nothing" | "old";

/**
 * Columns that a trigger keeps from now on, or computes otherwise than before: rows that are there get their value.
 * From the trigger's first moment on every row that is written has it, so the fill needs no lock.
 */
export function fillKeptColumns(ground: Ground): readonly Step[] {
  return [...ground.to.columns.values()].flatMap(({ table, column }) => {
    const kept = ground.to.kept.get(column.id);
    if (kept === undefined || table.partitionKey !== undefined) return [];
    const held = heldBefore(ground, table, column, kept);
    return held === undefined ? [] : [fillStep(ground, table, column, kept, held)];
  });
}

/** `undefined`: there is no row, or every row has the right value. */
function heldBefore(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
  kept: KeptColumn,
): Held | undefined {
  if (!ground.isKept(table.id) && ground.fateOf(table.id) !== "retire") return undefined;
  const fate = ground.decisions.columns.get(column.id);
  const before = ground.from.columns.get(column.id)?.column;
  if (before === undefined || fate === "anew") return "nothing";
  const old = ground.from.kept.get(column.id)?.expression;
  const isSame =
    old === undefined
      ? bareText(before.generated?.expression ?? "") === bareText(kept.expression)
      : old === kept.expression;
  return isSame ? undefined : "old";
}

/** Without what the server adds when it writes an expression out: casts of literals, brackets, quotes of plain names. */
function bareText(expression: string): string {
  return lowerCase(expression)
    .replaceAll(/::(?:text|character varying|regconfig|"char")(?![\w"])/g, "")
    .replaceAll(/"([a-z_][a-z0-9_]*)"/g, "$1")
    .replaceAll(/("(?:[^"]|"")*"|'(?:[^']|'')*')|[\s()]/g, "$1");
}

function fillStep(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
  kept: KeptColumn,
  held: Held,
): Step {
  for (const touched of touchedColumns(ground, table, kept.trigger)) ground.losses.push(touched);
  const [ref, name] = [ground.ref(table.id), sqlName(column.name)];
  const fill: Fill = {
    // The trigger computes it as well; where it does not fire, for a replica's role, this is the value.
    set: `${name} = ${kept.expression}`,
    where: held === "nothing" ? `${name} is null` : `${name} is distinct from (${kept.expression})`,
    ...settings(table, ref),
  };
  return {
    rank: RANK.fill,
    statements: [ground.online ? batches(ref, fill) : inOne(ref, fill)],
    needs: [
      column.id,
      ...keepersOf(ground, table, column.name),
      `rows of ${table.id}`,
      `attached ${table.id}`,
    ],
    makes: [filledId(column.id)],
  };
}

/** Rows that a policy hides would stay without their value: an error tells of them. */
function settings(table: TableObject, ref: string): Pick<Fill, "before" | "after"> {
  const set = (name: string, value: string): string => `perform set_config('${name}', ${value}, true);`;
  const own = set(FILL_SETTING, `${literal(ref)}::regclass::oid::text`);
  return table.forceRowSecurity
    ? {
        before: `${own} ${set("row_security", "'off'")}`,
        after: `${set(FILL_SETTING, "''")} ${set("row_security", "'on'")}`,
      }
    : { before: own, after: set(FILL_SETTING, "''") };
}

/** A partition's trigger comes with that of its table. */
function keepersOf(ground: Ground, table: TableObject, name: string): readonly string[] {
  const column = table.columns.find((one) => one.name === name);
  const above = ground.to.objects.get(table.partitionOf?.parent ?? "");
  return [
    ...(ground.to.kept.get(column?.id ?? "")?.objects ?? []),
    ...(above?.kind === "table" ? keepersOf(ground, above, name) : []),
  ];
}
