import type { Connection } from "../../../driver/index.ts";
import { isPlinthError } from "../../../errors/index.ts";
import type { RelationName } from "../catalog-view.ts";

/** One relation in a plan. */
export interface PlannedRelation {
  readonly name: RelationName;
  /** Undefined for one that is written to. */
  readonly isSequential: boolean | undefined;
  /** Indexes that rows of it are found by, with the condition each is asked. */
  readonly indexes: readonly PlannedIndex[];
}

export interface PlannedIndex {
  readonly name: string;
  readonly condition: string | undefined;
}

/**
 * The tables here are empty, and the planner takes an empty table that was never analysed for one of ten pages: large
 * enough to use an index for a selective condition, and a scan for everything else. These settings take away what would
 * make it choose by chance.
 */
const PLANNER = `set local random_page_cost to 4;
set local seq_page_cost to 1;
set local enable_seqscan to on;
set local enable_mergejoin to off;
set local enable_indexonlyscan to off;
set local max_parallel_workers_per_gather to 0`;

const SAVEPOINT = "plinth_lint_explain";

/** The relations in a query's plan. Nothing is run. Undefined when the server refuses the query. */
export async function explainQuery(
  connection: Connection,
  text: string,
): Promise<readonly PlannedRelation[] | undefined> {
  // The query is inside of a statement whose text is not its own.
  if (text === "") return undefined;
  const isInside = connection.transactionStatus === "open";
  // By itself: what an older server cannot parse, it refuses before it has run any of the text.
  if (isInside) await connection.script(`savepoint ${SAVEPOINT}`);
  const close = isInside ? `rollback to ${SAVEPOINT};\nrelease ${SAVEPOINT}` : "rollback";
  try {
    const outcomes = await connection.script(
      `${isInside ? "" : "begin;\n"}${PLANNER};\nexplain (format json, verbose, costs off) ${text}\n;\n${close}`,
    );
    const answer = outcomes.find(({ command }) => command === "EXPLAIN");
    const plan: unknown = JSON.parse(answer?.rows.map(([line]) => line ?? "").join("\n") ?? "[]");
    return [...plannedIn(plan)];
  } catch (error) {
    if (!isPlinthError(error) || !connection.isOpen) throw error;
    await connection.script(close);
    return undefined;
  }
}

function* plannedIn(node: unknown): Generator<PlannedRelation> {
  if (Array.isArray(node)) {
    for (const item of node) yield* plannedIn(item);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const name = wordIn(node, "Relation Name");
  if (name !== undefined) {
    const type = wordIn(node, "Node Type");
    const isWritten = type === "ModifyTable" || type === undefined;
    yield {
      name: { schema: wordIn(node, "Schema"), name },
      isSequential: isWritten ? undefined : type === "Seq Scan" || type === "Sample Scan",
      indexes: isWritten ? [] : [...indexesOf(node)],
    };
  }
  for (const value of Object.values(node)) if (typeof value === "object") yield* plannedIn(value);
}

/** The scan's own index, or those of the bitmaps below it. */
function* indexesOf(node: unknown): Generator<PlannedIndex> {
  if (Array.isArray(node)) {
    for (const item of node) yield* indexesOf(item);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const name = wordIn(node, "Index Name");
  if (name !== undefined) yield { name, condition: wordIn(node, "Index Cond") };
  if ("Plans" in node && /^Bitmap/.test(wordIn(node, "Node Type") ?? "")) yield* indexesOf(node.Plans);
}

function wordIn(node: object, key: string): string | undefined {
  const value: unknown = Reflect.get(node, key);
  return typeof value === "string" ? value : undefined;
}
