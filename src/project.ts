/**
 * The composition root of the command line: finds a project, reads its config, loads its modules. No connection.
 * What a command may not need is imported where it is used: Drizzle and the driver take longer than most commands.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { SchemaSql } from "./catalog/index.ts";
import {
  CONFIG_FILES,
  createModuleLoader,
  type DatabaseConfig,
  type Environment,
  findDeclaredName,
  foldersUpFrom,
  folderWithConfig,
  loadEnvironment,
  type ModuleLoader,
  type ProjectConfig,
  readDatabaseConfig,
  readProjectConfig,
} from "./config/index.ts";
import type { ConnectionTarget } from "./driver/index.ts";
import { ConfigError } from "./errors/index.ts";
import type { RenameDescription, SchemaDescription } from "./schema/index.ts";
import type { Seed, SeedKind } from "./seeds/index.ts";

/** A project as the command line sees it. */
export interface Project {
  /** Where its config file is. */
  readonly directory: string;
  /** `process.env` and the `.env` files. */
  readonly environment: Environment;
  readonly config: ProjectConfig;
  /** @throws {CONFIG_INVALID} for a wrong option, and for a missing DATABASE_URL in production. */
  readDatabase(): DatabaseConfig;
  /** Imports a module of the project, TypeScript too. */
  readonly loadModule: ModuleLoader;
  /** Imports the schema module; a second call gives the same one. */
  loadSchema(): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Writes the schema module as SQL, with the triggers of its behaviours, and the way back.
   *
   * @throws {CONFIG_INVALID} when it declares nothing, or objects of several PostgreSQL schemas.
   */
  renderSchema(): Promise<SchemaSql>;
  /** Old names that the schema module gives (`renamedFrom`), for whoever writes a migration. */
  readRenames(): Promise<readonly RenameDescription[]>;
  /**
   * The PostgreSQL schema of the tables: DATABASE_SCHEMA, or what the schema module says. The module is only imported
   * where its text leaves a doubt.
   */
  readSchemaName(): Promise<string>;
  /** Imports the seeds of one kind, in order of file name. */
  loadSeeds(kind: SeedKind): Promise<readonly Seed[]>;
}

/** A server to work on, and how to let go of it. */
export interface OpenTarget {
  readonly target: ConnectionTarget;
  /** Stops the embedded server when this was its last user; does nothing for any other. */
  release(): Promise<void>;
}

/**
 * Finds the folder of the project: upwards from `start` for `plinth.config.ts`, else the folder that the nearest
 * `package.json` names as `"plinth": { "project": "./examples/tracker" }`.
 *
 * @throws {CONFIG_INVALID} when there is none.
 */
export function findProject(start: string): string {
  const direct = folderWithConfig(start);
  if (direct !== undefined) return direct;
  for (const folder of foldersUpFrom(start)) {
    const named = projectNamedIn(join(folder, "package.json"));
    if (named !== undefined) return resolve(folder, named);
  }
  throw new ConfigError(
    `no plinth.config.ts in ${start} or above; run the command inside the project, or say --project DIR`,
    { path: "project" },
  );
}

/**
 * Where to start looking: npm runs scripts in the package's folder and keeps the caller's in `INIT_CWD`, which
 * counts as long as it lies inside.
 */
export function startDirectory(workingDirectory: string, environment: Environment): string {
  const { INIT_CWD } = environment;
  if (INIT_CWD === undefined || INIT_CWD === "") return workingDirectory;
  const path = relative(workingDirectory, INIT_CWD);
  return path.startsWith("..") || resolve(path) === path ? workingDirectory : INIT_CWD;
}

/**
 * Reads the config of the project in `directory`. Variables of its `.env` enter `process.env` (never replacing one)
 * because the modules of the project read them there while they are imported.
 *
 * @throws {CONFIG_INVALID} when the config file is missing, cannot be loaded, or is wrong.
 */
export async function loadProject(directory: string): Promise<Project> {
  const file = CONFIG_FILES.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (file === undefined) {
    throw new ConfigError(`no plinth.config.ts in ${directory}; write one, or correct --project`, {
      path: "project",
    });
  }
  const directories = [directory, process.cwd()];
  const { environment, added } = loadEnvironment({ directories, environment: process.env });
  for (const name of added) process.env[name] = environment[name];
  const load = createModuleLoader();
  const config = readProjectConfig((await load(file)).default, { directory, environment });
  // As early as the environment: `appSchema` asks for the name while the schema module is imported.
  const { schema } = config.database;
  if (schema !== undefined && !process.env.DATABASE_SCHEMA) process.env.DATABASE_SCHEMA = schema;
  const readDatabase = (): DatabaseConfig => readDatabaseConfig({ environment, file: config.database });
  const loadSchema = (): ReturnType<ModuleLoader> => load(config.schemaFile);
  let description: Promise<SchemaDescription> | undefined;
  const describe = (): Promise<SchemaDescription> => {
    description ??= describeModule(loadSchema);
    return description;
  };
  return {
    directory,
    environment,
    config,
    readDatabase,
    loadModule: load,
    loadSchema,
    renderSchema: async () => {
      const described = await describe();
      // Unqualified names have one schema to go to.
      schemaNameIn(described, config.schemaFile);
      const { BEHAVIOURS } = await import("./behaviours.ts");
      const { renderSchema } = await import("./catalog/index.ts");
      return renderSchema(described, BEHAVIOURS);
    },
    readRenames: async () => (await describe()).renames,
    readSchemaName: async () => {
      // `appSchema` would follow the variable, whoever has set it since.
      const declared = process.env.DATABASE_SCHEMA ? undefined : findDeclaredName(config.schemaFile);
      return readDatabase().schema ?? declared ?? schemaNameIn(await describe(), config.schemaFile);
    },
    loadSeeds: async (kind) => {
      const { listSeedFiles, seedOf } = await import("./seeds/index.ts");
      const seeds: Seed[] = [];
      for (const path of await listSeedFiles(config.seeds.folder, kind)) {
        seeds.push(seedOf((await load(path)).default, path, kind));
      }
      return seeds;
    },
  };
}

/**
 * Opens the server the project works on: that of `DATABASE_DIRECT_URL`, else of `DATABASE_URL`, else its embedded one,
 * which is started if need be.
 *
 * @throws {CONFIG_INVALID} {EMBEDDED_MISSING} {EMBEDDED_FAILED}
 */
export async function openTarget(project: Project): Promise<OpenTarget> {
  const { url: given, directUrl, session } = project.readDatabase();
  const url = directUrl ?? given;
  const { parseTarget } = await import("./driver/index.ts");
  if (url !== undefined) return { target: parseTarget(url, session), release: async () => undefined };
  // Loaded only where it is used: production installs leave the embedded server out.
  const { startEmbedded } = await import("./embedded/index.ts");
  const server = await startEmbedded({ directory: project.directory });
  return { target: parseTarget(server.url, session), release: () => server.release() };
}

async function describeModule(load: Project["loadSchema"]): Promise<SchemaDescription> {
  const module = await load();
  const { describeSchema } = await import("./schema/index.ts");
  return describeSchema(module);
}

function schemaNameIn({ schemas: names }: SchemaDescription, file: string): string {
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw new ConfigError(
    name === undefined
      ? `${file} exports no entity and nothing else of an appSchema, so the schema's name is unknown; export one, or set DATABASE_SCHEMA`
      : `${file} declares objects in several schemas (${names.join(", ")}); name the one of the migrations in DATABASE_SCHEMA`,
    { path: "schema" },
  );
}

function projectNamedIn(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Another tool's half-written file is not ours to complain about.
    return undefined;
  }
  if (typeof content !== "object" || content === null || !("plinth" in content)) return undefined;
  const { plinth } = content;
  if (typeof plinth !== "object" || plinth === null || !("project" in plinth)) return undefined;
  return typeof plinth.project === "string" ? plinth.project : undefined;
}
