import type { CatalogColumn, ConstraintObject, TableObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { alterColumn } from "./alter-column.ts";
import { newAttributes } from "./attributes.ts";
import { columnBefore } from "./column-state.ts";
import { columnDefinition } from "./column-text.ts";
import { stepsOf } from "./columns.ts";
import { constraintClause } from "./constraint-text.ts";
import type { Ground } from "./ground.ts";
import { lowerCase, sqlName } from "./names.ts";
import { notNullId } from "./not-null.ts";
import { namesOf, needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/** Makes a table with its columns, and with the keys and checks that can stand inside. */
export function createTable(ground: Ground, table: TableObject): readonly Step[] {
  const isAttached = isAttachedLater(ground, table);
  const own = table.columns.filter(
    (column) => isAttached || columnBefore(ground, table, column) === undefined,
  );
  const late = own.filter((column) => isLate(ground, table, column));
  const constraints = inlineConstraints(ground, table);
  const keyed = new Set(
    constraints.filter(({ type }) => type === "primary key").flatMap(({ columns }) => columns),
  );
  const lines = [
    ...own.map((column) => definitionOf(table, column, late.includes(column), keyed.has(column.name))),
    ...constraints.map((constraint) => constraintClause(constraint)),
  ];
  return [
    {
      rank: RANK.table,
      statements: [
        `create ${words(table)}${body(ground, table, lines, isAttached)}`,
        ...newAttributes(ground, table),
        ...constraints.flatMap((constraint) => newAttributes(ground, constraint)),
      ],
      makes: [
        table.id,
        ...table.columns.flatMap(({ id }) => [id, notNullId(id)]),
        ...constraints.map(({ id }) => id),
      ],
      needs: [
        ...needsOf(table),
        ...own.filter((column) => !late.includes(column)).flatMap(({ dependsOn }) => dependsOn),
        ...constraints.flatMap(needsOf),
        ...parentColumnIds(ground, table),
      ].filter((id) => id !== table.id && ground.to.columns.get(id)?.table.id !== table.id),
      takes: [...namesOf(table), ...constraints.flatMap(namesOf)],
    },
    ...late.map((column) => setLateDefault(ground, table, column)),
    ...own.flatMap((column) => alterColumn(ground, table, asCreated(column), column)),
    ...(isAttached
      ? [attachStep(ground, table)]
      : table.columns.flatMap((column) => stepsOf(ground, table, column))),
  ];
}

function words({ isUnlogged }: TableObject): string {
  return isUnlogged ? "unlogged table " : "table ";
}

function body(ground: Ground, table: TableObject, lines: readonly string[], isAttached: boolean): string {
  const list = lines.length === 0 ? "" : `(\n  ${lines.join(",\n  ")}\n)`;
  const { partitionOf, partitionKey, inherits, options } = table;
  const isPartition = partitionOf !== undefined && !isAttached;
  const head = isPartition
    ? ` partition of ${ground.ref(partitionOf.parent)}${list === "" ? "" : ` ${list}`}\n  ${lowerCase(partitionOf.bound)}`
    : ` ${list === "" ? "()" : list}`;
  const parents = inherits.map((id) => ground.ref(id)).join(", ");
  return [
    `${ground.ref(table.id)}${head}`,
    ...(parents === "" ? [] : [`inherits (${parents})`]),
    ...(partitionKey === undefined ? [] : [`partition by ${lowerCase(partitionKey)}`]),
    ...(options.length === 0 ? [] : [`with (${options.join(", ")})`]),
  ].join(isPartition ? "\n  " : " ");
}

function definitionOf(table: TableObject, column: CatalogColumn, isLate: boolean, isKeyed: boolean): string {
  const shown = {
    ...column,
    default: isLate ? undefined : column.default,
    // A partition gets its parent's when it is attached.
    identity: table.partitionOf === undefined ? column.identity : undefined,
  };
  return columnDefinition(shown, column.notNull && column.isNotNullValid && !isKeyed);
}

/** What `create table` makes of it. */
function asCreated(column: CatalogColumn): CatalogColumn {
  const notNull = column.notNull && column.isNotNullValid;
  const plain = { storage: undefined, compression: undefined, statistics: undefined };
  return { ...column, ...plain, notNull, isNotNullValid: true };
}

/** A default that needs the table itself, by way of a function, is set when both are there. */
function isLate(ground: Ground, table: TableObject, { dependsOn, generated }: CatalogColumn): boolean {
  return generated === undefined && ground.reach.to.leadsTo(dependsOn, table.id);
}

function setLateDefault(ground: Ground, table: TableObject, column: CatalogColumn): Step {
  const value = column.default ?? "null";
  return {
    rank: RANK.alterColumn,
    statements: [
      `alter table ${ground.ref(table.id)} alter column ${sqlName(column.name)} set default ${lowerCase(value)}`,
    ],
    needs: [table.id, ...column.dependsOn],
    makes: [`default ${column.id}`],
  };
}

/** Foreign keys stand apart, as tables may refer to each other in a circle; so does what is not valid yet. */
export function inlineConstraints(ground: Ground, table: TableObject): readonly ConstraintObject[] {
  if (ground.fateOf(table.id) !== "make" && ground.fateOf(table.id) !== "retire") return [];
  const parts = ground.to.parts.get(table.id) ?? [];
  const order = ["primary key", "unique", "check", "exclusion"];
  return parts
    .filter((part): part is ConstraintObject => part.kind === "constraint")
    .filter((one) => order.includes(one.type) && isInline(ground, table, one))
    .sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

function isInline(ground: Ground, table: TableObject, constraint: ConstraintObject): boolean {
  const others = constraint.dependsOn.filter((id) => ground.to.columns.get(id)?.table.id !== table.id);
  const isItsOwn = !constraint.isInherited || (isAttachedLater(ground, table) && constraint.type === "check");
  return (
    isItsOwn &&
    constraint.isValid === constraint.isEnforced &&
    !ground.reach.to.leadsTo(
      others.filter((id) => id !== table.id),
      table.id,
    )
  );
}

/** A partition of a table in use is made apart and attached: that does not keep readers of the parent out. */
export function isAttachedLater(ground: Ground, table: TableObject): boolean {
  const parent = table.partitionOf?.parent;
  return parent !== undefined && ground.isBusy(parent) && !ground.isKept(table.id);
}

export function attachStep(ground: Ground, table: TableObject): Step {
  const { parent = "", bound = "" } = table.partitionOf ?? {};
  const rest = defaultBeside(ground, table);
  if (rest !== undefined && ground.isKept(rest.id)) {
    const [from, to] = [ground.ref(rest.id), ground.ref(table.id)];
    ground.mayFail.push(`${from}: a row that belongs into ${to} makes this fail`);
  }
  const statement = `alter table ${ground.ref(parent)} attach partition ${ground.ref(table.id)} ${lowerCase(bound)}`;
  return {
    rank: RANK.attach,
    statements: [
      allowing(
        isLookedThrough(ground, table),
        "lock/partition-scan",
        "rows have to be looked through",
        statement,
      ),
    ],
    makes: [`attached ${table.id}`],
    needs: [
      parent,
      table.id,
      `detached ${table.id}`,
      ...parentColumnIds(ground, table),
      ...table.columns.flatMap(({ id }) => [id, notNullId(id)]),
      ...validChecks(ground, table),
    ],
    takes: droppedColumns(ground, table),
  };
}

/** Its own rows have to fit, and none of the default partition's may belong to it. */
function isLookedThrough(ground: Ground, table: TableObject): boolean {
  const rest = defaultBeside(ground, table);
  return ground.isBusy(table.id) || (rest !== undefined && ground.isBusy(rest.id));
}

function defaultBeside(ground: Ground, { id, partitionOf }: TableObject): TableObject | undefined {
  const siblings = ground.from.children.get(partitionOf?.parent ?? "") ?? [];
  return siblings.find((sibling) => sibling.partitionOf?.bound === "DEFAULT" && sibling.id !== id);
}

/** A table has to have its parent's checks, validated, before it can belong to it. */
export function validChecks(ground: Ground, table: TableObject): readonly string[] {
  const parts = ground.to.parts.get(table.id) ?? [];
  return parts
    .filter((part) => part.kind === "constraint" && part.type === "check")
    .flatMap(({ id }) => [id, `valid ${id}`]);
}

/** Columns that its parent does not have are gone before. */
function droppedColumns(ground: Ground, table: TableObject): readonly string[] {
  const before = ground.from.objects.get(table.id);
  if (before?.kind !== "table" || !ground.isKept(table.id)) return [];
  return before.columns.map(({ id }) => id).filter((id) => ground.decisions.columns.get(id) === "drop");
}

/** A partition is made when its parent's columns are what they are to be. */
function parentColumnIds(ground: Ground, table: TableObject): readonly string[] {
  const parents = [table.partitionOf?.parent, ...table.inherits];
  return parents.flatMap((id) => {
    const parent = ground.to.objects.get(id ?? "");
    return parent?.kind === "table"
      ? parent.columns.flatMap((column) => [column.id, notNullId(column.id), `default ${column.id}`])
      : [];
  });
}
