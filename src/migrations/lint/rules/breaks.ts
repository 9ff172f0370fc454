import type { AlterTableCmd, Node, RenameStmt } from "libpg-query";
import type { Relation, RelationName } from "../catalog-view.ts";
import { columnOf } from "../effects/family.ts";
import { madeByStatements } from "../made-by-up.ts";
import { nameIn, nameOfNode, qualified, relationName, sqlName, stringsIn, wordsOf } from "../names.ts";
import {
  columnNameIsBack,
  computedColumnIsBack,
  nameIsBack,
  notNullIsBack,
  routineIsBack,
  typeIsBack,
  viewIsBack,
} from "./made-again.ts";
import type { Draft, Subject } from "./subject.ts";

/** What an application that runs meanwhile would stumble over. A down may take back what its own up has made. */
export async function broken(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if ("RenameStmt" in tree) return renamed(subject, tree.RenameStmt);
  if ("AlterObjectSchemaStmt" in tree) return moved(subject);
  if ("AlterEnumStmt" in tree) return renamedValue(subject);
  if ("DropStmt" in tree) return dropped(subject);
  if ("AlterTableStmt" in tree) return changedColumns(subject);
  return [];
}

async function oldRelation(
  { view, madeByUp, direction }: Subject,
  name: { schema: string | undefined; name: string },
): Promise<Relation | undefined> {
  const relation = await view.find(name);
  const isOwn = direction === "down" && madeByUp.has(relation?.label ?? "");
  return relation?.isOld === true && !isOwn && relation.persistence !== "temporary" ? relation : undefined;
}

async function renamed(subject: Subject, statement: RenameStmt): Promise<readonly Draft[]> {
  const { renameType, subname, newname = "" } = statement;
  if (renameType === "OBJECT_SCHEMA") {
    return [
      {
        rule: "breaks/rename-schema",
        why: `a running application still looks for ${sqlName(subname ?? "")}, and every one of its statements fails`,
        fix: `-- a new schema with views on the old one's tables, until nobody uses the old name:
create schema ${sqlName(newname)};`,
      },
    ];
  }
  const relation =
    statement.relation === undefined
      ? undefined
      : await oldRelation(subject, relationName(statement.relation));
  if (relation === undefined || relation.tableId !== undefined || relation.kind === "composite") return [];
  if (renameType === "OBJECT_COLUMN")
    return [renamedColumn(subject, relation, subname ?? "", newname)].flat();
  const isWhole = ["OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"].some(
    (type) => type === renameType,
  );
  if (!isWhole) return [];
  const fresh = sqlName(newname);
  return [
    {
      rule: "breaks/rename-table",
      why: `a running application still looks for ${relation.label}, and its statements fail`,
      fix:
        relation.kind === "table" || relation.kind === "partitioned"
          ? `-- in one transaction, a view under the old name; dropped once nobody uses it:
${subject.text};
create view ${relation.label} as select * from ${fresh};`
          : `-- under the new name beside the old one, until nobody uses that:
-- create … ${fresh}`,
      unless: nameIsBack(relation),
    },
  ];
}

function renamedColumn(
  subject: Subject,
  relation: Relation,
  name: string,
  newname: string,
): readonly Draft[] {
  if (subject.direction === "down" && subject.madeByUp.has(`${relation.label}.${sqlName(newname)}`))
    return [];
  const [old, fresh] = [sqlName(name), sqlName(newname)];
  if (isOwnColumn(subject, `${relation.label}.${old}`)) return [];
  const type = columnOf(relation, name)?.type.name ?? "…";
  return [
    {
      rule: "breaks/rename-column",
      unless: columnNameIsBack(relation, name),
      why: `a running application still asks for ${relation.label}.${old}, and its statements fail`,
      fix: `-- the new name beside the old one, both kept equal, until nobody uses the old one:
alter table ${relation.label} add column ${fresh} ${type};
create function keep_${fresh}() returns trigger language plpgsql as $$
begin
  new.${fresh} := coalesce(new.${fresh}, new.${old});
  new.${old} := new.${fresh};
  return new;
end $$;
create trigger keep_${fresh} before insert or update on ${relation.label} for each row execute function keep_${fresh}();`,
    },
  ];
}

async function moved(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if (!("AlterObjectSchemaStmt" in tree) || tree.AlterObjectSchemaStmt.relation === undefined) return [];
  const relation = await oldRelation(subject, relationName(tree.AlterObjectSchemaStmt.relation));
  if (relation === undefined) return [];
  const schema = sqlName(tree.AlterObjectSchemaStmt.newschema ?? "");
  return [
    {
      rule: "breaks/rename-table",
      why: `a running application still looks for ${relation.label}, and its statements fail`,
      fix: `-- in one transaction, a view in the old place; dropped once nobody uses it:
${subject.text};
create view ${relation.label} as select * from ${schema}.${sqlName(relation.name)};`,
      unless: nameIsBack(relation),
    },
  ];
}

function renamedValue({ tree }: Subject): readonly Draft[] {
  if (!("AlterEnumStmt" in tree) || tree.AlterEnumStmt.oldVal === undefined) return [];
  const { oldVal, newVal, typeName } = tree.AlterEnumStmt;
  const type = qualified(nameIn(typeName));
  return [
    {
      rule: "breaks/rename-enum-value",
      why: `a running application still writes and compares '${oldVal}', which ${type} does not know any more`,
      fix: `-- a new value beside the old one, until no row and no code uses that:
alter type ${type} add value '${newVal ?? ""}' after '${oldVal}';`,
    },
  ];
}

async function dropped(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if (!("DropStmt" in tree)) return [];
  const { removeType, objects } = tree.DropStmt;
  switch (removeType) {
    case "OBJECT_TABLE":
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_SEQUENCE":
      return droppedRelations(subject);
    case "OBJECT_TYPE":
    case "OBJECT_DOMAIN":
    case "OBJECT_FUNCTION":
    case "OBJECT_PROCEDURE":
    case "OBJECT_SCHEMA":
    case "OBJECT_EXTENSION":
      return droppedObjects(subject, objects ?? []);
    default:
      return [];
  }
}

async function droppedRelations(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if (!("DropStmt" in tree)) return [];
  const drafts: Draft[] = [];
  for (const object of tree.DropStmt.objects ?? []) {
    const relation = await oldRelation(subject, nameOfNode(object));
    if (relation === undefined) continue;
    const keys = relation.constraints.filter(({ kind }) => kind === "foreign-key");
    const data =
      relation.kind === "table" || relation.kind === "partitioned" ? ", and its rows are gone" : "";
    drafts.push({
      rule: "breaks/drop-table",
      unless: viewIsBack(relation),
      why: `a running application that still uses ${relation.label} fails${data}`,
      fix: `-- first release code that does not use it; then${keys.length === 0 ? "" : " its foreign keys one by one, each in a transaction of its own, and"} allow the drop:
${keys.map(({ name }) => `alter table ${relation.label} drop constraint ${sqlName(name)};\n`).join("")}-- plinth:allow breaks/drop-table: nothing uses ${relation.label} since …
${subject.text};`,
    });
  }
  return drafts;
}

async function droppedObjects(subject: Subject, objects: readonly Node[]): Promise<readonly Draft[]> {
  const drafts: Draft[] = [];
  for (const object of objects) {
    const words = "ObjectWithArgs" in object ? stringsIn(object.ObjectWithArgs.objname) : wordsOf(object);
    const own = sqlName(words.at(-1) ?? "");
    const isOwn = subject.direction === "down" && subject.madeByUp.has(own);
    if (isOwn || madeAnew(subject.earlier).has(own)) continue;
    const unless = await isBack(subject, object, { schema: words.at(-2), name: words.at(-1) ?? "" });
    if (unless !== "absent") drafts.push({ ...droppedObject(subject, words), ...unless });
  }
  return drafts;
}

/** What the section itself has made, and did not find there. */
function madeAnew(trees: readonly Node[]): ReadonlySet<string> {
  const isReplacing = (tree: Node): boolean =>
    "CreateFunctionStmt" in tree && tree.CreateFunctionStmt.replace === true;
  return madeByStatements(trees.filter((tree) => !isReplacing(tree)));
}

/** A schema or extension made anew is empty, or another version. */
async function isBack(
  { tree, view }: Subject,
  object: Node,
  name: RelationName,
): Promise<Pick<Draft, "unless"> | "absent"> {
  const kind = "DropStmt" in tree ? tree.DropStmt.removeType : undefined;
  if ("ObjectWithArgs" in object) {
    const { objargs, args_unspecified } = object.ObjectWithArgs;
    const arity = args_unspecified === true ? undefined : (objargs ?? []).length;
    if ((await view.functions(name, arity))?.length === 0) return "absent";
    return { unless: await routineIsBack(view, name, arity) };
  }
  if (kind !== "OBJECT_TYPE" && kind !== "OBJECT_DOMAIN") return {};
  const isAbsent = view.isComplete && (await view.type(name, false)) === undefined;
  return isAbsent ? "absent" : { unless: await typeIsBack(view, name) };
}

function droppedObject({ text }: Subject, words: readonly string[]): Draft {
  const name = words.map(sqlName).join(".");
  return {
    rule: "breaks/drop-object",
    why: `a running application that still uses ${name} fails`,
    fix: `-- first release code that does not use it, then allow the drop:
-- plinth:allow breaks/drop-object: nothing uses ${name} since …
${text};`,
  };
}

async function changedColumns(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if (!("AlterTableStmt" in tree) || tree.AlterTableStmt.objtype === "OBJECT_TYPE") return [];
  const relation = await oldRelation(subject, relationName(tree.AlterTableStmt.relation));
  if (relation === undefined) return [];
  const commands = (tree.AlterTableStmt.cmds ?? []).flatMap((node) =>
    "AlterTableCmd" in node ? [node.AlterTableCmd] : [],
  );
  return commands.flatMap((command) => changedColumn(subject, relation, command));
}

/** The section has made the column, or given it the name: nobody knows it yet. */
function isOwnColumn({ earlier }: Subject, column: string): boolean {
  return madeByStatements(earlier).has(column);
}

function changedColumn(
  subject: Subject,
  relation: Relation,
  { subtype, name = "" }: AlterTableCmd,
): readonly Draft[] {
  const column = `${relation.label}.${sqlName(name)}`;
  const isThere = columnOf(relation, name) !== undefined || !relation.isKnown;
  switch (subtype) {
    case "AT_DropColumn":
      if (!isThere || (subject.direction === "down" && subject.madeByUp.has(column))) return [];
      if (isOwnColumn(subject, column)) return [];
      return [
        {
          rule: "breaks/drop-column",
          unless: computedColumnIsBack(relation, name),
          why: `a running application that still names ${column} fails, and its values are gone`,
          fix: `-- first release code that does not name it (select * counts), then allow the drop:
-- plinth:allow breaks/drop-column: nothing names ${column} since …
${subject.text};`,
        },
      ];
    case "AT_DropNotNull":
      if (columnOf(relation, name)?.isNotNull === false) return [];
      return [
        {
          rule: "breaks/drop-not-null",
          unless: notNullIsBack(relation, name),
          why: `a running application may read null in ${column}, which it never did`,
          fix: `-- release code that takes null first, then allow it:
-- plinth:allow breaks/drop-not-null: …
${subject.text};`,
        },
      ];
    case "AT_EnableRowSecurity":
      return [];
    default:
      return [];
  }
}
