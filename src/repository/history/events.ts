import type { Outcome, StatementCall } from "../../driver/index.ts";
import { type EntityDescription, type HistoryDescription, tenantOf } from "../../schema/index.ts";
import { type Call, qualifiedName, quoteIdentifier, quoteLiteral } from "../../sql/index.ts";
import { encodeValue, statementName } from "../../statement/index.ts";
import { keyValues } from "../key.ts";

/** Values by column name, as PostgreSQL writes them. */
export type Image = Readonly<Record<string, string | null>>;

/** The recorded value of a column; null where there is none. A column may be called `constructor`. */
export function cellOf(image: Image | null, name: string): string | null {
  return image !== null && Object.hasOwn(image, name) ? (image[name] ?? null) : null;
}

/** A change as it is recorded: of an update, what differs; else the whole row. */
export interface RecordedEvent {
  readonly version: bigint;
  readonly operation: string;
  readonly before: Image | null;
  readonly after: Image | null;
}

/** What else is known of one that is shown. */
export interface ShownEvent extends RecordedEvent {
  readonly at: Date;
  readonly transactionId: bigint;
  readonly concealed: readonly string[];
  readonly actor: {
    readonly userId: string | null;
    readonly tenantId: string | null;
    readonly requestId: string | null;
    readonly reason: string | null;
    readonly role: string;
  };
}

/** Some of a row's changes, the newest first, and what its state after the first of them follows from. */
export interface Recorded {
  readonly events: readonly ShownEvent[];
  /** The row as it is; null where it is gone. */
  readonly live: Image | null;
  /** Changes that came after the first event, the newest first. */
  readonly newer: readonly RecordedEvent[];
  readonly renames: readonly Rename[];
  readonly bound: Bound | undefined;
}

/** From when on the table's past is known. */
export interface Bound {
  /** To the microsecond. */
  readonly since: string;
  /** Above every version that pruning took away; undefined where it took none. */
  readonly prunedBelow: bigint | undefined;
}

/** A column's name that changed: events before that version have the old one. */
export interface Rename {
  readonly version: bigint;
  readonly from: string;
  readonly to: string;
}

/** Above every version there will be. */
export const END = 9_223_372_036_854_775_807n;

/** Reads the changes of a row before a version, and what goes with them. One statement, so that it is all of one moment. */
export function eventsCall(
  entity: EntityDescription,
  history: HistoryDescription,
  { input: [key], actor }: Call,
  { before, count }: { readonly before: bigint; readonly count: number },
): StatementCall {
  const { rowKey, tenant } = entity;
  const own = keyValues(entity, key).map((value, i) => {
    const column = rowKey[i];
    return column === undefined ? null : encodeValue(column, value, `key.${column.key}`);
  });
  const values = tenant === undefined ? own : [tenantOf(entity, actor), ...own];
  const text = selectEvents(entity, history);
  return {
    text,
    values: [...values, String(before), String(count)],
    name: statementName(text),
    actor: tenant === undefined ? undefined : actor,
    leavesNoTrace: true,
  };
}

function selectEvents(entity: EntityDescription, history: HistoryDescription): string {
  const { columns } = entity.primaryKey;
  const events = qualifiedName(entity.schema, history.table);
  const parts = columns.map(({ castType }, i) => `$${i + 1}::${castType}`);
  const rowKey = parts.length === 1 ? `(${parts[0]})::text` : `row(${parts.join(", ")})::text`;
  const [before, count] = [`$${parts.length + 1}::bigint`, `$${parts.length + 2}::bigint`];
  const isRow = columns.map(({ name }, i) => `l.${quoteIdentifier(name)} = ${parts[i]}`).join(" and ");
  const names = history.kept.map(({ name }) => quoteLiteral(name)).join(", ");
  const texts = history.kept.map(({ name }) => `l.${quoteIdentifier(name)}::text`).join(", ");
  return `
with page as (
  select version, at, transaction_id, operation, before, after, concealed, user_id, tenant_id, request_id, reason, role
  from ${events}
  where row_key = ${rowKey} and version < ${before} and operation not in ('begin', 'prune', 'rename')
  order by version desc
  limit ${count}
), newest as (
  select max(version) as version from page
), bound as (
  select max(case operation when 'prune' then (after ->> 'before')::timestamptz else at end) as since,
    max(version) filter (where operation = 'prune') as pruned_below
  from ${events}
  where row_key = '' and operation in ('begin', 'prune')
)
select p.version, floor(extract(epoch from p.at) * 1000)::text, p.transaction_id, p.operation, p.before, p.after,
  to_json(p.concealed), p.user_id, p.tenant_id, p.request_id, p.reason, p.role,
  case when p.version = (select version from newest) then (
    select jsonb_object(array[${names}]::text[], array[${texts}]::text[])
    from ${qualifiedName(entity.schema, entity.name)} l
    where ${isRow}
  ) end,
  case when p.version = (select version from newest) then (
    select json_agg(json_build_array(e.version::text, e.operation, e.before, e.after) order by e.version desc)
    from ${events} e
    where e.row_key = ${rowKey} and e.version >= ${before} and e.operation not in ('begin', 'prune', 'rename')
  ) end,
  case when p.version = (select version from newest) then (
    select json_agg(json_build_array(e.version::text, e.before ->> 'column', e.after ->> 'column') order by e.version)
    from ${events} e
    where e.row_key = '' and e.operation = 'rename'
  ) end,
  to_char(b.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), b.pruned_below
from bound b left join page p on true
order by p.version desc`.trimStart();
}

export function recordedIn(outcome: Outcome | undefined): Recorded {
  // Where there is no change, there is a row all the same, with the bound.
  const rows = outcome?.rows ?? [];
  const [live, newer, renames] = (rows[0] ?? []).slice(12, 15).map(parsed);
  const [since, prunedBelow] = (rows[0] ?? []).slice(15);
  return {
    events: rows
      .filter(([version]) => version != null)
      .map((cells) => eventOf(cells.map((cell) => cell ?? null))),
    bound:
      since == null
        ? undefined
        : { since, prunedBelow: prunedBelow == null ? undefined : BigInt(prunedBelow) },
    live: (live ?? null) as Image | null,
    newer: ((newer ?? []) as readonly [string, string, Image | null, Image | null][]).map(
      ([version, operation, before, after]) => ({ version: BigInt(version), operation, before, after }),
    ),
    renames: ((renames ?? []) as readonly [string, string, string][]).map(([version, from, to]) => ({
      version: BigInt(version),
      from,
      to,
    })),
  };
}

function eventOf(cells: readonly (string | null)[]): ShownEvent {
  const [version, at, transaction, operation, before, after, concealed, ...actor] = cells;
  const [userId = null, tenantId = null, requestId = null, reason = null, role] = actor;
  return {
    version: BigInt(version ?? 0),
    at: new Date(Number(at)),
    transactionId: BigInt(transaction ?? 0),
    operation: operation ?? "",
    before: parsed(before) as Image | null,
    after: parsed(after) as Image | null,
    concealed: (parsed(concealed) ?? []) as readonly string[],
    actor: { userId, tenantId, requestId, reason, role: role ?? "" },
  };
}

function parsed(cell: string | null | undefined): unknown {
  return cell === null || cell === undefined ? null : JSON.parse(cell);
}
