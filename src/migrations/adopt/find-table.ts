import type { Connection } from "../../driver/index.ts";
import { MigrationError } from "../../errors/index.ts";
import { alembic } from "./alembic.ts";
import { dbmate, knex, nodePgMigrate } from "./by-name.ts";
import { drizzle } from "./drizzle.ts";
import { flyway } from "./flyway.ts";
import { golangMigrate } from "./golang-migrate.ts";
import { prisma } from "./prisma.ts";
import { selectTablesNamed } from "./queries.ts";
import type { AdoptableTool, TablePlace, ToolReader, ToolTable } from "./tool.ts";

/** How each tool keeps its history. */
export const TOOL_READERS: Readonly<Record<AdoptableTool, ToolReader>> = {
  drizzle,
  prisma,
  knex,
  "node-pg-migrate": nodePgMigrate,
  dbmate,
  "golang-migrate": golangMigrate,
  flyway,
  alembic,
};

/** What the tables of other migration tools are called, unless they were told otherwise. */
export const OTHER_TOOLS_TABLES: readonly string[] = [
  ...new Set(Object.values(TOOL_READERS).flatMap(({ table, companions }) => [table, ...companions(table)])),
  "goose_db_version",
];

/**
 * Finds the tool's table in whichever schema it is. `given` is `name` or `schema.name`, for a tool that was told
 * another one.
 *
 * @throws {MIGRATION_INVALID} when there is none, when there are several, and when it is not the tool's.
 */
export async function findToolTable(
  connection: Connection,
  tool: AdoptableTool,
  given: string | undefined,
): Promise<ToolTable> {
  const reader = TOOL_READERS[tool];
  const wanted = placeOf(given ?? reader.table);
  const tables = (await tablesNamed(connection, wanted.name)).filter(
    ({ schema }) => wanted.schema === undefined || schema === wanted.schema,
  );
  const [table, ...others] = tables;
  if (table === undefined) throw noTable(tool, given ?? reader.table);
  if (others.length > 0) throw severalTables(tables);
  const lacking = reader.columns.find((column) => !table.columns.has(column));
  if (lacking !== undefined) throw otherTable(tool, table, lacking);
  const companions: TablePlace[] = [];
  for (const name of reader.companions(table.name)) {
    const found = await tablesNamed(connection, name);
    companions.push(...found.filter(({ schema }) => schema === table.schema));
  }
  return { ...table, companions };
}

async function tablesNamed(
  connection: Connection,
  name: string,
): Promise<readonly Omit<ToolTable, "companions">[]> {
  const { rows } = await connection.query({ text: selectTablesNamed, values: [name] });
  return rows.map(([schema, relation, columns]) => {
    const names: unknown = JSON.parse(columns ?? "[]");
    return {
      schema: schema ?? "",
      name: relation ?? "",
      columns: new Set(Array.isArray(names) ? names.map(String) : []),
    };
  });
}

function placeOf(given: string): { readonly schema: string | undefined; readonly name: string } {
  const dot = given.indexOf(".");
  return dot < 0
    ? { schema: undefined, name: given }
    : { schema: given.slice(0, dot), name: given.slice(dot + 1) };
}

function noTable(tool: AdoptableTool, name: string): MigrationError {
  const push = tool === "drizzle" || tool === "prisma" ? ` (${tool} push keeps no history)` : "";
  return new MigrationError("MIGRATION_INVALID", `this database has no table ${name} of ${tool}${push}`, {
    hint:
      "Check DATABASE_URL; if the table has another name, say --table SCHEMA.NAME. A database without a history is " +
      "adopted with plinth schema pull, plinth migrate generate and plinth migrate baseline.",
  });
}

function severalTables(tables: readonly TablePlace[]): MigrationError {
  const names = tables.map(({ schema, name }) => `${schema}.${name}`);
  return new MigrationError("MIGRATION_INVALID", `which one is it: ${names.join(" or ")}?`, {
    hint: `Say --table ${names[0]}.`,
  });
}

function otherTable(tool: AdoptableTool, table: TablePlace, column: string): MigrationError {
  const name = `${table.schema}.${table.name}`;
  return new MigrationError("MIGRATION_INVALID", `${name} is not ${tool}'s: it has no column ${column}`, {
    hint: "Say another tool with --from, or its table with --table SCHEMA.NAME.",
  });
}
