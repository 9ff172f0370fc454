import type { Behaviour, DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier, triggerFunctionText, triggerText } from "../sql/index.ts";

/**
 * Keeps `updatedAt` by trigger, so that an `update` of any client sets it: psql, another service, `db.drizzle`.
 * The time is the transaction's, by the database's clock.
 */
export const timestampsBehaviour: Behaviour = {
  name: "timestamps",
  appliesTo: (entity) => entity.byRole.has("updatedAt"),
  objects: (entity) => [touchFunction(entity), touchTrigger(entity)],
};

/** One function serves every table of a schema whose column has the same name. */
function touchFunction(entity: EntityDescription): DatabaseObject {
  const name = functionOf(entity);
  const body = `begin
  new.${quoteIdentifier(columnOf(entity))} = now();
  return new;
end;`;
  return { kind: "function", schema: entity.schema, name, ...triggerFunctionText(name, body) };
}

function touchTrigger(entity: EntityDescription): DatabaseObject {
  const { schema, name: table } = entity;
  const name = `${table}_touch`;
  const text = triggerText({ name, table, when: "before update", execute: functionOf(entity) });
  return { kind: "trigger", schema, name, table, ...text };
}

function functionOf(entity: EntityDescription): string {
  return `touch_${columnOf(entity)}`;
}

function columnOf(entity: EntityDescription): string {
  return entity.byRole.get("updatedAt")?.name ?? "updated_at";
}
