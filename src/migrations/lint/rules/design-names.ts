import type { Node } from "libpg-query";
import { IDENTIFIER_BYTES_LIMIT, isReservedWord, unquoted } from "../../../sql/index.ts";
import { nameIn, sqlName, stringsIn } from "../names.ts";
import { wordsIn } from "../statement-text.ts";
import type { Draft, Subject } from "./subject.ts";

/** Rules about names that the statement makes. */
export function designedNames(subject: Subject): readonly Draft[] {
  if (subject.direction === "down") return [];
  return [...longNames(subject), ...newNames(subject.tree).flatMap((name) => oddName(name))];
}

/** The parser has cut them already, so they are looked for in the text. */
function longNames({ text }: Subject): readonly Draft[] {
  for (const { start, end } of wordsIn(text)) {
    const name = unquoted(text.slice(start, end));
    if (Buffer.byteLength(name) <= IDENTIFIER_BYTES_LIMIT) continue;
    const cut = Buffer.from(name)
      .subarray(0, IDENTIFIER_BYTES_LIMIT)
      .toString("utf8")
      .replace(/\uFFFD+$/u, "");
    return [
      {
        rule: "design/long-name",
        why: `PostgreSQL cuts ${name} to ${cut} in silence, and another name that begins the same is then the same name`,
        fix: "-- a name of 63 bytes at most",
      },
    ];
  }
  return [];
}

interface NewName {
  readonly what: string;
  readonly name: string;
}

function newNames(tree: Node): readonly NewName[] {
  if ("CreateStmt" in tree) {
    const { relation, tableElts } = tree.CreateStmt;
    const columns = (tableElts ?? []).flatMap((element) =>
      "ColumnDef" in element ? [columnName(element.ColumnDef)] : [],
    );
    return [{ what: "table", name: relation?.relname ?? "" }, ...columns.flat()];
  }
  if ("AlterTableStmt" in tree) {
    return (tree.AlterTableStmt.cmds ?? []).flatMap((node) => {
      const def =
        "AlterTableCmd" in node && node.AlterTableCmd.subtype === "AT_AddColumn"
          ? node.AlterTableCmd.def
          : undefined;
      return def !== undefined && "ColumnDef" in def ? columnName(def.ColumnDef) : [];
    });
  }
  if ("RenameStmt" in tree && tree.RenameStmt.newname !== undefined) {
    return [{ what: "name", name: tree.RenameStmt.newname }];
  }
  if ("ViewStmt" in tree) return [{ what: "view", name: tree.ViewStmt.view?.relname ?? "" }];
  if ("CreateEnumStmt" in tree) return [{ what: "type", name: nameIn(tree.CreateEnumStmt.typeName).name }];
  if ("CreateFunctionStmt" in tree)
    return [{ what: "function", name: stringsIn(tree.CreateFunctionStmt.funcname).at(-1) ?? "" }];
  if ("IndexStmt" in tree && tree.IndexStmt.idxname !== undefined)
    return [{ what: "index", name: tree.IndexStmt.idxname }];
  return [];
}

function columnName({ colname }: { readonly colname?: string }): readonly NewName[] {
  return colname === undefined ? [] : [{ what: "column", name: colname }];
}

function oddName({ what, name }: NewName): readonly Draft[] {
  if (/[A-Z]/.test(name) || /[^\p{L}\p{N}_$]/u.test(name)) {
    const plain = name
      .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
      .replace(/[^\p{L}\p{N}_$]+/gu, "_")
      .toLowerCase();
    return [
      {
        rule: "design/mixed-case",
        why: `the ${what} ${sqlName(name)} has to be written in quotes wherever it is used, psql and reports included`,
        fix: `-- call it ${plain}`,
      },
    ];
  }
  if (!isReservedWord(name)) return [];
  return [
    {
      rule: "design/reserved-name",
      why: `${name} is a word of SQL, so the ${what} has to be written in quotes wherever it is used`,
      fix: `-- another name: ${name}_text, ${name}_id, or what it really is`,
    },
  ];
}
