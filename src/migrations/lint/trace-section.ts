import type { ParsedStatement } from "../parse-sql.ts";
import { mayCommitInside } from "../statement-kind.ts";
import { dropLeftOvers, repairRows } from "./trace-repair.ts";
import {
  failedOutcome,
  type Preparation,
  type StatementOutcome,
  type TraceGround,
  traceOutside,
  traceTogether,
} from "./trace-statement.ts";
import {
  endsWithTransaction,
  keepsCatalogs,
  type TraceKind,
  type TransactionRules,
  temporaryTableOf,
  traceKindOf,
  transactionsOf,
} from "./trace-transaction.ts";

/**
 * Runs the statements of a section one after another and tells what each did. Every one has a transaction of its own, so
 * that its locks are its own, with what the runner's transaction had set up by then. A statement that only works together
 * with the ones after it (a constraint that is met at the commit) shares one with the rest of its transaction.
 *
 * One that fails is told so, and the rest goes on.
 */
export async function traceSection(
  ground: TraceGround,
  statements: readonly ParsedStatement[],
  rules: TransactionRules,
): Promise<readonly StatementOutcome[]> {
  const outcomes: StatementOutcome[] = [];
  for (const transaction of transactionsOf(statements, rules)) {
    outcomes.push(...(await traceTransaction(ground, transaction)));
  }
  return outcomes;
}

async function traceTransaction(
  ground: TraceGround,
  statements: readonly ParsedStatement[],
): Promise<readonly StatementOutcome[]> {
  const outcomes: StatementOutcome[] = [];
  const prelude: Preparation[] = [];
  const temporary = new Set<string>();
  while (outcomes.length < statements.length) {
    const rest = statements.slice(outcomes.length);
    const done = await traceFirst(ground, prelude, rest);
    for (const [index, { tree, text }] of rest.slice(0, done.length).entries()) {
      if (done[index]?.effects === undefined || !endsWithTransaction(tree, temporary)) continue;
      prelude.push({ text, mayFail: traceKindOf(tree) !== "setup" });
      const table = temporaryTableOf(tree);
      if (table !== undefined) temporary.add(table);
    }
    outcomes.push(...done);
  }
  return outcomes;
}

/** The outcome of the first statement, or of all of them where it needs the others. */
async function traceFirst(
  ground: TraceGround,
  prelude: readonly Preparation[],
  statements: readonly ParsedStatement[],
): Promise<readonly StatementOutcome[]> {
  const [first, ...others] = statements;
  if (first === undefined) return [];
  try {
    return [await traceOne(ground, prelude, first)];
  } catch (error) {
    const outcome = failedOutcome(error);
    const needsOthers =
      others.length > 0 && statements.every(({ tree }) => traceKindOf(tree) === "transaction");
    const together = needsOthers ? await tryTogether(ground, prelude, statements) : undefined;
    return together ?? [(await traceRepaired(ground, prelude, first, error)) ?? outcome];
  }
}

async function tryTogether(
  ground: TraceGround,
  prelude: readonly Preparation[],
  statements: readonly ParsedStatement[],
): Promise<readonly StatementOutcome[] | undefined> {
  try {
    return await traceTogether(
      ground,
      prelude,
      statements.map(({ text }) => text),
    );
  } catch (error) {
    failedOutcome(error);
    return undefined;
  }
}

/** Rows can stand in the way of one clause after another. */
const REPAIRS_LIMIT = 4;

/** The outcome on rows that fit, if it was rows that stood in the way. */
async function traceRepaired(
  ground: TraceGround,
  prelude: readonly Preparation[],
  statement: ParsedStatement,
  failure: unknown,
): Promise<StatementOutcome | undefined> {
  let error = failure;
  for (let attempt = 1; attempt <= REPAIRS_LIMIT; attempt++) {
    if (!(await repairRows(ground.connection, statement.tree, error))) return undefined;
    if (traceKindOf(statement.tree) === "outside") await dropLeftOvers(ground.connection, ground.known);
    try {
      const outcome = await traceOne(ground, prelude, statement);
      await ground.refill();
      return outcome;
    } catch (next) {
      failedOutcome(next);
      error = next;
    }
  }
  await ground.refill();
  return undefined;
}

/** Waits for nobody and does no work. */
const NOTHING: StatementOutcome = {
  effects: { locks: [], rewrites: [], scans: [] },
  failure: undefined,
};

const REFUSED: StatementOutcome = {
  effects: undefined,
  failure: { sqlstate: undefined, message: "the runner refuses it, so it was not run" },
};

async function traceOne(
  ground: TraceGround,
  prelude: readonly Preparation[],
  { tree, text }: ParsedStatement,
): Promise<StatementOutcome> {
  const kind: TraceKind = traceKindOf(tree);
  if (kind === "boundary" || kind === "server") return NOTHING;
  if (kind === "refused") return REFUSED;
  if (kind === "setup") {
    await traceTogether(ground, [...prelude, { text, mayFail: false }], []);
    return NOTHING;
  }
  if (kind === "outside" && !mayCommitInside(tree)) return traceOutside(ground, text, keepsCatalogs(tree));
  const [outcome = NOTHING] = await traceTogether(ground, prelude, [
    "DoStmt" in tree ? withoutCommits(text) : text,
  ]);
  return outcome;
}

/** A block that commits as it goes gives its locks back on the way; without the commits they add up to the end. */
function withoutCommits(text: string): string {
  return text.replace(/\b(?:commit|rollback)(?:\s+and\s+(?:no\s+)?chain)?\s*;/giu, "null;");
}
