import type { Command } from "commander";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { openProject } from "../open-project.ts";

/** Adds `make migration`. */
export function addMakeCommands(program: Command, host: CommandHost): void {
  const make = program.command("make").description("write a new file");
  make
    .command("migration <name>")
    .description("an empty migration with the next version, such as 0007_add_tags.sql")
    .action((name: string, _flags: object, command: Command) =>
      runAction(host, command, (context) => makeMigration(context, name)),
    );
}

async function makeMigration(context: CommandContext, name: string): Promise<CommandResult> {
  const project = await openProject(context);
  const { createMigrationFile } = await import("../../migrations/index.ts");
  const file = await createMigrationFile(project.config.migrations.folder, name);
  return { data: { file }, text: `${file}\n` };
}
