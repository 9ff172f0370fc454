import type { Node, RangeVar } from "libpg-query";
import type { RelationName } from "./catalog-view.ts";
import { nodesIn } from "./effects/expressions.ts";
import { relationName, wordsOf } from "./names.ts";

/**
 * The tables that the section has made so far, as it names them. A statement that is about one of them alone touches
 * nothing that others use, and nobody has to look into the catalog for it.
 */
export class NewTables {
  #names = new Set<string>();

  /** A statement happens. What this gives takes it back, if it is called before the next one: the statement has failed. */
  note(tree: Node): () => void {
    const before = this.#names;
    let added: string | undefined;
    if ("CreateStmt" in tree) {
      const { relation, if_not_exists, inhRelations } = tree.CreateStmt;
      const key = keyOf(relationName(relation));
      if (if_not_exists !== true && inhRelations === undefined && !before.has(key)) added = key;
    }
    if (added !== undefined) before.add(added);
    // Another search path, another name: what a name means may have changed.
    const isDoubtful =
      "RenameStmt" in tree ||
      "AlterObjectSchemaStmt" in tree ||
      "VariableSetStmt" in tree ||
      "DropStmt" in tree ||
      "DoStmt" in tree;
    if (isDoubtful || "SelectStmt" in tree) this.#names = new Set();
    return () => {
      if (added !== undefined) before.delete(added);
      this.#names = before;
    };
  }

  /** It is about new tables alone. */
  covers(tree: Node): boolean {
    if ("IndexStmt" in tree) return this.#has(relationName(tree.IndexStmt.relation));
    if ("CommentStmt" in tree) return commentedTable(tree).some((name) => this.#has(name));
    if ("CreateTrigStmt" in tree || "AlterTableStmt" in tree) return this.#coversAll(tree);
    return false;
  }

  /** Every relation it names is new. A drop may reach others without a name. */
  #coversAll(tree: Node): boolean {
    if ("AlterTableStmt" in tree && (tree.AlterTableStmt.cmds ?? []).some(isDrop)) return false;
    const names = namedIn(tree);
    return names.length > 0 && names.every((name) => this.#has(name));
  }

  #has(name: RelationName): boolean {
    return this.#names.has(keyOf(name));
  }
}

/** Every relation that a statement names as one. */
export function namedIn(tree: Node): readonly RelationName[] {
  const names: RelationName[] = [];
  const own = madeIn(tree);
  for (const node of nodesIn(tree)) {
    if (node === own || !("relname" in node) || typeof node.relname !== "string") continue;
    const schema = "schemaname" in node && typeof node.schemaname === "string" ? node.schemaname : undefined;
    names.push({ schema, name: node.relname });
  }
  return names;
}

/** The relation that is about to be made, which is not there. */
function madeIn(tree: Node): RangeVar | undefined {
  if ("CreateStmt" in tree && tree.CreateStmt.if_not_exists !== true) return tree.CreateStmt.relation;
  return "ViewStmt" in tree && tree.ViewStmt.replace !== true ? tree.ViewStmt.view : undefined;
}

/** The table that a comment is about, or is about a column of. */
export function commentedTable(tree: Node): readonly RelationName[] {
  if (!("CommentStmt" in tree)) return [];
  const { object, objtype } = tree.CommentStmt;
  if (objtype !== "OBJECT_TABLE" && objtype !== "OBJECT_COLUMN") return [];
  const words = wordsOf(object);
  const path = objtype === "OBJECT_TABLE" ? words : words.slice(0, -1);
  return [{ schema: path.at(-2), name: path.at(-1) ?? "" }];
}

/** It is likely to ask about the tables at the other end of foreign keys. */
export function reachesFar(tree: Node): boolean {
  if (
    "DropStmt" in tree ||
    "TruncateStmt" in tree ||
    "UpdateStmt" in tree ||
    "DeleteStmt" in tree ||
    "InsertStmt" in tree
  )
    return true;
  if (!("AlterTableStmt" in tree)) return false;
  return (tree.AlterTableStmt.cmds ?? []).some(
    (node) =>
      "AlterTableCmd" in node &&
      /^AT_(?:ValidateConstraint|DropConstraint|AlterColumnType|DropColumn)$/.test(
        node.AlterTableCmd.subtype ?? "",
      ),
  );
}

function isDrop(node: Node): boolean {
  return (
    "AlterTableCmd" in node && /^AT_(?:Drop|Detach|ValidateConstraint)/.test(node.AlterTableCmd.subtype ?? "")
  );
}

function keyOf({ schema, name }: RelationName): string {
  return JSON.stringify([schema ?? null, name]);
}
