import type { Behaviour, DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

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
  return {
    kind: "function",
    schema: entity.schema,
    name,
    create: `create function ${quoteIdentifier(name)}() returns trigger language plpgsql as $$
begin
  new.${column} = old.${column} + 1;
  return new;
end;
$$`,
    drop: `drop function ${quoteIdentifier(name)}()`,
  };
}

function countTrigger(entity: EntityDescription): DatabaseObject {
  const name = `${entity.name}_count_${columnOf(entity)}`;
  const table = quoteIdentifier(entity.name);
  return {
    kind: "trigger",
    schema: entity.schema,
    name,
    table: entity.name,
    create: `create trigger ${quoteIdentifier(name)} before update on ${table}
  for each row execute function ${quoteIdentifier(functionOf(entity))}()`,
    drop: `drop trigger ${quoteIdentifier(name)} on ${table}`,
  };
}

function functionOf(entity: EntityDescription): string {
  return `count_${columnOf(entity)}`;
}

function columnOf(entity: EntityDescription): string {
  return entity.byRole.get("version")?.name ?? "version";
}
