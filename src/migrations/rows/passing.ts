import { encodeArray } from "../../statement/index.ts";
import { fillsItself, type PlanGround, type Row, type RowPlan } from "./compose.ts";
import { testRows } from "./queries.ts";

/** Rows beside what each of the plan's checks says about each. */
export interface TestedRows {
  readonly rows: readonly Row[];
  /** By row, then by check. */
  readonly verdicts: readonly (readonly boolean[])[];
}

/** Asks the server which rows meet which of the checks that look at several columns. One round trip when none fails. */
export async function testComposed(
  ground: PlanGround,
  plan: RowPlan,
  rows: readonly Row[],
): Promise<TestedRows> {
  if (plan.checks.length === 0 || rows.length === 0) return { rows, verdicts: rows.map(() => []) };
  const given = plan.table.columns.filter((column) => column.generated === undefined);
  const arrays = given.map((column) => {
    const at = plan.columns.indexOf(column);
    // What a sequence will fill is some small number.
    const unknown = (index: number): string | null => (fillsItself(column) ? String(index + 1) : null);
    return encodeArray(rows.map((row, index) => (at < 0 ? unknown(index) : (row[at] ?? null))));
  });
  const text = testRows({
    table: plan.table.name,
    columns: given.map(({ name, type }) => ({ name, type: type.sql })),
    generated: plan.table.columns.flatMap(({ name, generated }) =>
      generated === undefined ? [] : [{ name, expression: generated }],
    ),
    conditions: plan.checks.map(({ expression }) => expression),
  });
  try {
    const outcome = await ground.connection.query({ text, values: arrays });
    return { rows, verdicts: outcome.rows.map((cells) => cells.slice(1).map((cell) => cell === "t")) };
  } catch (error) {
    if (!ground.connection.isOpen) throw error;
    // One bad row (a division by zero) fails them all: halves at a time.
    if (rows.length === 1) return { rows, verdicts: [plan.checks.map(() => false)] };
    const middle = Math.ceil(rows.length / 2);
    const left = await testComposed(ground, plan, rows.slice(0, middle));
    const right = await testComposed(ground, plan, rows.slice(middle));
    return { rows, verdicts: [...left.verdicts, ...right.verdicts] };
  }
}

/**
 * Rows that meet all checks, put together from the parts that do: columns that no check or foreign key ties together
 * can come from different rows, so ten checks need not be met by luck at once.
 */
export function recombine(plan: RowPlan, { rows, verdicts }: TestedRows): readonly Row[] {
  const places = new Map(plan.columns.map(({ name }, index) => [name, index]));
  const parts = tiedColumns(plan).map(({ columns, checks }) => ({
    at: columns.flatMap((column) => places.get(column) ?? []),
    sources: rows.filter((_, row) => checks.every((check) => verdicts[row]?.[check] === true)),
  }));
  if (parts.some(({ sources }) => sources.length === 0)) return [];
  return rows.map((row, index) => {
    const cells = [...row];
    for (const { at, sources } of parts) {
      const source = sources[index % sources.length];
      for (const place of at) cells[place] = source?.[place] ?? null;
    }
    return cells;
  });
}

interface Tied {
  readonly columns: readonly string[];
  /** Places of the plan's checks. */
  readonly checks: readonly number[];
}

/** Columns that have to be chosen together, with the checks that say so. */
function tiedColumns(plan: RowPlan): readonly Tied[] {
  let groups: readonly Tied[] = plan.keys.map(({ key }) => ({ columns: key.columns, checks: [] }));
  const all = plan.checks.map((check, index) => ({
    // A check without a known column (a whole row, say) ties everything.
    columns: check.columns.length === 0 ? plan.columns.map(({ name }) => name) : check.columns,
    checks: [index],
  }));
  for (const next of all) groups = join(groups, next);
  for (const next of [...groups]) groups = join(groups, next);
  return groups;
}

function join(groups: readonly Tied[], next: Tied): readonly Tied[] {
  const touches = (group: Tied): boolean => group.columns.some((column) => next.columns.includes(column));
  const joined = [...groups.filter(touches), next];
  return [
    ...groups.filter((group) => !touches(group)),
    {
      columns: [...new Set(joined.flatMap(({ columns }) => columns))],
      checks: [...new Set(joined.flatMap(({ checks }) => checks))],
    },
  ];
}
