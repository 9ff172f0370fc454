// The config file
export {
  type Config,
  defineConfig,
  MIGRATION_SETTINGS_DEFAULT,
  type MigrationSettings,
  type ProjectConfig,
  type RoleSettings,
  readProjectConfig,
  readRoleSettings,
} from "./project-config.ts";

// The database: options from code, environment and file in one frozen object
export {
  type DatabaseConfig,
  type DatabaseConfigSources,
  type DatabaseOptions,
  type Optional,
  type PoolSettings,
  readDatabaseConfig,
  type SessionConfig,
} from "./database-config.ts";

// The environment and .env
export { type LoadedEnvironment, loadEnvironment } from "./environment.ts";
export { type Environment, isRecord, refuseUnknownKeys } from "./settings.ts";

// Modules of the application
export { findDeclaredName } from "./declared-name.ts";
export { createModuleLoader, type ModuleLoader } from "./module-loader.ts";

// Where nothing is deleted unasked
export { isProduction } from "./production.ts";

// Keeping passwords off the screen
export { maskUrl } from "./mask.ts";

// Where a project is
export { CONFIG_FILES, foldersUpFrom, folderWithConfig, nearestProjectFolder } from "./project-folder.ts";
