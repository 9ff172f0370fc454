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
    "if tg_op = 'UPDATE' then",
    record(history, updated(entity, history, pairing(entity))),
    "elsif tg_op = 'INSERT' then",
    record(history, { ...inserted(entity, history, "n"), source: "from new_rows n" }),
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
    record(history, updated(entity, history, { old: "old", next: "new", source: "" })),
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
  const query = text.replaceAll("%", "%%").replace("%%I.%%I", "%I.%I").replace(/;$/, "");
  return body(entity, history, [`execute format(${quoteLiteral(query)}, tg_table_schema, tg_table_name);`]);
}

function body(entity: EntityDescription, history: HistoryDescription, statements: readonly string[]): string {
  const table = quoteLiteral(quoteIdentifier(entity.name));
  const own =
    entity.partitioning === undefined ? "tg_relid" : "coalesce(pg_partition_root(tg_relid), tg_relid)";
  const refusal = (condition: string, message: string): readonly string[] => [
    `    if ${condition} then`,
    `      raise exception using errcode = 'insufficient_privilege', message = ${quoteLiteral(message)};`,
    "    end if;",
  ];
  return [
    "begin",
    // One condition, as each that is looked at costs a write a microsecond.
    `  if pg_my_temp_schema() <> 0 or ${own} <> to_regclass(${table}) then`,
    // A temporary table of that name would come first, and take what belongs into the history.
    ...[history.table, entity.name].flatMap((name) =>
      refusal(
        `to_regclass(${quoteLiteral(`pg_temp.${quoteIdentifier(name)}`)}) is not null`,
        `a temporary table stands before "${name}", so its history cannot be written`,
      ),
    ),
    // Anybody may make a trigger that calls this function, on a table of their own with rows as they like.
    ...refusal(
      `${own} <> to_regclass(${table})`,
      `the history of "${entity.name}" is that of its own rows, and of no other table's`,
    ),
    "  end if;",
    ...statements.map((statement) => statement.replace(/^/gm, "  ")),
    "  return null;",
    "end;",
  ].join("\n");
}

/** Without parameters a statement is planned once in a session, and not again for each number of rows. */
const ACTOR = ["user_id", "tenant_id", "request_id", "reason"].map(
  (name) => `nullif(current_setting('plinth.${name}', true), '')`,
);

function record(history: HistoryDescription, rows: Recorded): string {
  return [
    `  insert into ${quoteIdentifier(history.table)} (operation, row_key, before, after, concealed, user_id, tenant_id, request_id, reason)`,
    `    select ${rows.operation}, ${rows.key},`,
    `      ${rows.before},`,
    `      ${rows.after},`,
    `      ${rows.concealed}, ${ACTOR.join(", ")}`,
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

/** Where the old and the new rows of an update come from. */
interface Pairs {
  readonly old: RowName;
  readonly next: RowName;
  readonly source: string;
  /** Conditions: one of a pair is missing. */
  readonly missing?: { readonly old: string; readonly next: string };
}

/**
 * Rows of equal keys are one row; a key that is gone was deleted, and a new one inserted. A full join, as PostgreSQL plans it
 * by hash or merge only: a loop over 5,000 rows of each would take seconds.
 */
function pairing({ primaryKey }: EntityDescription): Pairs {
  const keys = primaryKey.columns.map(({ name }) => quoteIdentifier(name));
  const isSame = keys.map((key) => `o.${key} = n.${key}`).join(" and ");
  return {
    old: "o",
    next: "n",
    source: `from old_rows o full join new_rows n on ${isSame}`,
    missing: { old: `o.${keys[0]} is null`, next: `n.${keys[0]} is null` },
  };
}

/** Up to so many columns, two whole images less what is equal are made sooner than two lists of what differs. */
const FEW_COLUMNS = 24;

/**
 * The columns that differ, on both sides. What the update of one row costs is mostly the preparing of the expressions, so
 * each is written once.
 */
function updated(entity: EntityDescription, history: HistoryDescription, pairs: Pairs): Recorded {
  const { kept, concealed } = history;
  const isConcealed = concealed.length > 0 ? " or r.concealed is not null" : "";
  const unless = (flag: string, text: string): string =>
    pairs.missing === undefined ? text : `case when not r.${flag} then ${text} end`;
  const common = {
    operation: "r.operation",
    key: "r.row_key",
    concealed: concealed.length > 0 ? "r.concealed" : "null::text[]",
  };
  const rows = `from (${pairedRows(entity, history, pairs)}) r`;
  if (kept.length <= FEW_COLUMNS) {
    return {
      ...common,
      before: unless("is_new", `jsonb_object(${namesOf(kept)}, r.old_texts) - r.names`),
      after: unless("is_gone", `jsonb_object(${namesOf(kept)}, r.new_texts) - r.names`),
      source: `${rows}\n    where cardinality(r.names) < ${kept.length}${isConcealed}`,
    };
  }
  return {
    ...common,
    before: unless("is_new", "coalesce(d.before, '{}')"),
    after: unless("is_gone", "coalesce(d.after, '{}')"),
    source: [
      rows,
      "    left join lateral (select jsonb_object_agg(x.name, x.old) as before, jsonb_object_agg(x.name, x.new) as after",
      "      from unnest(r.names, r.old_texts, r.new_texts) as x (name, old, new) where x.name is not null) d on true",
      `    where d.before is not null${isConcealed}`,
    ].join("\n"),
  };
}

/** Of each pair the texts of both rows, and `names`: of few columns those that are equal, of many those that differ. */
function pairedRows(entity: EntityDescription, history: HistoryDescription, pairs: Pairs): string {
  const { old, next, missing, source } = pairs;
  const { kept, concealed } = history;
  const isFew = kept.length <= FEW_COLUMNS;
  const whole = (text: string, ofOne: string): string =>
    missing === undefined
      ? text
      : `case when ${missing.old} or ${missing.next} then ${ofOne} else ${text} end`;
  const names = list(
    kept.map((column) => {
      const name = quoteLiteral(column.name);
      const [same, other] = isFew ? [name, "null"] : ["null", name];
      return `case when ${isSame(column, old, next)} then ${same} else ${other} end`;
    }),
  );
  const operation = updateOperation(entity, old, next);
  const key = keyText(entity, old);
  const own =
    missing === undefined
      ? [`${operation} as operation`, `${key} as row_key`]
      : [
          `case when ${missing.old} then 'insert' when ${missing.next} then 'delete' else ${operation} end as operation`,
          `case when ${missing.old} then ${keyText(entity, next)} else ${key} end as row_key`,
          `${missing.old} as is_new`,
          `${missing.next} as is_gone`,
        ];
  const columns = [
    ...own,
    `${list(textsOf(kept, old))} as old_texts`,
    `${list(textsOf(kept, next))} as new_texts`,
    `${isFew ? whole(`array_remove(${names}, null)`, "'{}'") : whole(names, namesOf(kept))} as names`,
    ...(concealed.length > 0 ? [`${whole(changedSecrets(history, old, next), "null")} as concealed`] : []),
  ];
  // Without `offset 0` the planner puts each of them in every place that names it.
  return `select ${columns.join(",\n        ")}\n      ${source === "" ? "" : `${source} `}offset 0`;
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
  return `jsonb_object(${namesOf(kept)}, ${list(textsOf(kept, row))})`;
}

function namesOf(columns: readonly ColumnDescription[]): string {
  return list(columns.map(({ name }) => quoteLiteral(name)));
}

function list(items: readonly string[]): string {
  return `array[${items.join(", ")}]::text[]`;
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
