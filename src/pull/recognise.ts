import type { CatalogColumn, TableObject, TriggerObject } from "../catalog/index.ts";
import type { TableBehaviours } from "./context.ts";
import type { Lookup } from "./lookup.ts";

/** Behaviours that a database seems to have been built with. */
export interface Recognised {
  /** By the table's id. */
  readonly behaviours: ReadonlyMap<string, TableBehaviours>;
  /** Ids of the functions, triggers and views that those behaviours make, which are then in no declaration. */
  readonly implied: ReadonlySet<string>;
}

export const NOTHING_RECOGNISED: Recognised = { behaviours: new Map(), implied: new Set() };

/**
 * Finds tables whose columns and triggers are those of `timestamps()` and `softDelete`. Names and shapes only: whether
 * the bodies are the same is proven afterwards, by building what was recognised.
 */
export function recognise(lookup: Lookup, tables: readonly TableObject[]): Recognised {
  const touched = withTimestamps(lookup, tables);
  const soft = softDeleted(lookup, tables);
  const behaviours = new Map(
    tables.map(({ id }) => [id, { timestamps: touched.has(id), softDelete: soft.has(id) }]),
  );
  const triggers = tables.flatMap((table) => {
    const { triggers: own, partitions } = lookup.partsOf(table.id);
    const hasSoftParent = parentsOf(lookup, table).some((parent) => soft.has(parent));
    const ofPartitions = partitions.flatMap((partition) =>
      soft.has(table.id)
        ? lookup.partsOf(partition.id).triggers.filter(({ name }) => name === `${partition.name}_no_truncate`)
        : [],
    );
    const ofTable = own.filter(
      ({ name }) =>
        (touched.has(table.id) && name === `${table.name}_touch`) ||
        (soft.has(table.id) && FOLLOWING.some((ending) => name === table.name + ending)) ||
        (hasSoftParent && LIVING.some((ending) => name === table.name + ending)),
    );
    return [...ofTable, ...ofPartitions];
  });
  const functions = triggers.flatMap(({ dependsOn }) => dependsOn.filter((id) => id.startsWith("function ")));
  const views = lookup.catalog.objects.filter(
    ({ kind, name }) =>
      kind === "view" && tables.some((table) => soft.has(table.id) && name === `living_${table.name}`),
  );
  return { behaviours, implied: new Set([...[...triggers, ...views].map(({ id }) => id), ...functions]) };
}

const FOLLOWING = [
  "_lock_delete",
  "_follow_delete",
  "_delete_softly",
  "_after_delete",
  "_no_truncate",
  "_note_move",
  "_forget_move",
];
const LIVING = ["_living_parent", "_living_parent_of_new"];

/** All tables whose trigger runs the function, or none: the function can be declared in one way only. */
function withTimestamps(lookup: Lookup, tables: readonly TableObject[]): ReadonlySet<string> {
  const isCandidate = (table: TableObject): boolean =>
    isInstant(columnNamed(table, "created_at")) &&
    isInstant(columnNamed(table, "updated_at")) &&
    lookup.partsOf(table.id).triggers.some((trigger) => trigger.name === `${table.name}_touch`);
  const candidates = new Set(tables.filter(isCandidate).map(({ id }) => id));
  const isElsewhere = lookup.catalog.objects.some(
    (object) =>
      object.kind === "trigger" &&
      runs(object, "function touch_updated_at()") &&
      !(candidates.has(object.table) && object.name.endsWith("_touch")),
  );
  return isElsewhere ? new Set() : candidates;
}

/** Columns alone are anybody's: a trigger of the behaviour has to speak for it. */
function softDeleted(lookup: Lookup, tables: readonly TableObject[]): ReadonlySet<string> {
  const hasColumns = (table: TableObject): boolean => {
    const [at, by] = [columnNamed(table, "deleted_at"), columnNamed(table, "deleted_by")];
    return isEmptyColumn(at, "timestamp with time zone") && isEmptyColumn(by, "text");
  };
  const isSpokenFor = (table: TableObject): boolean =>
    lookup
      .partsOf(table.id)
      .triggers.some(({ name, definition }) =>
        FOLLOWING.some((ending) => name === table.name + ending)
          ? true
          : name === `${table.name}_living_parent` && /\bdeleted_at\b/.test(definition),
      );
  const hasFullUnique = (table: TableObject): boolean =>
    lookup.partsOf(table.id).constraints.some(({ type }) => type === "unique");
  const found = tables.filter((table) => hasColumns(table) && isSpokenFor(table) && !hasFullUnique(table));
  return new Set(found.map(({ id }) => id));
}

function parentsOf(lookup: Lookup, table: TableObject): readonly string[] {
  return lookup.partsOf(table.id).constraints.flatMap(({ references }) => references ?? []);
}

function columnNamed(table: TableObject, name: string): CatalogColumn | undefined {
  return table.columns.find((column) => column.name === name);
}

function isInstant(column: CatalogColumn | undefined): boolean {
  return (
    column?.type === "timestamp with time zone" &&
    column.notNull &&
    column.default === "now()" &&
    column.comment === undefined
  );
}

function isEmptyColumn(column: CatalogColumn | undefined, type: string): boolean {
  return (
    column?.type === type && !column.notNull && column.default === undefined && column.comment === undefined
  );
}

function runs(trigger: TriggerObject, functionId: string): boolean {
  return trigger.dependsOn.includes(functionId);
}
