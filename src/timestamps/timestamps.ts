import type { Behaviour, DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

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
  const column = columnOf(entity);
  const name = `touch_${column}`;
  return {
    kind: "function",
    schema: entity.schema,
    name,
    create: `create function ${quoteIdentifier(name)}() returns trigger language plpgsql as $$
begin
  new.${quoteIdentifier(column)} = now();
  return new;
end;
$$`,
    drop: `drop function ${quoteIdentifier(name)}()`,
  };
}

function touchTrigger(entity: EntityDescription): DatabaseObject {
  const name = `${entity.name}_touch`;
  const table = quoteIdentifier(entity.name);
  return {
    kind: "trigger",
    schema: entity.schema,
    name,
    table: entity.name,
    create: `create trigger ${quoteIdentifier(name)} before update on ${table}
  for each row execute function ${quoteIdentifier(`touch_${columnOf(entity)}`)}()`,
    drop: `drop trigger ${quoteIdentifier(name)} on ${table}`,
  };
}

function columnOf(entity: EntityDescription): string {
  return entity.byRole.get("updatedAt")?.name ?? "updated_at";
}
