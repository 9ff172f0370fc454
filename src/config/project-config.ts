import { isAbsolute, resolve } from "node:path";
import { DATABASE_OPTION_NAMES, type DatabaseOptions, type Optional } from "./database-config.ts";
import {
  MIGRATION_INTEGER_RULES,
  MIGRATIONS_DUMP_RULE,
  MIGRATIONS_FOLDER_RULE,
  MIGRATIONS_OUT_OF_ORDER_RULE,
  ROLE_RULES,
  SCHEMA_FILE_RULE,
  SEEDS_FOLDER_RULE,
} from "./options.ts";
import { type Environment, invalidOption, isRecord, openSettings, type Settings } from "./settings.ts";

/** What `plinth.config.ts` may hold. Paths are relative to the file. */
export interface Config {
  /** The module that declares the tables. @default "./schema.ts" */
  readonly schema?: string | undefined;
  readonly database?: DatabaseOptions | undefined;
  readonly migrations?: Optional<MigrationSettings> | undefined;
  readonly seeds?: { readonly folder?: string | undefined } | undefined;
  readonly roles?: Optional<RoleSettings> | undefined;
}

/** What the roles of the application's schema are called. */
export interface RoleSettings {
  /** What their names begin with. @default the name of the schema */
  readonly prefix: string | undefined;
  /** Whole names, for roles that are called otherwise. @default the prefix and what the role is for */
  readonly owner: string | undefined;
  readonly migrator: string | undefined;
  readonly app: string | undefined;
  readonly readOnly: string | undefined;
  readonly backup: string | undefined;
  readonly monitor: string | undefined;
}

/** How migrations run. */
export interface MigrationSettings {
  /** @default "./migrations" */
  readonly folder: string;
  /**
   * A pending migration older than the last applied one (two branches merged) is applied with a note, or
   * refused. @default "apply"
   */
  readonly outOfOrder: "apply" | "refuse";
  /** `lock_timeout` of a migration's statements. @default 5_000 */
  readonly lockTimeoutMs: number;
  /** How often a migration that did not get its table lock is tried. @default 10 */
  readonly lockAttempts: number;
  /** The longest a runner waits for another one. @default 300_000 */
  readonly runnerWaitMs: number;
  /** `statement_timeout` of a migration's statements; 0 is none. @default 0 */
  readonly statementTimeoutMs: number;
  /**
   * A file with the whole schema that `migrate generate`, `up` and `redo` keep fresh, but in production, where
   * nobody reviews it: `"./schema.sql"`. @default none
   */
  readonly dump: string | undefined;
}

/** What migrations do when nothing is configured. */
export const MIGRATION_SETTINGS_DEFAULT: Omit<MigrationSettings, "folder" | "dump"> = Object.freeze({
  outOfOrder: MIGRATIONS_OUT_OF_ORDER_RULE.default,
  lockTimeoutMs: MIGRATION_INTEGER_RULES.lockTimeoutMs.default,
  lockAttempts: MIGRATION_INTEGER_RULES.lockAttempts.default,
  runnerWaitMs: MIGRATION_INTEGER_RULES.runnerWaitMs.default,
  statementTimeoutMs: MIGRATION_INTEGER_RULES.statementTimeoutMs.default,
});

/** A checked config file: every path absolute, every option filled but those of the database. Frozen. */
export interface ProjectConfig {
  readonly schemaFile: string;
  /** As written; `readDatabaseConfig({ file })` fills it. */
  readonly database: DatabaseOptions;
  readonly migrations: MigrationSettings;
  readonly seeds: { readonly folder: string };
  readonly roles: RoleSettings;
}

/** Gives its argument back: it exists for the editor's completion. */
export function defineConfig(config: Config): Config {
  return config;
}

/**
 * Checks what a config file exported, fills it, and makes its paths absolute. Environment variables win over
 * the file.
 *
 * @throws {CONFIG_INVALID} with one line that names the option, what it may be, and the fix.
 */
export function readProjectConfig(
  exported: unknown,
  options: { readonly directory: string; readonly environment?: Environment },
): ProjectConfig {
  const { directory, environment = {} } = options;
  if (!isRecord(exported)) {
    throw invalidOption("plinth.config.ts", "must export default defineConfig({ … })");
  }
  const open = (group: string, known: readonly string[]): Settings =>
    openSettings(
      { group, explicit: undefined, environment, file: group === "" ? exported : exported[group] },
      known,
    );
  const top = open("", ["schema", "database", "migrations", "seeds", "roles"]);
  const migrations = open("migrations", [
    "folder",
    "outOfOrder",
    "dump",
    ...Object.keys(MIGRATION_INTEGER_RULES),
  ]);
  const seeds = open("seeds", ["folder"]);
  const path = (written: string): string => (isAbsolute(written) ? written : resolve(directory, written));
  const dump = migrations.optional("dump", MIGRATIONS_DUMP_RULE);
  return Object.freeze({
    schemaFile: path(top.text("schema", SCHEMA_FILE_RULE)),
    database: databaseOptions(exported.database),
    migrations: Object.freeze({
      folder: path(migrations.text("folder", MIGRATIONS_FOLDER_RULE)),
      outOfOrder: outOfOrder(migrations),
      lockTimeoutMs: migrations.integer("lockTimeoutMs", MIGRATION_INTEGER_RULES.lockTimeoutMs),
      lockAttempts: migrations.integer("lockAttempts", MIGRATION_INTEGER_RULES.lockAttempts),
      runnerWaitMs: migrations.integer("runnerWaitMs", MIGRATION_INTEGER_RULES.runnerWaitMs),
      statementTimeoutMs: migrations.integer(
        "statementTimeoutMs",
        MIGRATION_INTEGER_RULES.statementTimeoutMs,
      ),
      dump: dump && path(dump.text),
    }),
    seeds: Object.freeze({ folder: path(seeds.text("folder", SEEDS_FOLDER_RULE)) }),
    roles: readRoleSettings({ environment, file: exported.roles }),
  });
}

/**
 * What is said of the roles' names, in the environment or the file.
 *
 * @throws {CONFIG_INVALID}
 */
export function readRoleSettings(sources: {
  readonly environment: Environment;
  readonly file: unknown;
}): RoleSettings {
  const settings = openSettings({ group: "roles", explicit: undefined, ...sources }, Object.keys(ROLE_RULES));
  const text = (name: keyof typeof ROLE_RULES): string | undefined =>
    settings.optional(name, ROLE_RULES[name])?.text;
  return Object.freeze({
    prefix: text("prefix"),
    owner: text("owner"),
    migrator: text("migrator"),
    app: text("app"),
    readOnly: text("readOnly"),
    backup: text("backup"),
    monitor: text("monitor"),
  });
}

function outOfOrder(settings: Settings): "apply" | "refuse" {
  const written = settings.text("outOfOrder", MIGRATIONS_OUT_OF_ORDER_RULE);
  if (written === "apply" || written === "refuse") return written;
  throw invalidOption(
    "migrations.outOfOrder",
    `must be "apply" or "refuse" (${MIGRATIONS_OUT_OF_ORDER_RULE.meaning})`,
  );
}

/** `readDatabaseConfig` looks at the values; here only the shape is made certain. */
function databaseOptions(value: unknown): DatabaseOptions {
  openSettings(
    { group: "database", explicit: undefined, environment: {}, file: value },
    DATABASE_OPTION_NAMES,
  );
  return isRecord(value) ? value : {};
}
