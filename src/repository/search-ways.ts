import type { Outcome, StatementCall } from "../driver/index.ts";
import { type SearchDescription, trigramSchema } from "../schema/index.ts";
import type { Condition, Expression } from "../sql/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import type { Scope, TableScope } from "./context.ts";
import type { Ask } from "./intent.ts";
import { type TypedQuery, textParameter, wantedText } from "./search-text.ts";

/** One way to find rows, and to say how well they fit. */
export interface Way {
  readonly matched: "words" | "similar";
  /** The words that are marked. */
  readonly marked: Expression;
  condition(scope: TableScope): Condition;
  rank(scope: TableScope): Expression;
  /** Runs the statements of its conditions, with what they need around them. */
  ask(ask: Ask, statement: StatementCall): Promise<Outcome | undefined>;
}

/** By their words: the column that holds them has an index. */
export function wordsWay({ vector }: SearchDescription, typed: TypedQuery): Way {
  const words = ({ table }: TableScope): Expression => ({ kind: "column", table, name: vector });
  // Worked out for all rows at once, where PostgreSQL need not see it to choose a plan.
  const query: Expression = { kind: "once", of: typed.query };
  return {
    matched: "words",
    marked: { kind: "once", of: typed.any },
    condition: (scope) => ({
      kind: "and",
      of: [hasWords(typed), { kind: "comparison", operator: "@@", left: words(scope), right: typed.query }],
    }),
    rank: (scope) => ({ kind: "function", name: "ts_rank_cd", of: [words(scope), query] }),
    ask: async (ask, statement) => (await ask([statement]))[0],
  };
}

/** A text of nothing but words that mean nothing finds nothing, though one of them may begin another word. */
function hasWords({ whole }: TypedQuery): Condition {
  return { kind: "sql", parts: ["numnode(", whole, ") > 0"] };
}

/**
 * Of six letters two may have changed places (`reprot` is 0.43), of four the first is another word (`dead` and `read` are
 * 0.4). PostgreSQL's own 0.6 finds hardly any misspelling of a short word.
 */
const SIMILARITY = "0.42";
const THRESHOLD = "pg_trgm.word_similarity_threshold";

/** A setting is the only way to tell the operator that an index answers; it holds for one statement of the transaction. */
const LOWER: StatementCall = {
  text: `select set_config('plinth.similarity', coalesce(current_setting('${THRESHOLD}', true), ''), true), set_config('${THRESHOLD}', '${SIMILARITY}', true)`,
  values: [],
  leavesNoTrace: true,
};
const RESTORE: StatementCall = {
  text: `select set_config('${THRESHOLD}', nullif(current_setting('plinth.similarity', true), ''), true)`,
  values: [],
  leavesNoTrace: true,
};

/**
 * By trigrams: rows with an extent of words that is similar to the text.
 *
 * @see https://www.postgresql.org/docs/current/pgtrgm.html
 */
export function similarWay(
  { context, entity }: Scope,
  { columns, typos }: SearchDescription,
  typed: TypedQuery,
): Way | undefined {
  const schema = trigramSchema(context.schema.objects, entity.schema);
  if (!typos || schema === undefined) return undefined;
  const text = textParameter(wantedText);
  const isSimilarTo = ` operator(${quoteIdentifier(schema)}.<%) `;
  const searched = ({ table }: TableScope): readonly Expression[] =>
    columns.map(({ column }) => ({ kind: "column", table, name: column.name }));
  return {
    matched: "similar",
    marked: { kind: "once", of: typed.any },
    condition: (scope) => ({
      kind: "and",
      of: [
        hasWords(typed),
        {
          kind: "or",
          of: searched(scope).map((column) => ({ kind: "sql", parts: [text, isSimilarTo, column] })),
        },
      ],
    }),
    rank: (scope) => ({
      kind: "function",
      name: "greatest",
      of: searched(scope).map((column) => ({
        kind: "function",
        name: "word_similarity",
        schema,
        of: [text, column],
      })),
    }),
    ask: async (ask, statement) => (await ask([LOWER, statement, RESTORE]))[1],
  };
}
