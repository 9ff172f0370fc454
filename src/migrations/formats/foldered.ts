import { MigrationError } from "../../errors/index.ts";
import { passedOver } from "./findings.ts";
import { JOURNAL, otherDatabase, readJournal } from "./journal.ts";
import type { FolderText, FoundFolder, FoundMigration } from "./model.ts";
import { isSql, nameParts, topSql } from "./paths.ts";
import { sentWhole, unlessEmpty, wholeText } from "./sections.ts";

/** Formats with a journal, or a folder for each migration. */

/**
 * Drizzle 0.x: files in the order of `meta/_journal.json`. Drizzle 1: `NAME/migration.sql`. Its runner applies all that is
 * pending in one transaction.
 *
 * @see https://orm.drizzle.team/docs/kit-overview
 */
export function readDrizzle(content: FolderText): FoundFolder {
  const journal = content.get(JOURNAL);
  if (journal === undefined) {
    const nested = folderMigrations(content);
    const flat = nested.length > 0 ? [] : topSql(content);
    return {
      migrations: [...nested, ...flat].map(([path, text]) => drizzleMigration(path, text)),
      findings: [],
    };
  }
  const migrations = readJournal(journal).map(({ tag }) => {
    const text = content.get(`${tag}.sql`);
    if (text === undefined) throw notThere(`${tag}.sql`);
    return drizzleMigration(`${tag}.sql`, text);
  });
  const known = new Set(migrations.map(({ fileName }) => fileName));
  const others = [...content.keys()].filter((path) => isSql(path) && !known.has(path));
  return {
    migrations,
    findings: passedOver(others, `${JOURNAL} does not name it, so Drizzle does not run it`),
  };
}

function drizzleMigration(path: string, text: string): FoundMigration {
  const { version = "", name } = nameParts(path.replace(/\/migration\.sql$/, ""));
  return { version, name, fileName: path, up: wholeText(text), down: undefined };
}

const PRISMA_LOCK = "migration_lock.toml";

/**
 * Prisma: `NAME/migration.sql`, with a way back in `NAME/down.sql` where somebody wrote one. It sends a file whole.
 *
 * @see https://www.prisma.io/docs/orm/prisma-migrate/workflows/generating-down-migrations
 */
export async function readPrisma(content: FolderText): Promise<FoundFolder> {
  const provider = /^\s*provider\s*=\s*"([^"\n]*)"/m.exec(content.get(PRISMA_LOCK) ?? "")?.[1];
  if (provider !== undefined && !/^postgres(?:ql)?$/.test(provider))
    throw otherDatabase(PRISMA_LOCK, provider);
  const migrations: FoundMigration[] = [];
  for (const [path, text] of folderMigrations(content)) {
    const folder = path.slice(0, path.indexOf("/"));
    const back = content.get(`${folder}/down.sql`);
    const { version = "", name } = nameParts(folder);
    const down = back === undefined ? undefined : await sentWhole(back, `${folder}/down.sql`);
    migrations.push({ version, name, fileName: path, up: await sentWhole(text), down: unlessEmpty(down) });
  }
  const others = [...content.keys()].filter(
    (path) => isSql(path) && !/\/(?:migration|down)\.sql$/.test(path),
  );
  return { migrations, findings: passedOver(others, "Prisma runs NAME/migration.sql") };
}

function folderMigrations(content: FolderText): readonly (readonly [string, string])[] {
  return [...content].filter(([path]) => path.endsWith("/migration.sql"));
}

function notThere(path: string): MigrationError {
  return new MigrationError(
    "MIGRATION_INVALID",
    `${JOURNAL} names ${path}, but the folder does not have it`,
    {
      file: path,
      hint: "Restore the file, or take its entry out of the journal if it was applied nowhere.",
    },
  );
}
