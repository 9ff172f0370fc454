import type { StatementCall } from "../driver/index.ts";
import type { ColumnDescription, EntityDescription, ForeignKeyDescription } from "../schema/index.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { TAKES_LEAVE } from "./purge-leave.ts";
import { nameOf, ownKey } from "./trigger-object.ts";

export const lockPurge = "select pg_catalog.pg_try_advisory_lock($1::integer, $2::integer)";
/** A role that policies bind would see no row to remove, and say so: then it is told that they keep it from all of them. */
export const seeAllOrFail = "select set_config('row_security', 'off', false)";
export const seeAsUsual = "select set_config('row_security', 'on', false)";
export const unlockPurge = "select pg_catalog.pg_advisory_unlock($1::integer, $2::integer)";

/** The moment that so many days ago was, by the clock that the rows were stamped by; in UTC, whatever the session says. */
export const cutOff = `select to_char((now() - make_interval(days => $1::integer)) at time zone 'UTC',
  'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export function countDead(entity: EntityDescription, before: string): StatementCall {
  return { text: `select count(*) from ${path(entity)} where ${dead(entity, before)}`, values: [] };
}

/** Where a batch begins, and how far it goes. */
interface Batch {
  readonly before: string;
  readonly batchRows: number;
  /** The last key of the batch before it, part by part. */
  readonly after: readonly string[] | undefined;
}

/**
 * Removes the rows of one batch that nothing refers to any more. Gives how many rows it looked at, how many it removed,
 * and the last key. Rows that another session holds are passed over: one of them may be about to be restored.
 */
export function removeBatch(
  entity: EntityDescription,
  entities: readonly EntityDescription[],
  { before, batchRows, after = [] }: Batch,
): StatementCall {
  const { columns } = entity.primaryKey;
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const given = columns.map(({ castType }, i) => `$${i + 1}::text::${castType}`).join(", ");
  const following = after.length === 0 ? "" : `\n    and (${names.join(", ")}) > (${given})`;
  const last = names.map(
    (name) =>
      `, (select ${name}::text from batch order by ${names.map((one) => `${one} desc`).join(", ")} limit 1)`,
  );
  const free = children(entity, entities).map(
    (child) => `\n    and not exists (${referring(entity, child)})`,
  );
  const text = `with batch as materialized (
  select ${names.join(", ")} from ${path(entity)}
  where ${dead(entity, before)}${following}
  order by ${names.join(", ")} limit ${batchRows} for update skip locked
), gone as (
  delete from ${path(entity)} own using batch
  where ${ownKey(entity, "batch", "own.")}
    and ${TAKES_LEAVE}${free.join("")}
  returning 1
)
select (select count(*) from batch), (select count(*) from gone)${last.join("")}`;
  return { text, values: after };
}

interface Child {
  readonly child: EntityDescription;
  readonly key: ForeignKeyDescription;
}

/** What a real DELETE would take along, or be refused by. */
function children(entity: EntityDescription, entities: readonly EntityDescription[]): readonly Child[] {
  return entities.flatMap((child) =>
    child.foreignKeys
      .filter(({ target, onDelete }) => target === entity && !onDelete.startsWith("set "))
      .map((key) => ({ child, key })),
  );
}

function referring(entity: EntityDescription, { child, key }: Child): string {
  const own = (column: ColumnDescription | undefined) => `own.${quoteIdentifier(column?.name ?? "")}`;
  const isParent = key.columns
    .map(({ name }, i) => `child.${quoteIdentifier(name)} = ${own(key.targetColumns[i])}`)
    .join(" and ");
  // A row that refers to itself goes with itself.
  const isOther = child === entity ? ` and not (${ownKey(entity, "own", "child.")})` : "";
  return `select from ${path(child)} child where ${isParent}${isOther}`;
}

function dead(entity: EntityDescription, before: string): string {
  return `${nameOf(entity, "deletedAt")} < ${quoteLiteral(before)}::timestamptz`;
}

function path({ schema, name }: EntityDescription): string {
  return qualifiedName(schema, name);
}
