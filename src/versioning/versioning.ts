import type { Behaviour, DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier, triggerFunctionText, triggerText } from "../sql/index.ts";

/**
 * Counts `version` up by trigger, so that a change of any client is noticed by whoever read the row before: psql, another
 * service, `db.drizzle`. What a client writes into the column itself does not count.
 */
export const versioningBehaviour: Behaviour = {
  name: "versioning",
  appliesTo: (entity) => entity.byRole.has("version"),
  objects: (entity) => [countFunction(entity), countTrigger(entity)],
};

/** One function serves every table of a schema whose column has the same name. */
function countFunction(entity: EntityDescription): DatabaseObject {
  const column = quoteIdentifier(columnOf(entity));
  const name = functionOf(entity);
  const body = `begin
  new.${column} = old.${column} + 1;
  return new;
end;`;
  return { kind: "function", schema: entity.schema, name, ...triggerFunctionText(name, body) };
}

function countTrigger(entity: EntityDescription): DatabaseObject {
  const { schema, name: table } = entity;
  const name = `${table}_count_${columnOf(entity)}`;
  const text = triggerText({ name, table, when: "before update", execute: functionOf(entity) });
  return { kind: "trigger", schema, name, table, ...text };
}

function functionOf(entity: EntityDescription): string {
  return `count_${columnOf(entity)}`;
}

function columnOf(entity: EntityDescription): string {
  return entity.byRole.get("version")?.name ?? "version";
}
