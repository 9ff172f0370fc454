/** The composition root of the command line: finds a project, reads its config, loads its modules. No connection. */
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BEHAVIOURS } from "./behaviours.ts";
import { renderSchema, type SchemaSql } from "./catalog/index.ts";
import {
  CONFIG_FILES,
  type DatabaseConfig,
  type Environment,
  foldersUpFrom,
  folderWithConfig,
  loadEnvironment,
  type ProjectConfig,
  readDatabaseConfig,
  readProjectConfig,
} from "./config/index.ts";
import { type ConnectionTarget, parseTarget } from "./driver/index.ts";
import { ConfigError, PlinthError } from "./errors/index.ts";
import { describeSchema } from "./schema/index.ts";
import { listSeedFiles, type Seed, type SeedKind, seedOf } from "./seeds/index.ts";

/** A project as the command line sees it. */
export interface Project {
  /** Where its config file is. */
  readonly directory: string;
  /** `process.env` and the `.env` files. */
  readonly environment: Environment;
  readonly config: ProjectConfig;
  /** @throws {CONFIG_INVALID} for a wrong option, and for a missing DATABASE_URL in production. */
  readDatabase(): DatabaseConfig;
  /** Imports the schema module; a second call gives the same one. */
  loadSchema(): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Writes the schema module as SQL, with the triggers of its behaviours, and the way back.
   *
   * @throws {CONFIG_INVALID} when it exports no entity, or entities of several PostgreSQL schemas.
   */
  renderSchema(): Promise<SchemaSql>;
  /** The PostgreSQL schema of the tables: DATABASE_SCHEMA, or what the schema module says. */
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
  const load = moduleLoader();
  const config = readProjectConfig((await load(file)).default, { directory, environment });
  // As early as the environment: `appSchema` asks for the name while the schema module is imported.
  const { schema } = config.database;
  if (schema !== undefined && !process.env.DATABASE_SCHEMA) process.env.DATABASE_SCHEMA = schema;
  const readDatabase = (): DatabaseConfig => readDatabaseConfig({ environment, file: config.database });
  const loadSchema = (): ReturnType<ModuleLoader> => load(config.schemaFile);
  return {
    directory,
    environment,
    config,
    readDatabase,
    loadSchema,
    renderSchema: async () => {
      const module = await loadSchema();
      // Unqualified names have one schema to go to.
      schemaNameIn(module, config.schemaFile);
      return renderSchema(describeSchema(module).entities, BEHAVIOURS);
    },
    readSchemaName: async () => readDatabase().schema ?? schemaNameIn(await loadSchema(), config.schemaFile),
    loadSeeds: async (kind) => {
      const seeds: Seed[] = [];
      for (const path of await listSeedFiles(config.seeds.folder, kind)) {
        seeds.push(seedOf((await load(path)).default, path, kind));
      }
      return seeds;
    },
  };
}

/**
 * Opens the server the project works on: that of `DATABASE_URL`, or its embedded one, which is started if need be.
 *
 * @throws {CONFIG_INVALID} {EMBEDDED_MISSING} {EMBEDDED_FAILED}
 */
export async function openTarget(project: Project): Promise<OpenTarget> {
  const { url, session } = project.readDatabase();
  if (url !== undefined) return { target: parseTarget(url, session), release: async () => undefined };
  // Loaded only where it is used: production installs leave the embedded server out.
  const { startEmbedded } = await import("./embedded/index.ts");
  const server = await startEmbedded({ directory: project.directory });
  return { target: parseTarget(server.url, session), release: () => server.release() };
}

type ModuleLoader = (file: string) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Node 20 cannot import TypeScript, so jiti does it for the built package. Where Plinth itself runs from its
 * sources something else loads TypeScript already, and going past it would make a second copy of Plinth whose
 * entities the first one does not know.
 */
function moduleLoader(): ModuleLoader {
  const importModule = import.meta.url.endsWith(".ts") ? importNatively : importWithJiti();
  return async (file) => {
    if (!existsSync(file))
      throw new ConfigError(`${file} does not exist; correct plinth.config.ts`, { path: file });
    try {
      return await importModule(file);
    } catch (error) {
      if (error instanceof PlinthError) throw error;
      const reason =
        error instanceof Error ? error.message.split("\n", 1)[0] : "it threw something that is no error";
      throw new ConfigError(`${file} cannot be loaded: ${reason}`, { path: file, cause: error });
    }
  };
}

function importNatively(file: string): Promise<Readonly<Record<string, unknown>>> {
  return import(pathToFileURL(file).href);
}

function importWithJiti(): ModuleLoader {
  let jiti: Promise<{ readonly import: ModuleLoader }> | undefined;
  return async (file) => {
    // One instance, so that a seed and the config see the same copy of the schema module.
    jiti ??= import("jiti").then(({ createJiti }) => {
      const instance = createJiti(import.meta.url, { fsCache: false, interopDefault: false });
      return { import: (path) => instance.import<Readonly<Record<string, unknown>>>(path) };
    });
    return (await jiti).import(file);
  };
}

function schemaNameIn(module: Readonly<Record<string, unknown>>, file: string): string {
  const names = new Set(describeSchema(module).entities.map((entity) => entity.schema));
  const [name] = names;
  if (name !== undefined && names.size === 1) return name;
  throw new ConfigError(
    name === undefined
      ? `${file} exports no entity, so the schema's name is unknown; export one, or set DATABASE_SCHEMA`
      : `${file} declares tables in several schemas (${[...names].join(", ")}); name the one of the migrations in DATABASE_SCHEMA`,
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
