import { type Hints, hintsOf, mergeHints } from "./hints.ts";
import { askServer, type PoolGround, poolOf } from "./pools.ts";
import { evaluateDefault, selectTuples, testValues } from "./queries.ts";
import { type Random, seededRandom } from "./random.ts";
import type { AttributeShape, CheckShape, DatabaseShape, ForeignKeyShape, TableShape } from "./shape.ts";

/** A row for the columns of a plan, in their order. */
export type Row = readonly (string | null)[];

/** How rows of one table are put together. */
export interface RowPlan {
  readonly table: TableShape;
  /** Those an insert names: without generated ones, and without those a sequence fills. */
  readonly columns: readonly AttributeShape[];
  /** By column. Foreign keys have none: theirs come from the parents. */
  readonly pools: ReadonlyMap<string, readonly string[]>;
  readonly keys: readonly KeyChoice[];
  /** Checks that look at more than one column: only a whole row shows whether they hold. */
  readonly checks: readonly PlanCheck[];
  readonly random: Random;
}

/** A check, and the columns it looks at. */
export interface PlanCheck extends CheckShape {
  readonly columns: readonly string[];
}

/** A foreign key, and the parents it can choose from. */
export interface KeyChoice {
  readonly key: ForeignKeyShape;
  readonly tuples: readonly Row[];
}

/** A plan, or why there can be no rows. */
export type Planned =
  | { readonly plan: RowPlan; readonly why: undefined }
  | { readonly plan: undefined; readonly why: string };

/** What a table's rows are planned with. */
export interface PlanGround extends PoolGround {
  readonly shape: DatabaseShape;
  /** The schema whose name makes no difference to what is generated. */
  readonly home: string;
}

/** Reads the parents, and gathers values for every column that conditions on it alone let through. */
export async function planRows(
  ground: PlanGround,
  table: TableShape,
  options: { readonly explicit: ReadonlySet<string>; readonly ignoredKeys: ReadonlySet<string> },
): Promise<Planned> {
  const checks = await readChecks(table);
  const bound = checks.find(({ check }) => check.name === BOUND);
  const isChosen = (column: AttributeShape): boolean =>
    column.generated === undefined &&
    (!fillsItself(column) ||
      options.explicit.has(column.name) ||
      bound?.columns.includes(column.name) === true);
  const keys: KeyChoice[] = [];
  for (const key of byWidth(table.foreignKeys)) {
    if (!options.ignoredKeys.has(key.name)) keys.push({ key, tuples: await readTuples(ground, key) });
  }
  const keyColumns = new Set(keys.flatMap(({ key }) => key.columns));
  const columns: AttributeShape[] = [];
  const pools = new Map<string, readonly string[]>();
  for (const column of table.columns.filter(isChosen)) {
    const own = checks.filter((check) => check.columns.includes(column.name));
    const pool = await columnPool(ground, table, column, own);
    pools.set(column.name, pool.values);
    const isEmpty = pool.values.length === 0 && !keyColumns.has(column.name);
    // What nobody can choose the server may: with its default, or with none.
    if (isEmpty && column.default !== undefined) continue;
    if (isEmpty && column.notNull) return { plan: undefined, why: pool.why };
    columns.push(column);
  }
  const chosen = new Set(columns.map(({ name }) => name));
  // A foreign key's values are the parents' and were not tested.
  const free = new Set([...chosen].filter((column) => !keyColumns.has(column)));
  return {
    why: undefined,
    plan: {
      table,
      columns,
      pools,
      keys: keys.filter(({ key }) => key.columns.every((column) => chosen.has(column))),
      checks: checks
        .filter((check) => !isAboutOne(check, free))
        .map(({ check, columns: seen }) => ({ ...check, columns: seen })),
      random: seededRandom(
        `${ground.seed} ${table.schema === ground.home ? "" : table.schema}.${table.name}`,
      ),
    },
  };
}

const BOUND = "the partition's bound";

/** The server fills it with the next number of a sequence. */
export function fillsItself(column: AttributeShape): boolean {
  return column.isIdentity || /\bnextval\(/.test(column.default ?? "");
}

interface ReadCheck {
  readonly check: CheckShape;
  readonly hints: Hints;
  /** Columns it looks at, through generated ones too. */
  readonly columns: readonly string[];
  readonly readsGenerated: boolean;
}

async function readChecks(table: TableShape): Promise<readonly ReadCheck[]> {
  const generated = new Map<string, readonly string[]>();
  for (const { name, generated: expression } of table.columns) {
    if (expression !== undefined) generated.set(name, (await hintsOf(expression)).columns);
  }
  const own = new Set(table.columns.map(({ name }) => name));
  const checks: ReadCheck[] = [];
  for (const check of table.checks) {
    const hints = await hintsOf(check.expression);
    const columns = hints.columns.flatMap((column) => generated.get(column) ?? [column]);
    checks.push({
      check,
      hints,
      columns: [...new Set(columns.filter((column) => own.has(column)))],
      readsGenerated: hints.columns.some((column) => generated.has(column) || !own.has(column)),
    });
  }
  return checks;
}

function isAboutOne(check: ReadCheck, chosen: ReadonlySet<string>): boolean {
  const [column] = check.columns;
  return !check.readsGenerated && check.columns.length === 1 && column !== undefined && chosen.has(column);
}

/** Those with more columns first: they decide what the others may be (a tenant's projects, then its tenant). */
function byWidth(keys: readonly ForeignKeyShape[]): readonly ForeignKeyShape[] {
  return [...keys].sort((a, b) => b.columns.length - a.columns.length);
}

async function readTuples({ connection, shape }: PlanGround, key: ForeignKeyShape): Promise<readonly Row[]> {
  const target = shape.tables.get(key.target);
  if (target === undefined) return [];
  const text = selectTuples(target.schema, target.name, target.isPartitioned, key.targetColumns);
  return (await connection.query({ text, values: [] })).rows;
}

interface ColumnPool {
  readonly values: readonly string[];
  readonly why: string;
}

async function columnPool(
  ground: PlanGround,
  table: TableShape,
  column: AttributeShape,
  checks: readonly ReadCheck[],
): Promise<ColumnPool> {
  const hints = mergeHints(checks.map((check) => check.hints));
  const near = { ...hints, columns: [] };
  const size = checks.some(({ check }) => check.expression.includes("satisfies_hash_partition"))
    ? Math.min(2_000, 8 * Math.max(ground.size, ...near.numbers.map(Number)))
    : ground.size;
  const values = [
    ...(await defaultOf(ground, column)),
    ...(await poolOf({ ...ground, size }, column.type, near)),
  ];
  if (values.length === 0) return { values, why: whyNoValue(ground, column) };
  const single = checks.filter((check) => !check.readsGenerated && check.columns.length === 1);
  if (single.length === 0) return { values: [...new Set(values)], why: "" };
  const conditions = single.map(({ check }) => check.expression);
  const text = testValues({ table: table.name, column: column.name, type: column.type.sql, conditions });
  const passing = await askServer(ground.connection, text, [...new Set(values)], true);
  return {
    values: passing,
    why: passing.length > 0 ? "" : await whyNonePasses(ground, table, column, single, values),
  };
}

/** The one value whose author surely thought of the checks. */
async function defaultOf({ connection }: PlanGround, column: AttributeShape): Promise<readonly string[]> {
  if (column.default === undefined || fillsItself(column)) return [];
  try {
    const text = evaluateDefault(column.default, column.type.sql);
    const { rows } = await connection.query({ text, values: [] });
    return rows.flatMap(([cell]) => cell ?? []);
  } catch (error) {
    if (!connection.isOpen) throw error;
    return [];
  }
}

function whyNoValue({ types }: PlanGround, column: AttributeShape): string {
  const type = types.get(column.type.id);
  const [check] = type?.checks ?? [];
  return check === undefined
    ? `column ${column.name}: no value of type ${column.type.sql} is known`
    : `column ${column.name}: no generated value satisfies ${check.name}: ${check.expression}`;
}

async function whyNonePasses(
  { connection }: PlanGround,
  table: TableShape,
  column: AttributeShape,
  checks: readonly ReadCheck[],
  values: readonly string[],
): Promise<string> {
  for (const { check } of checks) {
    const text = testValues({
      table: table.name,
      column: column.name,
      type: column.type.sql,
      conditions: [check.expression],
    });
    if ((await askServer(connection, text, values, true)).length === 0) return unsatisfied([check]);
  }
  return unsatisfied(checks.map(({ check }) => check));
}

/** `no generated row satisfies check tasks_odd: (…)` */
export function unsatisfied(checks: readonly CheckShape[]): string {
  const named = checks.map(({ name, expression }) => `${name}: ${expression}`);
  return `no generated row satisfies ${named.join(" together with ")}`;
}

/** One row; undefined when a foreign key finds no parent and may not be empty. */
export function composeRow(plan: RowPlan, place: number, nullShare: number): Row | undefined {
  const { random } = plan;
  const values = new Map<string, string | null>();
  for (const [index, choice] of plan.keys.entries()) {
    // Of two parents that tell rows apart together, every pair has its turn, not only the first with the first.
    const turn = place + index * Math.floor(place / Math.max(1, choice.tuples.length));
    if (!chooseParent(plan, choice, values, turn, nullShare)) return undefined;
  }
  for (const column of plan.columns) {
    if (values.has(column.name)) continue;
    const pool = plan.pools.get(column.name) ?? [];
    const isEmpty = pool.length === 0 || (!column.notNull && random.chance(nullShare));
    values.set(column.name, isEmpty ? null : choose(plan, column, pool, place, values));
  }
  return plan.columns.map((column) => values.get(column.name) ?? null);
}

function choose(
  plan: RowPlan,
  column: AttributeShape,
  pool: readonly string[],
  place: number,
  values: ReadonlyMap<string, string | null>,
): string | null {
  if (plan.table.keyColumns.has(column.name)) return pool[place % pool.length] ?? null;
  // Checks like to compare two columns.
  const twin = plan.random.chance(0.1)
    ? plan.columns.find((other) => other.type.sql === column.type.sql && values.has(other.name))
    : undefined;
  const copied = twin === undefined ? undefined : values.get(twin.name);
  return copied != null && pool.includes(copied) ? copied : plan.random.pick(pool);
}

/** False when there is no parent and the key may not be empty. */
function chooseParent(
  { table, columns, random }: RowPlan,
  { key, tuples }: KeyChoice,
  values: Map<string, string | null>,
  turn: number,
  nullShare: number,
): boolean {
  const open = key.columns.filter((column) => !values.has(column));
  const nullable = open.filter((name) => columns.find((column) => column.name === name)?.notNull === false);
  // MATCH FULL is content only when all are empty.
  const mayBeEmpty = key.isMatchFull ? nullable.length === key.columns.length : nullable.length > 0;
  const isDecided = key.columns.some((column) => values.get(column) === null);
  if (isDecided) return true;
  const fitting = tuples.filter((tuple) =>
    key.columns.every((column, index) => !values.has(column) || values.get(column) === tuple[index]),
  );
  if (mayBeEmpty && (fitting.length === 0 || random.chance(nullShare))) {
    for (const column of key.isMatchFull ? open : nullable.slice(0, 1)) values.set(column, null);
    return true;
  }
  if (fitting.length === 0) return false;
  const isKey = key.columns.some((column) => table.keyColumns.has(column));
  const tuple = (isKey ? fitting[turn % fitting.length] : undefined) ?? random.pick(fitting);
  for (const [index, column] of key.columns.entries()) values.set(column, tuple[index] ?? null);
  return true;
}
