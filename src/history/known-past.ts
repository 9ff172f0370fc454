import type { DatabaseObject, EntityDescription, HistoryDescription } from "../schema/index.ts";
import { dollarQuote, historyBeginText, qualifiedName, quoteIdentifier, quoteLiteral } from "../sql/index.ts";

/** `<table>_known_past(moment)`: true, or PH001 with what is known instead. */
function knownPastName({ name }: EntityDescription): string {
  return `${name}_known_past`;
}

/** The call, for SQL of the moment. */
export function knownPast(entity: EntityDescription, moment: string): string {
  return `${qualifiedName(entity.schema, knownPastName(entity))}(${moment})`;
}

/**
 * From when on a table's past is known:
 *
 * - a row of the history that says when it began, written once its triggers are there. Pruning takes it away with all else
 *   that is old, and leaves one of its own.
 * - `<table>_known_past`: refuses a moment before the later of the two, and every moment where neither is there.
 */
export function knownPastObjects(
  entity: EntityDescription,
  history: HistoryDescription,
): readonly DatabaseObject[] {
  const { schema } = entity;
  const name = knownPastName(entity);
  const quoted = quoteIdentifier(name);
  const head = `create function ${quoted}(moment timestamp with time zone) returns boolean language plpgsql`;
  // Where a plan is parallel it is asked once, by the leader.
  const words = "stable parallel restricted set search_path from current";
  return [
    {
      kind: "function",
      schema,
      name,
      create: `${head}\n${words} as ${dollarQuote(`\n${bodyOf(entity, history)}\n`)}`,
      drop: `drop function ${quoted}(timestamp with time zone)`,
    },
    {
      kind: "row",
      schema,
      name: "begin",
      table: history.table,
      create: historyBeginText(quoteIdentifier(history.table)),
      drop: undefined,
    },
  ];
}

function bodyOf({ name }: EntityDescription, { table }: HistoryDescription): string {
  return `declare
  bound record;
  since text;
begin
  select m.operation, m.since into bound from (
    select h.operation, case h.operation when 'prune' then (h.after ->> 'before')::timestamptz else h.at end as since
    from ${quoteIdentifier(table)} h
    where h.row_key = '' and h.operation in ('begin', 'prune')
  ) m order by m.since desc limit 1;
  if bound.since <= moment then
    return true;
  end if;
  since := to_char(bound.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
  raise exception using errcode = 'PH001', schema = current_schema(), table = ${quoteLiteral(name)},
    message = coalesce(
      ${quoteLiteral(`the past of "${name}" is known from `)} || since || ' on, and an earlier moment was asked for',
      ${quoteLiteral(`nothing says when the history of "${name}" began`)}),
    detail = coalesce(bound.operation || ' ' || since, 'unrecorded');
end;`;
}
