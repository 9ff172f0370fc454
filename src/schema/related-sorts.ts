import { SchemaError } from "../errors/index.ts";
import type { EntityDescription } from "./description.ts";
import type { RelationDescription } from "./relation-description.ts";
import { isSortable, sortsOf } from "./usable.ts";

/**
 * Refuses list rules that name a column of a related row, `project.name`, where no relations to one row lead to one that
 * can be sorted by.
 *
 * @throws {SCHEMA_INVALID}
 */
export function refuseRelatedSorts(
  entity: EntityDescription,
  relationsOf: (entity: EntityDescription) => ReadonlyMap<string, RelationDescription>,
): void {
  for (const key of sortsOf(entity)) {
    if (entity.byKey.has(key)) continue;
    let at: EntityDescription | undefined = entity;
    const names = key.split(".");
    for (const name of names.slice(0, -1)) {
      const relation: RelationDescription | undefined = at === undefined ? at : relationsOf(at).get(name);
      at = relation?.kind === "one" ? relation.target : undefined;
    }
    const column = at?.byKey.get(names.at(-1) ?? "");
    if (column !== undefined && isSortable(column)) continue;
    throw new SchemaError(
      `list of "${entity.name}": no relations to one row lead to a column that "${key}" could sort by`,
    );
  }
}
