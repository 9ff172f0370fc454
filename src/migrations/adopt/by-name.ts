import type { FolderText } from "../formats/model.ts";
import { selectKnex, selectKnexLock, selectNodePgMigrate, selectVersions } from "./queries.ts";
import { brokenHistory, unreadableFolder } from "./refusals.ts";
import type { AppliedMigration, ToolHistory, ToolReader } from "./tool.ts";

/** Tools that keep a row for each file, under its name or number. */

const KNEX_FILE = /(?<!\.d)\.(?:[cm]?[jt]s|co|coffee|eg|iced|litcoffee|ls)$/;

/** @see https://knexjs.org/guide/migrations.html */
export const knex: ToolReader = {
  table: "knex_migrations",
  columns: ["id", "name", "batch", "migration_time"],
  companions: (table) => [`${table}_lock`],
  applyCommand: "npx knex migrate:latest",
  read: async (connection, table, content) => {
    for (const lock of table.companions) {
      const { rows } = await connection.query({ text: selectKnexLock(lock), values: [] });
      if (rows.length === 0) continue;
      throw brokenHistory(
        "Knex's lock is taken: its migrations are running, or a run was killed",
        "Wait for the run; if there is none, npx knex migrate:unlock.",
      );
    }
    const { rows } = await connection.query({ text: selectKnex(table), values: [] });
    return byName(rows.map(appliedOf), topFiles(content, "Knex", KNEX_FILE));
  },
};

const NODE_PG_MIGRATE_FILE = /(?<!\.d)\.(?:[cm]?[jt]s|sql)$/;

/** Names without their ending, so that a file may become TypeScript. @see https://salsita.github.io/node-pg-migrate/ */
export const nodePgMigrate: ToolReader = {
  table: "pgmigrations",
  columns: ["id", "name", "run_on"],
  companions: () => [],
  applyCommand: "npx node-pg-migrate up",
  read: async (connection, table, content) => {
    const { rows } = await connection.query({ text: selectNodePgMigrate(table), values: [] });
    const files = topFiles(content, "node-pg-migrate's", NODE_PG_MIGRATE_FILE);
    const names = files?.map((name) => name.replace(/(?:\.(?:up|down))?\.[^.]+$/, ""));
    return byName(rows.map(appliedOf), names && [...new Set(names)]);
  },
};

/** The number in front of a file's name. @see https://github.com/amacneil/dbmate */
export const dbmate: ToolReader = {
  table: "schema_migrations",
  columns: ["version"],
  companions: () => [],
  applyCommand: "npx dbmate up",
  read: async (connection, table, content) => {
    if (table.columns.has("dirty")) {
      throw brokenHistory(
        `${table.schema}.${table.name} is golang-migrate's: it has a column dirty`,
        "Say --from golang-migrate.",
      );
    }
    const { rows } = await connection.query({ text: selectVersions(table), values: [] });
    const files = topFiles(content, "dbmate's", /^\d.*\.sql$/);
    const versions = rows.map(([version]) => version ?? "");
    const fileOf = (version: string): string | undefined =>
      files?.find((name) => /^\d+/.exec(name)?.[0] === version);
    const applied = versions.map((version) => ({ name: fileOf(version) ?? version, appliedAt: undefined }));
    return byName(applied, files);
  },
};

function appliedOf([name, appliedAt]: readonly (string | null)[]): AppliedMigration {
  return { name: name ?? "", appliedAt: appliedAt ?? undefined };
}

function byName(applied: readonly AppliedMigration[], files: readonly string[] | undefined): ToolHistory {
  const names = new Set(applied.map(({ name }) => name));
  const local = new Set(files);
  return {
    applied,
    pending: files === undefined ? [] : files.filter((name) => !names.has(name)),
    missing: files === undefined ? [] : [...names].filter((name) => !local.has(name)),
    edited: [],
  };
}

/** Names of the folder's own files that fit. */
function topFiles(
  content: FolderText | undefined,
  whose: string,
  name: RegExp,
): readonly string[] | undefined {
  if (content === undefined) return undefined;
  const files = [...content.keys()].filter((path) => !/^\.|\//.test(path) && name.test(path));
  if (files.length === 0)
    throw unreadableFolder(`the folder is not ${whose}: none of its files is a migration`);
  return files;
}
