import type { ConstraintObject } from "../model.ts";
import { keylessId } from "./alter-column.ts";
import { newAttributes } from "./attributes.ts";
import { constraintDefinition } from "./constraint-text.ts";
import type { Ground } from "./ground.ts";
import { sqlName } from "./names.ts";
import { notNullId } from "./not-null.ts";
import { namesOf, needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";
import { canSwap } from "./swap.ts";

/** A unique index can be built while the table is in use, and become the key's. */
export function canUseIndex(ground: Ground, { table, type, definition }: ConstraintObject): boolean {
  const object = ground.to.objects.get(table);
  const isKey = type === "primary key" || type === "unique";
  const isPlain = object?.kind === "table" && object.partitionKey === undefined;
  return isKey && isPlain && ground.isBusy(table) && !/ WITHOUT OVERLAPS\)/i.test(definition);
}

/** Its successor's statement drops it. */
export function isSwapped(ground: Ground, old: ConstraintObject): boolean {
  const next = ground.to.objects.get(old.id);
  return next?.kind === "constraint" && canUseIndex(ground, next) && canSwap(ground, old, next);
}

/**
 * Builds a key's index while the table is in use and makes it the key's. One that takes the place of another is built
 * beside it, so that the table is never without.
 */
export function addKeyOnline(ground: Ground, constraint: ConstraintObject): readonly Step[] {
  const table = ground.to.objects.get(constraint.table);
  if (table?.kind !== "table") return [];
  const old = ground.from.objects.get(constraint.id);
  const isReplacing = old?.kind === "constraint" && canSwap(ground, old, constraint);
  const ref = ground.ref(table.id);
  const name = sqlName(constraint.name);
  const index = isReplacing ? sqlName(ground.spareName(constraint.name, "_new")) : name;
  const { columns, deferral, type } = partsOf(constraintDefinition(constraint));
  const own = table.columns.filter((column) => constraint.columns.includes(column.name)).map(({ id }) => id);
  const built = `built ${constraint.id}`;
  const add = `add constraint ${name} ${type} using index ${index}${deferral}`;
  const statement = isReplacing
    ? `alter table ${ref}\n  drop constraint ${sqlName(old.name)},\n  ${add}`
    : `alter table ${ref} ${add}`;
  return [
    {
      rank: RANK.concurrentIndex,
      statements: [`create unique index concurrently ${index} on ${ref} ${columns}`],
      needs: own,
      takes: isReplacing ? [] : namesOf(constraint),
      makes: [built],
    },
    {
      rank: RANK.usingIndex,
      statements: [statement, ...newAttributes(ground, constraint)],
      needs: [built, ...needsOf(constraint), ...(type === "primary key" ? own.map(notNullId) : [])],
      makes: [constraint.id, ...(isReplacing ? oldColumnIds(ground, old).map(keylessId) : [])],
      ...(isReplacing ? { drops: [old.id], frees: needsOf(old) } : {}),
    },
  ];
}

function oldColumnIds(ground: Ground, old: ConstraintObject): readonly string[] {
  const table = ground.from.objects.get(old.table);
  return table?.kind === "table"
    ? table.columns.filter(({ name }) => old.columns.includes(name)).map(({ id }) => id)
    : [];
}

interface KeyParts {
  readonly type: "primary key" | "unique";
  /** What follows the table in `create unique index`. */
  readonly columns: string;
  readonly deferral: string;
}

/** `unique nulls not distinct (a, b) include (c) with (fillfactor='70') deferrable initially deferred` */
function partsOf(definition: string): KeyParts {
  const type = definition.startsWith("primary key") ? "primary key" : "unique";
  const [deferral = ""] =
    / (?:not )?deferrable(?: initially (?:deferred|immediate))?$/.exec(definition) ?? [];
  const body = definition.slice(type.length, definition.length - deferral.length).trim();
  const isNullsEqual = body.startsWith("nulls not distinct ");
  const list = isNullsEqual ? body.slice("nulls not distinct ".length) : body;
  return { type, deferral, columns: isNullsEqual ? withNulls(list) : list };
}

/** In an index it stands behind the columns, and before its options. */
function withNulls(list: string): string {
  const options = / (?:with \(.*\)|using index tablespace .*)$/.exec(list);
  const end = options?.index ?? list.length;
  return `${list.slice(0, end)} nulls not distinct${list.slice(end)}`;
}
