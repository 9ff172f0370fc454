import { SchemaError } from "../../errors/index.ts";
import type { EntityDescription } from "../description.ts";
import type { ObjectDescription } from "../object-description.ts";

/**
 * Refuses what stands on a table that the module does not export: nobody would create the table.
 *
 * @throws {SCHEMA_INVALID}
 */
export function refuseDangling(
  entities: readonly EntityDescription[],
  objects: readonly ObjectDescription[],
): void {
  const tables = new Set(
    entities.flatMap(({ schema, name, history }) =>
      [name, ...(history === undefined ? [] : [history.table])].map((table) => `${schema}.${table}`),
    ),
  );
  const views = new Set(
    objects.flatMap((object) =>
      object.kind === "view" || object.kind === "materialized view"
        ? [`${object.schema}.${object.name}`]
        : [],
    ),
  );
  for (const object of objects) {
    const relation = relationOf(object);
    if (relation === undefined) continue;
    const id = `${object.schema}.${relation.name}`;
    if (tables.has(id) || views.has(id)) continue;
    throw new SchemaError(`${relation.what} "${relation.name}", which the schema module does not export`, {
      hint: "Export the entity too, so that it exists.",
    });
  }
}

function relationOf(object: ObjectDescription): { readonly what: string; readonly name: string } | undefined {
  if (object.kind === "trigger") return { what: `trigger "${object.name}" is on`, name: object.table };
  if (object.kind === "grant" && object.on.kind === "table")
    return { what: "a grant is on", name: object.on.name };
  const isRoutine = object.kind === "function" || object.kind === "procedure";
  if (isRoutine && object.returns.kind === "row") {
    return { what: `${object.kind} "${object.name}" returns rows of`, name: object.returns.of.name };
  }
  return undefined;
}
