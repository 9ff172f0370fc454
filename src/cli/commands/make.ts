import type { Command } from "commander";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { openProject } from "../open-project.ts";

/** Adds `make migration`. */
export function addMakeCommands(program: Command, host: CommandHost): void {
  const make = program.command("make").description("write a new file");
  make
    .command("migration <name>")
    .description("an empty migration with the next version, such as 0007_add_tags.sql")
    .option("--from-schema", "the first migration: the SQL of the declared schema, up and down")
    .action((name: string, flags: MakeFlags, command: Command) =>
      runAction(host, command, (context) => makeMigration(context, name, flags)),
    );
}

interface MakeFlags {
  readonly fromSchema?: boolean;
}

async function makeMigration(
  context: CommandContext,
  name: string,
  { fromSchema = false }: MakeFlags,
): Promise<CommandResult> {
  const project = await openProject(context);
  const schema = fromSchema ? await project.renderSchema() : undefined;
  const { createMigrationFile } = await import("../../migrations/index.ts");
  const file = await createMigrationFile(project.config.migrations.folder, name, schema);
  return { data: { file }, text: `${file}\n` };
}
