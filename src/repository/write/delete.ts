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

export function createDeleter(scope: Scope): Deleter {
  return { ...createEnder(scope), ...createPurger(scope) };
}

function createEnder(scope: Scope): Pick<Deleter, "delete" | "deleteMany"> {
  const { entity } = scope;
  const [ends, manies] = [new Plans<unknown>(), new Plans<unknown>()];
  return {
    delete(key, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning);
      const plan = ends.find(returned.shape, () => {
        const opened = openStatement({ ...scope, visibility: "living" });
        const condition = keyCondition(entity, opened.table);
        const tree = deleteTree(opened, returned, [{ condition }, ...behaviourFilters(opened)]);
        return planOne(tree, entity, returned, true);
      });
      return intentOf(plan, callWith(scope, key));
    },
    deleteMany(filter, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning, false);
      const where = filterShape(filter);
      const call = callWith(scope, filter);
      const plan = manies.find(where === undefined ? undefined : `${returned.shape}/${where}`, () => {
        const opened = openStatement(scope);
        const tree = deleteTree(opened, returned, [...manyFilters(opened, call), ...onlyLiving(opened)]);
        return planMany(tree, returned);
      });
      return intentOf(plan, call);
    },
  };
}

/** The dead only, where the caller did not ask for all rows: what lives is deleted first. */
function createPurger(outside: Scope): Pick<Deleter, "purge" | "purgeMany"> {
  const scope: Scope = { ...outside, visibility: outside.visibility === "all" ? "all" : "dead" };
  const { entity } = scope;
  const [ends, manies] = [new Plans<unknown>(), new Plans<unknown>()];
  return {
    purge(key, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning);
      const plan = ends.find(returned.shape, () => {
        const opened = openStatement(scope);
        const filters = [{ condition: keyCondition(entity, opened.table) }, ...behaviourFilters(opened)];
        return planOne(deleteTree(opened, returned, filters, true), entity, returned, true);
      });
      return intentOf(plan, callWith(scope, key));
    },
    purgeMany(filter, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning, false);
      const where = filterShape(filter);
      const call = callWith(scope, filter);
      const plan = manies.find(where === undefined ? undefined : `${returned.shape}/${where}`, () => {
        const opened = openStatement(scope);
        return planMany(deleteTree(opened, returned, manyFilters(opened, call), true), returned);
      });
      return intentOf(plan, call);
    },
  };
}

function deleteTree(
  scope: TableScope,
  returned: Returned,
  filters: readonly Filter[],
  isForGood = false,
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
