import type { Connection, Outcome, StatementCall } from "../../driver/index.ts";
import {
  selectAttributes,
  selectParents,
  selectRelations,
  selectSequences,
  selectSpaces,
  settleSession,
} from "./queries.ts";
import { selectAggregates, selectRanges, selectRoutines, selectTypes } from "./queries-code.ts";
import {
  selectEventTriggers,
  selectForeignServers,
  selectForeignTables,
  selectPublications,
} from "./queries-database.ts";
import {
  selectCasts,
  selectCollations,
  selectConfigurations,
  selectDictionaries,
  selectOperatorClasses,
  selectOperators,
} from "./queries-others.ts";
import {
  selectConstraints,
  selectIndexes,
  selectPolicies,
  selectRules,
  selectStatistics,
  selectTriggers,
} from "./queries-parts.ts";
import { selectComments, selectDependencies, selectExtensions, selectGrants } from "./queries-shared.ts";
import { type Row, rowsOf } from "./row.ts";

const STATEMENTS = {
  spaces: selectSpaces,
  relations: selectRelations,
  attributes: selectAttributes,
  sequences: selectSequences,
  parents: selectParents,
  constraints: selectConstraints,
  indexes: selectIndexes,
  triggers: selectTriggers,
  policies: selectPolicies,
  rules: selectRules,
  statistics: selectStatistics,
  types: selectTypes,
  ranges: selectRanges,
  routines: selectRoutines,
  aggregates: selectAggregates,
  extensions: selectExtensions,
  dependencies: selectDependencies,
  comments: selectComments,
  grants: selectGrants,
  collations: selectCollations,
  operators: selectOperators,
  operatorClasses: selectOperatorClasses,
  casts: selectCasts,
  dictionaries: selectDictionaries,
  configurations: selectConfigurations,
  eventTriggers: selectEventTriggers,
  publications: selectPublications,
  foreignServers: selectForeignServers,
  foreignTables: selectForeignTables,
} as const;

export type Question = keyof typeof STATEMENTS;

/** What the server said, statement by statement. */
export interface Answers {
  /** Major version. */
  readonly serverVersion: number;
  rows(question: Question): readonly Row[];
}

const control = (text: string): StatementCall => ({ text, values: [] });

/**
 * Asks everything in one flight, of one snapshot. In a transaction that is open already it is that one's snapshot, or
 * one a statement where it reads what is committed; a savepoint gives it its settings back, after a failure too.
 */
export async function askServer(
  connection: Connection,
  home: string,
  schemas: readonly string[] | undefined,
): Promise<Answers> {
  const status = connection.transactionStatus;
  const isInside = status !== "idle";
  const opening = isInside
    ? [control("savepoint plinth_catalog")]
    : [control("begin transaction isolation level repeatable read, read only")];
  const closing = isInside
    ? [control("rollback to savepoint plinth_catalog"), control("release savepoint plinth_catalog")]
    : [control("commit")];
  const scope = schemas === undefined ? null : JSON.stringify(schemas);
  const questions = Object.values(STATEMENTS).map((text) => ({
    text,
    // Those without a parameter find what they need by oid.
    values: text.includes("$1") ? [scope] : [],
    leavesNoTrace: true,
  }));
  try {
    const outcomes = await connection.batch([...opening, settleSession(home), ...questions, ...closing]);
    return answersOf(outcomes.slice(opening.length));
  } catch (error) {
    // One that had failed before is the caller's to end.
    if (connection.isOpen && status !== "failed" && connection.transactionStatus === "failed") {
      for (const call of isInside ? closing : [control("rollback")]) await connection.query(call);
    }
    throw error;
  }
}

function answersOf([session, ...outcomes]: readonly Outcome[]): Answers {
  const rows = new Map(
    Object.keys(STATEMENTS).map((question, index) => {
      const outcome = outcomes[index];
      return [question, outcome === undefined ? [] : rowsOf(outcome)];
    }),
  );
  return {
    serverVersion: Math.floor(Number(session?.rows[0]?.[0]) / 10_000),
    rows: (question) => rows.get(question) ?? [],
  };
}
