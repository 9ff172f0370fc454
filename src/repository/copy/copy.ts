import type { CopyCall } from "../../driver/index.ts";
import {
  type AnyEntity,
  type ColumnDescription,
  describeTable,
  type EntityDescription,
} from "../../schema/index.ts";
import type { Call, Projection } from "../../sql/index.ts";
import { compile, valuesIn } from "../../statement/index.ts";
import type { Place, UnitOfWork } from "../../transaction/index.ts";
import type { Scope } from "../context.ts";
import { argument, partOf } from "../given.ts";
import { refuse, refuseUnknownOptions } from "../options.ts";
import { placeOrder } from "../order.ts";
import { type Query, takeFrom } from "../query.ts";
import { NO_OPTIONS, selectWhere } from "../selected.ts";
import { columnKeys, publicColumns } from "../selection.ts";
import { signed } from "../signed.ts";
import { totalOrder } from "../sort.ts";
import { optionalCondition } from "../where.ts";
import { blocksOf, piecesOf } from "./bytes.ts";
import { copyFromText, copyToText, FORMAT_OPTION_NAMES, type FormatShape } from "./format.ts";
import { withLiterals } from "./literal.ts";
import { layoutOf, mayBeGiven, RowWriter } from "./rows.ts";
import { CopySource } from "./source.ts";
import { CopyText } from "./text.ts";
import type { ByteSource, Copied, CopyProgress, CopyRowsProgress } from "./types.ts";

export type Rows = AsyncIterable<unknown> | Iterable<unknown>;

/** Untyped options of a copy. */
interface WatchingShape<P> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: P) => void;
  readonly columns?: unknown;
}

const WATCHING_OPTION_NAMES = ["signal", "onProgress"];

export interface CopyRowsInShape extends WatchingShape<CopyRowsProgress> {}

export interface CopyBytesShape extends WatchingShape<CopyProgress>, FormatShape {}

export interface CopyRowsOutShape extends CopyBytesShape {
  readonly where?: unknown;
  readonly sort?: unknown;
}

/** Bulk transfer of one entity's rows, from and to where a repository's statements run. */
export interface Copier {
  copyIn(place: Place, source: Rows, options?: CopyRowsInShape): Promise<Copied>;
  copyOut(place: Place, options?: CopyRowsOutShape): AsyncIterable<Buffer>;
}

export function createCopier(scope: Scope): Copier {
  return {
    copyIn: (place, source, options = {}) => signed(() => copyRowsIn(scope, place, source, options)),
    copyOut: (place, options = {}) =>
      piecesOf(() => ({ place, call: rowsCall(scope, options) }), {
        signal: options.signal,
        onProgress: options.onProgress,
        readOnly: true,
      }),
  };
}

/** Copies bytes as they are into the table of an entity. */
export function copyBytesIn(
  place: Place,
  entity: AnyEntity,
  source: ByteSource,
  options: CopyBytesShape,
): Promise<Copied> {
  return signed(async () => {
    refuseUnknownOptions(options, [...WATCHING_OPTION_NAMES, ...FORMAT_OPTION_NAMES, "columns"]);
    const described = describeTable(entity);
    refuseTenants(described);
    const columns = columnsIn(
      described.columns.filter(({ generatedSql }) => generatedSql === undefined),
      options,
    );
    const names = columns?.map(({ name }) => name) ?? [];
    const call = { text: copyFromText(described, names, options), leavesNoTrace: true };
    // A text can be iterated too, character by character.
    const pieces = new CopySource(typeof source === "string" ? [source] : source);
    try {
      return await copyInto(place, call, blocksOf(pieces, options.onProgress), options.signal);
    } finally {
      await pieces.leave();
    }
  });
}

/** Copies the rows of an application's own query out, where it would run. */
export function copyQueryOut(
  unit: UnitOfWork,
  query: Query<unknown>,
  options: CopyBytesShape,
): AsyncIterable<Buffer> {
  const { signal, onProgress } = options;
  const plan = () => {
    refuseUnknownOptions(options, [...WATCHING_OPTION_NAMES, ...FORMAT_OPTION_NAMES]);
    const { intent, runner } = takeFrom(query);
    const [call] = intent.calls;
    if (intent.isOwnSql !== true || call === undefined || !unit.owns(runner))
      refuse("query", "must be a db.sql`select …` of this database; a repository has copyOut itself");
    const text = copyToText(withLiterals(call.text, call.values), options);
    return { place: runner, call: { text, shownAs: copyToText(call.text, options) } };
  };
  return piecesOf(plan, { signal, onProgress, readOnly: false });
}

/** @see https://www.postgresql.org/docs/current/sql-copy.html: "COPY FROM is not currently supported for tables with row-level security" */
function refuseTenants({ name, tenant }: EntityDescription): void {
  if (tenant !== undefined)
    refuse(
      "entity",
      `"${name}" has a tenant, and PostgreSQL takes no COPY into a table with row security; use createMany`,
    );
}

async function copyInto(
  place: Place,
  call: CopyCall,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Copied> {
  const { rowCount } = await place.copy(
    (connection) => connection.copyIn(call, source, { signal }),
    signal === undefined ? {} : { signal },
  );
  return { rows: rowCount };
}

// ---- Rows in -------------------------------------------------------------------------------------------

async function copyRowsIn(scope: Scope, place: Place, rows: Rows, options: CopyRowsInShape): Promise<Copied> {
  const { context, entity } = scope;
  refuseTenants(entity);
  refuseUnknownOptions(options, [...WATCHING_OPTION_NAMES, "columns"]);
  const wanted = columnsIn(entity.columns.filter(mayBeGiven), options)?.map(({ key }) => key);
  // What the actor signs is who calls, not whoever the rows come from.
  const actor = context.actor();
  const source = new CopySource(rows);
  try {
    const first = await source.first(options.signal);
    if (first.done === true) return { rows: 0 };
    const given = new Set(wanted ?? keysOf(first.value));
    const layout = layoutOf(scope, given, wanted !== undefined, actor);
    const text = new CopyText();
    const work = { text, writer: new RowWriter(entity, layout, text), onProgress: options.onProgress };
    const call = { text: copyFromText(entity, layout.names, {}), leavesNoTrace: true };
    return await copyInto(place, call, blocksOfRows(first, source, work), options.signal);
  } finally {
    await source.leave();
  }
}

interface RowsAtWork {
  readonly text: CopyText;
  readonly writer: RowWriter;
  readonly onProgress: CopyRowsInShape["onProgress"];
}

/** Rows as COPY's text, in blocks whose memory is used again. */
async function* blocksOfRows(
  first: IteratorResult<unknown>,
  source: CopySource,
  { text, writer, onProgress }: RowsAtWork,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [rows, bytes] = [0, 0];
  let next = first;
  while (next.done !== true) {
    while (next.done !== true && !text.isFull) {
      writer.write(next.value, rows);
      rows += 1;
      const following = source.next();
      next = following instanceof Promise ? await following : following;
    }
    const block = text.take();
    yield block;
    bytes += block.length;
    onProgress?.({ rows, bytes });
  }
}

/** Its own properties that have a value; what is no object is refused where it is written. */
function keysOf(row: unknown): readonly string[] {
  return typeof row === "object" && row !== null
    ? Object.entries(row).flatMap(([key, value]) => (value === undefined ? [] : [key]))
    : [];
}

// ---- Rows out ------------------------------------------------------------------------------------------

function rowsCall(outside: Scope, options: CopyRowsOutShape): CopyCall {
  refuseUnknownOptions(options, [
    ...WATCHING_OPTION_NAMES,
    ...FORMAT_OPTION_NAMES,
    "columns",
    "where",
    "sort",
  ]);
  const call: Call = { input: [options], actor: outside.context.actor() };
  const given = argument(call, 0, "options");
  const { select, scope } = selectWhere(outside, NO_OPTIONS, "rows", (at) =>
    optionalCondition(at, partOf(given, "where", "where")),
  );
  const known = publicColumns(outside.entity);
  const projections = (columnsIn(known, options) ?? known).map(
    ({ name }): Projection => ({ kind: "value", of: { kind: "column", table: scope.table, name } }),
  );
  const order = options.sort === undefined ? undefined : placeOrder(scope, totalOrder(scope, options.sort));
  const statement = compile({ ...select, joins: [], projections, ...order });
  const text = copyToText(withLiterals(statement.text, valuesIn(statement, call)), options);
  return { text, shownAs: copyToText(statement.text, options), leavesNoTrace: true };
}

// ---- Columns -------------------------------------------------------------------------------------------

/**
 * The columns that were asked for, in that order.
 *
 * @throws {INVALID_QUERY}
 */
function columnsIn(
  known: readonly ColumnDescription[],
  { columns }: { readonly columns?: unknown },
): readonly ColumnDescription[] | undefined {
  if (columns === undefined) return undefined;
  if (Array.isArray(columns) && new Set(columns).size < columns.length)
    refuse("columns", "names a column twice");
  return columnKeys(known, columns, "columns").flatMap(
    (key) => known.find((column) => column.key === key) ?? [],
  );
}
