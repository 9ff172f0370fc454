import type { ColumnDescription, EntityDescription, HistoryDescription } from "../schema/index.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { knownPast } from "./known-past.ts";
import { keyText } from "./recording.ts";

/**
 * A table as it was at a moment: a subselect with its columns, in their order and of their types, to stand where its
 * name would. `moment` is SQL of a `timestamptz`, such as `$1::timestamptz`; it stands there more than once.
 *
 * It begins with the rows as they are and undoes what transactions changed that began after the moment, so it costs what
 * happened since, and needs no event older than the moment. README.md says what a moment means among transactions that
 * run side by side. Columns that are not recorded are null.
 *
 * A moment of which nothing is known ends the statement with PH001 (`HISTORY_UNKNOWN`), before any row is read. That costs no
 * round trip: a function is called once, which looks for two kinds of rows by an index, some 0.1 ms.
 *
 * @returns `undefined` for an entity without history
 *
 * @example
 * ```ts
 * `select id, title from ${pastOf(tasks, "$1::timestamptz")} t where project_id = $2`
 * ```
 */
export function pastOf(entity: EntityDescription, moment: string): string | undefined {
  const { history } = entity;
  if (history === undefined) return undefined;
  const events = qualifiedName(entity.schema, history.table);
  const table = qualifiedName(entity.schema, entity.name);
  const changed = undone(events, moment);
  const isSame = `u.row_key = ${keyText(entity, "l")}`;
  return [
    "(",
    `  with recursive ${namesOf(events)},`,
    // Asked once, before any row is looked at, however often the subselect is.
    `  known (is_known) as materialized (select ${knownPast(entity, moment)})`,
    `  select ${columnsOf(entity, history, ofLiving).join(",\n    ")}`,
    `  from ${table} l left join (${changed}) u on ${isSame}`,
    "  where (select is_known from known) and (u.row_key is null or not u.was_absent)",
    "  union all",
    `  select ${columnsOf(entity, history, ofGone).join(",\n    ")}`,
    `  from (${changed}) u`,
    // Where an earlier transaction took the row away after a later one had changed it, there is no whole image.
    `  where (select is_known from known) and u.is_ended and not u.was_absent and not exists (select from ${table} l where ${isSame})`,
    ")",
  ].join("\n");
}

type Source = (entity: EntityDescription, column: ColumnDescription) => string;

function columnsOf(
  entity: EntityDescription,
  history: HistoryDescription,
  source: Source,
): readonly string[] {
  return entity.columns.map((column) => {
    const value = history.kept.includes(column) ? source(entity, column) : `null::${column.castType}`;
    return `${value} as ${quoteIdentifier(column.name)}`;
  });
}

/** The key stands as it is, so that PostgreSQL finds the row of a key by its index. */
function ofLiving({ primaryKey }: EntityDescription, column: ColumnDescription): string {
  const own = `l.${quoteIdentifier(column.name)}`;
  if (primaryKey.columns.includes(column)) return own;
  return `case when u.image ? ${quoteLiteral(column.name)} then ${imageValue(column)} when u.is_ended then null else ${own} end`;
}

/** The same of a key in one column, whose text is the history's. */
function ofGone({ primaryKey }: EntityDescription, column: ColumnDescription): string {
  const [only, second] = primaryKey.columns;
  return column === only && second === undefined ? `u.row_key::${column.castType}` : imageValue(column);
}

function imageValue({ name, castType }: ColumnDescription): string {
  return `(u.image ->> ${quoteLiteral(name)})::${castType}`;
}

/** Nearly always there was no rename, and then it is not looked for, for each value of each change. */
const NAME_NOW = `coalesce((
        select n.new from names n where n.old = v.key and n.until > e.version order by n.until, n.last desc limit 1), v.key)`;

/** Of each row that changed since: what its columns were before, whether it was there, and whether it ended since. */
function undone(events: string, moment: string): string {
  return `
    select e.row_key,
      bool_or(e.is_first and e.before is null) as was_absent,
      bool_or(e.after is null) as is_ended,
      coalesce(jsonb_object_agg(case when (select count(*) from names) = 0 then v.key else ${NAME_NOW} end, v.value order by e.version desc) filter (where v.key is not null), '{}') as image
    from (
      select h.row_key, h.version, h.before, h.after,
        h.version = min(h.version) over (partition by h.row_key) as is_first,
        -- The row's next life, if there was one, says nothing about this one.
        h.version <= coalesce(min(h.version) filter (where h.after is null) over (partition by h.row_key), h.version) as is_same_life
      from ${events} h
      where h.at > ${moment} and (h.row_key <> '' or h.operation not in ('begin', 'prune', 'rename'))
    ) e
    left join lateral jsonb_each_text(e.before) v on true
    where e.is_same_life
    group by e.row_key
  `;
}

/** What columns were called until a version, and what they are called now; a column may be renamed again and again. */
export function namesOf(events: string): string {
  return `names (until, last, old, new) as (
    select version, version, before ->> 'column', after ->> 'column' from ${events} where row_key = '' and operation = 'rename'
    union all
    select n.until, r.version, n.old, r.new
    from names n cross join lateral (
      select version, after ->> 'column' as new from ${events}
      where row_key = '' and operation = 'rename' and version > n.last and before ->> 'column' = n.new
      order by version limit 1
    ) r
  )`;
}
