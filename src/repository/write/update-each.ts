import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type {
  Assignment,
  Call,
  Condition,
  Encoded,
  Expression,
  ParameterNode,
  Update,
} from "../../sql/index.ts";
import { encodeArray, encodeValue, type Slot } from "../../statement/index.ts";
import { recordsOf } from "../answer.ts";
import { behaviourFilters, openStatement, rewritten, type Scope, type TableScope } from "../context.ts";
import type { EncodedRow } from "../input.ts";
import type { Intent } from "../intent.ts";
import { keyValues } from "../key.ts";
import { plainObject, refuse, refuseUnknownOptions } from "../options.ts";
import { additionsOf, type Plan, Plans, planOf, statementOf } from "../plan.ts";
import { callWith } from "./call.ts";
import { groupRows, identityOf } from "./insert.ts";
import { assignmentsOf, type EncodedPatch, encodedIn, encodePatch } from "./patch.ts";
import { projectionsOf, type Returned, returnedBy, rowsOrCount, slotsOf } from "./returning.ts";
import type { ChangeShape } from "./update.ts";

/** Calls that change several rows, each in its own way. */
export interface EachUpdater {
  updateEach(changes: readonly unknown[], options: ChangeShape): Intent<unknown>;
}

/** One row's part of a call. */
interface Item {
  readonly position: number;
  readonly key: EncodedRow;
  readonly patch: EncodedPatch;
}

export function createEachUpdater(scope: Scope): EachUpdater {
  const { entity } = scope;
  const plans = new Plans<undefined>();
  return {
    updateEach(changes, options) {
      if (!Array.isArray(changes)) refuse("changes", "must be a list");
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning, false);
      const items = Array.from(changes, (change, i) => readItem(entity, change, i));
      refuseTwice(entity, items);
      const groups = groupRows(
        items.map(({ patch }) => patch.values),
        items.keys(),
        items.map(({ patch }) => patch.shape),
      ).map(({ positions }) => positions.flatMap((position) => items[position] ?? []));
      const call = callWith(scope);
      const planned = groups.flatMap((group) => {
        const [first] = group;
        if (first === undefined) return [];
        const { patch } = first;
        const plan = plans.find(`${patch.shape}/${returned.shape}`, () => planEach(scope, patch, returned));
        return [{ plan, statement: statementOf(plan, { ...call, input: [group] }) }];
      });
      return {
        calls: planned.map(({ statement }) => statement),
        get additions() {
          return planned.slice(0, 1).flatMap(({ plan }) => additionsOf(plan.tree));
        },
        read(outcomes) {
          if (returned.columns.length === 0) return rowsOrCount(outcomes, returned);
          const rows: unknown[] = items.map(() => undefined);
          for (const { row, position } of outcomes.flatMap(recordsOf)) rows[Number(position)] = row;
          return rows;
        },
      };
    },
  };
}

function readItem(entity: EntityDescription, change: unknown, position: number): Item {
  const path = String(position);
  refuseUnknownOptions(change, ["key", "patch"], path);
  const { key, patch } = plainObject(change, path);
  const values = keyValues(entity, key, `${path}.key`);
  const encoded = encodePatch(entity, plainObject(patch, `${path}.patch`), { path: `${path}.patch` });
  if (encoded.values.size === 0) refuse(`${path}.patch`, "must name a column to change");
  return {
    position,
    key: new Map(entity.rowKey.map((column, i) => [column, encodeValue(column, values[i], `${path}.key`)])),
    patch: encoded,
  };
}

/** Of two changes of one row, PostgreSQL would make one, and would not say which. */
function refuseTwice({ rowKey }: EntityDescription, items: readonly Item[]): void {
  const seen = new Map<string, number>();
  for (const { key, position } of items) {
    const identity = identityOf(key, rowKey);
    const first = seen.get(identity);
    if (first !== undefined)
      refuse(`${position}.key`, `is that of change ${first} too; each row may come once`);
    seen.set(identity, position);
  }
}

const ALIAS = "k";

/** The call's first argument is the list of its items: their positions, keys and values travel as one array each. */
function planEach(outside: Scope, patch: EncodedPatch, returned: Returned): Plan<undefined> {
  const scope = openStatement(outside);
  const { context, entity, table } = scope;
  const arrays: ParameterNode[] = [arrayOf(({ position }) => String(position))];
  /** The part of the arrays that this one is, as an expression. */
  const part = (type: string, valueFor: (item: Item) => Encoded): Expression => ({
    kind: "for-each-key",
    alias: ALIAS,
    part: arrays.push(arrayOf(valueFor)),
    type,
  });
  const keys = entity.rowKey.map(
    (column): Condition => ({
      kind: "comparison",
      operator: "=",
      left: { kind: "column", table, name: column.name },
      right: part(column.castType, ({ key }) => encodedIn(key, column)),
    }),
  );
  const set = setOf(scope, patch, part);
  const update: Update = {
    kind: "update",
    table,
    forEach: { keys: arrays, alias: ALIAS },
    set,
    filters: [...keys.map((condition) => ({ condition })), ...behaviourFilters(scope)],
    returning:
      returned.columns.length === 0
        ? []
        : [
            ...projectionsOf(scope, returned),
            { kind: "value", of: { kind: "for-each-key", alias: ALIAS, part: 1 } },
          ],
  };
  const slots: readonly Slot[] = [
    { kind: "group", key: "row", slots: slotsOf(returned), isOptional: false },
    { kind: "raw", key: "position" },
  ];
  return planOf(
    rewritten(context, entity, update),
    () => undefined,
    returned.columns.length === 0 ? {} : { slots },
  );
}

function setOf(
  { table }: TableScope,
  { values, operations }: EncodedPatch,
  part: (type: string, valueFor: (item: Item) => Encoded) => Expression,
): readonly Assignment[] {
  const empty = new Map([...values.keys()].map((column) => [column, null]));
  const typeOf = (column: ColumnDescription): string =>
    operations.get(column)?.operation === "remove" ? (column.item ?? column).castType : column.castType;
  return assignmentsOf({ values: empty, operations }, table, (column) =>
    part(typeOf(column), ({ patch }) => encodedIn(patch.values, column)),
  );
}

function arrayOf(valueFor: (item: Item) => Encoded): ParameterNode {
  return {
    kind: "parameter",
    value: ({ input: [items] }: Call) => encodeArray(Array.isArray(items) ? items.map(valueFor) : []),
    type: "text[]",
  };
}
