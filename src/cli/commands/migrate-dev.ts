import type { Command } from "commander";
import type { Development, DevelopmentRun } from "../../migrations/index.ts";
import type { Project } from "../../project.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { announceTarget, openProject } from "../open-project.ts";
import { progressPrinter } from "../progress-printer.ts";

interface DevFlags {
  readonly acceptLoss?: true;
  readonly rename: readonly string[];
  readonly undo?: true;
  readonly dryRun?: true;
  readonly shadowUrl?: string;
}

/** Adds `migrate dev`. */
export function addDevCommand(migrate: Command, host: CommandHost): void {
  migrate
    .command("dev")
    .description("bring the embedded database to what the schema declares, without writing a migration")
    .option("--accept-loss", "what the schema no longer has may go, with its data")
    .option("--rename <old=new>", "table=new_name or table.column=new_name; repeatable", collect, [])
    .option("--undo", "take the database back to what its applied migrations built")
    .option("--dry-run", "print the SQL and run nothing")
    .option("--shadow-url <url>", "the server to compare on (default: a second embedded one)")
    .action((flags: DevFlags, command: Command) =>
      runAction(host, command, (context) => reshape(context, flags)),
    );
}

async function reshape(context: CommandContext, flags: DevFlags): Promise<CommandResult> {
  const project = await openProject(context);
  await refuseOthers(project);
  const { parseRename } = await import("../../migrations/index.ts");
  const { acceptLoss, dryRun, undo } = flags;
  const settings = { acceptLoss, dryRun, signal: context.signal };
  const renameFlags = flags.rename.map(parseRename);
  // Before the server is started: a mistake in the schema needs none.
  const declared = undo === true ? [] : (await project.renderSchema()).up;
  const renames = undo === true ? [] : await project.readRenames();
  const isWrite = dryRun !== true;
  const run = await withDevelopment(
    context,
    project,
    { isWrite, shadowUrl: flags.shadowUrl },
    (development) =>
      undo === true
        ? development.undo(settings)
        : development.reshape({ ...settings, declared, renames, renameFlags }),
  );
  return resultOf(context, run, isWrite);
}

/** `migrate up` on an embedded database that `migrate dev` has reshaped. */
export async function settleDevelopment(
  context: CommandContext,
  flags: { readonly to?: string; readonly dryRun?: true },
): Promise<CommandResult> {
  const project = await openProject(context);
  const isWrite = flags.dryRun !== true;
  const settings = { to: flags.to, dryRun: flags.dryRun, signal: context.signal };
  const run = await withDevelopment(context, project, { isWrite }, (development) =>
    development.settle(settings),
  );
  return resultOf(context, run, isWrite);
}

/** It drops and alters what it likes, so it works where nothing is kept but a developer's own rows. */
async function refuseOthers(project: Project): Promise<void> {
  const { SafetyError } = await import("../../errors/index.ts");
  if (project.environment.NODE_ENV === "production") {
    throw new SafetyError("migrate dev is refused in production", {
      hint: "Write a migration: plinth migrate generate NAME, then plinth migrate up.",
    });
  }
  if (project.readDatabase().url === undefined) return;
  throw new SafetyError("migrate dev works on the project's embedded database and on no other server", {
    hint: "Leave DATABASE_URL out to use that; for this server write a migration: plinth migrate generate NAME.",
  });
}

interface Where {
  readonly isWrite: boolean;
  readonly shadowUrl?: string | undefined;
}

async function withDevelopment<T>(
  context: CommandContext,
  project: Project,
  { isWrite, shadowUrl }: Where,
  work: (development: Development) => Promise<T>,
): Promise<T> {
  const schemaName = await project.readSchemaName();
  const { createDevelopment, describeBlocker, describeHolder } = await import("../../migrations/index.ts");
  const { describeTarget, parseTarget } = await import("../../driver/index.ts");
  const { startEmbedded } = await import("../../embedded/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const { possibleRoles } = await import("../../roles/index.ts");
  const { directory, config, loadModule } = project;
  const server = await startEmbedded({ directory });
  try {
    if (isWrite) announceTarget(context, describeTarget(parseTarget(server.url)), schemaName);
    const development = createDevelopment({
      server,
      openShadow: () => openShadow({ url: shadowUrl, directory }),
      schemaName,
      folder: config.migrations.folder,
      roles: possibleRoles(schemaName, config.roles),
      lockTimeoutMs: config.migrations.lockTimeoutMs,
      loadModule,
      onProgress: progressPrinter(context.terminal, { describeBlocker, describeHolder }),
    });
    return await work(development);
  } finally {
    await server.release();
  }
}

function resultOf({ terminal }: CommandContext, run: DevelopmentRun, isWrite: boolean): CommandResult {
  for (const loss of run.losses)
    terminal.err(terminal.paint("yellow", `${isWrite ? "lost" : "would lose"} ${loss}`));
  const lines = [
    ...run.recorded.map((fileName) => `recorded ${fileName}: the database has its shape already`),
    ...run.ran.map(({ fileName, durationMs }) => `applied ${fileName} (${durationMs} ms)`),
  ];
  const sql = run.statements.map((statement) => `${statement.replace(/;$/, "")};\n`).join("\n");
  if (!isWrite) return { data: run, text: sql };
  const changed =
    run.statements.length === 0 ? [] : [`changed the database with ${counted(run.statements.length)}`];
  const all = [...lines, ...changed];
  return { data: run, text: all.length === 0 ? "nothing to do\n" : `${all.join("\n")}\n` };
}

function counted(count: number): string {
  return count === 1 ? "1 statement" : `${count} statements`;
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}
