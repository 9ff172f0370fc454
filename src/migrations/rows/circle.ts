import type { Connection } from "../../driver/index.ts";
import { candidates } from "./candidates.ts";
import { fillsItself, type PlanGround, planRows, type Row, type RowPlan } from "./compose.ts";
import { type Family, isHard } from "./families.ts";
import { refusal } from "./insert.ts";
import { insertTogether, nextOfSequence, selectTuples, selectUnlinked, updateRow } from "./queries.ts";
import type { ForeignKeyShape, TableShape } from "./shape.ts";

/** Attempts at one row for each table of a circle. */
const TRIES_LIMIT = 40;

/**
 * Fills tables that need each other at once (a row that must refer to itself, too): one statement inserts a row into
 * each. Gives why there is none, or undefined.
 */
export async function fillTogether(
  ground: PlanGround,
  members: readonly Family[],
  wanted: number,
): Promise<string | undefined> {
  const tables = members.flatMap(({ parts }) => parts.slice(0, 1));
  const owner = new Map(
    members.flatMap(({ root, parts }) => [root, ...parts].map(({ id }) => [id, parts[0]?.id ?? ""])),
  );
  const inner = (table: TableShape): readonly ForeignKeyShape[] =>
    table.foreignKeys.filter((key) => owner.has(key.target) && isHard(table, key.columns, key.isMatchFull));
  const plans: PlannedTable[] = [];
  for (const table of tables) {
    const explicit = new Set(
      tables.flatMap((other) =>
        inner(other).flatMap((key) => (owner.get(key.target) === table.id ? key.targetColumns : [])),
      ),
    );
    const ignoredKeys = new Set(inner(table).map(({ name }) => name));
    const planned = await planRows(ground, table, { explicit, ignoredKeys });
    if (planned.plan === undefined) return planned.why;
    const { rows, why } = await candidates(ground, planned.plan, 0, TRIES_LIMIT);
    if (rows.length === 0) return why;
    plans.push({ plan: planned.plan, rows });
  }
  let inserted = 0;
  let reason = "its circle of foreign keys cannot be closed";
  for (let turn = 0; turn < TRIES_LIMIT + wanted && inserted < wanted; turn++) {
    const rows = await composeTogether(ground, plans, turn, (table) =>
      inner(table).map((key) => ({ key, target: owner.get(key.target) ?? "" })),
    );
    const failure = await tryTogether(ground.connection, plans, rows);
    if (failure === undefined) inserted += 1;
    else reason = failure;
  }
  return inserted > 0 ? undefined : reason;
}

interface PlannedTable {
  readonly plan: RowPlan;
  /** That meet its checks, but for the keys of the circle. */
  readonly rows: readonly Row[];
}

interface InnerKey {
  readonly key: ForeignKeyShape;
  readonly target: string;
}

/** A row for each plan, in which the keys between them agree. */
async function composeTogether(
  { connection }: PlanGround,
  plans: readonly PlannedTable[],
  turn: number,
  innerOf: (table: TableShape) => readonly InnerKey[],
): Promise<readonly Row[]> {
  const rows = new Map<string, Map<string, string | null>>();
  for (const { plan, rows: candidate } of plans) {
    const row = candidate[turn % candidate.length];
    const values = new Map(plan.columns.map(({ name }, index) => [name, row?.[index] ?? null]));
    for (const column of plan.columns.filter(fillsItself)) {
      const { schema, name } = plan.table;
      const text = nextOfSequence(schema, name);
      const { rows: answer } = await connection.query({ text, values: [column.name] });
      if (answer[0]?.[0] != null) values.set(column.name, answer[0][0]);
    }
    rows.set(plan.table.id, values);
  }
  // A key may stand on a column that another key decides: as often as there are tables is enough.
  for (let pass = 0; pass <= plans.length; pass++) {
    for (const { table } of plans.map(({ plan }) => plan)) {
      for (const { key, target } of innerOf(table)) {
        for (const [index, column] of key.columns.entries()) {
          const value = rows.get(target)?.get(key.targetColumns[index] ?? "");
          if (value !== undefined) rows.get(table.id)?.set(column, value);
        }
      }
    }
  }
  return plans.map(({ plan: { table, columns } }) =>
    columns.map(({ name }) => rows.get(table.id)?.get(name) ?? null),
  );
}

async function tryTogether(
  connection: Connection,
  plans: readonly PlannedTable[],
  rows: readonly Row[],
): Promise<string | undefined> {
  const inserts = plans.map(({ plan: { table, columns } }) => ({
    schema: table.schema,
    table: table.name,
    columns: columns.map(({ name }) => name),
  }));
  try {
    await connection.query({ text: insertTogether(inserts), values: rows.flat() });
    return undefined;
  } catch (error) {
    if (!connection.isOpen) throw error;
    return refusal(error);
  }
}

/** Rows of a table that are given a parent afterwards. */
const LINKS_LIMIT = 3;

/**
 * Gives rows whose parents came later, or are rows of the same table, a parent after all: half of them, as empty is a
 * value, too. A refused link is left out.
 */
export async function linkRows(ground: PlanGround, tables: readonly TableShape[]): Promise<void> {
  const { connection, shape } = ground;
  const ids = new Set(tables.flatMap((table) => [table.id, table.partitionOf ?? table.id]));
  for (const table of tables) {
    for (const key of table.foreignKeys) {
      const target = shape.tables.get(key.target);
      if (target === undefined || !ids.has(key.target) || isHard(table, key.columns, key.isMatchFull))
        continue;
      const parents = await connection.query({
        text: selectTuples(target.schema, target.name, target.isPartitioned, key.targetColumns),
        values: [],
      });
      const children = await connection.query({
        text: selectUnlinked(table.schema, table.name, key.columns, LINKS_LIMIT),
        values: [],
      });
      for (const [index, [place, ...held]] of children.rows.entries()) {
        // What part of the key holds already (the tenant's) stays.
        const fitting = parents.rows.filter((parent) =>
          held.every((value, at) => value === null || value === parent[at]),
        );
        const parent = fitting[(index + 1) % Math.max(1, fitting.length)];
        if (parent === undefined || place == null) continue;
        const text = updateRow(table.schema, table.name, key.columns);
        await connection.query({ text, values: [place, ...parent] }).catch((error: unknown) => {
          if (!connection.isOpen) throw error;
        });
      }
    }
  }
}
