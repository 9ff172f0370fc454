import type { Command } from "commander";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { keepDumpFresh } from "../keep-dump.ts";
import { openProject } from "../open-project.ts";

interface GenerateFlags {
  readonly rename: readonly string[];
  readonly acceptDrops?: true;
  readonly dryRun?: true;
  readonly shadowUrl?: string;
}

/** Adds `migrate generate`. */
export function addGenerateCommand(migrate: Command, host: CommandHost): void {
  migrate
    .command("generate <name>")
    .description("write the migration from what the folder builds to what the schema declares, up and down")
    .option("--rename <old=new>", "table=new_name or table.column=new_name; repeatable", collect, [])
    .option("--accept-drops", "what looks like a rename is dropped and added")
    .option("--dry-run", "print the file and write nothing")
    .option("--shadow-url <url>", "the server to try it on (default: a second embedded one)")
    .action((name: string, flags: GenerateFlags, command: Command) =>
      runAction(host, command, (context) => generate(context, name, flags)),
    );
}

async function generate(context: CommandContext, name: string, flags: GenerateFlags): Promise<CommandResult> {
  const project = await openProject(context);
  const { generateMigration, parseRename } = await import("../../migrations/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const renameFlags = flags.rename.map(parseRename);
  const { up } = await project.renderSchema();
  const renames = await project.readRenames();
  const schemaName = await project.readSchemaName();
  const shadow = await openShadow({ url: flags.shadowUrl, directory: project.directory });
  try {
    const generated = await generateMigration({
      folder: project.config.migrations.folder,
      name,
      schemaName,
      declared: up,
      shadow,
      renames,
      renameFlags,
      acceptDrops: flags.acceptDrops === true,
      dryRun: flags.dryRun === true,
    });
    const { isEmpty, file, text, findings, losesUp, upMayFail } = generated;
    if (file !== undefined) await keepDumpFresh(context, shadow);
    for (const loss of losesUp) context.terminal.err(context.terminal.paint("yellow", `up loses ${loss}`));
    for (const why of upMayFail)
      context.terminal.err(context.terminal.paint("yellow", `up may fail: ${why}`));
    const shown = file === undefined ? text : `${file}\n`;
    return {
      data: generated,
      text: isEmpty ? "nothing to do: the migrations make what the schema declares\n" : shown,
      findings,
      exitCode: findings.length === 0 ? EXIT.ok : EXIT.findings,
    };
  } finally {
    await shadow.release();
  }
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}
