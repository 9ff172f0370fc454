import type { Catalog, CatalogObject, TableObject } from "../../catalog/index.ts";
import { SafetyError } from "../../errors/index.ts";
import type { TablePlace } from "./tool.ts";

/**
 * The catalog without some tables and all that goes with them: indexes, keys, sequences, and a schema that would
 * be empty then.
 *
 * @throws {SAFETY_REFUSED} when something that stays needs one of them.
 */
export function leaveOut(catalog: Catalog, places: readonly TablePlace[]): Catalog {
  const isPlace = (object: TableObject): boolean =>
    places.some(({ schema, name }) => schema === (object.schema ?? catalog.home) && name === object.name);
  const tables = catalog.objects.filter(
    (object): object is TableObject => object.kind === "table" && isPlace(object),
  );
  const gone = new Set(tables.flatMap((table) => [table.id, ...table.columns.map(({ id }) => id)]));
  const rest = catalog.objects.filter((object) => !gone.has(object.id) && !belongsTo(object, gone));
  const left = new Set(catalog.objects.filter((object) => !rest.includes(object)).map(({ id }) => id));
  const dependent = rest.find((object) => needs(object).some((id) => left.has(id) || gone.has(id)));
  if (dependent !== undefined) throw stillNeeded(dependent, places);
  const emptied = new Set(places.map(({ schema }) => schema).filter((schema) => schema !== catalog.home));
  const isEmptied = (object: CatalogObject): boolean =>
    object.kind === "schema" &&
    emptied.has(object.name) &&
    !rest.some((other) => other.kind !== "schema" && other.schema === object.name);
  return { ...catalog, objects: rest.filter((object) => !isEmptied(object)) };
}

function belongsTo(object: CatalogObject, gone: ReadonlySet<string>): boolean {
  if (object.kind === "sequence") return object.ownedBy !== undefined && gone.has(object.ownedBy);
  return "table" in object && gone.has(object.table);
}

function needs(object: CatalogObject): readonly string[] {
  const columns = object.kind === "table" ? object.columns.flatMap((column) => column.dependsOn) : [];
  const references =
    object.kind === "constraint" && object.references !== undefined ? [object.references] : [];
  return [...object.dependsOn, ...columns, ...references];
}

function stillNeeded(object: CatalogObject, places: readonly TablePlace[]): SafetyError {
  const names = places.map(({ schema, name }) => `${schema}.${name}`).join(", ");
  return new SafetyError(
    `${object.id} needs a table of the other tool (${names}), which a baseline leaves out`,
    {
      hint: "Drop it first, or make it without the tool's table.",
    },
  );
}
