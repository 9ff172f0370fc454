import type { PlanNode } from "./plan-node.ts";

/** Rows that may be looked at in vain without a word: a small table is read whole because that is fastest. */
const ROWS_IN_VAIN = 1_000;
/** A guess that is off by less leads to the same plan more often than not. */
const GUESS_OFF = 100;
/** What a plan without figures may cost before a whole table in it is worth a word. */
const COST = 1_000;
/** How often a table may be read whole within one statement. */
const LOOPS = 10;

/** What stands out in a plan, each in a sentence that names the table and what would help. */
export function problemsOf(root: PlanNode): readonly string[] {
  return nodesOf(root).flatMap((node) => [
    ...readWhole(node),
    ...readOften(node),
    ...misjudged(node),
    ...spilt(node),
  ]);
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...node.children.flatMap(nodesOf)];
}

function readWhole({ node, relation, filter, rowsRemoved, actualRows, cost }: PlanNode): readonly string[] {
  if (!node.endsWith("Seq Scan") || relation === undefined || filter === undefined) return [];
  if (actualRows === undefined) {
    if (cost < COST) return [];
    return [
      `${relation} is read whole, at a cost of ${count(cost)}, for ${filter}: an index could find the rows`,
    ];
  }
  const looked = (rowsRemoved ?? 0) + actualRows;
  if ((rowsRemoved ?? 0) < ROWS_IN_VAIN || actualRows * 10 > looked) return [];
  return [
    `${relation} is read whole: ${count(looked)} rows were looked at to find ${count(actualRows)} by ${filter}; an index could find them`,
  ];
}

function readOften({ node, relation, loops = 1, filter }: PlanNode): readonly string[] {
  if (!node.endsWith("Seq Scan") || relation === undefined || loops <= LOOPS) return [];
  const by = filter === undefined ? "" : `, each time for ${filter}`;
  return [`${relation} is read whole ${count(loops)} times${by}: an index would make each a look-up`];
}

function misjudged({ relation, estimatedRows, actualRows, loops = 1, node }: PlanNode): readonly string[] {
  if (actualRows === undefined || relation === undefined) return [];
  const each = actualRows / Math.max(loops, 1);
  const larger = Math.max(each, estimatedRows, 1);
  const smaller = Math.max(Math.min(each, estimatedRows), 1);
  if (larger < ROWS_IN_VAIN || larger / smaller < GUESS_OFF) return [];
  return [
    `${node} of ${relation} was expected to find ${count(estimatedRows)} rows and found ${count(each)}: run analyze ${relation}; where columns depend on each other, create statistics on them`,
  ];
}

function spilt({ node, spilledKb }: PlanNode): readonly string[] {
  if (spilledKb === undefined) return [];
  return [
    `${node} did not fit in memory (${count(spilledKb)} kB): fewer rows, an index in that order, or a larger work_mem`,
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
