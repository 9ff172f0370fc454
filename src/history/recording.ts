import type { ColumnDescription, EntityDescription, HistoryDescription } from "../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";

/** A row of the base table in SQL: `o.` and `n.` of a query, `old.` and `new.` of a row trigger. */
type RowName = "o" | "n" | "old" | "new";

/** What is recorded of the rows of one query. */
interface Recorded {
  readonly operation: string;
  readonly key: string;
  readonly before: string;
  readonly after: string;
  readonly concealed: string;
  /** `from …` and what follows; empty in a row trigger. */
  readonly source: string;
}

/** The trigger function of an undivided table, which is called once per statement. */
export function recordingStatements(entity: EntityDescription, history: HistoryDescription): string {
  const table = quoteIdentifier(entity.name);
  return body(entity, history, [
    "if tg_op = 'INSERT' then",
    record(history, { ...inserted(entity, history, "n"), source: "from new_rows n" }),
    "elsif tg_op = 'UPDATE' then",
    record(history, { ...paired(entity, history), source: pairing(entity, history) }),
    "elsif tg_op = 'DELETE' then",
    record(history, { ...removed(entity, history, "o", "delete"), source: "from old_rows o" }),
    "else",
    record(history, { ...removed(entity, history, "o", "truncate"), source: `from ${table} o` }),
    "end if;",
  ]);
}

/** The trigger function of a divided table, which is called for each row. */
export function recordingRows(entity: EntityDescription, history: HistoryDescription): string {
  const inserts = record(history, { ...inserted(entity, history, "new"), source: "" });
  const deletes = record(history, { ...removed(entity, history, "old", "delete"), source: "" });
  const isSame = entity.primaryKey.columns
    .map(({ name }) => `old.${quoteIdentifier(name)} = new.${quoteIdentifier(name)}`)
    .join(" and ");
  return body(entity, history, [
    "if tg_op = 'INSERT' then",
    inserts,
    "elsif tg_op = 'DELETE' then",
    deletes,
    `elsif ${isSame} then`,
    record(history, {
      operation: updateOperation(entity, "old", "new"),
      key: keyText(entity, "old"),
      before: "coalesce(d.before, '{}')",
      after: "coalesce(d.after, '{}')",
      concealed: changedSecrets(history, "old", "new"),
      source: `from (select) r left join lateral (${differing(history, "old", "new")}) d on true\n    where ${isChanged(history, "old", "new")}`,
    }),
    "else",
    deletes,
    inserts,
    "end if;",
  ]);
}

/** The trigger function for partitions that are emptied; its own table's name comes with the call. */
export function recordingTruncate(entity: EntityDescription, history: HistoryDescription): string {
  const { operation, key, before, after, concealed } = removed(entity, history, "o", "truncate");
  const text = record(history, { operation, key, before, after, concealed, source: "from %I.%I o" });
  const values = "context.user_id, context.tenant_id, context.request_id, context.reason";
  const query = text
    .replace(values, "$1, $2, $3, $4")
    .replaceAll("%", "%%")
    .replace("%%I.%%I", "%I.%I")
    .replace(/;$/, "");
  return body(entity, history, [
    `execute format(${quoteLiteral(query)}, tg_table_schema, tg_table_name) using ${values};`,
  ]);
}

function body(entity: EntityDescription, history: HistoryDescription, statements: readonly string[]): string {
  const fact = (name: string): string =>
    `  ${name} text := nullif(current_setting('plinth.${name}', true), '');`;
  return [
    "<<context>>",
    "declare",
    ...["user_id", "tenant_id", "request_id", "reason"].map(fact),
    "begin",
    // A temporary table of that name would come first, and take what belongs into the history.
    ...[history.table, entity.name].flatMap((name) => [
      `  if to_regclass(${quoteLiteral(`pg_temp.${quoteIdentifier(name)}`)}) is not null then`,
      "    raise exception using errcode = 'insufficient_privilege',",
      `      message = ${quoteLiteral(`a temporary table stands before "${name}", so its history cannot be written`)};`,
      "  end if;",
    ]),
    ...statements.map((statement) => statement.replace(/^/gm, "  ")),
    "  return null;",
    "end;",
  ].join("\n");
}

function record(history: HistoryDescription, rows: Recorded): string {
  return [
    `  insert into ${quoteIdentifier(history.table)} (operation, row_key, before, after, concealed, user_id, tenant_id, request_id, reason)`,
    `    select ${rows.operation}, ${rows.key},`,
    `      ${rows.before},`,
    `      ${rows.after},`,
    `      ${rows.concealed}, context.user_id, context.tenant_id, context.request_id, context.reason`,
    ...(rows.source === "" ? [] : [`    ${rows.source}`]),
  ]
    .join("\n")
    .concat(";");
}

function inserted(
  entity: EntityDescription,
  history: HistoryDescription,
  row: RowName,
): Omit<Recorded, "source"> {
  return {
    operation: "'insert'",
    key: keyText(entity, row),
    before: "null::jsonb",
    after: image(history, row),
    concealed: "null::text[]",
  };
}

function removed(
  entity: EntityDescription,
  history: HistoryDescription,
  row: RowName,
  operation: "delete" | "truncate",
): Omit<Recorded, "source"> {
  return {
    operation: `'${operation}'`,
    key: keyText(entity, row),
    before: image(history, row),
    after: "null::jsonb",
    concealed: "null::text[]",
  };
}

/** Of an update: rows of equal keys are one row; a key that is gone was deleted, and a new one inserted. */
function paired(entity: EntityDescription, history: HistoryDescription): Omit<Recorded, "source"> {
  const [isNew, isGone] = absent(entity);
  return {
    operation: `case when ${isNew} then 'insert' when ${isGone} then 'delete' else ${updateOperation(entity, "o", "n")} end`,
    key: `case when ${isNew} then ${keyText(entity, "n")} else ${keyText(entity, "o")} end`,
    before: `case when ${isNew} then null when ${isGone} then ${image(history, "o")} else coalesce(d.before, '{}') end`,
    after: `case when ${isGone} then null when ${isNew} then ${image(history, "n")} else coalesce(d.after, '{}') end`,
    concealed: `case when ${isNew} or ${isGone} then null else ${changedSecrets(history, "o", "n")} end`,
  };
}

/** A full join, as PostgreSQL plans it by hash or merge only: a loop over 5,000 rows of each would take seconds. */
function pairing(entity: EntityDescription, history: HistoryDescription): string {
  const keys = entity.primaryKey.columns.map(({ name }) => {
    const quoted = quoteIdentifier(name);
    return `o.${quoted} = n.${quoted}`;
  });
  return [
    `from old_rows o full join new_rows n on ${keys.join(" and ")}`,
    `    left join lateral (${differing(history, "o", "n")}) d on true`,
    `    where ${absent(entity).join(" or ")} or ${isChanged(history, "o", "n")}`,
  ].join("\n");
}

/** Whether a pair has no old row, and no new one. */
function absent({ primaryKey }: EntityDescription): readonly [isNew: string, isGone: string] {
  const key = quoteIdentifier(primaryKey.columns[0]?.name ?? "");
  return [`o.${key} is null`, `n.${key} is null`];
}

/** Up to so many columns, two whole images less what is equal are made sooner than two lists of what differs. */
const FEW_COLUMNS = 24;

/** The columns that differ, on both sides; no row, or nulls, where none does. */
function differing(history: HistoryDescription, old: RowName, next: RowName): string {
  const { kept } = history;
  const list = (items: readonly string[]): string => `array[${items.join(", ")}]::text[]`;
  const when = (column: ColumnDescription, isWanted: boolean): string => {
    const name = quoteLiteral(column.name);
    const [same, other] = isWanted ? ["null", name] : [name, "null"];
    return `case when ${isSame(column, old, next)} then ${same} else ${other} end`;
  };
  if (kept.length <= FEW_COLUMNS) {
    const unchanged = list(kept.map((column) => when(column, false)));
    return [
      `select ${image(history, old)} - s.unchanged as before,`,
      `        ${image(history, next)} - s.unchanged as after`,
      `      from (select array_remove(${unchanged}, null) as unchanged offset 0) s`,
      `      where cardinality(s.unchanged) < ${kept.length}`,
    ].join("\n");
  }
  return [
    "select jsonb_object_agg(x.name, x.old) as before, jsonb_object_agg(x.name, x.new) as after",
    `      from unnest(${list(kept.map((column) => when(column, true)))},`,
    `        ${list(textsOf(kept, old))},`,
    `        ${list(textsOf(kept, next))}) as x (name, old, new)`,
    "      where x.name is not null",
  ].join("\n");
}

/** An update that changes nothing is nothing to record. */
function isChanged(history: HistoryDescription, old: RowName, next: RowName): string {
  const changed = ["d.before is not null"];
  if (history.concealed.length > 0) changed.push(`${changedSecrets(history, old, next)} is not null`);
  return changed.join(" or ");
}

/** A soft deletion is an update to the table, and the end of a row to whoever reads its history. */
function updateOperation({ byRole }: EntityDescription, old: RowName, next: RowName): string {
  const deletedAt = byRole.get("deletedAt");
  if (deletedAt === undefined) return "'update'";
  const name = quoteIdentifier(deletedAt.name);
  const isDead = (row: RowName): string => `${row}.${name} is not null`;
  return `case when ${isDead(next)} and not ${isDead(old)} then 'delete' when ${isDead(old)} and not ${isDead(next)} then 'restore' else 'update' end`;
}

/** The key as one text: of a single column its own, of several that of a row of them. */
export function keyText({ primaryKey }: EntityDescription, row: string): string {
  const parts = primaryKey.columns.map(({ name }) => `${row}.${quoteIdentifier(name)}`);
  return parts.length === 1 ? `${parts[0]}::text` : `row(${parts.join(", ")})::text`;
}

/** Values as PostgreSQL writes them: the one form that loses nothing, and that any column's type reads again. */
function image({ kept }: HistoryDescription, row: RowName): string {
  const names = kept.map(({ name }) => quoteLiteral(name)).join(", ");
  return `jsonb_object(array[${names}]::text[], array[${textsOf(kept, row).join(", ")}]::text[])`;
}

function textsOf(columns: readonly ColumnDescription[], row: RowName): readonly string[] {
  return columns.map(({ name }) => `${row}.${quoteIdentifier(name)}::text`);
}

/** Names of hidden columns that changed; null where none did. */
function changedSecrets({ concealed }: HistoryDescription, old: RowName, next: RowName): string {
  if (concealed.length === 0) return "null::text[]";
  const names = concealed.map(
    (column) => `case when not (${isSame(column, old, next)}) then ${quoteLiteral(column.name)} end`,
  );
  return `nullif(array_remove(array[${names.join(", ")}]::text[], null), '{}')`;
}

/** Values that are equal may still be written differently (1.0 and 1.00, -0 and 0), and some types know no equality. */
function isSame({ name, kind, castType }: ColumnDescription, old: RowName, next: RowName): string {
  const quoted = quoteIdentifier(name);
  const text = EXACT_KINDS.has(kind) || (kind === "text" && EXACT_TYPES.has(castType)) ? "" : "::text";
  return `${old}.${quoted}${text} is not distinct from ${next}.${quoted}${text}`;
}

const EXACT_KINDS: ReadonlySet<string> = new Set([
  "boolean",
  "integer",
  "instant",
  "instant-text",
  "date",
  "enum",
  "bytes",
]);
const EXACT_TYPES: ReadonlySet<string> = new Set(["text", "varchar", "uuid"]);
