import type { MigrationFile } from "../migration-file.ts";

/** Tools whose folders Plinth knows. `plain`: SQL files that only their names order. */
export const FOLDER_FORMATS = [
  "plinth",
  "dbmate",
  "drizzle",
  "prisma",
  "node-pg-migrate",
  "golang-migrate",
  "flyway",
  "goose",
  "knex",
  "alembic",
  "plain",
] as const;

export type FolderFormat = (typeof FOLDER_FORMATS)[number];

/** A folder of migrations, whichever tool wrote it. */
export interface MigrationFolder {
  readonly format: FolderFormat;
  /**
   * The tool's runner takes a file apart where PostgreSQL refuses a transaction: only Plinth's does. Others run a file in
   * one, unless it is marked (`isTransactional` of its sections).
   */
  readonly splitsPhases: boolean;
  /**
   * In the order the tool runs them. `fileName` is the path from the folder. `version` is the tool's own where all of
   * them are different numbers, else the place in the order, from 1.
   */
  readonly files: readonly MigrationFile[];
  readonly findings: readonly FolderFinding[];
}

/** What of a folder was not read, and why. */
export interface FolderFinding {
  readonly rule: "migration-not-sql" | "file-passed-over" | "migration-empty" | "placeholder-unfilled";
  readonly level: "warning";
  /** The path from the folder. */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

/** Files by their path from the folder, with `/` between the parts. */
export type FolderContent = Readonly<Record<string, string | Uint8Array>>;

/** The same, decoded: UTF-8 without byte order mark, LF line ends. */
export type FolderText = ReadonlyMap<string, string>;

/** A migration as its tool's layout gives it, before versions are made numbers. */
export interface FoundMigration extends Pick<MigrationFile, "name" | "fileName" | "up" | "down"> {
  /** As the tool writes it. */
  readonly version: string;
}

/** What a layout's reader gives. */
export interface FoundFolder {
  readonly migrations: readonly FoundMigration[];
  readonly findings: readonly FolderFinding[];
}
