import type { StatementCall } from "../../driver/index.ts";
import type { QueryRunner } from "../intent.ts";
import { readPlan, type StatementPlan } from "./plan-node.ts";
import { problemsOf } from "./problems.ts";

/** How a call's statements run, and what stands out. */
export interface Explanation {
  /** The statements that the call sends first: nearly always one. */
  readonly statements: readonly StatementPlan[];
  /** The texts of those that follow with what the first ones found. */
  readonly later: readonly string[];
  /** Of all statements. */
  readonly problems: readonly string[];
}

export interface ExplainOptions {
  /** Runs the statements and gives times and rows. What they write is rolled back. @default false */
  readonly analyze?: boolean;
}

/** Asks PostgreSQL how it would run the statements, with their values; with `analyze` it runs them. */
export async function explain(
  calls: readonly StatementCall[],
  later: readonly string[],
  isRead: boolean,
  runner: QueryRunner,
  { analyze = false }: ExplainOptions,
): Promise<Explanation> {
  const modes = analyze ? "analyze, format json" : "format json";
  const asked = calls.map(
    ({ text, values, actor }): StatementCall => ({
      text: `explain (${modes}) ${text}`,
      values,
      actor,
      leavesNoTrace: true,
    }),
  );
  const answers = analyze && !isRead ? await undone(asked, runner) : await plainly(asked, runner);
  const statements = answers.map((json, i): StatementPlan => {
    const read = readPlan(json);
    return { text: calls[i]?.text ?? "", ...read, problems: problemsOf(read.plan) };
  });
  return { statements, later, problems: statements.flatMap(({ problems }) => problems) };
}

async function plainly(asked: readonly StatementCall[], runner: QueryRunner): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const call of asked) {
    const { rows } = await runner.run(call);
    answers.push(rows[0]?.[0] ?? "[]");
  }
  return answers;
}

/** What takes a transaction back that has done all it should. */
class Undo extends Error {}

async function undone(asked: readonly StatementCall[], runner: QueryRunner): Promise<readonly string[]> {
  let answers: readonly string[] = [];
  const work = runner.transaction(async (scope) => {
    const outcomes = await scope.flight(asked);
    answers = outcomes.map(({ rows }) => rows[0]?.[0] ?? "[]");
    throw new Undo();
  });
  await work.catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error;
  });
  return answers;
}
