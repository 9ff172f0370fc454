import { InputError } from "../../errors/index.ts";
import type { ColumnDescription, HistoryDescription } from "../../schema/index.ts";
import type { Call, Encoded, Insert, ParameterValue, Tree, Update } from "../../sql/index.ts";
import { openStatement, rewritten, type Scope } from "../context.ts";
import type { Ask, Intent } from "../intent.ts";
import { keyCondition } from "../key.ts";
import { refuse, refuseUnknownOptions } from "../options.ts";
import { type Plan, Plans, planOf, statementOf } from "../plan.ts";
import { callWith } from "../write/call.ts";
import { projectionsOf, returnedBy, rowOf, slotsOf, touchedBy } from "../write/returning.ts";
import { type Bound, cellOf, END, eventsCall, type Image, recordedIn } from "./events.ts";
import { stepsBack, versionOf } from "./timeline.ts";

export const HISTORY_LIMIT_DEFAULT = 20;
export const HISTORY_LIMIT_LIMIT = 1_000;

/** Options of `history` as they come. */
export interface HistoryShape {
  readonly limit?: unknown;
  readonly after?: unknown;
}

/** Calls about a row's past. */
export interface Historian {
  history(key: unknown, options?: HistoryShape): Intent<unknown>;
  revert(key: unknown, version: unknown): Intent<unknown>;
}

export function createHistorian(scope: Scope, history: HistoryDescription): Historian {
  const { entity } = scope;
  const [updates, inserts] = [new Plans<unknown>(), new Plans<unknown>()];
  return {
    history(key, options = {}) {
      refuseUnknownOptions(options, ["limit", "after"]);
      const limit = limitOf(options.limit);
      const before = cursorOf(options.after);
      return {
        calls: [eventsCall(entity, history, callWith(scope, key), { before, count: limit + 1 })],
        additions: [],
        isRead: true,
        read([outcome]) {
          const recorded = recordedIn(outcome);
          const steps = stepsBack(recorded);
          const data = steps.slice(0, limit).map((step) => versionOf(entity, step));
          const last = steps[limit - 1]?.event.version;
          const nextCursor = steps.length > limit && last !== undefined ? String(last) : null;
          const { since = null, prunedBelow } = recorded.bound ?? {};
          const meta = { limit, nextCursor, knownSince: since, isPruned: prunedBelow !== undefined };
          return { data, meta };
        },
      };
    },
    revert(key, version) {
      if (typeof version !== "bigint" || version < 1n || version >= END) {
        refuse("version", "must be the version of a change, a bigint");
      }
      return {
        calls: [eventsCall(entity, history, callWith(scope, key), { before: version + 1n, count: 1 })],
        additions: [],
        needsTransaction: true,
        mayRefuse: true,
        async read([outcome], ask) {
          const recorded = recordedIn(outcome);
          const [step] = stepsBack(recorded);
          if (step?.event.version !== version) refuse("version", unknownVersion(version, recorded.bound));
          const { after } = step;
          if (after === null) refuse("version", "is the end of this row; go back to one before it");
          return writeBack(scope, { updates, inserts }, callWith(scope, key, after), ask);
        },
      };
    },
  };
}

/** Which versions were pruned is not known any more, only that they were below the note of it. */
function unknownVersion(version: bigint, bound: Bound | undefined): string {
  const isPerhapsPruned = bound?.prunedBelow !== undefined && version < bound.prunedBelow;
  return isPerhapsPruned
    ? `is no version of this row that is left: what was recorded before ${bound.since} was pruned`
    : "is no version of this row";
}

function limitOf(limit: unknown): number {
  if (limit === undefined) return HISTORY_LIMIT_DEFAULT;
  if (typeof limit === "number" && Number.isInteger(limit) && limit >= 1 && limit <= HISTORY_LIMIT_LIMIT)
    return limit;
  return refuse("limit", `must be a whole number from 1 to ${HISTORY_LIMIT_LIMIT}`);
}

/** A cursor is the version to go on below: it means the same whatever is recorded meanwhile. */
function cursorOf(after: unknown): bigint {
  if (after === undefined || after === null || after === "") return END;
  if (typeof after === "string" && /^[1-9]\d{0,18}$/.test(after) && BigInt(after) <= END)
    return BigInt(after);
  throw new InputError("INVALID_CURSOR", [{ path: "after", message: "is no cursor of a history" }]);
}

interface WritePlans {
  readonly updates: Plans<unknown>;
  readonly inserts: Plans<unknown>;
}

/** The image is the call's second argument, its key the first. */
async function writeBack(scope: Scope, plans: WritePlans, call: Call, ask: Ask): Promise<unknown> {
  const columns = scope.entity.columns.filter(
    (column) =>
      column !== scope.entity.tenant && isWrittenBack(column) && Object.hasOwn(imageIn(call), column.name),
  );
  const shape = columns.map(({ name }) => `${name.length}:${name}`).join("");
  const update = plans.updates.find(shape, () => written(scope, updateTree(scope, columns)));
  const [updated] = await ask([statementOf(update, call)]);
  if (touchedBy(updated) > 0) return rowOf(updated);
  const insert = plans.inserts.find(shape, () => written(scope, insertTree(scope, columns)));
  const [inserted] = await ask([statementOf(insert, call)]);
  return rowOf(inserted);
}

/** Who changes it now, and when, is said by this change, not by the one it goes back to. */
function isWrittenBack({ generatedSql, identity, marks }: ColumnDescription): boolean {
  return (
    generatedSql === undefined &&
    identity !== "always" &&
    marks.role !== "updatedAt" &&
    marks.role !== "updatedBy" &&
    marks.role !== "version"
  );
}

function written({ entity }: Scope, tree: Tree): Plan<unknown> {
  return planOf(tree, () => undefined, { slots: slotsOf(returnedBy(entity, true)) });
}

function updateTree(outside: Scope, columns: readonly ColumnDescription[]): Tree {
  const scope = openStatement(outside);
  const { context, entity, table } = scope;
  const update: Update = {
    kind: "update",
    table,
    set: columns
      .filter((column) => !entity.primaryKey.columns.includes(column))
      .map((column) => ({
        name: column.name,
        value: { kind: "parameter", value: recordedValue(column), type: column.castType },
      })),
    // Dead rows too: going back may bring one back.
    filters: [{ condition: keyCondition(entity, table) }],
    returning: projectionsOf(scope, returnedBy(entity, true)),
  };
  return rewritten(context, entity, update);
}

function insertTree(outside: Scope, columns: readonly ColumnDescription[]): Tree {
  const scope = openStatement(outside);
  const { context, entity, table } = scope;
  const insert: Insert = {
    kind: "insert",
    into: table,
    rows: "one",
    columns: columns.map((column) => ({
      kind: "per-row",
      name: column.name,
      type: column.castType,
      values: recordedValue(column),
    })),
    returning: projectionsOf(scope, returnedBy(entity, true)),
  };
  const made = rewritten(context, entity, insert);
  if (made.kind !== "insert") return made;
  // Who made the row is known, so nobody signs it as new.
  const own = new Set(columns.map(({ name }) => name));
  return {
    ...made,
    columns: made.columns.filter(({ name, addedBy }) => addedBy === undefined || !own.has(name)),
  };
}

function recordedValue({ name }: ColumnDescription): ParameterValue {
  return (call): Encoded => cellOf(imageIn(call), name);
}

function imageIn({ input: [, image] }: Call): Image {
  return image as Image;
}
