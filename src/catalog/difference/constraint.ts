import type { ConstraintObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { keylessId } from "./alter-column.ts";
import { changedAttributes } from "./attributes.ts";
import { dropping, making } from "./build.ts";
import { withoutDeferral } from "./compare-object.ts";
import { constraintClause } from "./constraint-text.ts";
import { isAttachedLater } from "./create-table.ts";
import { isTakenAlong } from "./drop-column.ts";
import { isTangled } from "./drop-table.ts";
import { followsParents, type Ground, partitionsGone } from "./ground.ts";
import { addKeyOnline, canUseIndex, isSwapped } from "./key-online.ts";
import { lowerCase, sqlName } from "./names.ts";
import { notNullId } from "./not-null.ts";
import { needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

export function addConstraint(ground: Ground, constraint: ConstraintObject): readonly Step[] {
  if (comesWithParent(ground, constraint)) return [];
  return canUseIndex(ground, constraint) ? addKeyOnline(ground, constraint) : addPlainly(ground, constraint);
}

/** A partition's or heir's, which the parent's brings along. */
function comesWithParent(ground: Ground, constraint: ConstraintObject): boolean {
  const table = ground.to.objects.get(constraint.table);
  if (!constraint.isInherited || table?.kind !== "table") return false;
  // A table can only be attached when it has the parent's checks.
  const isAttached =
    isAttachedLater(ground, table) || (ground.isKept(table.id) && !followsParents(ground, table));
  return constraint.type !== "check" || !isAttached;
}

function addPlainly(ground: Ground, constraint: ConstraintObject): readonly Step[] {
  const isForeignKey = constraint.type === "foreign key";
  const isLater = constraint.isValid && canWait(ground, constraint);
  const isUnchecked = isLater || (!constraint.isValid && constraint.isEnforced);
  const statement = `alter table ${ground.ref(constraint.table)} add ${constraintClause(constraint)}${isUnchecked ? " not valid" : ""}`;
  const isAtOnce = ground.isBusy(constraint.table) && !isUnchecked && constraint.isEnforced;
  const step = making(ground, constraint, isForeignKey ? RANK.foreignKey : RANK.constraint, [
    isAtOnce ? allowed(constraint, statement) : statement,
  ]);
  const own = columnIds(ground, constraint);
  const needs = [
    ...(step.needs ?? []),
    ...own,
    ...(constraint.type === "primary key" ? own.map(notNullId) : []),
    `rows of ${constraint.table}`,
    ...(constraint.references === undefined ? [] : [`rows of ${constraint.references}`]),
  ];
  return [{ ...step, needs }, ...(isLater ? [validate(ground, constraint)] : [])];
}

/** What has to be built or checked at once, although the table is in use. */
function allowed({ type }: ConstraintObject, statement: string): string {
  switch (type) {
    case "exclusion":
      return allowing(true, "lock/exclusion", "PostgreSQL has no online form for it", statement);
    case "foreign key": {
      const reason = "PostgreSQL before 18 adds a partitioned table's key with the check of every row";
      return allowing(true, "lock/foreign-key", reason, statement);
    }
    default:
      return allowing(true, "lock/unique", "PostgreSQL has no online form for it here", statement);
  }
}

/** It can be added unchecked, and be checked while the tables are in use. */
function canWait(ground: Ground, constraint: ConstraintObject): boolean {
  if (constraint.type === "check") return ground.isBusy(constraint.table);
  if (constraint.type !== "foreign key" || !isAnybodyWaiting(ground, constraint)) return false;
  const table = ground.to.objects.get(constraint.table);
  const isPartitioned = table?.kind === "table" && table.partitionKey !== undefined;
  return !isPartitioned || ground.serverVersion >= 18;
}

function isAnybodyWaiting(ground: Ground, { table, references }: ConstraintObject): boolean {
  return ground.isBusy(table) || (references !== undefined && ground.isBusy(references));
}

function columnIds(ground: Ground, constraint: ConstraintObject): readonly string[] {
  const table = ground.to.objects.get(constraint.table);
  return table?.kind === "table"
    ? table.columns.filter(({ name }) => constraint.columns.includes(name)).map(({ id }) => id)
    : [];
}

function validate(ground: Ground, constraint: ConstraintObject): Step {
  const name = sqlName(constraint.name);
  return {
    rank: RANK.validate,
    statements: [`alter table ${ground.ref(constraint.table)} validate constraint ${name}`],
    needs: [constraint.id],
    makes: [`valid ${constraint.id}`],
  };
}

/** Its validity, when a foreign key is checked, or whether it holds at all. */
export function alterConstraint(
  ground: Ground,
  from: ConstraintObject,
  to: ConstraintObject,
): readonly Step[] {
  if (to.isInherited && comesWithParent(ground, to)) return [];
  if (!from.isEnforced && to.isEnforced && isAnybodyWaiting(ground, to)) return enforceOnline(ground, to);
  const target = `alter table ${ground.ref(to.table)} alter constraint ${sqlName(to.name)}`;
  const statements: string[] = [];
  if (from.definition !== to.definition) {
    const deferral = to.definition.slice(withoutDeferral(to.definition).length).trim();
    statements.push(`${target} ${deferral === "" ? "not deferrable" : lowerCase(deferral)}`);
  }
  if (from.isEnforced !== to.isEnforced) {
    statements.push(`${target} ${to.isEnforced ? "enforced" : "not enforced"}`);
  }
  const isValidated = !from.isValid && to.isValid && from.isEnforced;
  return [
    { rank: RANK.constraint, statements, needs: needsOf(to), makes: [`altered ${to.id}`] },
    ...(isValidated ? [validate(ground, to)] : []),
    { rank: RANK.attributes, statements: changedAttributes(ground, from, to) },
  ];
}

/** Enforced in place, the rows would be checked at once: one that takes its place is checked later. */
function enforceOnline(ground: Ground, to: ConstraintObject): readonly Step[] {
  const actions = [`drop constraint ${sqlName(to.name)}`, `add ${constraintClause(to)} not valid`];
  const statement = `alter table ${ground.ref(to.table)}\n  ${actions.join(",\n  ")}`;
  const step = making(ground, to, RANK.constraint, [statement]);
  return [step, ...(to.isValid ? [validate(ground, to)] : [])];
}

export function dropConstraint(ground: Ground, constraint: ConstraintObject): readonly Step[] {
  const table = ground.from.objects.get(constraint.table);
  if (table?.kind !== "table" || isImplied(ground, constraint)) return [];
  const rank = constraint.type === "foreign key" ? RANK.dropForeignKey : RANK.dropConstraint;
  const step = dropping(constraint, rank, [dropStatement(ground, constraint)]);
  const keyless = table.columns
    .filter(({ name }) => constraint.columns.includes(name))
    .map(({ id }) => keylessId(id));
  return [{ ...step, makes: keyless, needs: [`detached ${table.id}`, ...partitionsGone(ground, table.id)] }];
}

export function dropStatement(ground: Ground, constraint: ConstraintObject): string {
  return `alter table ${ground.ref(constraint.table)} drop constraint ${sqlName(constraint.name)}`;
}

/** Something else takes it along. */
function isImplied(ground: Ground, constraint: ConstraintObject): boolean {
  const table = ground.from.objects.get(constraint.table);
  if (table?.kind !== "table") return true;
  const fate = ground.fateOf(table.id);
  if (fate === "drop") return !isTangled(ground, constraint);
  if (isTakenAlong(ground, constraint) || isSwapped(ground, constraint)) return true;
  return constraint.isInherited && (fate === "retire" || followsParents(ground, table));
}
