/** Pieces of fixes: what has to stand around a statement, in the words of the tool that runs it. */
import type { FolderFormat } from "../../formats/model.ts";
import type { Tool } from "./subject.ts";

/** Statements that need their own transaction come after each other: in Plinth's file, or in migrations. */
export function steps(tool: Tool, parts: readonly string[]): string {
  const statements = parts.map((part) => `${part};`);
  if (tool.splitsPhases) return statements.join("\n");
  return statements
    .map((statement, at) =>
      at === 0 ? statement : `-- in the next migration, once this one is committed:\n${statement}`,
    )
    .join("\n");
}

/** A statement that cannot run in a transaction. */
export function outside(tool: Tool, statement: string): string {
  const hint = tool.splitsPhases ? undefined : OUTSIDE[tool.format];
  return hint === undefined ? `${statement};` : `${hint}\n${statement};`;
}

/** How each tool is told not to wrap a transaction around a file. */
const OUTSIDE: Readonly<Record<FolderFormat, string | undefined>> = {
  plinth: undefined,
  dbmate: "-- in a migration of its own that begins with: -- migrate:up transaction:false",
  goose: "-- in a migration of its own that begins with: -- +goose NO TRANSACTION",
  flyway: "-- in a migration of its own, with executeInTransaction=false in its .sql.conf",
  "golang-migrate": "-- alone in a migration of its own: a file of one statement runs without a transaction",
  prisma: "-- alone in a migration of its own: a file of one statement runs without a transaction",
  drizzle:
    "-- by hand before the migration, which then says if not exists: Drizzle always wraps a transaction",
  "node-pg-migrate": "-- in a migration of its own, with pgm.noTransaction()",
  knex: "-- in a migration of its own, with export const config = { transaction: false }",
  alembic: "-- within: with op.get_context().autocommit_block():",
  plain: "-- in a file of its own, run without a transaction (psql without -1)",
};
