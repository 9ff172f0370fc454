import type { StatementCall } from "../driver/index.ts";
import { quoteLiteral } from "../sql/index.ts";

/** The histories of a schema, by what Plinth made for them: a divided table with its guard. */
export function selectHistories(schemaName: string): StatementCall {
  return {
    values: [schemaName],
    leavesNoTrace: true,
    text: `
select c.oid, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
  quote_ident(n.nspname) || '.' || quote_ident(p.proname), c.relrowsecurity
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_trigger t on t.tgrelid = c.oid and t.tgname = c.relname || '_guard'
join pg_proc p on p.oid = t.tgfoid and p.proname = regexp_replace(c.relname, '_history$', '_guard_history')
where n.nspname = $1 and c.relkind = 'p'
order by c.relname`,
  };
}

/** The parts of a history, the oldest first: from when until when, both null for the default partition. */
export function selectPartitions(history: string): StatementCall {
  return {
    values: [history],
    leavesNoTrace: true,
    text: `
select c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname), b.bounds[1]::timestamptz, b.bounds[2]::timestamptz,
  extract(epoch from b.bounds[1]::timestamptz) * 1000, extract(epoch from b.bounds[2]::timestamptz) * 1000
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral regexp_match(pg_get_expr(c.relpartbound, c.oid), $$FROM \\('([^']+)'\\) TO \\('([^']+)'\\)$$) b (bounds)
where i.inhparent = $1::oid
order by b.bounds[1]::timestamptz nulls first`,
  };
}

/** How many rows of one part are older than a moment. */
export function countOlder(partition: string, before: string): StatementCall {
  return {
    values: [before],
    leavesNoTrace: true,
    text: `select count(*) from only ${partition} where at < $1::timestamptz`,
  };
}

/** Deletes some of them. `ctid` is good within one statement, and the guard lets nobody change a row meanwhile. */
export function deleteOlder(partition: string, before: string, count: number): StatementCall {
  return {
    values: [before, String(count)],
    text: `
delete from only ${partition}
where ctid = any (array(select ctid from only ${partition} where at < $1::timestamptz limit $2::bigint))`,
  };
}

/** Whether a part has rows that are older than a moment. */
export function existsOlder(partition: string, before: string): StatementCall {
  return {
    values: [before],
    leavesNoTrace: true,
    text: `select exists (select from only ${partition} where at < $1::timestamptz)`,
  };
}

/** Whether a history says from when on the past is known. */
export function existsBound(history: string): StatementCall {
  return {
    values: [],
    leavesNoTrace: true,
    text: `select exists (select from ${history} where row_key = '' and operation in ('begin', 'prune'))`,
  };
}

/**
 * What is gone from a history is said in it: a question about an older moment has no answer any more. The note itself is never
 * older than what it speaks of, or it would go along.
 */
export function notePruned(history: string, before: string): string {
  const moment = quoteLiteral(before);
  return `insert into ${history} (at, operation, row_key, after)
  values (greatest(now(), ${moment}::timestamptz), 'prune', '', jsonb_build_object('before', ${moment}))`;
}

/** Whether the default partition has rows of a span of time, which no other partition can then be made for. */
export function existsBetween(partition: string, from: string, to: string): StatementCall {
  return {
    values: [from, to],
    leavesNoTrace: true,
    text: `select exists (select from only ${partition} where at >= $1::timestamptz and at < $2::timestamptz)`,
  };
}
