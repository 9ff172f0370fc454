import type { Outcome } from "../driver/index.ts";
import { ConstraintError } from "../errors/index.ts";
import type { ColumnDescription, EntityDescription, Visibility } from "../schema/index.ts";
import type {
  Assignment,
  Conflict,
  Expression,
  Filter,
  Insert,
  InsertColumn,
  Projection,
  TableReference,
  Update,
} from "../sql/index.ts";
import { createMapper } from "../statement/index.ts";
import {
  additionsOf,
  behaviourFilters,
  callOf,
  createReferences,
  intentFor,
  type RepositoryContext,
  rewritten,
} from "./context.ts";
import { type EncodedRow, encodeNewRow, encodePatch, isGiven } from "./input.ts";
import { keyCondition } from "./key.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import type { Intent } from "./query.ts";
import { createReader, refuseMissing } from "./read.ts";
import { firstRow, rowsOf } from "./selected.ts";
import { publicColumns } from "./selection.ts";
import { conflictColumns, upsertSet } from "./upsert.ts";

/** A random public id is drawn again this often before giving up; with 62^10 ids the second draw is already rare. */
export const PUBLIC_ID_DRAWS_LIMIT = 5;

/** Rows of one insert statement; more are several statements in one flight, all or nothing. */
export const CREATE_MANY_CHUNK = 10_000;

type AnyRow = Record<string, unknown>;

/** Works out the writes of one entity as one caller sees it. */
export interface Writer {
  create(input: object): Intent<AnyRow>;
  createMany(inputs: readonly object[], options: { readonly onConflict?: "ignore" }): Intent<AnyRow[]>;
  update(key: unknown, patch: object): Intent<AnyRow>;
  upsert(
    input: object,
    options: { readonly on: unknown; readonly update?: readonly string[] },
  ): Intent<AnyRow>;
  increment(key: unknown, by: object): Intent<AnyRow>;
  delete(key: unknown): Intent<AnyRow>;
  restore(key: unknown): Intent<AnyRow>;
}

export function createWriter(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
): Writer {
  const columns = publicColumns(entity);
  const map = createMapper(columns.map((column) => ({ kind: "column", key: column.key, column })));
  const returning = (table: TableReference): readonly Projection[] =>
    columns.map((column) => ({ kind: "value", of: { kind: "column", table, name: column.name } }));
  const theRow = ([outcome]: readonly Outcome[]): AnyRow => firstRow(outcome, map) ?? refuseMissing(entity);

  /** An update of the row with this key, as far as the caller can see it. */
  const updateWhereKey = (
    key: unknown,
    setOf: (table: TableReference) => readonly Assignment[],
    seen: Visibility,
  ): Intent<AnyRow> => {
    const table = createReferences()(entity);
    const filters: Filter[] = [
      { condition: keyCondition(entity, table, key) },
      ...behaviourFilters(context, entity, table, seen),
    ];
    const update: Update = { kind: "update", table, set: setOf(table), filters, returning: returning(table) };
    return intentFor(rewritten(context, entity, update), theRow, true);
  };

  const insertOf = (rows: readonly EncodedRow[], conflict: Conflict | undefined): Insert => {
    const table = createReferences()(entity);
    return {
      kind: "insert",
      into: table,
      rowCount: rows.length,
      columns: insertColumns(rows),
      conflict,
      returning: returning(table),
    };
  };

  return {
    create(input) {
      const row = encodeNewRow(entity, input);
      const drawn = drawnPublicId(entity, input);
      const conflict = drawn === undefined ? undefined : { columns: [drawn.name] };
      const tree = rewritten(context, entity, insertOf([row], conflict));
      return drawn === undefined
        ? intentFor(tree, theRow)
        : intentFor(tree, redrawing(context, entity, input, drawn, insertOf, theRow), true);
    },
    createMany(inputs, options) {
      if (!Array.isArray(inputs)) refuse("inputs", "must be a list");
      refuseUnknownOptions(options, ["onConflict"]);
      const { onConflict } = options;
      if (onConflict !== undefined && onConflict !== "ignore")
        refuse("onConflict", "must be ignore, or left out");
      const conflict = onConflict === "ignore" ? { columns: [] } : undefined;
      const groups = groupRows(Array.from(inputs, (input, i) => encodeNewRow(entity, input, String(i))));
      const inserts = groups.map(({ rows }) => rewritten(context, entity, insertOf(rows, conflict)));
      return {
        calls: inserts.map(callOf),
        additions: inserts.slice(0, 1).flatMap(additionsOf),
        read: (outcomes) =>
          conflict === undefined
            ? inInputOrder(groups, outcomes).map(map)
            : outcomes.flatMap((outcome) => outcome.rows.map(map)),
      };
    },
    update(key, patch) {
      const set = assignments(encodePatch(entity, patch));
      return set.length === 0
        ? createReader(context, entity, visibility).get(key)
        : updateWhereKey(key, () => set, visibility);
    },
    upsert(input, options) {
      refuseUnknownOptions(options, ["on", "update"]);
      const row = encodeNewRow(entity, input);
      const on = conflictColumns(entity, options.on, input);
      const conflict = {
        columns: on.map((column) => column.name),
        set: upsertSet(entity, row, on, input, options.update),
      };
      return intentFor(rewritten(context, entity, insertOf([row], conflict)), theRow);
    },
    increment: (key, by) => updateWhereKey(key, (table) => increments(entity, table, by), visibility),
    delete(key) {
      const table = createReferences()(entity);
      // Only the living can die: a second stamp would part a dead row from the children that died with it.
      const filters = [
        { condition: keyCondition(entity, table, key) },
        ...behaviourFilters(context, entity, table, "living"),
      ];
      const node = rewritten(context, entity, {
        kind: "delete",
        from: table,
        filters,
        returning: returning(table),
      });
      return intentFor(node, theRow, true);
    },
    restore(key) {
      const cleared = ["deletedAt", "deletedBy"]
        .map((role) => entity.byRole.get(role))
        .filter((column) => column !== undefined)
        .map((column): Assignment => ({ name: column.name, value: { kind: "parameter", value: null } }));
      return updateWhereKey(key, () => cleared, "dead");
    },
  };
}

/** The public id that Plinth drew for this row; undefined when the caller gave one, or there is none. */
function drawnPublicId(entity: EntityDescription, input: object): ColumnDescription | undefined {
  const column = entity.byRole.get("publicId");
  return column === undefined || isGiven(input, column.key) ? undefined : column;
}

/**
 * A taken public id comes back as no row (`on conflict do nothing`), which fails no transaction; then another is
 * drawn. Any other unique key still fails as itself.
 */
function redrawing(
  context: RepositoryContext,
  entity: EntityDescription,
  input: object,
  drawn: ColumnDescription,
  insertOf: (rows: readonly EncodedRow[], conflict: Conflict) => Insert,
  theRow: (outcomes: readonly Outcome[]) => AnyRow,
): Intent<AnyRow>["read"] {
  return async ([first], again) => {
    let outcome = first;
    for (let draws = 1; rowsOf(outcome).length === 0; draws++) {
      if (draws >= PUBLIC_ID_DRAWS_LIMIT) {
        throw new ConstraintError(
          "UNIQUE_VIOLATION",
          `every ${drawn.name} drawn for "${entity.name}" was taken (${draws} draws)`,
          { sqlstate: "23505", schema: entity.schema, table: entity.name, columns: [drawn.name] },
          { hint: "The ids are too short for the number of rows: publicId({ length: … })." },
        );
      }
      const row = encodeNewRow(entity, input);
      outcome = await again(callOf(rewritten(context, entity, insertOf([row], { columns: [drawn.name] }))));
    }
    return theRow(outcome === undefined ? [] : [outcome]);
  };
}

function insertColumns(rows: readonly EncodedRow[]): readonly InsertColumn[] {
  const [first] = rows;
  if (first === undefined) return [];
  return [...first.keys()].map((column) => ({
    kind: "per-row",
    name: column.name,
    type: column.castType,
    values: rows.map((row) => row.get(column) ?? null),
  }));
}

interface RowGroup {
  readonly rows: EncodedRow[];
  readonly positions: number[];
}

/** Rows that leave different columns to the database need different statements. */
function groupRows(rows: readonly EncodedRow[]): readonly RowGroup[] {
  const groups = new Map<string, RowGroup[]>();
  rows.forEach((row, position) => {
    const shape = JSON.stringify([...row.keys()].map((column) => column.name));
    const chunks = groups.get(shape) ?? [];
    let chunk = chunks.at(-1);
    // `default values` makes one row; a row of nothing but defaults is a statement of its own.
    const limit = row.size === 0 ? 1 : CREATE_MANY_CHUNK;
    if (chunk === undefined || chunk.rows.length >= limit) {
      chunk = { rows: [], positions: [] };
      chunks.push(chunk);
    }
    chunk.rows.push(row);
    chunk.positions.push(position);
    groups.set(shape, chunks);
  });
  return [...groups.values()].flat();
}

/** Each group's rows come back in the order they were sent; this puts the groups back between each other. */
function inInputOrder(groups: readonly RowGroup[], outcomes: readonly Outcome[]): Outcome["rows"] {
  const rows: Outcome["rows"][number][] = [];
  groups.forEach((group, i) => {
    const answered = rowsOf(outcomes[i]);
    group.positions.forEach((position, j) => {
      const cells = answered[j];
      if (cells !== undefined) rows[position] = cells;
    });
  });
  return rows;
}

function assignments(row: EncodedRow): readonly Assignment[] {
  return [...row].map(([column, value]) => ({ name: column.name, value: { kind: "parameter", value } }));
}

function increments(entity: EntityDescription, table: TableReference, by: object): readonly Assignment[] {
  const encoded = encodePatch(entity, by);
  if (encoded.size === 0) refuse("by", "must name a column to add to");
  return [...encoded].map(([column, value]) => {
    const type = column.castType;
    if (!NUMERIC.has(column.kind) && type !== "numeric") refuse(column.key, "is not a number");
    if (value === null) refuse(column.key, "must be a number to add");
    const present: Expression = { kind: "column", table, name: column.name };
    // Null plus one is null: a counter that was never set would lose every call.
    const zero: Expression = { kind: "parameter", value: "0", type };
    const left: Expression = column.notNull ? present : { kind: "coalesce", of: [present, zero] };
    return { name: column.name, value: { kind: "sum", left, right: { kind: "parameter", value, type } } };
  });
}

const NUMERIC = new Set(["integer", "float", "bigint", "safe-bigint"]);
