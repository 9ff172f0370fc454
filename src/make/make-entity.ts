import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { ConfigError, unknownName } from "../errors/index.ts";
import {
  type AnyEntity,
  describeSchema,
  describeTable,
  type EntityDescription,
  isEntity,
} from "../schema/index.ts";
import { type EntityPlan, entitySource, type ReferenceTarget } from "./entity-source.ts";
import { parseField } from "./field.ts";
import { withImports } from "./imports.ts";
import { modulePath } from "./module-path.ts";
import { type EntityNames, entityNames } from "./names.ts";
import { repositorySource } from "./repository-source.ts";
import { testSource } from "./test-source.ts";

type Module = Readonly<Record<string, unknown>>;

/** What entity to make, and where. */
export interface MakeEntityOptions {
  /** Absolute path of the project's schema module; made when it is not there. */
  readonly schemaFile: string;
  /** `Task`, `OrderLine`. */
  readonly name: string;
  /** The table's name, where the English plural is not it. */
  readonly table?: string | undefined;
  /** `title:text!`, `projectId:ref(projects)!`, `status:enum(pending,done)`; see `parseField`. */
  readonly fields: readonly string[];
  /** @default false */
  readonly softDelete?: boolean | undefined;
  /** @default false */
  readonly history?: boolean | undefined;
  /** Imports a module of the project. */
  readonly load: (file: string) => Promise<Module>;
}

/** What was written. */
export interface MadeEntity {
  /** Absolute paths of new files. */
  readonly made: readonly string[];
  /** Absolute paths of files that were there and got something added. */
  readonly extended: readonly string[];
}

/**
 * Writes an entity into the schema module, a repository and a test that passes. Nothing is overwritten: a file or a
 * name that is there already is an error. The new schema is loaded and described before it takes the old one's place.
 *
 * @throws {CONFIG_INVALID} for a wrong name or field, an unknown reference, and what is there already; nothing was
 * written.
 */
export async function makeEntity(options: MakeEntityOptions): Promise<MadeEntity> {
  const { schemaFile, load } = options;
  const names = entityNames(options.name, options.table);
  const fields = options.fields.map(parseField);
  refuseRepeated(fields.map((field) => field.key));
  const hadSchema = existsSync(schemaFile);
  const current = hadSchema ? await load(schemaFile) : {};
  const targets = new Map(
    fields.flatMap(({ type }) =>
      type.kind === "ref" ? [[type.target, targetOf(current, type.target)] as const] : [],
    ),
  );
  const plan: EntityPlan = {
    names,
    fields,
    softDelete: options.softDelete === true,
    history: options.history === true,
    targets,
  };
  const files = filesOf(schemaFile, names);
  refuseExisting(current, names, [files.repository, files.test]);
  const text = extendSchema(
    hadSchema ? await readFile(schemaFile, "utf8") : newSchema(schemaFile),
    schemaFile,
    plan,
  );
  const made: string[] = [];
  const draft = join(
    dirname(schemaFile),
    `.${basename(schemaFile, extname(schemaFile))}-${process.pid}${extname(schemaFile)}`,
  );
  try {
    await mkdir(dirname(schemaFile), { recursive: true });
    await writeFile(draft, text, { flag: "wx" });
    const module = await load(draft);
    const schemaImport = modulePath(dirname(files.repository), schemaFile);
    await writeNew(made, files.repository, repositorySource(names, fields, schemaImport));
    await writeNew(made, files.test, testOf(module, names, schemaImport, files));
    await rename(draft, schemaFile);
  } catch (error) {
    for (const path of made) await rm(path, { force: true });
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return hadSchema ? { made, extended: [schemaFile] } : { made: [schemaFile, ...made], extended: [] };
}

interface Files {
  readonly repository: string;
  readonly test: string;
}

function filesOf(schemaFile: string, { file }: EntityNames): Files {
  const directory = join(dirname(schemaFile), "repositories");
  return { repository: join(directory, `${file}.ts`), test: join(directory, `${file}.test.ts`) };
}

async function writeNew(made: string[], path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { flag: "wx" });
  made.push(path);
}

function testOf(module: Module, names: EntityNames, schemaImport: string, files: Files): string {
  const constants = new Map<EntityDescription, string>();
  for (const [constant, exported] of Object.entries(module)) {
    if (isEntity(exported)) constants.set(describeTable(exported), constant);
  }
  // Throws for a schema that cannot be used, before anything takes its place.
  const entity = describeSchema(module).entities.find((one) => constants.get(one) === names.plural);
  if (entity === undefined)
    throw new ConfigError(`the schema module does not export ${names.plural}`, { path: "schema" });
  const repositoryImport = modulePath(dirname(files.test), files.repository);
  return testSource({ names, entity, constants, schemaImport, repositoryImport });
}

/** The application's schema under the folder's name, for a project that has none yet. */
function newSchema(schemaFile: string): string {
  const words = basename(dirname(schemaFile))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "");
  const name =
    words === "" || words === "public" || words === "plinth" || words.startsWith("pg_") ? "app" : words;
  return `import { appSchema } from "plinth/schema";\n\nexport const app = appSchema("${name}");\n`;
}

function extendSchema(text: string, schemaFile: string, plan: EntityPlan): string {
  const app = /^export const (\w+) = appSchema\(/m.exec(text)?.[1];
  if (app === undefined) {
    throw new ConfigError(`${schemaFile} does not export the application's schema`, {
      path: "schema",
      hint: 'Add it there: export const app = appSchema("tracker"). Or name the module that does in plinth.config.ts.',
    });
  }
  const source = entitySource(app, plan);
  return `${withImports(text, source.imports).trimEnd()}\n\n${source.text}`;
}

const BUILDERS: Readonly<Record<string, string>> = {
  text: "text()",
  uuid: "uuid()",
  bigint: 'bigint({ mode: "bigint" })',
  integer: "integer()",
};

function targetOf(module: Module, name: string): ReferenceTarget {
  const entities = Object.entries(module).filter((entry): entry is [string, AnyEntity] => isEntity(entry[1]));
  const found = entities.find(([constant]) => constant === name);
  if (found === undefined) {
    throw new ConfigError(
      `ref(${name}): ${unknownName(
        "entity",
        name,
        entities.map(([constant]) => constant),
      )}`,
      { path: "field" },
    );
  }
  const [column, ...others] = describeTable(found[1]).rowKey;
  const builder = column === undefined || others.length > 0 ? undefined : BUILDERS[column.sqlType];
  if (column === undefined || builder === undefined) {
    throw new ConfigError(
      `ref(${name}): its primary key is not one column of text, uuid, bigint or integer`,
      {
        path: "field",
        hint: "Declare the foreign key by hand, with foreignKey() in the entity's constraints.",
      },
    );
  }
  return { key: column.key, builder, builderName: builder.replace(/\(.*$/, "") };
}

function refuseRepeated(keys: readonly string[]): void {
  const taken = new Set(["id", "createdAt", "updatedAt"]);
  for (const key of keys) {
    if (taken.has(key))
      throw new ConfigError(
        `the field "${key}" is there already; id, createdAt and updatedAt come by themselves`,
        { path: "field" },
      );
    taken.add(key);
  }
}

function refuseExisting(module: Module, { plural, table }: EntityNames, files: readonly string[]): void {
  const isTaken = Object.values(module).some(
    (value) => isEntity(value) && describeTable(value).name === table,
  );
  if (plural in module || isTaken) {
    throw new ConfigError(`the schema has "${plural}" already`, {
      path: "name",
      hint: "Choose another name, or --table.",
    });
  }
  const present = files.find((file) => existsSync(file));
  if (present !== undefined) {
    throw new ConfigError(`${present} is there already, and is not overwritten`, {
      path: "name",
      hint: "Move it away, or choose another name.",
    });
  }
}
