import type { Behaviour, ColumnDescription, EntityDescription } from "../schema/index.ts";
import type { Assignment, InsertColumn, ParameterNode, Write } from "../sql/index.ts";

const NAME = "authorship";

/** Fills `createdBy` and `updatedBy` from the actor of `db.as({ userId }, …)`; null when nobody was named. */
export const authorshipBehaviour: Behaviour = {
  name: NAME,
  appliesTo: (entity) => entity.byRole.has("createdBy") || entity.byRole.has("updatedBy"),
  rewrite: signed,
};

function signed(write: Write, entity: EntityDescription): Write {
  const author: ParameterNode = { kind: "parameter", value: ({ actor }) => actor?.userId ?? null };
  const updatedBy = entity.byRole.get("updatedBy");
  const assignment = (column: ColumnDescription): Assignment => ({
    name: column.name,
    value: author,
    addedBy: NAME,
  });
  if (write.kind === "update") {
    return updatedBy === undefined ? write : { ...write, set: [...write.set, assignment(updatedBy)] };
  }
  if (write.kind === "delete") return write;
  const columns = [entity.byRole.get("createdBy"), updatedBy]
    .filter((column) => column !== undefined)
    .map((column): InsertColumn & { addedBy: string } => ({
      kind: "constant",
      name: column.name,
      value: author,
      addedBy: NAME,
    }));
  const { conflict } = write;
  const set = conflict?.set;
  return {
    ...write,
    columns: [...write.columns, ...columns],
    conflict:
      conflict === undefined || set === undefined || updatedBy === undefined
        ? conflict
        : { ...conflict, set: [...set, assignment(updatedBy)] },
  };
}
