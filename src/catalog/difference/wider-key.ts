import type { ConstraintObject, IndexObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import { lowerCase, refTo, sqlNames } from "./names.ts";
import type { Side } from "./sides.ts";

/** What keeps rows apart: a key, or a unique index. */
interface Key {
  /** Columns, in any order. */
  readonly columns: readonly string[];
  /** The rows it speaks of: `where deleted_at is null`; empty for all. */
  readonly predicate: string;
  readonly areNullsEqual: boolean;
}

/**
 * A key over the columns of an earlier one that spoke of fewer rows, as on the way back from a soft delete. The rows it
 * left out may repeat each other, and nothing in the statement tells so. A key over other columns is asked for in so
 * many words.
 */
export function warnOfWiderKeys(ground: Ground): void {
  for (const object of ground.to.objects.values()) {
    if (object.kind !== "constraint" && object.kind !== "index") continue;
    const key = keyOf(object);
    const isNew = ground.isKept(object.table) && !ground.isKept(object.id);
    if (key === undefined || !isNew || hasParentsKey(object)) continue;
    const earlier = keysOn(ground.from, object.table).filter((one) => isSame(one.columns, key.columns));
    if (earlier.length === 0 || earlier.some((one) => covers(one, key))) continue;
    const columns = sqlNames(key.columns);
    const old = earlier.find((one) => one.predicate !== "" && one.predicate !== key.predicate);
    const which = old === undefined ? "some of them null" : `which a key "${old.predicate}" lets be`;
    ground.mayFail.push(`${refTo(object)}: rows equal in (${columns}), ${which}, make this fail`);
  }
}

function hasParentsKey(object: ConstraintObject | IndexObject): boolean {
  return object.kind === "constraint" ? object.isInherited : object.attachedTo !== undefined;
}

/** Rows that the one keeps apart, the other does not find together. */
function covers(one: Key, other: Key): boolean {
  const hasRows = one.predicate === "" || one.predicate === other.predicate;
  return hasRows && (one.areNullsEqual || !other.areNullsEqual);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}

function keysOn(side: Side, table: string): readonly Key[] {
  return (side.parts.get(table) ?? []).flatMap((part) =>
    part.kind === "constraint" || part.kind === "index" ? (keyOf(part) ?? []) : [],
  );
}

/** Undefined for what keeps no rows apart, and for expressions, which are compared by nobody here. */
function keyOf(part: ConstraintObject | IndexObject): Key | undefined {
  const isKey = part.kind === "index" ? part.isUnique : part.type === "unique" || part.type === "primary key";
  const columns = part.columns.flatMap((name) => name ?? []);
  if (!isKey || columns.length < part.columns.length) return undefined;
  const definition = lowerCase(part.definition);
  return {
    columns,
    predicate: part.kind === "index" ? (/ (where .*)$/s.exec(definition)?.[1] ?? "") : "",
    areNullsEqual: / nulls not distinct\b/.test(definition),
  };
}
