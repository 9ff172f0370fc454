import { hashesOf } from "./hashes.ts";
import { selectPrisma } from "./queries.ts";
import { brokenHistory, unreadableFolder } from "./refusals.ts";
import type { ToolReader } from "./tool.ts";

/**
 * A row is a run: applied when it has finished, rolled back when somebody said so, else failed, which stops Prisma
 * until it is resolved.
 *
 * @see https://www.prisma.io/docs/orm/prisma-migrate/workflows/patching-and-hotfixing
 */
export const prisma: ToolReader = {
  table: "_prisma_migrations",
  columns: ["migration_name", "checksum", "finished_at", "rolled_back_at", "started_at"],
  companions: () => [],
  applyCommand: "npx prisma migrate deploy",
  read: async (connection, table, content) => {
    const { rows } = await connection.query({ text: selectPrisma(table), values: [] });
    const runs = rows.map(([name, checksum, finishedAt, isRolledBack]) => ({
      name: name ?? "",
      checksum: checksum ?? "",
      finishedAt: finishedAt ?? undefined,
      isRolledBack: isRolledBack === "true",
    }));
    const failed = runs.find((run) => run.finishedAt === undefined && !run.isRolledBack);
    if (failed !== undefined) {
      throw brokenHistory(
        `Prisma's migration ${failed.name} failed, or is still running`,
        `Mend the database and say how it stands: npx prisma migrate resolve --applied ${failed.name}, or --rolled-back.`,
      );
    }
    const applied = runs.filter((run) => !run.isRolledBack);
    const files = [...(content ?? [])].flatMap(([path, text]) => {
      const name = /^([^/]+)\/migration\.sql$/.exec(path)?.[1];
      return name === undefined ? [] : [{ name, hashes: hashesOf(text) }];
    });
    if (content !== undefined && files.length === 0) {
      throw unreadableFolder("the folder is not Prisma's: it has no NAME/migration.sql");
    }
    const fileOf = (run: { readonly name: string }) => files.find(({ name }) => name === run.name);
    return {
      applied: applied.map(({ name, finishedAt }) => ({ name, appliedAt: finishedAt })),
      pending: files.flatMap(({ name }) => (applied.some((run) => run.name === name) ? [] : [name])),
      missing: content === undefined ? [] : namesOf(applied.filter((run) => fileOf(run) === undefined)),
      edited: namesOf(applied.filter((run) => fileOf(run)?.hashes.includes(run.checksum) === false)),
    };
  },
};

function namesOf(runs: readonly { readonly name: string }[]): readonly string[] {
  return runs.map(({ name }) => name);
}
