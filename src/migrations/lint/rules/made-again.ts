/**
 * What a statement takes away may be there again when its transaction ends, as the application knows it: then nobody has
 * seen it gone. What had rows of its own is not made again by another one of the same shape.
 */
import type { CatalogView, Column, Relation, RelationName } from "../catalog-view.ts";
import { columnOf } from "../effects/family.ts";
import { isSameType } from "../effects/type-change.ts";
import type { TransactionEnd } from "./subject.ts";

type IsBack = (end: TransactionEnd) => Promise<boolean>;

/** A view is dropped: something with its columns can be read under its name. */
export function viewIsBack(before: Relation): IsBack {
  return async ({ view, trees }) => {
    const after = await otherUnderName(view, before);
    const isView = before.kind === "view" || before.kind === "materialized";
    return isView && after !== undefined && after.kind !== "sequence" && !isUnfilled(after, trees);
  };
}

/** A relation gets another name: a view, or a table that was there before, has taken its place. */
export function nameIsBack(before: Relation): IsBack {
  return async ({ view }) => {
    const after = await otherUnderName(view, before);
    return after !== undefined && (after.kind === "view" || after.isOld);
  };
}

/** The column has its old name again. */
export function columnNameIsBack(before: Relation, name: string): IsBack {
  return async ({ view }) => {
    const after = columnOf((await view.get(before.id)) ?? before, name);
    return after !== undefined && after.number === columnOf(before, name)?.number;
  };
}

/** A column that is computed loses nothing when it is computed anew. */
export function computedColumnIsBack(before: Relation, name: string): IsBack {
  return async ({ view }) => {
    const old = columnOf(before, name);
    const after = columnOf((await view.get(before.id)) ?? before, name);
    if (old?.generated === undefined || after?.generated === undefined) return false;
    return after.number !== old.number && isSameColumn(old, after);
  };
}

/** Null is kept out again. */
export function notNullIsBack(before: Relation, name: string): IsBack {
  return async ({ view }) => columnOf((await view.get(before.id)) ?? before, name)?.isNotNull === true;
}

/** A function or procedure with the same arguments and the same result can be called. */
export async function routineIsBack(
  view: CatalogView,
  name: RelationName,
  arity: number | undefined,
): Promise<IsBack> {
  const before = await signatures(view, name, arity);
  return async (end) => {
    const after = await signatures(end.view, name, arity);
    return before.length > 0 && before.every((one) => one !== undefined && after.includes(one));
  };
}

/** A domain or composite type that looks the same. The values of an enum are not among what is known of it. */
export async function typeIsBack(view: CatalogView, name: RelationName): Promise<IsBack> {
  const [before, attributes] = [await view.type(name, false), await view.find(name)];
  return async (end) => {
    const after = await end.view.type(name, false);
    if (before === undefined || after === undefined || after.kind !== before.kind) return false;
    if (before.kind === "composite") {
      const now = await end.view.find(name);
      return attributes !== undefined && now !== undefined && isSameList(attributes.columns, now.columns);
    }
    if (before.base === undefined || after.base === undefined) return false;
    return (
      isSameType(before.base, after.base) &&
      before.baseModifier === after.baseModifier &&
      before.isConstrained === after.isConstrained
    );
  };
}

/** Another relation under the same name that has every column of the old one. */
async function otherUnderName(view: CatalogView, before: Relation): Promise<Relation | undefined> {
  const { id, schema, name, isKnown } = before;
  const after = await view.find({ schema, name });
  if (after === undefined || after.id === id || !isKnown || !after.isKnown) return undefined;
  const isWhole = before.columns.every((column) => {
    const other = columnOf(after, column.name);
    return other !== undefined && isSameColumn(column, other);
  });
  return isWhole ? after : undefined;
}

/** `create materialized view … with no data` cannot be read yet. */
function isUnfilled({ kind, name }: Relation, trees: TransactionEnd["trees"]): boolean {
  return (
    kind === "materialized" &&
    trees.some(
      (tree) =>
        "CreateTableAsStmt" in tree &&
        tree.CreateTableAsStmt.into?.rel?.relname === name &&
        tree.CreateTableAsStmt.into.skipData === true,
    )
  );
}

function isSameList(left: readonly Column[], right: readonly Column[]): boolean {
  return (
    left.length === right.length &&
    left.every((column, at) => {
      const other = right[at];
      return other !== undefined && other.name === column.name && isSameColumn(column, other);
    })
  );
}

function isSameColumn(left: Column, right: Column): boolean {
  return isSameType(left.type, right.type) && left.modifier === right.modifier;
}

/** Up to the language: name, arguments with their names and defaults, and what comes back. */
async function signatures(
  view: CatalogView,
  name: RelationName,
  arity: number | undefined,
): Promise<readonly (string | undefined)[]> {
  const found = (await view.functions(name, arity)) ?? [];
  return found.map(({ definition }) => definition?.split(/\n LANGUAGE /, 1)[0]);
}
