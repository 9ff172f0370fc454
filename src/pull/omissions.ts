import type { CatalogObject, RoutineObject, TableObject, TriggerObject } from "../catalog/index.ts";
import { serialSequence } from "./columns.ts";
import type { PullContext } from "./context.ts";
import { isInherited, type Lookup, needsOf, ownerOf } from "./lookup.ts";
import { notDeclared, type PullFinding } from "./model.ts";
import { isPlainHash, partitionKeyOf } from "./partitions.ts";
import type { Recognised } from "./recognise.ts";
import { type RoutineRead, readRoutine, whyNotDeclared } from "./routines.ts";
import { readTrigger, type TriggerRead } from "./triggers.ts";

/** What is not in the file: with a finding, or because a declaration makes it by itself. */
export interface Omissions {
  readonly ids: ReadonlySet<string>;
  /** Those of them that a declaration makes by itself: sequences of serial columns, triggers of behaviours. */
  readonly made: ReadonlySet<string>;
  readonly findings: readonly PullFinding[];
  readonly routines: ReadonlyMap<string, RoutineRead>;
  readonly triggers: ReadonlyMap<string, TriggerRead>;
}

/** Kinds that there is no declaration for at all. */
const UNKNOWN: ReadonlySet<string> = new Set([
  "schema",
  "range type",
  "collation",
  "statistics",
  "rule",
  "aggregate",
  "operator",
  "operator class",
  "cast",
  "text search dictionary",
  "text search configuration",
  "event trigger",
  "publication",
  "foreign table",
  "foreign server",
]);

const PLURALS: Readonly<Record<string, string>> = {
  statistics: "statistics",
  "operator class": "operator classes",
  "text search dictionary": "text search dictionaries",
};

/** Finds what cannot be declared, and what needs something of that. */
export function findOmissions(lookup: Lookup, { implied }: Recognised): Omissions {
  const { objects } = lookup.catalog;
  const reasons = new Map<string, string>();
  const silent = new Set([...implied, ...serialSequences(lookup)]);
  const routines = new Map<string, RoutineRead>();
  const triggers = new Map<string, TriggerRead>();
  const names = new Set<string>();
  for (const object of objects) {
    if (silent.has(object.id) || isInherited(object)) continue;
    const why = reasonFor(lookup, object, { routines, triggers, names });
    if (why !== undefined) reasons.set(object.id, why);
  }
  spread(lookup, reasons, silent);
  // What belongs to a table goes with it, and the table speaks for it.
  const goesAlong = (object: CatalogObject): boolean => reasons.has(tableIdOf(lookup, object) ?? "");
  return {
    ids: new Set([...reasons.keys(), ...silent]),
    made: new Set(
      objects.filter((object) => silent.has(object.id) && !goesAlong(object)).map(({ id }) => id),
    ),
    findings: objects.flatMap((object) => {
      const why = isInherited(object) || goesAlong(object) ? undefined : reasons.get(object.id);
      return why === undefined ? [] : [notDeclared(object.id, why)];
    }),
    routines,
    triggers,
  };
}

interface Reads {
  readonly routines: Map<string, RoutineRead>;
  readonly triggers: Map<string, TriggerRead>;
  readonly names: Set<string>;
}

function reasonFor(lookup: Lookup, object: CatalogObject, reads: Reads): string | undefined {
  if (UNKNOWN.has(object.kind))
    return `there is no declaration for ${PLURALS[object.kind] ?? `${object.kind}s`}`;
  if (object.schema !== undefined && object.kind !== "extension") return "it is in another schema";
  switch (object.kind) {
    case "table":
      return tableReason(lookup, object);
    case "function":
    case "procedure":
      return routineReason(lookup, object, reads);
    case "trigger":
      return triggerReason(lookup, object, reads);
    case "composite type":
      return object.attributes.length === 0 ? "a type without attributes has no declaration" : undefined;
    default:
      return undefined;
  }
}

function tableReason(lookup: Lookup, table: TableObject): string | undefined {
  if (table.inherits.length > 0) return "it inherits from another table, which has no declaration";
  if (table.partitionOf !== undefined) return undefined;
  const { constraints, partitions } = lookup.partsOf(table.id);
  if (!constraints.some(({ type }) => type === "primary key")) {
    return "it has no primary key, and an entity needs one";
  }
  if (table.partitionKey === undefined) return undefined;
  const key = partitionKeyOf(table);
  if (key === undefined) return `there is no declaration for dividing it by ${table.partitionKey}`;
  if (key.strategy === "hash" && !(partitions.length > 0 && isPlainHash(table, partitions))) {
    return `hash partitions are declared by their number only, and called ${table.name}_p0 and so on`;
  }
  return undefined;
}

function routineReason(
  lookup: Lookup,
  routine: RoutineObject,
  { routines, names }: Reads,
): string | undefined {
  const read = readRoutine(routine);
  if (typeof read === "string") return read;
  const why = whyNotDeclared(lookup.catalog.home, read);
  if (why !== undefined) return why;
  if (names.has(routine.name)) return "another function has its name, and only one of them can be declared";
  if (read.returns.kind === "type" && isRowOfView(lookup, read.returns.type)) {
    return "a result of rows of a view has no declaration";
  }
  names.add(routine.name);
  routines.set(routine.id, read);
  return undefined;
}

function isRowOfView({ byId }: Lookup, type: string): boolean {
  return byId.has(`view ${type}`) || byId.has(`materialized view ${type}`);
}

function triggerReason(lookup: Lookup, trigger: TriggerObject, { triggers }: Reads): string | undefined {
  const owner = lookup.byId.get(trigger.table);
  if (owner?.kind === "table" && owner.partitionOf !== undefined)
    return "a trigger on a partition has no declaration";
  const read = readTrigger(trigger);
  if (typeof read === "string") return read;
  if (!trigger.dependsOn.some((id) => lookup.byId.get(id)?.kind === "function")) {
    return "its function is in another schema";
  }
  triggers.set(trigger.id, read);
  return undefined;
}

/** The sequences of serial columns go with their columns. */
function serialSequences(lookup: Lookup): readonly string[] {
  const context: Pick<PullContext, "lookup"> = { lookup };
  return lookup.catalog.objects.flatMap((object) =>
    object.kind === "table" && object.partitionOf === undefined
      ? object.columns.flatMap((column) => serialSequence(context, column) ?? [])
      : [],
  );
}

/** The table or view that an object belongs to. */
function tableIdOf(lookup: Lookup, object: CatalogObject): string | undefined {
  if (object.kind !== "sequence") return ownerOf(object);
  return lookup.catalog.objects.find(
    (table) => table.kind === "table" && table.columns.some(({ id }) => id === object.ownedBy),
  )?.id;
}

/** What needs something that is not declared cannot be declared either, in whatever order they are found. */
function spread(lookup: Lookup, reasons: Map<string, string>, silent: ReadonlySet<string>): void {
  const tableOf = new Map(
    lookup.catalog.objects.flatMap((object) =>
      object.kind === "table" ? object.columns.map(({ id }) => [id, object.id] as const) : [],
    ),
  );
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const object of lookup.catalog.objects) {
      if (reasons.has(object.id) || silent.has(object.id)) continue;
      const needed = needsOf(object)
        .map((id) => tableOf.get(id) ?? id)
        .find((id) => id !== object.id && reasons.has(id) && matters(object, id));
      if (needed === undefined) continue;
      reasons.set(object.id, `it needs ${needed}, which is not declared`);
      isChanged = true;
    }
  }
}

/** A column's collation is left out of its declaration; it matters where an expression names it. */
function matters(object: CatalogObject, needed: string): boolean {
  return !needed.startsWith("collation ") || JSON.stringify(object).includes("COLLATE");
}
