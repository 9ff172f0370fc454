import { JOURNAL, readJournal } from "../formats/journal.ts";
import type { FolderText } from "../formats/model.ts";
import { hashesOf } from "./hashes.ts";
import { selectDrizzle } from "./queries.ts";
import { unreadableFolder } from "./refusals.ts";
import type { ToolReader } from "./tool.ts";

/** A migration of the folder, and how the table knows it. */
interface LocalMigration {
  readonly name: string;
  readonly hashes: readonly string[];
  /** `when` of the journal: what 0.x compares. Undefined in 1.0, which compares names. */
  readonly when: string | undefined;
}

interface Row {
  readonly hash: string;
  readonly when: string;
  readonly name: string | null;
  readonly appliedAt: string | undefined;
}

/**
 * 0.x keeps a hash and the journal's time of each migration; it runs those newer than the newest, so one that came in
 * late from a branch is never run: here it is pending. 1.0 keeps the name as well.
 *
 * @see https://github.com/drizzle-team/drizzle-orm/blob/main/drizzle-orm/src/pg-core/dialect.ts
 */
export const drizzle: ToolReader = {
  table: "__drizzle_migrations",
  columns: ["id", "hash", "created_at"],
  companions: () => [],
  applyCommand: "npx drizzle-kit migrate",
  read: async (connection, table, content) => {
    const text = selectDrizzle(table, table.columns.has("name") && table.columns.has("applied_at"));
    const outcome = await connection.query({ text, values: [] });
    const rows = outcome.rows.map(
      ([hash, when, name, appliedAt]): Row => ({
        hash: hash ?? "",
        when: when ?? "",
        name: name ?? null,
        appliedAt: appliedAt ?? undefined,
      }),
    );
    const local = content === undefined ? [] : localMigrations(content);
    const fits = (one: LocalMigration, row: Row): boolean =>
      row.name === null
        ? one.hashes.includes(row.hash) || (one.when !== undefined && one.when === row.when)
        : one.name === row.name;
    const fileOf = (row: Row): LocalMigration | undefined => local.find((one) => fits(one, row));
    return {
      applied: rows.map((row) => ({
        name: row.name ?? fileOf(row)?.name ?? `sha256 ${row.hash.slice(0, 12)}`,
        appliedAt: row.appliedAt,
      })),
      pending: local.filter((one) => !rows.some((row) => fits(one, row))).map(({ name }) => name),
      missing:
        content === undefined
          ? []
          : rows
              .filter((row) => fileOf(row) === undefined)
              .map((row) => row.name ?? `sha256 ${row.hash.slice(0, 12)}`),
      edited: rows.flatMap((row) => {
        const file = fileOf(row);
        return file === undefined || file.hashes.includes(row.hash) ? [] : [file.name];
      }),
    };
  },
};

function localMigrations(content: FolderText): readonly LocalMigration[] {
  const journal = content.get(JOURNAL);
  if (journal !== undefined) {
    return readJournal(journal).map(({ tag, when }) => ({
      name: tag,
      hashes: hashesOf(content.get(`${tag}.sql`) ?? ""),
      when: when === undefined ? undefined : String(when),
    }));
  }
  const folders = [...content].filter(([path]) => /^[^/]+\/migration\.sql$/.test(path));
  if (folders.length === 0) {
    throw unreadableFolder(`the folder is not Drizzle's: it has neither ${JOURNAL} nor NAME/migration.sql`);
  }
  return folders.map(([path, text]) => ({
    name: path.replace(/\/migration\.sql$/, ""),
    hashes: hashesOf(text),
    when: undefined,
  }));
}
