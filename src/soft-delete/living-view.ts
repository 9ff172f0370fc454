import type { DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { nameOf } from "./trigger-object.ts";

/**
 * `living_<table>`: the living rows, for programs that do not know of soft delete. It reads with the rights of whoever
 * asks, so that policies hold, and can be written to as the table can. The stamps are not in it: nobody can end a row
 * through it but by DELETE, and a new row is living, so it needs no check option.
 */
export function livingView(entity: EntityDescription): DatabaseObject {
  const name = `living_${entity.name}`;
  const [quoted, table] = [quoteIdentifier(name), quoteIdentifier(entity.name)];
  const columns = entity.columns
    .filter(
      (column) => column !== entity.byRole.get("deletedAt") && column !== entity.byRole.get("deletedBy"),
    )
    .map((column) => `  ${quoteIdentifier(column.name)}`)
    .join(",\n");
  return {
    kind: "view",
    schema: entity.schema,
    name,
    table: entity.name,
    create: `create view ${quoted} with (security_invoker = true) as\nselect\n${columns}\nfrom ${table}\nwhere ${nameOf(entity, "deletedAt")} is null`,
    drop: `drop view ${quoted}`,
  };
}
