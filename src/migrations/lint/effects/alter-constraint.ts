import type { AlterTableCmd, Constraint as ConstraintNode } from "libpg-query";
import type { Constraint } from "../catalog-view.ts";
import { stringsIn } from "../names.ts";
import { isImplied, setNotNull } from "./alter-column.ts";
import { buildIndex, constraintIndex } from "./build-index.ts";
import { columnOf, constraintOf } from "./family.ts";
import { addForeignKey, lockReferenced, readForValidation } from "./foreign-key.ts";
import type { TableChange } from "./table-change.ts";

/** `add constraint`. */
export async function addConstraint({ def }: AlterTableCmd, change: TableChange): Promise<void> {
  if (def === undefined || !("Constraint" in def)) return;
  const constraint = def.Constraint;
  if (constraint.conname !== undefined) change.added.set(constraint.conname, constraint);
  switch (constraint.contype) {
    case "CONSTR_CHECK":
      return addCheck(constraint, change);
    case "CONSTR_NOTNULL":
      return addNotNull(constraint, change);
    case "CONSTR_FOREIGN":
      return addForeignKey(constraint, change, { isValidated: isChecked(constraint) });
    case "CONSTR_PRIMARY":
    case "CONSTR_UNIQUE":
    case "CONSTR_EXCLUSION":
      return addKey(constraint, change);
    default:
      return;
  }
}

/** Rows that are there are looked at: neither `not valid` nor `not enforced`, which the parser marks alike. */
function isChecked({ skip_validation }: ConstraintNode): boolean {
  return skip_validation !== true;
}

async function addCheck(constraint: ConstraintNode, change: TableChange): Promise<void> {
  const isAlone = constraint.is_no_inherit === true;
  const family = isAlone ? [change.relation] : await change.lockFamily();
  if (!isChecked(constraint)) return;
  for (const member of family) {
    // A child that has the constraint already is only marked.
    const isMerged = member !== change.relation && constraintOf(member, constraint.conname) !== undefined;
    if (!isMerged) change.scan(member);
  }
}

async function addNotNull(constraint: ConstraintNode, change: TableChange): Promise<void> {
  const [name] = stringsIn(constraint.keys);
  const isAlone = constraint.is_no_inherit === true;
  const family = isAlone ? [change.relation] : await change.lockFamily();
  if (constraint.skip_validation === true) return;
  for (const member of family) {
    const isThere = columnOf(member, name)?.isNotNull === true;
    if (!isThere && !(await isImplied(member, name, change.dropped))) change.scan(member);
  }
}

async function addKey(constraint: ConstraintNode, change: TableChange): Promise<void> {
  const { relation, effects, view } = change;
  const isPrimary = constraint.contype === "CONSTR_PRIMARY";
  if (constraint.indexname !== undefined) {
    const index = relation.indexes.find(({ name }) => name === constraint.indexname);
    if (index === undefined) {
      if (isPrimary && !relation.isKnown && relation.isOld)
        effects.unknown(`whether the columns of ${constraint.indexname} may be null is not known`);
      return;
    }
    const isRenamed = constraint.conname !== undefined && constraint.conname !== index.name;
    effects.lock(index, isRenamed ? "ShareUpdateExclusiveLock" : "AccessShareLock");
    const columns = index.keys.flatMap(({ column }) => (column === undefined ? [] : [column]));
    if (isPrimary) await setAllNotNull(columns, change);
    return;
  }
  const columns = stringsIn(constraint.keys);
  if (isPrimary) await setAllNotNull(columns, change);
  // Since 18 every part is locked as its table is.
  if (relation.kind === "partitioned" && view.serverVersion >= 18) await change.lockFamily();
  const family = change.isOnly ? [relation] : await change.family();
  buildIndex(effects, relation.kind === "partitioned" ? family : [relation], constraintIndex(constraint));
}

/** A primary key makes its columns not null, in the tables below as well. */
async function setAllNotNull(columns: readonly string[], change: TableChange): Promise<void> {
  for (const name of columns) {
    if (columnOf(change.relation, name)?.isNotNull === true) continue;
    await setNotNull({ subtype: "AT_SetNotNull", name }, change);
  }
}

/** `drop constraint`: a foreign key takes its triggers off both tables, a key its index. */
export async function dropConstraint({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  const constraint = constraintOf(relation, name);
  if (constraint === undefined || name === undefined) {
    if (!relation.isKnown)
      effects.unknown(`what ${name ?? "the constraint"} is, and what goes with it, is not known`);
    return;
  }
  const locks = await view.dropLocks([{ kind: "constraint", id: relation.id, name }]);
  if (locks === undefined) return effects.unknown(`what goes with ${name} is not known`);
  for (const { relation: locked, mode } of locks) effects.lock(locked, mode);
  for (const index of relation.indexes) if (index.constraint === name) change.dropIndex(index);
  const isInherited = constraint.kind === "check" || constraint.kind === "not-null";
  if (isInherited && !constraint.isNoInherit) await change.lockFamily();
}

/** `validate constraint`: reads the table, and for a foreign key the one it points to. */
export async function validateConstraint({ name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  const added = change.added.get(name ?? "");
  if (added !== undefined) return validateAdded(added, change);
  const constraint = constraintOf(relation, name);
  if (constraint === undefined) {
    if (!relation.isKnown) change.scan(relation);
    return;
  }
  if (constraint.isValid || !constraint.isEnforced) return;
  if (constraint.kind !== "foreign-key") return validateRows(constraint, change);
  const family = relation.kind === "partitioned" ? await change.lockFamily() : [relation];
  const referenced = await view.get(constraint.reference?.tableId ?? "");
  if (referenced === undefined) return;
  effects.lock(referenced, "RowShareLock");
  await readForValidation(view, effects, family, referenced);
}

/** One that the same statement added as `not valid` is looked through after all. */
async function validateAdded(
  { skip_validation: _, ...added }: ConstraintNode,
  change: TableChange,
): Promise<void> {
  await addConstraint({ subtype: "AT_AddConstraint", def: { Constraint: added } }, change);
}

async function validateRows(constraint: Constraint, change: TableChange): Promise<void> {
  const family = constraint.isNoInherit ? [change.relation] : await change.lockFamily();
  for (const member of family) {
    if (constraintOf(member, constraint.name)?.isValid !== true) change.scan(member);
  }
}

/** `alter constraint`: since 18 enforcing a foreign key reads both tables. */
export async function alterConstraint({ def, name }: AlterTableCmd, change: TableChange): Promise<void> {
  const { relation, view, effects } = change;
  const changed = alteredConstraint(def, name);
  const constraint = constraintOf(relation, changed.name);
  if (!relation.isKnown && relation.isOld && changed.altersEnforcement)
    effects.unknown(`whether ${changed.name ?? "the constraint"} was enforced before is not known`);
  if (constraint?.kind === "not-null") await change.lockFamily();
  if (constraint?.kind !== "foreign-key") return;
  const family = relation.kind === "partitioned" ? await change.lockFamily() : [relation];
  const referenced = await view.get(constraint.reference?.tableId ?? "");
  if (referenced === undefined || !changed.altersEnforcement) return;
  if (!changed.isEnforced) {
    if (constraint.isEnforced) effects.lock(referenced, "AccessExclusiveLock");
    return;
  }
  if (constraint.isEnforced) return;
  await lockReferenced(view, effects, referenced);
  await readForValidation(view, effects, family, referenced);
}

interface AlteredConstraint {
  readonly name: string | undefined;
  readonly altersEnforcement: boolean;
  readonly isEnforced: boolean;
}

function alteredConstraint(def: AlterTableCmd["def"], name: string | undefined): AlteredConstraint {
  if (def !== undefined && "ATAlterConstraint" in def) {
    const { ATAlterConstraint: altered } = def;
    return {
      name: altered.conname ?? name,
      altersEnforcement: altered.alterEnforceability === true,
      isEnforced: altered.is_enforced === true,
    };
  }
  const conname = def !== undefined && "Constraint" in def ? def.Constraint.conname : undefined;
  return { name: conname ?? name, altersEnforcement: false, isEnforced: true };
}
