/** One step of how PostgreSQL runs a statement. */
export interface PlanNode {
  /** As PostgreSQL calls it: `Index Scan`, `Nested Loop`, `Sort`. */
  readonly node: string;
  /** The table it reads, and the index it reads it by. */
  readonly relation?: string;
  readonly index?: string;
  /** What the index was asked for, and what was thrown away after reading. */
  readonly indexCondition?: string;
  readonly filter?: string;
  /** In the planner's own unit: a page read in sequence is 1. */
  readonly cost: number;
  readonly estimatedRows: number;
  /** The rest is known with `analyze` only. Rows and times are totals over all loops. */
  readonly actualRows?: number;
  readonly rowsRemoved?: number;
  readonly loops?: number;
  readonly totalMs?: number;
  /** Kilobytes that did not fit in memory. */
  readonly spilledKb?: number;
  readonly children: readonly PlanNode[];
}

/** A statement as PostgreSQL runs it. */
export interface StatementPlan {
  readonly text: string;
  readonly plan: PlanNode;
  readonly planningMs: number | undefined;
  readonly executionMs: number | undefined;
  /** What is wrong with it, in words; empty when nothing stands out. */
  readonly problems: readonly string[];
}

/**
 * Reads the answer of `explain (format json)`.
 *
 * @see https://www.postgresql.org/docs/current/sql-explain.html
 */
export function readPlan(json: string): Omit<StatementPlan, "text" | "problems"> {
  const parsed: unknown = JSON.parse(json);
  const root: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return {
    plan: nodeOf(part(root, "Plan")),
    planningMs: numberIn(root, "Planning Time"),
    executionMs: numberIn(root, "Execution Time"),
  };
}

function nodeOf(given: unknown): PlanNode {
  const loops = numberIn(given, "Actual Loops");
  // Per loop in PostgreSQL's report.
  const total = (key: string): number | undefined => {
    const each = numberIn(given, key);
    return each === undefined || loops === undefined ? undefined : Math.round(each * loops);
  };
  const totalMs = numberIn(given, "Actual Total Time");
  const inner = part(given, "Plans");
  return {
    node: textIn(given, "Node Type") ?? "",
    ...known("relation", textIn(given, "Relation Name")),
    ...known("index", textIn(given, "Index Name")),
    ...known("indexCondition", textIn(given, "Index Cond")),
    ...known("filter", textIn(given, "Filter")),
    cost: numberIn(given, "Total Cost") ?? 0,
    estimatedRows: numberIn(given, "Plan Rows") ?? 0,
    ...known("actualRows", total("Actual Rows")),
    ...known("rowsRemoved", total("Rows Removed by Filter")),
    ...known("loops", loops),
    ...known("totalMs", totalMs === undefined || loops === undefined ? undefined : totalMs * loops),
    ...known("spilledKb", spilled(given)),
    children: Array.isArray(inner) ? inner.map(nodeOf) : [],
  };
}

/** A sort says where it was, a hash in how many batches. */
function spilled(given: unknown): number | undefined {
  if (textIn(given, "Sort Space Type") === "Disk") return numberIn(given, "Sort Space Used");
  const batches = numberIn(given, "Hash Batches") ?? numberIn(given, "HashAgg Batches") ?? 1;
  return batches > 1 ? (numberIn(given, "Disk Usage") ?? numberIn(given, "Peak Memory Usage")) : undefined;
}

function known<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function part(given: unknown, key: string): unknown {
  if (typeof given !== "object" || given === null) return undefined;
  return (given as Readonly<Record<string, unknown>>)[key];
}

function numberIn(given: unknown, key: string): number | undefined {
  const value = part(given, key);
  return typeof value === "number" ? value : undefined;
}

function textIn(given: unknown, key: string): string | undefined {
  const value = part(given, key);
  return typeof value === "string" ? value : undefined;
}
