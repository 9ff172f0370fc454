import type { Behaviour, EntityDescription } from "../schema/index.ts";
import type { Write } from "../sql/index.ts";
import { historyObjects } from "./objects.ts";
import { pastOf } from "./past.ts";

/**
 * Records every change of a row, whoever makes it: `objects.ts` and README.md. What the library does is to tell the
 * database on whose behalf it writes.
 */
export const historyBehaviour: Behaviour = {
  name: "history",
  // A row without a history may take others along that have one.
  appliesTo: () => true,
  objects: (entity) => (entity.history === undefined ? [] : historyObjects(entity, entity.history)),
  past: (entity) =>
    entity.history === undefined ? undefined : (moment) => pastOf(entity, moment) ?? refusePast(entity),
  rewrite: (write: Write, entity, schema) =>
    mayBeRecorded(entity, schema) ? { ...write, tellsActor: true } : write,
};

function refusePast({ name }: EntityDescription): never {
  throw new TypeError(`"${name}" keeps no history`);
}

/** Its own rows are recorded, or those that follow them by their foreign keys, however far. */
function mayBeRecorded(
  entity: EntityDescription,
  schema: readonly EntityDescription[],
  seen: Set<EntityDescription> = new Set(),
): boolean {
  if (entity.history !== undefined) return true;
  seen.add(entity);
  return schema.some(
    (child) =>
      !seen.has(child) &&
      child.foreignKeys.some((key) => key.target === entity && follows(key)) &&
      mayBeRecorded(child, schema, seen),
  );
}

function follows({ onDelete, onUpdate }: EntityDescription["foreignKeys"][number]): boolean {
  return [onDelete, onUpdate].some((action) => action !== "restrict" && action !== "no action");
}
