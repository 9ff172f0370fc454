import type { Node } from "libpg-query";
import type { MigrationFile } from "../migration-file.ts";
import { parseSql } from "../parse-sql.ts";
import { snippetAt } from "../snippet.ts";
import { changesRole } from "../statement-kind.ts";

/** A statement whose effect is nowhere in the catalog of a database, so that a squash would lose it. */
export interface NotCarried {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** What lives outside the catalog that is compared, by the parser's name of the statement. */
const OUTSIDE: Readonly<Record<string, string>> = {
  AlterDatabaseSetStmt: "a setting of the database",
  AlterDatabaseStmt: "an option of the database",
  AlterDatabaseRefreshCollStmt: "the version of the database's collation",
  AlterDefaultPrivilegesStmt: "default privileges",
  AlterOwnerStmt: "an owner",
  AlterRoleSetStmt: "a setting of a role",
  AlterRoleStmt: "a role",
  AlterSystemStmt: "a setting of the server",
  CreateRoleStmt: "a role",
  DropRoleStmt: "a role",
  GrantRoleStmt: "a membership in a role",
  CreatedbStmt: "a database",
  DropdbStmt: "a database",
  CreateTableSpaceStmt: "a tablespace",
  DropTableSpaceStmt: "a tablespace",
  CreateSubscriptionStmt: "a subscription",
  AlterSubscriptionStmt: "a subscription",
  DropSubscriptionStmt: "a subscription",
  CreateUserMappingStmt: "a user mapping",
  AlterUserMappingStmt: "a user mapping",
  DropUserMappingStmt: "a user mapping",
  CreateConversionStmt: "a conversion",
  CreateTransformStmt: "a transform",
  CreatePLangStmt: "a language",
  CreateAmStmt: "an access method",
  CreateOpFamilyStmt: "an operator family",
  AlterOpFamilyStmt: "an operator family",
  CreateFdwStmt: "a foreign data wrapper",
  AlterFdwStmt: "a foreign data wrapper",
  SecLabelStmt: "a security label",
  ImportForeignSchemaStmt: "foreign tables",
};

/** `create text search parser`, and the like. */
const DEFINED_OUTSIDE: Readonly<Record<string, string>> = {
  OBJECT_TSPARSER: "a text search parser",
  OBJECT_TSTEMPLATE: "a text search template",
};

/** The same inside a `do` block or a function body that is called, as far as its words tell. */
const OUTSIDE_WORDS =
  /\b(?:create|alter|drop)\s+(?:role|user|group|tablespace|database|system|subscription|default\s+privileges|language|foreign\s+data|operator\s+family|conversion|transform|access\s+method|text\s+search\s+(?:parser|template))\b|\bowner\s+to\b|\bset\s+(?:local\s+)?role\b/i;

/** Finds what squashing these files would lose without a trace in the catalogs. */
export async function findNotCarried(files: readonly MigrationFile[]): Promise<readonly NotCarried[]> {
  const found: NotCarried[] = [];
  for (const file of files) {
    const { statements } = await parseSql(file.up.text);
    for (const { tree, text, offset } of statements) {
      const what = outsideOf(tree, text);
      if (what !== undefined) {
        found.push({ file: file.fileName, line: snippetAt(file.up, offset).line, what });
      }
    }
  }
  return found;
}

function outsideOf(tree: Node, text: string): string | undefined {
  const [kind] = Object.keys(tree);
  const known = OUTSIDE[kind ?? ""];
  if (known !== undefined) return known;
  // What is made after it belongs to somebody else.
  if (changesRole(tree) || ("CreateSchemaStmt" in tree && tree.CreateSchemaStmt.authrole !== undefined))
    return "an owner";
  if ("DefineStmt" in tree) return DEFINED_OUTSIDE[tree.DefineStmt.kind ?? ""];
  if ("AlterTableStmt" in tree && changesOwner(tree.AlterTableStmt.cmds ?? [])) return "an owner";
  return "DoStmt" in tree && OUTSIDE_WORDS.test(text) ? "something outside the schema" : undefined;
}

function changesOwner(commands: readonly Node[]): boolean {
  return commands.some(
    (command) => "AlterTableCmd" in command && command.AlterTableCmd.subtype === "AT_ChangeOwner",
  );
}
