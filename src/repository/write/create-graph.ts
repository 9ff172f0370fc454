import type { Outcome } from "../../driver/index.ts";
import { InputError, StatementError } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import { recordsOf } from "../answer.ts";
import type { Scope } from "../context.ts";
import type { Ask, Intent } from "../intent.ts";
import { additionsOf, type Plan } from "../plan.ts";
import { callWith } from "./call.ts";
import { type Node, readGraph } from "./graph.ts";
import { groupRows, Inserts, type RowGroup, statementFor } from "./insert.ts";
import { rowShape } from "./patch.ts";
import { returnedBy } from "./returning.ts";

type Row = Record<string, unknown>;

/** Calls that make rows with those that belong to them. */
export interface GraphCreator {
  createGraph(input: object): Intent<unknown>;
}

/** An insert of rows of one entity and level. */
interface Step {
  readonly group: RowGroup;
  readonly nodes: readonly Node[];
  readonly plan: Plan<undefined>;
  readonly givesRows: boolean;
}

export function createGraphCreator(scope: Scope): GraphCreator {
  const known = new Map<EntityDescription, Inserts>();
  const insertsOf = (entity: EntityDescription): Inserts => {
    const found = known.get(entity) ?? new Inserts({ ...scope, entity });
    known.set(entity, found);
    return found;
  };
  return {
    createGraph(input) {
      const { root, nodes } = readGraph(scope, input);
      const wanted = wantsOf(nodes, root);
      const levels = levelsOf(nodes);
      const flights = flightsOf(levels).map((flight) =>
        flight.flatMap((level) => stepsOf(level, wanted, insertsOf)),
      );
      const [first = [], ...others] = flights;
      const call = callWith(scope);
      const send = (steps: readonly Step[]) =>
        steps.map(({ plan, group }) => statementFor(plan, group, call));
      return {
        calls: send(first),
        get additions() {
          return flights.flat().flatMap(({ plan }) => additionsOf(plan.tree));
        },
        needsTransaction: others.length > 0,
        later: others.flat().map(({ plan }) => plan.statement.text),
        read: async (outcomes, ask) => {
          receive(first, outcomes);
          for (const steps of others) {
            for (const { nodes: waiting } of steps) for (const node of waiting) fill(node, wanted);
            receive(steps, await inTurn(send(steps), ask));
          }
          return rowOf(root);
        },
      };
    },
  };
}

/** What the inserts of an entity give back: rows for the caller, and keys that the database makes for other rows. */
interface Wants {
  readonly isShown: boolean;
  readonly keys: readonly ColumnDescription[];
}

type Wanted = ReadonlyMap<EntityDescription, Wants>;

function wantsOf(nodes: readonly Node[], root: Node): Wanted {
  const shown = new Set<EntityDescription>();
  const show = ({ entity, branches }: Node): void => {
    shown.add(entity);
    for (const { nodes: inside } of branches) inside.forEach(show);
  };
  show(root);
  const wanted = new Map<EntityDescription, Wants>();
  for (const { entity } of nodes) wanted.set(entity, { isShown: shown.has(entity), keys: [] });
  for (const { from, fromColumns } of nodes.flatMap(({ fills }) => fills)) {
    const { isShown, keys } = wanted.get(from.entity) ?? { isShown: false, keys: [] };
    const isMade = (column: ColumnDescription): boolean =>
      !from.row.has(column) || from.fills.some(({ columns }) => columns.includes(column));
    const more = fromColumns.filter((column) => isMade(column) && !keys.includes(column));
    if (more.length > 0) wanted.set(from.entity, { isShown, keys: [...keys, ...more] });
  }
  return wanted;
}

/** Rows of a level refer to rows of the levels before it. */
function levelsOf(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const levels: Node[][] = [];
  for (const node of nodes) {
    const level = levels[node.level] ?? [];
    level.push(node);
    levels[node.level] = level;
  }
  return levels;
}

/**
 * Levels that can travel together: those that need no key which the database makes. Where every key is made here, all of
 * them are one round trip.
 */
function flightsOf(levels: readonly (readonly Node[])[]): readonly (readonly Node[])[][] {
  const flights: (readonly Node[])[][] = [];
  const pending = new Set<Node>();
  for (const level of levels) {
    let waits = false;
    for (const node of level) {
      if (fillFromInputs(node, pending)) continue;
      pending.add(node);
      waits = true;
    }
    const flight = flights.at(-1);
    if (flight === undefined || waits) flights.push([level]);
    else flight.push(level);
  }
  return flights;
}

/** Takes over the keys that are known before anything is sent. False where one is not. */
function fillFromInputs({ row, fills, path }: Node, pending: ReadonlySet<Node>): boolean {
  let isKnown = true;
  for (const { columns, from, fromColumns } of fills) {
    const given = fromColumns.map((column) => {
      const isFilledLater = pending.has(from) && from.fills.some((fill) => fill.columns.includes(column));
      return isFilledLater || !from.row.has(column) ? undefined : (from.row.get(column) ?? null);
    });
    columns.forEach((column, i) => {
      const value = given[i];
      if (value === undefined) isKnown = false;
      else row.set(column, present(value, path, column));
    });
  }
  return isKnown;
}

/** Takes over the keys that the database has made. */
function fill({ row, fills, path }: Node, wanted: Wanted): void {
  for (const { columns, from, fromColumns } of fills) {
    columns.forEach((column, i) => {
      const source = fromColumns[i];
      if (source === undefined) return;
      const position = wanted.get(from.entity)?.keys.indexOf(source) ?? -1;
      // Of a key in several parts, the database may have made one only.
      const made = position < 0 ? from.row.get(source) : from.record?.[position];
      row.set(column, present(typeof made === "string" || Buffer.isBuffer(made) ? made : null, path, column));
    });
  }
}

/** A row that names none would belong to none, without a word. */
function present<T>(value: T | null, path: string, column: ColumnDescription): T {
  if (value !== null) return value;
  throw new InputError("INVALID_VALUE", [
    { path, message: `the row it belongs to has no value for its ${column.key}` },
  ]);
}

/** One insert for each entity of a level, unless its rows leave different columns to the database. */
function stepsOf(
  level: readonly Node[],
  wanted: Wanted,
  insertsOf: (entity: EntityDescription) => Inserts,
): readonly Step[] {
  return [...new Set(level.map(({ entity }) => entity))].flatMap((entity) => {
    const nodes = level.filter((node) => node.entity === entity);
    const { isShown = false, keys: raw = [] } = wanted.get(entity) ?? {};
    const returned = returnedBy(entity, isShown);
    const variant = `${returned.shape}/${rowShape(new Map(raw.map((column) => [column, null])))}`;
    return groupRows(nodes.map(({ row }) => row)).map((group) => ({
      group,
      nodes: group.positions.map((position) => nodes[position]).filter((node) => node !== undefined),
      plan: insertsOf(entity).plan(group, variant, { returned, raw }),
      givesRows: isShown || raw.length > 0,
    }));
  });
}

function receive(steps: readonly Step[], outcomes: readonly Outcome[]): void {
  for (const [i, { nodes, group, givesRows }] of steps.entries()) {
    const records = recordsOf(outcomes[i]);
    const [{ entity } = { entity: undefined }] = nodes;
    if (givesRows && records.length !== group.rows.length) {
      throw new StatementError(
        "NOT_SUPPORTED",
        `a trigger of "${entity?.name}" left out rows, and the others cannot be told apart`,
        { sqlstate: "0A000", schema: entity?.schema, table: entity?.name },
        { hint: "Make the rows with create, one by one." },
      );
    }
    for (const [j, node] of nodes.entries()) {
      const record = records[j];
      if (record !== undefined) node.record = record;
    }
  }
}

/** They run in a transaction already: a savepoint around them would be two more round trips. */
async function inTurn(calls: readonly Parameters<Ask>[0][number][], ask: Ask): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const call of calls) outcomes.push(...(await ask([call])));
  return outcomes;
}

/** The row with what belongs to it, as it was given. */
function rowOf({ record, branches }: Node): Row {
  const row: Row = { ...(isRow(record?.row) ? record.row : {}) };
  for (const { name, many, nodes } of branches) {
    const rows = nodes.map(rowOf);
    row[name] = many ? rows : (rows[0] ?? null);
  }
  return row;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}
