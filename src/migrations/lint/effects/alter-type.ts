import type { AlterTableCmd, ColumnDef } from "libpg-query";
import type { CatalogView, Column, Index, Relation } from "../catalog-view.ts";
import { nameIn, sqlName } from "../names.ts";
import { columnOf } from "./family.ts";
import { readForValidation } from "./foreign-key.ts";
import type { TableChange } from "./table-change.ts";
import { type ModifiedType, resolveType, touchesValues } from "./type-change.ts";

/** `alter column … type`: for some types the catalog alone changes, for all others every row. */
export async function changeType({ name, def }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  if (def === undefined || !("ColumnDef" in def) || name === undefined) return;
  const family = await change.lockFamily();
  const column = columnOf(relation, name);
  if (column === undefined) {
    if (!relation.isKnown) unknownType(change, name);
    return;
  }
  const target = await resolveType(view, def.ColumnDef.typeName);
  const isTouched =
    target === undefined ? undefined : await touchesValues(view, column, target, def.ColumnDef.raw_default);
  if (target === undefined || isTouched === undefined) {
    if (!view.isComplete) unknownType(change, name);
    return;
  }
  for (const member of family) {
    const own = columnOf(member, name);
    if (own === undefined) continue;
    if (isTouched) change.rewrite(member);
    else await keepRows(member, own, target, collationOf(def.ColumnDef), change);
    await changeForeignKeys(member, name, isTouched, change);
  }
  await changeSequence(column, change);
  effects.lock(relation, change.mode);
}

/** The database's own, as the server writes its name. */
const DEFAULT_COLLATION = '"default"';

function unknownType({ effects, relation }: TableChange, name: string): void {
  effects.unknown(
    `the type of ${relation.label}.${name} is not known, so the change may write every row anew`,
  );
}

function collationOf({ collClause }: ColumnDef): string | undefined {
  return collClause === undefined ? undefined : sqlName(nameIn(collClause.collname).name);
}

/** The rows stay; what is built on the column may not. */
async function keepRows(
  relation: Relation,
  column: Column,
  target: ModifiedType,
  collation: string | undefined,
  change: TableChange,
): Promise<void> {
  for (const index of relation.indexes) {
    if (!index.uses.includes(column.name)) continue;
    change.effects.lock(index, "AccessExclusiveLock");
    if (await isKept(change.view, index, column, target, collation)) continue;
    change.effects.rewrite(index);
    change.scan(relation);
  }
  const isChecked = relation.constraints.some(
    ({ kind, isValid, columns, name }) =>
      kind === "check" && isValid && columns.includes(column.name) && !change.dropped.has(name),
  );
  if (isChecked) change.scan(relation);
}

/**
 * The new index can have the old one's storage.
 *
 * @see https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/commands/indexcmds.c CheckIndexCompatible
 */
async function isKept(
  view: CatalogView,
  index: Index,
  column: Column,
  target: ModifiedType,
  collation: string | undefined,
): Promise<boolean> {
  if (index.predicate !== undefined || index.hasExpressions) return false;
  const wanted = collation ?? (column.collation === undefined ? undefined : DEFAULT_COLLATION);
  for (const key of index.keys) {
    if (key.column !== column.name) continue;
    const [before, after] = [
      await view.operatorClass(index.method, column.type),
      await view.operatorClass(index.method, target.type),
    ];
    // A class that was chosen by name stays.
    if (key.operatorClass === before && before !== after) return false;
    const isColumns = key.collation === column.collation;
    if (isColumns && isCollatable(target) && wanted !== undefined && wanted !== column.collation)
      return false;
  }
  return true;
}

function isCollatable({ type }: ModifiedType): boolean {
  return /^(?:text|varchar|bpchar|citext|name)$/.test(rootOf(type).name);
}

function rootOf(type: ModifiedType["type"]): ModifiedType["type"] {
  let root = type;
  while (root.base !== undefined) root = root.base;
  return root;
}

/** Foreign keys of and to the column are made again, and looked through where values are new. */
async function changeForeignKeys(
  relation: Relation,
  name: string,
  isTouched: boolean,
  { view, effects }: TableChange,
): Promise<void> {
  const own = relation.constraints.filter(
    ({ kind, columns }) => kind === "foreign-key" && columns.includes(name),
  );
  const others = relation.referencedBy.filter(({ reference }) => reference?.columns.includes(name));
  for (const constraint of new Set([...own, ...others])) {
    const [referencing, referenced] = [
      await view.get(constraint.tableId),
      await view.get(constraint.reference?.tableId ?? ""),
    ];
    if (referencing === undefined || referenced === undefined) continue;
    effects.lock(referencing, "AccessExclusiveLock");
    effects.lock(referenced, "AccessExclusiveLock");
    if (isTouched && constraint.isValid) await readForValidation(view, effects, [referencing], referenced);
  }
}

/** The sequence of an identity column gets the type as well. */
async function changeSequence({ name, isIdentity }: Column, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  const owned = relation.sequences.find((one) => one.column === name && one.isIdentity);
  if (!isIdentity || owned === undefined) return;
  const sequence = await view.get(owned.id);
  if (sequence !== undefined) effects.lock(sequence, "ShareRowExclusiveLock");
}
