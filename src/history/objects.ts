import type { DatabaseObject, EntityDescription, HistoryDescription } from "../schema/index.ts";
import { quoteIdentifier, triggerFunctionText, triggerText } from "../sql/index.ts";
import { knownPastObjects } from "./known-past.ts";
import { settingsOf } from "./output-settings.ts";
import { recordingRows, recordingStatements, recordingTruncate } from "./recording.ts";

/**
 * What history needs in the database; README.md says what it guarantees:
 *
 * - `<table>_history`: one row for each change of a row, divided by month. Rows of a month that has no partition go
 *   into `<table>_history_default`, so that a write never fails for a missing one.
 * - `<table>_record_history`: writes there, with the rights of the tables' owner, once per statement. A divided table is
 *   watched row by row: a write to one of its partitions fires none of its own statement triggers.
 * - `<table>_guard_history`: refuses every other write.
 * - what says from when on the past is known: `known-past.ts`.
 */
export function historyObjects(
  entity: EntityDescription,
  history: HistoryDescription,
): readonly DatabaseObject[] {
  const rest = `${history.table}_default`;
  return [
    ...historyTable(entity, history),
    functionObject(entity, guardName(entity), GUARD),
    ...[history.table, rest].map((table) => guard(entity, table)),
    ...(entity.partitioning === undefined
      ? statementTriggers(entity, history)
      : rowTriggers(entity, history, entity.partitioning.partitions)),
    ...knownPastObjects(entity, history),
  ];
}

function historyTable(
  { schema }: EntityDescription,
  { table }: HistoryDescription,
): readonly DatabaseObject[] {
  const [quoted, rest] = [table, `${table}_default`].map(quoteIdentifier);
  const create = [
    `create table ${quoted} (`,
    "  version bigint generated always as identity,",
    "  at timestamp with time zone not null default now(),",
    "  transaction_id xid8 not null default pg_current_xact_id(),",
    "  operation text not null,",
    "  row_key text not null,",
    "  before jsonb,",
    "  after jsonb,",
    "  concealed text[],",
    "  user_id text,",
    "  tenant_id text,",
    "  request_id text,",
    "  reason text,",
    "  role text not null default session_user,",
    `  constraint ${quoteIdentifier(`${table}_pkey`)} primary key (row_key, version, at)`,
    ") partition by range (at)",
  ].join("\n");
  return [
    { kind: "table", schema, name: table, create, drop: `drop table ${quoted}` },
    {
      kind: "partition",
      schema,
      name: `${table}_default`,
      table,
      create: `create table ${rest} partition of ${quoted} default`,
      drop: `drop table ${rest}`,
    },
  ];
}

/**
 * Rights may be given in passing (`grant all on all tables`), and owners err: neither may change what was. It runs with each
 * recorded statement, so it sets no `search_path`, which costs as much as all it does: every name in it has its schema.
 *
 * Who owns a table is a look into the catalog, which takes longer than the rest of the recording's checks together. So an
 * INSERT asks first for a right on an index: no right on one can be granted, so its owner alone has any. Without a primary key
 * as the replica identity there is no index to ask for, and the catalog answers.
 */
const GUARD = `begin
  if tg_op operator(pg_catalog.=) 'INSERT'
    and pg_catalog.has_table_privilege(pg_catalog.pg_get_replica_identity_index(tg_relid), 'trigger') then
    return null;
  end if;
  if not pg_catalog.pg_has_role(current_user,
    (select c.relowner from pg_catalog.pg_class c where c.oid operator(pg_catalog.=) tg_relid), 'usage') then
    raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
      message = pg_catalog.format('history is written by its triggers only, so "%s" takes no %s', tg_table_name, tg_op);
  end if;
  if tg_op operator(pg_catalog.<>) 'INSERT'
    and coalesce(pg_catalog.current_setting('plinth.history_pruning', true), '') operator(pg_catalog.<>) 'on' then
    raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
      message = pg_catalog.format('history is never changed, so "%s" takes no %s', tg_table_name, tg_op),
      hint = 'plinth history prune deletes what is older than an age.';
  end if;
  return null;
end;`;

function guardName({ name }: EntityDescription): string {
  return `${name}_guard_history`;
}

/** Of a partition its own: a statement that names it fires none of the whole table's. */
function guard(entity: EntityDescription, table: string): DatabaseObject {
  const when = "before insert or update or delete or truncate";
  return trigger(entity, "guard", when, "for each statement", guardName(entity), table);
}

function functionObject(
  { schema }: EntityDescription,
  name: string,
  body: string,
  words = "",
): DatabaseObject {
  return { kind: "function", schema, name, ...triggerFunctionText(name, body, words) };
}

function recorder(
  entity: EntityDescription,
  history: HistoryDescription,
  name: string,
  body: string,
): DatabaseObject {
  const settings = ["search_path from current", ...settingsOf(history.kept)];
  return functionObject(
    entity,
    name,
    body,
    ` security definer${settings.map((setting) => `\n  set ${setting}`).join("")}`,
  );
}

function trigger(
  { schema, name: own }: EntityDescription,
  purpose: string,
  when: string,
  level: string,
  execute: string,
  table = own,
): DatabaseObject {
  const name = `${table}_${purpose}`;
  return { kind: "trigger", schema, name, table, ...triggerText({ name, table, when, level, execute }) };
}

function statementTriggers(
  entity: EntityDescription,
  history: HistoryDescription,
): readonly DatabaseObject[] {
  const name = `${entity.name}_record_history`;
  const statement = (transition: string): string => `${transition}for each statement`;
  return [
    recorder(entity, history, name, recordingStatements(entity, history)),
    trigger(entity, "record_insert", "after insert", statement("referencing new table as new_rows "), name),
    trigger(
      entity,
      "record_update",
      "after update",
      statement("referencing old table as old_rows new table as new_rows "),
      name,
    ),
    trigger(entity, "record_delete", "after delete", statement("referencing old table as old_rows "), name),
    // Before: afterwards there is nothing left to record.
    trigger(entity, "record_truncate", "before truncate", statement(""), name),
  ];
}

function rowTriggers(
  entity: EntityDescription,
  history: HistoryDescription,
  partitions: readonly { readonly name: string }[],
): readonly DatabaseObject[] {
  const [rows, whole] = [`${entity.name}_record_history`, `${entity.name}_record_truncate`];
  return [
    recorder(entity, history, rows, recordingRows(entity, history)),
    recorder(entity, history, whole, recordingTruncate(entity, history)),
    trigger(entity, "record_rows", "after insert or update or delete", "for each row", rows),
    // PostgreSQL fires those of all partitions that a TRUNCATE empties, and of no other table.
    ...partitions.map(({ name }) =>
      trigger(entity, "record_truncate", "before truncate", "for each statement", whole, name),
    ),
  ];
}
