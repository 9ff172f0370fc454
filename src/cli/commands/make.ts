import { type Command, Option } from "commander";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { openProject } from "../open-project.ts";

/** Adds `make entity|migration|seed`. */
export function addMakeCommands(program: Command, host: CommandHost): void {
  const make = program.command("make").description("write a new file");
  make
    .command("entity <name> [fields...]")
    .description(
      "an entity in the schema, its repository and a test: Task title:text! projectId:ref(projects)!",
    )
    .option("--soft-delete", "deleting stamps the row instead of removing it")
    .option("--history", "every change of a row is recorded")
    .option("--table <name>", "the table's name, where the plural is not it")
    .action((name: string, fields: readonly string[], flags: EntityFlags, command: Command) =>
      runAction(host, command, (context) => makeEntity(context, name, fields, flags)),
    );
  make
    .command("seed <name>")
    .description("an empty seed; --reference for rows that every environment needs")
    .option("--reference", "a reference seed instead of a dev seed")
    .action((name: string, flags: { readonly reference?: true }, command: Command) =>
      runAction(host, command, (context) => makeSeed(context, name, flags.reference === true)),
    );
  make
    .command("migration <name>")
    .description("an empty migration with the next version, such as 0007_add_tags.sql")
    .addOption(
      new Option(
        "--from-schema",
        "the first migration: the SQL of the declared schema, up and down",
      ).conflicts("data"),
    )
    .option("--data", "a data migration: TypeScript that changes rows in batches")
    .action((name: string, flags: MakeFlags, command: Command) =>
      runAction(host, command, (context) => makeMigration(context, name, flags)),
    );
}

interface EntityFlags {
  readonly softDelete?: true;
  readonly history?: true;
  readonly table?: string;
}

async function makeEntity(
  context: CommandContext,
  name: string,
  fields: readonly string[],
  flags: EntityFlags,
): Promise<CommandResult> {
  const project = await openProject(context);
  const make = await import("../../make/index.ts");
  const { made, extended } = await make.makeEntity({
    schemaFile: project.config.schemaFile,
    name,
    fields,
    table: flags.table,
    softDelete: flags.softDelete === true,
    history: flags.history === true,
    load: project.loadModule,
  });
  const lines = [...extended.map((file) => `extended ${file}`), ...made.map((file) => `made ${file}`)];
  context.terminal.err(
    context.terminal.paint("dim", "next: plinth migrate generate NAME writes its migration"),
  );
  return { data: { made, extended }, text: `${lines.join("\n")}\n` };
}

async function makeSeed(context: CommandContext, name: string, isReference: boolean): Promise<CommandResult> {
  const project = await openProject(context);
  const make = await import("../../make/index.ts");
  const file = await make.makeSeed({
    folder: project.config.seeds.folder,
    schemaFile: project.config.schemaFile,
    name,
    kind: isReference ? "reference" : "dev",
  });
  return { data: { file }, text: `${file}\n` };
}

interface MakeFlags {
  readonly fromSchema?: boolean;
  readonly data?: boolean;
}

async function makeMigration(
  context: CommandContext,
  name: string,
  { fromSchema = false, data = false }: MakeFlags,
): Promise<CommandResult> {
  const project = await openProject(context);
  const schema = fromSchema ? await project.renderSchema() : undefined;
  const { createDataMigrationFile, createMigrationFile } = await import("../../migrations/index.ts");
  const { folder } = project.config.migrations;
  const file = await (data
    ? createDataMigrationFile(folder, name)
    : createMigrationFile(folder, name, schema));
  return { data: { file }, text: `${file}\n` };
}
