import type { RowReader, StatementCall } from "../driver/index.ts";
import { isPlinthError } from "../errors/index.ts";
import type { Tree } from "../sql/index.ts";
import { type CompiledTree, statementName } from "../statement/index.ts";

/** Of a plan: its statement, and who reads the rows. */
interface Planned {
  readonly tree: Tree;
  readonly statement: CompiledTree;
  readonly rows: RowReader | undefined;
}

/** What of a statement becomes another under its guard. */
export type Guard = Pick<StatementCall, "text" | "name" | "rows">;

/** What no application's own failure says. PostgreSQL quotes it in its message in every language. */
const NO_ROW = "plinth: a batch's statement found no row";
const INVALID_TEXT_REPRESENTATION = "22P02";
const FEATURE_NOT_SUPPORTED = "0A000";

/** Guards that PostgreSQL refused, by their names: it takes no writing WITH on a table whose rules add statements. */
const refused = new Set<string>();
const REFUSED_LIMIT = 1_000;

const guards = new WeakMap<CompiledTree, Guard | undefined>();

/**
 * The statement of a plan with a guard around it: where it finds no row, the server fails it, so that nothing of its flight
 * stays and nobody has to look at the answer before the commit. Undefined where there is none.
 */
export function guardOf(plan: Planned): Guard | undefined {
  const { statement } = plan;
  if (!guards.has(statement)) guards.set(statement, makeGuard(plan));
  const guard = guards.get(statement);
  return guard?.name === undefined || refused.has(guard.name) ? undefined : guard;
}

function makeGuard({ tree, statement, rows }: Planned): Guard | undefined {
  // Of count(*), so that it is no constant: those are worked out while the statement is planned.
  const failure = (count: string) => `cast('${NO_ROW.replaceAll("'", "''")} ' || ${count} as boolean)`;
  if ((rows?.formats.length ?? 0) > 0) {
    // The count stands on the left of the outer join, so that its filter is looked at whatever is on the right.
    const text =
      `with w as (${statement.text}) select w.* from (select count(*) as n from w) g left join w on true ` +
      `where case when g.n > 0 then true else ${failure("g.n")} end`;
    return { text, name: statementName(text), rows };
  }
  if (tree.kind === "select") return undefined;
  const text =
    `with w as (${statement.text} returning 1) ` +
    `select case when count(*) = 0 then ${failure("count(*)")} end from w`;
  return { text, name: statementName(text), rows: undefined };
}

/**
 * Whether a flight failed at this guard of it, so that all of it is undone: the statement found no row, or its table takes no
 * guard. Without guards its statements say more.
 */
export function foundNoRow(error: unknown, guard: StatementCall | undefined): boolean {
  if (!isPlinthError(error) || !("sqlstate" in error)) return false;
  if (error.sqlstate === INVALID_TEXT_REPRESENTATION) {
    return "serverMessage" in error && String(error.serverMessage).includes(NO_ROW);
  }
  if (error.sqlstate !== FEATURE_NOT_SUPPORTED || guard?.name === undefined) return false;
  if (refused.size < REFUSED_LIMIT) refused.add(guard.name);
  return true;
}
