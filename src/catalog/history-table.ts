import { sqlName } from "../sql/index.ts";
import type { CatalogObject, TableObject } from "./model.ts";

/**
 * The tables that hold histories: divided by time, and guarded by the function that is named for them. They are known by
 * what they are, since a catalog says nothing of the schema that declared them.
 */
export function historyTables(objects: readonly CatalogObject[]): readonly TableObject[] {
  const guards = new Set(
    objects.flatMap((object) =>
      object.kind === "trigger" ? [`${object.table} ${object.name} ${executed(object.definition)}`] : [],
    ),
  );
  return objects.filter((object): object is TableObject => {
    if (object.kind !== "table" || object.partitionKey !== "RANGE (at)") return false;
    const [, entity] = /^(.+)_history$/.exec(object.name) ?? [];
    const guard = `${object.id} ${object.name}_guard ${sqlName(`${entity}_guard_history`)}()`;
    return entity !== undefined && guards.has(guard);
  });
}

function executed(definition: string): string {
  return definition.slice(definition.lastIndexOf(" FUNCTION ") + " FUNCTION ".length);
}
