import { GOLANG_FILE } from "../formats/detect.ts";
import { selectGolangMigrate } from "./queries.ts";
import { brokenHistory, unreadableFolder } from "./refusals.ts";
import type { ToolReader } from "./tool.ts";

/**
 * One row: how far the database is. `dirty` stays set when a migration failed, and stops the tool until somebody
 * forces a version.
 *
 * @see https://github.com/golang-migrate/migrate/blob/master/GETTING_STARTED.md#forcing-your-database-version
 */
export const golangMigrate: ToolReader = {
  table: "schema_migrations",
  columns: ["version", "dirty"],
  companions: () => [],
  applyCommand: "migrate up",
  read: async (connection, table, content) => {
    const { rows } = await connection.query({ text: selectGolangMigrate(table), values: [] });
    const [row] = rows;
    if (row === undefined) return { applied: [], pending: [], missing: [], edited: [] };
    const [version, dirty] = row;
    const current = version ?? "";
    if (dirty === "true") {
      throw brokenHistory(
        `golang-migrate's version ${current} is dirty: its migration failed`,
        `Mend the database by hand and say how it stands: migrate force VERSION.`,
      );
    }
    const files = [...(content ?? [])].flatMap(([path]) => {
      const [, number, , way] = GOLANG_FILE.exec(path) ?? [];
      return number === undefined || way?.toLowerCase() !== "up"
        ? []
        : [{ name: path, number: BigInt(number) }];
    });
    if (content !== undefined && files.length === 0) {
      throw unreadableFolder("the folder is not golang-migrate's: it has no N_name.up.sql");
    }
    files.sort((a, b) => (a.number < b.number ? -1 : 1));
    const last = BigInt(current);
    const done = files.filter(({ number }) => number <= last).map(({ name }) => name);
    const isThere = files.some(({ number }) => number === last);
    const names = isThere ? done : [...done, current];
    return {
      applied: names.map((name) => ({ name, appliedAt: undefined })),
      pending: files.filter(({ number }) => number > last).map(({ name }) => name),
      missing: content !== undefined && !isThere ? [current] : [],
      edited: [],
    };
  },
};
