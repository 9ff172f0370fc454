import type { Outcome } from "../driver/index.ts";
import type { ColumnDescription, EntityDescription, RelationDescription } from "../schema/index.ts";
import type { Call, Condition, Expression, ParameterNode, Projection, Select } from "../sql/index.ts";
import { encodeArray, type Slot } from "../statement/index.ts";
import { recordsOf } from "./answer.ts";
import { computing } from "./computing.ts";
import { behaviourFilters, openStatement, type TableScope } from "./context.ts";
import type { Given } from "./given.ts";
import type { Ask } from "./intent.ts";
import type { JoinedRows } from "./order.ts";
import { type Plan, planOf, statementOf } from "./plan.ts";
import { narrowed } from "./related.ts";
import { linkOf, within } from "./related-rows.ts";

type AnyRow = Record<string, unknown>;

/** Related rows that a statement of their own reads, for all rows of an answer at once. */
export interface FollowUp {
  /** The property of the rows that takes them. */
  readonly key: string;
  /** The columns of a row that say which related rows are its own. */
  readonly sources: readonly ColumnDescription[];
  readonly plan: Plan<ReadonlyMap<string, AnyRow[]>>;
}

/**
 * Types whose text is the same on both sides of a foreign key, and which a row holds without loss: the rows are matched
 * by it. Of a numeric, 1.0 and 1.00 are equal and read differently.
 */
const MATCHED_BY_TEXT = new Set(["text", "varchar", "uuid", "smallint", "integer", "bigint", "date"]);

/** Whether a row, as it is read, tells which related rows are its own. */
export function canFollow(
  { entity }: TableScope,
  relation: RelationDescription,
  columns: readonly ColumnDescription[],
): boolean {
  if (relation.walk !== undefined) return false;
  const other = relation.link ?? { entity: relation.target, sourceColumns: relation.targetColumns };
  return relation.sourceColumns.every((name, i) => {
    const source = columnNamed(entity, name);
    const target = columnNamed(other.entity, other.sourceColumns[i] ?? "");
    return (
      source !== undefined &&
      columns.includes(source) &&
      [source, target].every((column) => column !== undefined && isMatchedByText(column))
    );
  });
}

/** Whether two values of a column are equal just where their texts are. */
export function isMatchedByText(column: ColumnDescription): boolean {
  return column.kind === "enum" || (MATCHED_BY_TEXT.has(column.castType) && column.kind !== "custom");
}

function columnNamed(entity: EntityDescription, name: string): ColumnDescription | undefined {
  return entity.columns.find((column) => column.name === name);
}

interface SelectedParts extends Pick<Select, "projections" | "joins"> {
  readonly joined: JoinedRows;
  readonly slots: readonly Slot[];
}

/**
 * The statement that reads a relation, of one row or of any number of them. That of one compares with its key: for a list
 * of unknown length PostgreSQL reckons with ten keys, finds planning for the one that comes cheaper, and plans anew at
 * every call, which takes longer than to run it.
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
 */
export function planFollowUp(
  outer: TableScope,
  relation: RelationDescription,
  given: Given,
  belongsTo: "one" | "many",
  selectionIn: (inside: TableScope) => SelectedParts,
): FollowUp {
  const { target, link } = relation;
  const visibility = outer.visibility === "living" ? "living" : "all";
  const opened = openStatement({ context: outer.context, entity: target, visibility });
  const between = link === undefined ? undefined : within(opened, link.entity);
  const inside = computing({ ...opened, link: between }, given);
  const keyed = between ?? inside;
  const names = link === undefined ? relation.targetColumns : link.sourceColumns;
  const selection = selectionIn(inside);
  const rest = narrowed(inside, relation, given, behaviourFilters(inside), selection.joined);
  const parts = names.map((name, part): { readonly column: Expression; readonly key: ParameterNode } => {
    const type = columnNamed(keyed.entity, name)?.castType ?? "text";
    return {
      column: { kind: "column", table: keyed.table, name },
      key: {
        kind: "parameter",
        value: ({ found }) => found?.[part] ?? null,
        type: belongsTo === "one" ? type : `${type}[]`,
      },
    };
  });
  const columns = parts.map(({ column }) => column);
  const keys = parts.map(({ key }) => key);
  // Without a limit, all rows of all keys in one go; with one, each key's own.
  const forEach = belongsTo === "one" || rest.limit === undefined ? undefined : { keys, alias: "k" };
  const keyOf = (part: number): Expression => ({ kind: "for-each-key", alias: "k", part: part + 1 });
  const isOfKeys =
    belongsTo === "one"
      ? parts.map(({ column, key }) => equal(column, key))
      : forEach === undefined
        ? [anyOf(columns, keys)]
        : columns.map((column, i) => equal(column, keyOf(i)));
  const select: Select = {
    kind: "select",
    from: inside.table,
    link: between === undefined ? undefined : linkOf(between, inside, relation),
    joins: selection.joins,
    forEach,
    projections: [
      ...columns.map(
        (column, i): Projection => ({
          kind: "value",
          of: forEach === undefined ? column : keyOf(i),
        }),
      ),
      ...selection.projections,
    ],
    ...rest,
    filters: [...isOfKeys.map((condition) => ({ condition })), ...rest.filters],
  };
  const slots: Slot[] = [
    ...names.map((_, i): Slot => ({ kind: "raw", key: `k${i}` })),
    { kind: "group", key: "row", slots: selection.slots, isOptional: false },
  ];
  return {
    key: relation.name,
    sources: relation.sourceColumns
      .map((name) => columnNamed(outer.entity, name))
      .filter((column) => column !== undefined),
    plan: planOf(select, grouped(names.length), { slots }),
  };
}

function anyOf(columns: readonly Expression[], keys: readonly ParameterNode[]): Condition {
  const [column] = columns;
  const [values] = keys;
  return columns.length === 1 && column !== undefined && values !== undefined
    ? { kind: "any-of", of: column, values, negated: false }
    : { kind: "any-row-of", of: columns, values: keys };
}

function equal(left: Expression, right: Expression): Condition {
  return { kind: "comparison", operator: "=", left, right };
}

/** The rows of each key, in the statement's order. */
function grouped(parts: number) {
  return ([outcome]: readonly Outcome[]): ReadonlyMap<string, AnyRow[]> => {
    const groups = new Map<string, AnyRow[]>();
    for (const { row, k0, ...others } of recordsOf(outcome)) {
      const key = parts === 1 ? String(k0) : JSON.stringify([k0, ...Object.values(others)]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [row as AnyRow]);
      else group.push(row as AnyRow);
    }
    return groups;
  };
}

/** Gives each row its related ones. One round trip for all relations and any number of rows; none without rows. */
export async function readRelated(
  rows: readonly AnyRow[],
  followUps: readonly FollowUp[],
  ask: Ask,
  call: Call,
): Promise<void> {
  if (rows.length === 0 || followUps.length === 0) return;
  const calls = followUps.map(({ plan, sources }) =>
    statementOf(plan, { ...call, found: keysIn(rows, sources) }),
  );
  const outcomes = await ask(calls);
  for (const [i, { key, sources, plan }] of followUps.entries()) {
    const outcome = outcomes[i];
    const groups = await plan.read(outcome === undefined ? [] : [outcome], ask, call);
    for (const row of rows) row[key] = groups.get(keyIn(row, sources)) ?? [];
  }
}

/** The keys of all rows, each once: one array for each part. */
function keysIn(rows: readonly AnyRow[], sources: readonly ColumnDescription[]): readonly string[] {
  const seen = new Map<string, readonly string[]>();
  for (const row of rows) {
    const parts = sources.map((column) => row[column.key]);
    if (parts.every((part) => part !== null)) seen.set(keyIn(row, sources), parts.map(String));
  }
  return sources.map((_, part) => encodeArray([...seen.values()].map((parts) => parts[part] ?? null)));
}

function keyIn(row: AnyRow, sources: readonly ColumnDescription[]): string {
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) return String(row[only.key]);
  return JSON.stringify(sources.map((column) => String(row[column.key])));
}
