import type { Delete, Filter } from "../../sql/index.ts";
import { behaviourFilters, openStatement, rewritten, type Scope, type TableScope } from "../context.ts";
import type { Intent } from "../intent.ts";
import { keyCondition } from "../key.ts";
import { refuseUnknownOptions } from "../options.ts";
import { intentOf, Plans } from "../plan.ts";
import { callWith } from "./call.ts";
import { type FilterShape, filterShape, manyFilters } from "./filter.ts";
import { planMany, planOne, projectionsOf, type Returned, returnedBy } from "./returning.ts";

interface DeleteShape {
  readonly returning?: unknown;
}

/** Calls that end rows. */
export interface Deleter {
  delete(key: unknown, options: DeleteShape): Intent<unknown>;
  deleteMany(filter: FilterShape, options: DeleteShape): Intent<unknown>;
  purge(key: unknown, options: DeleteShape): Intent<unknown>;
  purgeMany(filter: FilterShape, options: DeleteShape): Intent<unknown>;
}

export function createDeleter(outside: Scope): Deleter {
  const ending = createEnder({ ...outside, visibility: "living" }, outside, (opened, filters) => ({
    filters: [...filters, ...onlyLiving(opened)],
    isForGood: false,
  }));
  // The dead only, where the caller did not ask for all rows: what lives is deleted first.
  const dead: Scope = { ...outside, visibility: outside.visibility === "all" ? "all" : "dead" };
  const purging = createEnder(dead, dead, (_opened, filters) => ({ filters, isForGood: true }));
  return { delete: ending.one, deleteMany: ending.many, purge: purging.one, purgeMany: purging.many };
}

/** Which rows come to an end, and how. */
interface Ending {
  readonly filters: readonly Filter[];
  /** Not by a stamp, though the entity has one. */
  readonly isForGood: boolean;
}

interface Ender {
  one(key: unknown, options: DeleteShape): Intent<unknown>;
  many(filter: FilterShape, options: DeleteShape): Intent<unknown>;
}

function createEnder(
  ofOne: Scope,
  ofMany: Scope,
  endingOf: (opened: TableScope, filters: readonly Filter[]) => Ending,
): Ender {
  const { entity } = ofOne;
  const [ends, manies] = [new Plans<unknown>(), new Plans<unknown>()];
  const treeOf = (opened: TableScope, returned: Returned, filters: readonly Filter[]) =>
    deleteTree(opened, returned, endingOf(opened, filters));
  return {
    one(key, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning);
      const plan = ends.find(returned.shape, () => {
        const opened = openStatement(ofOne);
        const filters = [{ condition: keyCondition(entity, opened.table) }, ...behaviourFilters(opened)];
        return planOne(treeOf(opened, returned, filters), entity, returned, true);
      });
      return intentOf(plan, callWith(ofOne, key));
    },
    many(filter, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning, false);
      const where = filterShape(filter);
      const call = callWith(ofMany, filter);
      const plan = manies.find(where === undefined ? undefined : `${returned.shape}/${where}`, () => {
        const opened = openStatement(ofMany);
        return planMany(treeOf(opened, returned, manyFilters(opened, call)), returned);
      });
      return intentOf(plan, call);
    },
  };
}

function deleteTree(
  scope: TableScope,
  returned: Returned,
  { filters, isForGood }: Ending,
): ReturnType<typeof rewritten> {
  const { context, entity, table } = scope;
  const returning = projectionsOf(scope, returned);
  const node: Delete = { kind: "delete", from: table, filters, returning, isForGood };
  return rewritten(context, entity, node);
}

/**
 * Only the living can die: a second stamp would part a dead row from the children that died with it. Of a view of the dead
 * alone, that leaves none.
 */
function onlyLiving(scope: TableScope): readonly Filter[] {
  return scope.visibility === "living" ? [] : behaviourFilters({ ...scope, visibility: "living" });
}
