import { valueKeptBy, withValue } from "../kept-column.ts";
import type { Catalog, RoutineObject } from "../model.ts";
import { fromServer } from "./build.ts";
import { sqlName } from "./names.ts";
import { portable } from "./routine.ts";

/** A column that was renamed; `table` is its table's name by now. */
export interface RenamedColumn {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Functions that keep a column name the columns they read in a text, which no rename follows: what brings them after
 * renames, and back. Until then every write of the table fails, so it stands in the transaction of the rename.
 *
 * @param catalog read after the renames
 */
export function renameInKept(
  { home, objects }: Catalog,
  renames: readonly RenamedColumn[],
): readonly { readonly up: string; readonly down: string }[] {
  const byId = new Map(objects.map((object) => [object.id, object]));
  return objects.flatMap((object) => {
    const found = object.kind === "trigger" ? valueKeptBy(object, byId) : undefined;
    if (object.kind !== "trigger" || found === undefined) return [];
    const own = renames.filter(({ table }) => object.table === `table ${sqlName(table)}`);
    const names = new Map(own.map(({ from, to }) => [from, to]));
    const routine = withValue(found.routine, names);
    if (routine.definition === found.routine.definition) return [];
    const replacing = (one: RoutineObject): string => fromServer(portable(home, one), true);
    return [{ up: replacing(routine), down: replacing(found.routine) }];
  });
}
