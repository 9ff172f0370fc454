import type { Outcome, StatementCall } from "../driver/index.ts";
import { InputError, StatementError } from "../errors/index.ts";
import { type Intent, Query, type QueryRunner } from "../repository/index.ts";
import {
  type AnyRoutine,
  type ColumnDescription,
  describeRoutine,
  type ResultDescription,
  type RoutineDescription,
  type RoutineResult,
} from "../schema/index.ts";
import { qualifiedName, quoteIdentifier } from "../sql/index.ts";
import { createMapper, decoderOf, statementName } from "../statement/index.ts";
import { encodeArguments } from "./arguments.ts";

/**
 * A call of a declared function or procedure, as a query that runs when it is awaited. Its text depends on which
 * arguments are given, so each form is prepared once.
 *
 * @throws {INVALID_QUERY} for a trigger function, which only triggers call.
 */
export function callRoutine<R extends AnyRoutine>(
  runner: QueryRunner,
  routine: R,
  input: object = {},
): Query<RoutineResult<R>> {
  const described = describeRoutine(routine);
  refuseTrigger(described);
  return new Query((): Intent<RoutineResult<R>> => {
    const read = readerOf(described);
    return {
      calls: [callOf(described, input)],
      additions: [],
      isRead: described.volatility !== "volatile",
      // What the declaration says in types, the description says at run time.
      read: ([outcome]) => (outcome === undefined ? undefined : read(outcome)) as RoutineResult<R>,
    };
  }, runner);
}

function refuseTrigger({ name, returns }: RoutineDescription): void {
  if (returns.kind !== "trigger") return;
  throw new InputError("INVALID_QUERY", [
    { path: name, message: "is a trigger function: only triggers call it" },
  ]);
}

function callOf(routine: RoutineDescription, input: object): StatementCall {
  const { texts, values } = encodeArguments(routine, input);
  const call = `${qualifiedName(routine.schema, routine.name)}(${texts.join(", ")})`;
  const text = routine.kind === "procedure" ? `call ${call}` : selectOf(routine.returns, call);
  // A routine may leave something in the session (a setting, a lock): only one that changes nothing promises not to.
  const leavesNoTrace = routine.volatility !== "volatile";
  return { text, values, name: statementName(text), leavesNoTrace, readsUnseen: true };
}

function selectOf(returns: ResultDescription, call: string): string {
  switch (returns.kind) {
    case "row": {
      const columns = visibleColumns(returns).map((column) => `t.${quoteIdentifier(column.name)}`);
      // A function that gives null for a row gives a row of nulls here.
      const found = returns.isSet ? "" : " where not (t is null)";
      return `select ${columns.join(", ")} from ${call} t${found}`;
    }
    case "table": {
      const names = returns.columns.map((column) => quoteIdentifier(column.name)).join(", ");
      return `select * from ${call} t(${names})`;
    }
    default:
      return `select ${call}`;
  }
}

/** A secret leaves the database only when a repository is asked for it by name. */
function visibleColumns(returns: Extract<ResultDescription, { kind: "row" }>): readonly ColumnDescription[] {
  return returns.of.columns.filter((column) => column.marks.secret !== true);
}

function readerOf(routine: RoutineDescription): (outcome: Outcome) => unknown {
  const { returns } = routine;
  if (routine.kind === "procedure") return outputReader(routine);
  switch (returns.kind) {
    case "value":
      return valueReader(routine.name, returns);
    case "row": {
      const map = createMapper(slotsOf(visibleColumns(returns)));
      return ({ rows }) => (returns.isSet ? rows.map(map) : rows[0] === undefined ? undefined : map(rows[0]));
    }
    case "table": {
      const map = createMapper(slotsOf(returns.columns));
      return ({ rows }) =>
        rows.map((cells) => {
          refuseNulls(routine.name, returns.columns, cells);
          return map(cells);
        });
    }
    default:
      return () => undefined;
  }
}

function valueReader(
  name: string,
  { type, isSet }: Extract<ResultDescription, { kind: "value" }>,
): (outcome: Outcome) => unknown {
  const decode = decoderOf(type);
  const read = (cells: Outcome["rows"][number]): unknown => {
    refuseNulls(name, [type], cells);
    const cell = cells[0] ?? null;
    return cell === null ? null : decode(cell);
  };
  return ({ rows }) => (isSet ? rows.map(read) : read(rows[0] ?? [null]));
}

/** A procedure answers with one row of its `out` and `inout` arguments, or with nothing. */
function outputReader({ name, arguments: all }: RoutineDescription): (outcome: Outcome) => unknown {
  const columns = all.filter((argument) => argument.mode !== "in");
  if (columns.length === 0) return () => undefined;
  const map = createMapper(slotsOf(columns));
  return ({ rows: [cells = []] }) => {
    refuseNulls(name, columns, cells);
    return map(cells);
  };
}

function slotsOf(columns: readonly ColumnDescription[]) {
  return columns.map((column) => ({ kind: "column", key: column.key, column }) as const);
}

/** `.notNull()` is a promise of whoever wrote the routine; PostgreSQL does not hold it. */
function refuseNulls(
  routine: string,
  columns: readonly ColumnDescription[],
  cells: Outcome["rows"][number],
): void {
  for (const [i, column] of columns.entries()) {
    if (!column.notNull || (cells[i] ?? null) !== null) continue;
    throw new StatementError(
      "INVALID_DATA",
      `${routine} gave null for ${column.key}, which is declared not null`,
      { sqlstate: "22004", columns: [column.name] },
      { hint: "Take .notNull() away from the declaration, or mend the routine." },
    );
  }
}
