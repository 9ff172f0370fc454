import { ConditionError, InputError, VersionConflictError } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type { Assignment, Call, Condition, Encoded, Filter, Select, Update } from "../../sql/index.ts";
import { encodeValue } from "../../statement/index.ts";
import { rowsOf } from "../answer.ts";
import { behaviourFilters, openStatement, rewritten, type Scope, type TableScope } from "../context.ts";
import { argument, type Given, partOf } from "../given.ts";
import type { Intent } from "../intent.ts";
import { keyCondition } from "../key.ts";
import { refuse, refuseUnknownOptions } from "../options.ts";
import { intentOf, type Plan, Plans, planOf, type ReadAnswer, statementOf } from "../plan.ts";
import { type Reader, refuseMissing } from "../read.ts";
import { valuesShapeOf } from "../shape.ts";
import { propertiesOf } from "../where/properties.ts";
import { callWith } from "./call.ts";
import { type FilterShape, filterShape, manyFilters, sayingCondition } from "./filter.ts";
import { assignmentsOf, type EncodedPatch, encodePatch, valueIn } from "./patch.ts";
import {
  planMany,
  planOne,
  projectionsOf,
  type Returned,
  returnedBy,
  rowOf,
  slotsOf,
  touchedBy,
} from "./returning.ts";
import { takenKey } from "./taken-key.ts";

/** Untyped options of calls that change rows. */
export interface ChangeShape {
  readonly returning?: unknown;
}

export interface UpdateShape extends ChangeShape {
  readonly where?: unknown;
  readonly ifVersion?: unknown;
}

/** Calls that change rows. */
export interface Updater {
  update(key: unknown, patch: object, options: UpdateShape): Intent<unknown>;
  increment(key: unknown, by: object, options: ChangeShape): Intent<unknown>;
  restore(key: unknown, options: ChangeShape): Intent<unknown>;
  updateMany(filter: FilterShape, patch: object, options: ChangeShape): Intent<unknown>;
}

export function createUpdater(scope: Scope, { get }: Pick<Reader, "get">): Updater {
  const { entity } = scope;
  const [updates, increases] = [new Plans<unknown>(), new Plans<unknown>()];
  const [returns, manies] = [new Plans<unknown>(), new Plans<unknown>()];
  return {
    update(key, patch, options) {
      refuseUnknownOptions(options, ["where", "ifVersion", "returning"]);
      const returned = returnedBy(entity, options.returning);
      const encoded = encodePatch(entity, patch);
      const isConditional = Object.hasOwn(options, "where") || options.ifVersion !== undefined;
      if (encoded.values.size === 0) {
        if (isConditional) refuse("patch", "must name a column to change, where a condition is given");
        return unchanged(get, key, returned);
      }
      const call = callWith(scope, key, encoded.values, options);
      if (!isConditional) {
        const plan = updates.find(`${encoded.shape}/${returned.shape}`, () =>
          planUpdate(scope, returned, settingOf(encoded)),
        );
        return intentOf(plan, call);
      }
      // A getter could answer otherwise the second time, and the plan is for all calls of the shape.
      propertiesOf(options, "options");
      const where = Object.hasOwn(options, "where") ? valuesShapeOf(options.where) : "";
      const version = options.ifVersion === undefined ? "" : "v";
      const plan = updates.find(
        where === undefined ? undefined : `${encoded.shape}/${returned.shape}/${version}${where}`,
        () => planConditional(scope, returned, settingOf(encoded), call),
      );
      return intentOf(plan, call);
    },
    increment(key, by, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning);
      const encoded = encodePatch(entity, by, { operation: "add" });
      if (encoded.values.size === 0) refuse("by", "must name a column to add to");
      const plan = increases.find(`${encoded.shape}/${returned.shape}`, () =>
        planUpdate(scope, returned, settingOf(encoded)),
      );
      return intentOf(plan, callWith(scope, key, encoded.values));
    },
    restore(key, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning);
      const plan = returns.find(returned.shape, () => ({
        ...planUpdate({ ...scope, visibility: "dead" }, returned, () => cleared(entity)),
        failed: (error) => takenKey(entity, error),
      }));
      return intentOf(plan, callWith(scope, key));
    },
    updateMany(filter, patch, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning, false);
      const where = filterShape(filter);
      const encoded = encodePatch(entity, patch);
      if (encoded.values.size === 0) refuse("patch", "must name a column to change");
      const call = callWith(scope, filter, encoded.values);
      const shape = where === undefined ? undefined : `${encoded.shape}/${returned.shape}/${where}`;
      const plan = manies.find(shape, () => {
        const opened = openStatement(scope);
        const tree = updateTree(opened, returned, settingOf(encoded), manyFilters(opened, call));
        return planMany(tree, returned);
      });
      return intentOf(plan, call);
    },
  };
}

type SettingOf = (scope: TableScope) => readonly Assignment[];

/** The patch is the call's second argument. */
function settingOf(patch: EncodedPatch): SettingOf {
  // The values stay out of it, as the plan outlives the call.
  const { operations } = patch;
  const values = new Map([...patch.values.keys()].map((column) => [column, null]));
  return ({ table }) => assignmentsOf({ values, operations }, table, valueIn(1));
}

function updateTree(
  scope: TableScope,
  returned: Returned,
  set: SettingOf,
  filters: readonly Filter[],
): ReturnType<typeof rewritten> {
  const { context, entity, table } = scope;
  const returning = projectionsOf(scope, returned);
  const update: Update = { kind: "update", table, set: set(scope), filters, returning };
  return rewritten(context, entity, update);
}

/** An update of the row with this key, the call's first argument, as far as the caller can see it. */
function planUpdate(outside: Scope, returned: Returned, set: SettingOf): Plan<unknown> {
  const scope = openStatement(outside);
  const filters = [{ condition: keyCondition(scope.entity, scope.table) }, ...behaviourFilters(scope)];
  return planOne(updateTree(scope, returned, set, filters), scope.entity, returned, true);
}

const NO_CONDITION = "must say something of the row";

/** The same, if the row is as the third argument says. Where it is not, a second statement tells why. */
function planConditional(outside: Scope, returned: Returned, set: SettingOf, call: Call): Plan<unknown> {
  const scope = openStatement(outside);
  const { entity, table } = scope;
  const options = argument(call, 2, "options");
  const ifVersion = partOf(options, "ifVersion", "ifVersion");
  const version = versionCondition(scope, ifVersion);
  const where = partOf(options, "where", "where");
  const isSaying = version === undefined || where.value !== undefined;
  const filters = [
    { condition: keyCondition(entity, table) },
    ...(isSaying ? [{ condition: sayingCondition(scope, where, NO_CONDITION) }] : []),
    ...(version === undefined ? [] : [{ condition: version }]),
    ...behaviourFilters(scope),
  ];
  const present = planPresence(outside, entity.byRole.get("version"));
  const read: ReadAnswer<unknown> = async ([outcome], ask, asked) => {
    if (touchedBy(outcome) > 0) return rowOf(outcome);
    const [found] = await ask([statementOf(present, asked)]);
    const [row] = rowsOf(found);
    if (row === undefined) return refuseMissing(entity);
    const isOther = version !== undefined && row[0] !== String(ifVersion.in(asked));
    throw isOther ? new VersionConflictError(entity.name) : new ConditionError(entity.name);
  };
  const tree = updateTree(scope, returned, set, filters);
  return { ...planOf(tree, read, { mayRefuse: true, slots: slotsOf(returned) }), later: [present] };
}
/** The version that the call's options name; undefined where they name none. */
function versionCondition({ entity, table }: TableScope, given: Given): Condition | undefined {
  if (given.value === undefined) return undefined;
  const column = entity.byRole.get("version");
  if (column === undefined) {
    refuse(given.path, `needs a version column: add ...versioned() to "${entity.name}"`);
  }
  return {
    kind: "comparison",
    operator: "=",
    left: { kind: "column", table, name: column.name },
    right: { kind: "parameter", value: (call) => versionIn(given.in(call), column, given.path) },
  };
}

function versionIn(value: unknown, column: ColumnDescription, path: string): Encoded {
  // No version is null, and nothing is equal to it: that would look like a conflict for ever.
  if (value === null) throw new InputError("INVALID_VALUE", [{ path, message: "must be a version" }]);
  return encodeValue(column, value, path);
}

/** Whether there is a row with the key, the call's first argument, and which version it is. */
function planPresence(outside: Scope, version: ColumnDescription | undefined): Plan<unknown> {
  const scope = openStatement(outside);
  const { table } = scope;
  const select: Select = {
    kind: "select",
    from: table,
    projections:
      version === undefined ? [] : [{ kind: "value", of: { kind: "column", table, name: version.name } }],
    filters: [{ condition: keyCondition(scope.entity, table) }, ...behaviourFilters(scope)],
    orderBy: [],
  };
  return planOf(select, () => undefined);
}

/** Nothing to write: the row as it is, or the error that there is none. */
function unchanged(get: Reader["get"], key: unknown, { columns }: Returned): Intent<unknown> {
  if (columns.length > 0) return get(key, { columns: columns.map((column) => column.key) });
  const intent = get(key);
  const { calls, guarded, mayRefuse = false, isRead = false } = intent;
  return {
    calls,
    guarded,
    mayRefuse,
    isRead,
    get additions() {
      return intent.additions;
    },
    read: async (outcomes, ask) => void (await intent.read(outcomes, ask)),
  };
}

function cleared(entity: EntityDescription): readonly Assignment[] {
  return ["deletedAt", "deletedBy"]
    .map((role) => entity.byRole.get(role))
    .filter((column) => column !== undefined)
    .map((column) => ({ name: column.name, value: { kind: "parameter", value: null } }));
}
