import { composeRow, type PlanGround, type Row, type RowPlan, unsatisfied } from "./compose.ts";
import { recombine, testComposed } from "./passing.ts";

/** Rows that are composed and tested at a time, and how often. */
const BATCH = 200;
const BATCHES_LIMIT = 5;

/** How often columns that may be empty are, in later batches: a check may want nearly all or nearly none. */
const NULL_SHARES = [0.05, 0.3, 0.5, 0.8, 0.95];

/** Rows to try, best first, or why there are none. */
export interface Candidates {
  readonly rows: readonly Row[];
  readonly why: string;
}

/** Composes rows until enough of them meet every check of the plan. `had` is how many the table has already. */
export async function candidates(
  ground: PlanGround,
  plan: RowPlan,
  had: number,
  wanted: number,
): Promise<Candidates> {
  const rows: Row[] = [];
  const verdicts: (readonly boolean[])[] = [];
  const first = wanted * 3 + 8;
  let composed = 0;
  for (let batch = 0; batch < BATCHES_LIMIT; batch++) {
    const made: Row[] = [];
    const count = batch === 0 ? first : BATCH;
    for (let at = 0; at < count; at++) {
      const row = composeRow(plan, had + composed, nullShareOf(plan, batch, at));
      composed += 1;
      if (row !== undefined) made.push(row);
    }
    if (made.length === 0 && batch === 0) return { rows: [], why: missingParent(plan) };
    const tested = await testComposed(ground, plan, made);
    rows.push(...tested.rows);
    verdicts.push(...tested.verdicts);
    const passing = rows.filter((_, row) => verdicts[row]?.every(Boolean) === true);
    if (passing.length >= wanted) return { rows: passing, why: "" };
  }
  const never = plan.checks.filter((_, check) => !verdicts.some((row) => row[check] === true));
  const why = unsatisfied(never.length > 0 ? never.slice(0, 1) : plan.checks);
  const combined = await testComposed(ground, plan, recombine(plan, { rows, verdicts }).slice(0, BATCH));
  return { rows: combined.rows.filter((_, row) => combined.verdicts[row]?.every(Boolean) === true), why };
}

/** The first row is complete, every fourth one as empty as it may be: what stands for "no more" is often not null. */
function nullShareOf(plan: RowPlan, batch: number, at: number): number {
  if (batch > 0) return plan.random.pick(NULL_SHARES);
  return at === 0 ? 0 : at % 4 === 1 ? 1 : 0.3;
}

function missingParent({ keys }: RowPlan): string {
  const [key] = keys.filter(({ tuples }) => tuples.length === 0);
  return key === undefined
    ? "no row of the tables it refers to fits all of its foreign keys"
    : `foreign key ${key.key.name}: the table it refers to has no rows`;
}
