import { MigrationError } from "../../errors/index.ts";
import { migrationScripts, pythonRevisions } from "./detect.ts";
import { notSql, passedOver } from "./findings.ts";
import type { FolderText, FoundFolder, FoundMigration } from "./model.ts";
import { nameParts, nestedSql, topSql } from "./paths.ts";
import { sentWhole } from "./sections.ts";

/** `001.undo.sql`, `001_init_down.sql`: run in order of name it would undo what has just been done. */
const WAY_BACK = /(?:^|[._-])(?:down|undo|rollback|revert)\.sql$/i;

/**
 * SQL files that only their names order.
 *
 * @throws {MIGRATION_INVALID} when one looks like a way back.
 */
export async function readPlain(content: FolderText): Promise<FoundFolder> {
  const migrations: FoundMigration[] = [];
  for (const [path, text] of topSql(content)) {
    if (WAY_BACK.test(path)) throw looksLikeWayBack(path);
    const { version = "", name } = nameParts(path);
    migrations.push({ version, name, fileName: path, up: await sentWhole(text), down: undefined });
  }
  const nested = passedOver(
    nestedSql(content),
    "files in folders are not read where only names give the order",
  );
  return { migrations, findings: nested };
}

/** Tools whose migrations are programs: nothing can be read but that. */
export function readPrograms(content: FolderText, format: "knex" | "alembic"): FoundFolder {
  const programs = format === "alembic" ? pythonRevisions(content) : migrationScripts(content);
  const language = format === "alembic" ? "Python" : "JavaScript or TypeScript";
  const sql = [...topSql(content).map(([path]) => path), ...nestedSql(content)];
  return {
    migrations: [],
    findings: [
      ...notSql(format, language, programs),
      ...passedOver(sql, `${format} runs programs; this may be read by one of them`),
    ],
  };
}

function looksLikeWayBack(path: string): MigrationError {
  return new MigrationError(
    "MIGRATION_INVALID",
    `${path} looks like a way back, but nothing says of which migration`,
    {
      file: path,
      hint: "Name pairs N_name.up.sql and N_name.down.sql, or put both ways into one file below -- migrate:up and -- migrate:down.",
    },
  );
}
