import { groundOf, planOf } from "./difference/ground.ts";
import { nameHeldLocks } from "./difference/held-locks.ts";
import { matchNames } from "./difference/match-names.ts";
import { derivedName } from "./difference/names.ts";
import { orderSteps } from "./difference/order.ts";
import type { DifferencePlan } from "./difference/plan.ts";
import { sideOf } from "./difference/sides.ts";
import { stepsFor } from "./difference/steps.ts";
import type { Catalog } from "./model.ts";

/** How a difference is written. */
export interface DifferenceOptions {
  /**
   * Tables that are in `from` may be big and in use: what would keep others out while it reads or writes every row
   * is done in steps that do not, and where PostgreSQL has none the statement says so.
   */
  readonly online: boolean;
}

/**
 * Writes the SQL that turns a database whose catalog is `from` into one whose catalog equals `to`. Called the other
 * way round it writes the way back. Costs no round trip.
 *
 * Statements stand in an order that runs with `search_path` set to the home schema; those that PostgreSQL refuses
 * inside a transaction (`create index concurrently`, a `do` block that commits) stand for themselves. What is in the
 * way of a change (a view on a column that changes its type) is dropped before and made again after it.
 *
 * @example
 * ```ts
 * const { statements } = planDifference(live, wanted, { online: true });
 * // ["alter table tasks add column due_date date", "create index concurrently tasks_due_date_idx on tasks …"]
 * ```
 */
export function planDifference(from: Catalog, to: Catalog, options: DifferenceOptions): DifferencePlan {
  const taken = new Set([...from.objects, ...to.objects].map(({ name }) => name));
  const matched = matchNames(from, to, (name) => derivedName(name, "_old", taken));
  const ground = groundOf(sideOf(matched.from), sideOf(matched.to), options.online);
  const ordered = orderSteps([...matched.renames, ...stepsFor(ground)]);
  const statements = ordered.flatMap((step) => step.statements);
  return planOf(ground, options.online ? nameHeldLocks(ground, statements) : statements);
}

/** Everything in a catalog as SQL for an empty database. */
export function renderCatalog(catalog: Catalog): readonly string[] {
  return planDifference({ ...catalog, objects: [] }, catalog, { online: false }).statements;
}
