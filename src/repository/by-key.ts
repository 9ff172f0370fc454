import type { ColumnDescription } from "../schema/index.ts";
import type { Call, Encoded, Projection } from "../sql/index.ts";
import { encodeArray, encodeValue, type Slot } from "../statement/index.ts";
import { recordsOf } from "./answer.ts";
import type { Scope } from "./context.ts";
import { isMatchedByText } from "./follow-up.ts";
import type { Ask, KeyedFamily } from "./intent.ts";
import { keyCondition, keyValues } from "./key.ts";
import { refuse } from "./options.ts";
import { type Plan, planOf, type ReadAnswer, statementOf } from "./plan.ts";
import { readOptions, selectWhere } from "./selected.ts";

type AnyRow = Record<string, unknown>;

/** The row of a key. Relations to many, when the key says which rows are theirs, travel beside it. */
export function planByKey<T>(
  scope: Scope,
  call: Call,
  finish: (row: AnyRow | undefined) => T,
  mayRefuse: boolean,
): Plan<T> {
  const { entity } = scope;
  const columns = entity.rowKey;
  const selected = selectWhere(scope, readOptions(call), "row by key", ({ table }) =>
    keyCondition(entity, table),
  );
  const { followUps, slots } = selected.selection;
  if (followUps.length === 0) {
    const [only] = columns;
    const plan = planOf(selected.select, ([outcome]) => finish(recordsOf(outcome)[0]), { mayRefuse, slots });
    // A parameter beside the key (a limit of related rows) may differ from call to call.
    // What the actor says is the same for all: reads of different actors never meet.
    const { parameters, ofActor } = plan.statement;
    const isAlike = columns.length === 1 && parameters.length - ofActor.length === 1;
    const isLocking = selected.select.lock !== undefined;
    if (!isAlike || isLocking || only === undefined || !isMatchedByText(only)) return plan;
    return { ...plan, keyed: { family: keyedFamily(scope, call), keyIn: keyTextIn(only), finish } };
  }
  const partsIn = ({ input: [key] }: Call): readonly Encoded[] => {
    const values = keyValues(entity, key);
    return columns.map((column, i) => encodeValue(column, values[i], column.key));
  };
  const read: ReadAnswer<T> = async ([outcome, ...others], ask, asked) => {
    const [row] = recordsOf(outcome);
    for (const [i, { key, plan }] of followUps.entries()) {
      const other = others[i];
      const relatedTo = await plan.read(other === undefined ? [] : [other], ask, asked);
      if (row !== undefined) row[key] = relatedTo(row);
    }
    return finish(row);
  };
  return {
    ...planOf(selected.select, read, { mayRefuse, slots }),
    companions: followUps.map(({ plan }) => ({ plan, foundIn: partsIn })),
  };
}

/** The key as PostgreSQL writes it, which is how the rows of a merged statement are told apart. */
function keyTextIn(column: ColumnDescription): (call: Call) => string {
  const isUuid = column.castType === "uuid";
  return ({ input: [key] }) => {
    if (key === undefined || key === null) refuse("key", `must be the ${column.key} of a row`);
    const text = String(encodeValue(column, key, column.key));
    return isUuid ? text.toLowerCase() : text;
  };
}

/** The same read for any number of keys, worked out when two of them first meet. */
function keyedFamily(scope: Scope, call: Call): KeyedFamily {
  let plan: KeyedPlan | undefined;
  return {
    async read(keys, runner, actor) {
      plan ??= planKeyed(scope, call);
      const together: Call = { input: [], actor, found: [encodeArray(keys)] };
      return plan.read([await runner.run(statementOf(plan, together))], NOTHING_TO_ASK, together);
    },
  };
}

type KeyedPlan = Plan<ReadonlyMap<string, AnyRow>>;

const NOTHING_TO_ASK: Ask = async () => [];

function planKeyed(scope: Scope, call: Call): KeyedPlan {
  const { entity } = scope;
  const [key] = entity.rowKey;
  if (key === undefined) throw new TypeError(`"${entity.name}" has no primary key`);
  const { select, selection } = selectWhere(scope, readOptions(call), "row by key", ({ table }) => ({
    kind: "any-of",
    of: { kind: "column", table, name: key.name },
    values: { kind: "parameter", value: ({ found }) => found?.[0] ?? null, type: `${key.castType}[]` },
    negated: false,
  }));
  const slots: readonly Slot[] = [
    { kind: "raw", key: "key" },
    { kind: "group", key: "row", slots: selection.slots, isOptional: false },
  ];
  const keyCell: Projection = { kind: "value", of: { kind: "column", table: select.from, name: key.name } };
  return planOf(
    { ...select, projections: [keyCell, ...select.projections] },
    ([outcome]) => new Map(recordsOf(outcome).map(({ key: text, row }) => [String(text), row as AnyRow])),
    { slots },
  );
}
