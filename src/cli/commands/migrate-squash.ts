import type { Command } from "commander";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { openProject } from "../open-project.ts";

interface SquashFlags {
  readonly to: string;
  readonly dryRun?: true;
  readonly shadowUrl?: string;
}

/** Adds `migrate squash`. */
export function addSquashCommand(migrate: Command, host: CommandHost): void {
  migrate
    .command("squash [name]")
    .description("replace the migrations up to a version by one that is proven to make the same")
    .requiredOption("--to <version>", "the last version to replace")
    .option("--dry-run", "prove it, print the file and write nothing")
    .option("--shadow-url <url>", "the server to prove it on (default: a second embedded one)")
    .action((name: string | undefined, flags: SquashFlags, command: Command) =>
      runAction(host, command, (context) => squash(context, name, flags)),
    );
}

async function squash(
  context: CommandContext,
  name: string | undefined,
  flags: SquashFlags,
): Promise<CommandResult> {
  const project = await openProject(context);
  const schemaName = await project.readSchemaName();
  const { squashMigrations } = await import("../../migrations/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const shadow = await openShadow({ url: flags.shadowUrl, directory: project.directory });
  try {
    const { findings, ...squashed } = await squashMigrations({
      folder: project.config.migrations.folder,
      to: flags.to,
      name,
      schemaName,
      shadow,
      dryRun: flags.dryRun === true,
    });
    const { file, movedTo, replaced, text } = squashed;
    const isRefused = findings.some(({ level }) => level === "error");
    const done = `${file}\nreplaces ${replaced.length} migrations, which are in ${movedTo} now\n`;
    return {
      data: squashed,
      text: file !== undefined ? done : isRefused ? "nothing was written\n" : text,
      findings,
      exitCode: isRefused ? EXIT.findings : EXIT.ok,
    };
  } finally {
    await shadow.release();
  }
}
