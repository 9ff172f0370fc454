import type { Section } from "../migration-file.ts";
import { parseSql } from "../parse-sql.ts";

/** Tables and columns a text openly changes the rows of, by bare name. */
export interface OpenChanges {
  readonly droppedTables: ReadonlySet<string>;
  /** `table.column` */
  readonly droppedColumns: ReadonlySet<string>;
  readonly updatedTables: ReadonlySet<string>;
}

/** Finds `drop table`, `drop column` and `update` in a section: a reader of the file sees what they do to the rows. */
export async function openChangesOf(section: Section | undefined): Promise<OpenChanges> {
  const found = {
    droppedTables: new Set<string>(),
    droppedColumns: new Set<string>(),
    updatedTables: new Set<string>(),
  };
  if (section === undefined) return found;
  const { statements } = await parseSql(section.text);
  for (const { tree } of statements) {
    if ("UpdateStmt" in tree) found.updatedTables.add(tree.UpdateStmt.relation?.relname ?? "");
    if ("DropStmt" in tree && tree.DropStmt.removeType === "OBJECT_TABLE") {
      for (const object of tree.DropStmt.objects ?? []) {
        const last = "List" in object ? object.List.items?.at(-1) : undefined;
        if (last !== undefined && "String" in last) found.droppedTables.add(last.String.sval ?? "");
      }
    }
    if (!("AlterTableStmt" in tree)) continue;
    const table = tree.AlterTableStmt.relation?.relname ?? "";
    for (const command of tree.AlterTableStmt.cmds ?? []) {
      if (!("AlterTableCmd" in command) || command.AlterTableCmd.subtype !== "AT_DropColumn") continue;
      found.droppedColumns.add(`${table}.${command.AlterTableCmd.name ?? ""}`);
    }
  }
  return found;
}
