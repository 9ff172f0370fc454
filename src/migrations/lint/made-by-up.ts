import type { Node } from "libpg-query";
import { nameIn, relationName, sqlName, stringsIn } from "./names.ts";

/**
 * Names of what the statements make: relations and types (`tasks`) and columns (`tasks.title`), bare. What an up makes its
 * own down may take away again.
 */
export function madeByStatements(trees: readonly Node[]): ReadonlySet<string> {
  const made = new Set<string>();
  for (const tree of trees) for (const name of madeByTree(tree)) made.add(name);
  return made;
}

function* madeByTree(tree: Node): Generator<string> {
  if ("CreateStmt" in tree) yield sqlName(tree.CreateStmt.relation?.relname ?? "");
  if ("ViewStmt" in tree) yield sqlName(tree.ViewStmt.view?.relname ?? "");
  if ("CreateTableAsStmt" in tree) yield sqlName(tree.CreateTableAsStmt.into?.rel?.relname ?? "");
  if ("CreateSeqStmt" in tree) yield sqlName(tree.CreateSeqStmt.sequence?.relname ?? "");
  if ("CreateEnumStmt" in tree) yield sqlName(nameIn(tree.CreateEnumStmt.typeName).name);
  if ("CreateDomainStmt" in tree) yield sqlName(nameIn(tree.CreateDomainStmt.domainname).name);
  if ("CompositeTypeStmt" in tree) yield sqlName(tree.CompositeTypeStmt.typevar?.relname ?? "");
  if ("CreateFunctionStmt" in tree) yield sqlName(stringsIn(tree.CreateFunctionStmt.funcname).at(-1) ?? "");
  if ("CreateSchemaStmt" in tree) yield sqlName(tree.CreateSchemaStmt.schemaname ?? "");
  if ("CreateExtensionStmt" in tree) yield sqlName(tree.CreateExtensionStmt.extname ?? "");
  if ("RenameStmt" in tree) yield* madeByRename(tree);
  if ("AlterTableStmt" in tree) yield* madeByAlter(tree);
}

function* madeByRename({
  RenameStmt: statement,
}: Extract<Node, { readonly RenameStmt: unknown }>): Generator<string> {
  const { renameType, relation, newname = "" } = statement;
  if (renameType === "OBJECT_COLUMN") yield `${sqlName(relation?.relname ?? "")}.${sqlName(newname)}`;
  else yield sqlName(newname);
}

function* madeByAlter({
  AlterTableStmt: statement,
}: Extract<Node, { readonly AlterTableStmt: unknown }>): Generator<string> {
  const table = sqlName(relationName(statement.relation).name);
  for (const node of statement.cmds ?? []) {
    if (!("AlterTableCmd" in node)) continue;
    const { def, subtype, name } = node.AlterTableCmd;
    if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def) {
      yield `${table}.${sqlName(def.ColumnDef.colname ?? "")}`;
    }
    // A down that lets null in again takes back what the up forbade.
    if (subtype === "AT_SetNotNull") yield `${table}.${sqlName(name ?? "")} not null`;
  }
}
