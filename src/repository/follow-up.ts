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
  readonly plan: Plan<RelatedTo>;
}

/** The related rows of a row, in the statement's order. */
export type RelatedTo = (row: AnyRow) => AnyRow[];

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

/** Whether two values of a column are equal just where their texts are. A Date is written otherwise than a date. */
export function isMatchedByText({ kind, castType }: ColumnDescription): boolean {
  return kind === "enum" || (MATCHED_BY_TEXT.has(castType) && kind !== "custom" && kind !== "instant");
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
 * every call, which takes longer than to run it. The key stands in a subselect, `= (select $1)`, for the same reason: a
 * plan for this very key, rarer than the average one, looks cheaper than one for all, and is hardly ever another.
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
  // Of one row, all are its own. Of many, their key says whose they are: it may be among what they show.
  const shown =
    forEach === undefined && between === undefined ? shownIn(selection.slots, keyed, names) : undefined;
  const isKeyless = belongsTo === "one" || shown !== undefined;
  const isOfKeys =
    belongsTo === "one"
      ? parts.map(({ column, key }) => equal(column, { kind: "once", of: key }))
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
      ...(isKeyless ? [] : columns).map(
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
  const slots: readonly Slot[] = isKeyless
    ? selection.slots
    : [
        ...names.map((_, i): Slot => ({ kind: "raw", key: `k${i}` })),
        { kind: "group", key: "row", slots: selection.slots, isOptional: false },
      ];
  const sources = relation.sourceColumns
    .map((name) => columnNamed(outer.entity, name))
    .filter((column) => column !== undefined);
  const rowsOfEach =
    belongsTo === "one"
      ? allOfOne
      : shown === undefined
        ? matchedBeside(sources.map(({ key }) => key))
        : matchedWithin(
            sources.map(({ key }) => key),
            shown,
          );
  return { key: relation.name, sources, plan: planOf(select, rowsOfEach, { slots }) };
}

/** The properties that show the key of related rows; undefined unless all of it is shown. */
function shownIn(
  slots: readonly Slot[],
  { entity }: Pick<TableScope, "entity">,
  names: readonly string[],
): readonly string[] | undefined {
  const keys = names.flatMap((name) => {
    const column = columnNamed(entity, name);
    const slot = slots.find((slot) => slot.kind === "column" && slot.column === column);
    return slot === undefined ? [] : [slot.key];
  });
  return keys.length === names.length ? keys : undefined;
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

type Rows = readonly Outcome[];

function allOfOne([outcome]: Rows): RelatedTo {
  const rows = [...recordsOf(outcome)];
  return () => rows;
}

/** Rows that show their key themselves, as the row they belong to does. */
function matchedWithin(sources: readonly string[], targets: readonly string[]) {
  const [source, target] = [identityIn(sources), identityIn(targets)];
  return ([outcome]: Rows): RelatedTo => {
    const groups = new Map<unknown, AnyRow[]>();
    for (const row of recordsOf(outcome)) addTo(groups, target(row), row);
    return (row) => groups.get(source(row)) ?? [];
  };
}

/** Rows with their key beside them, as text. */
function matchedBeside(sources: readonly string[]) {
  const isSimple = sources.length === 1;
  return ([outcome]: Rows): RelatedTo => {
    const groups = new Map<string, AnyRow[]>();
    for (const { row, k0, ...others } of recordsOf(outcome)) {
      const key = isSimple ? String(k0) : JSON.stringify([k0, ...Object.values(others)]);
      addTo(groups, key, row as AnyRow);
    }
    return (row) => groups.get(textIn(row, sources)) ?? [];
  };
}

function addTo<K>(groups: Map<K, AnyRow[]>, key: K, row: AnyRow): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [row]);
  else group.push(row);
}

/** What is the same for two keys just where they are. One side of a foreign key may be a bigint, the other a number. */
function identityIn(keys: readonly string[]): (row: AnyRow) => unknown {
  const [only = ""] = keys;
  if (keys.length !== 1) return (row) => textIn(row, keys);
  return (row) => {
    const value = row[only];
    return typeof value === "number" || typeof value === "string" ? value : identityOf(value);
  };
}

function identityOf(value: unknown): unknown {
  const isSmall = typeof value === "bigint" && Number.isSafeInteger(Number(value));
  return isSmall ? Number(value) : String(value);
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
  for (const [i, { key, plan }] of followUps.entries()) {
    const outcome = outcomes[i];
    const relatedTo = await plan.read(outcome === undefined ? [] : [outcome], ask, call);
    for (const row of rows) row[key] = relatedTo(row);
  }
}

/** The keys of all rows, each once: one array for each part. */
function keysIn(rows: readonly AnyRow[], sources: readonly ColumnDescription[]): readonly string[] {
  const keys = sources.map(({ key }) => key);
  const [only = ""] = keys;
  if (keys.length === 1) {
    const texts = new Set<string>();
    for (const row of rows) if (row[only] !== null) texts.add(String(row[only]));
    return [encodeArray([...texts])];
  }
  const seen = new Map<string, readonly string[]>();
  for (const row of rows) {
    const parts = keys.map((key) => row[key]);
    if (parts.every((part) => part !== null)) seen.set(textIn(row, keys), parts.map(String));
  }
  return keys.map((_, part) => encodeArray([...seen.values()].map((parts) => parts[part] ?? null)));
}

function textIn(row: AnyRow, keys: readonly string[]): string {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return String(row[only]);
  return JSON.stringify(keys.map((key) => String(row[key])));
}
