/** Pieces of fixes: what has to stand around a statement, in the words of the tool that runs it. */
import type { Constraint } from "libpg-query";
import type { FolderFormat } from "../../formats/model.ts";
import { qualified, relationName, sqlName, stringsIn } from "../names.ts";
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

/** `set null (a, b)`; nothing for what goes without saying. */
const ACTIONS: Readonly<Record<string, string>> = {
  r: "restrict",
  c: "cascade",
  n: "set null",
  d: "set default",
};

/** `references tasks (id) on delete cascade`: what a foreign key says, whether of a column or of a table. */
export function references(constraint: Constraint, behind: readonly Constraint[] = []): string {
  const { pk_attrs, fk_matchtype, fk_del_action = "", fk_upd_action = "", fk_del_set_cols } = constraint;
  const columns = stringsIn(pk_attrs).map(sqlName).join(", ");
  const emptied = stringsIn(fk_del_set_cols).map(sqlName).join(", ");
  const [atDelete, atUpdate] = [ACTIONS[fk_del_action], ACTIONS[fk_upd_action]];
  return [
    `references ${qualified(relationName(constraint.pktable))}`,
    columns === "" ? "" : `(${columns})`,
    fk_matchtype === "f" ? "match full" : "",
    atDelete === undefined ? "" : `on delete ${atDelete}`,
    emptied === "" ? "" : `(${emptied})`,
    atUpdate === undefined ? "" : `on update ${atUpdate}`,
    whenChecked(constraint, behind),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

/** `deferrable`, which behind a column is a constraint of its own. */
export function whenChecked(constraint: Constraint, behind: readonly Constraint[] = []): string {
  const own = behind.slice(behind.indexOf(constraint) + 1);
  const next = own.findIndex(({ contype }) => contype?.startsWith("CONSTR_ATTR_") !== true);
  const marks = own.slice(0, next < 0 ? undefined : next).map(({ contype }) => contype);
  if (constraint.initdeferred === true || marks.includes("CONSTR_ATTR_DEFERRED"))
    return "deferrable initially deferred";
  return constraint.deferrable === true || marks.includes("CONSTR_ATTR_DEFERRABLE") ? "deferrable" : "";
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
