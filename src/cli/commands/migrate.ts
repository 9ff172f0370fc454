import { type Command, InvalidArgumentError } from "commander";
import type { MigrationProgress, MigrationRun, MigrationStatus, Migrator } from "../../migrations/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { announceTarget, openProject, withTarget } from "../open-project.ts";

interface RunFlags {
  readonly dryRun?: true;
  readonly allowProduction?: true;
}

/** Adds `migrate up|down|redo|status`. */
export function addMigrateCommands(program: Command, host: CommandHost): void {
  const migrate = program.command("migrate").description("apply, undo and inspect migrations");
  migrate
    .command("up")
    .description("apply what is pending, oldest first")
    .option("--to <version>", "stop after this version")
    .option("--dry-run", "print the exact SQL and run nothing")
    .action((flags: RunFlags & { readonly to?: string }, command: Command) =>
      runAction(host, command, (context) =>
        runMigrations(context, flags, (migrator, run) => migrator.up({ ...run, to: flags.to })),
      ),
    );
  migrate
    .command("down")
    .description("undo the newest migrations (refused in production)")
    .option("--steps <count>", "how many", positiveInteger, 1)
    .option("--dry-run", "print the exact SQL and run nothing")
    .option("--allow-production", "run although NODE_ENV is production")
    .action((flags: RunFlags & { readonly steps: number }, command: Command) =>
      runAction(host, command, (context) =>
        runMigrations(context, flags, (migrator, run) => migrator.down({ ...run, steps: flags.steps })),
      ),
    );
  migrate
    .command("redo")
    .description("undo the newest migration and apply it again (refused in production)")
    .option("--dry-run", "print the exact SQL and run nothing")
    .option("--allow-production", "run although NODE_ENV is production")
    .action((flags: RunFlags, command: Command) =>
      runAction(host, command, (context) =>
        runMigrations(context, flags, (migrator, run) => migrator.redo(run)),
      ),
    );
  migrate
    .command("status")
    .description("show where every migration stands; exits with 3 when something is pending or wrong")
    .action((_flags: object, command: Command) => runAction(host, command, showStatus));
}

interface RunSettings {
  readonly dryRun: boolean;
  readonly allowInProduction: boolean;
  readonly signal: AbortSignal;
}

async function runMigrations(
  context: CommandContext,
  flags: RunFlags,
  work: (migrator: Migrator, run: RunSettings) => Promise<MigrationRun>,
): Promise<CommandResult> {
  const dryRun = flags.dryRun === true;
  const allowInProduction = flags.allowProduction === true;
  const run = await withMigrator(context, !dryRun, (migrator) =>
    work(migrator, { dryRun, allowInProduction, signal: context.signal }),
  );
  const lines = run.ran.map(
    ({ direction, fileName, durationMs }) =>
      `${direction === "up" ? "applied" : "undone"} ${fileName} (${durationMs} ms)`,
  );
  const text = run.sql ?? (lines.length === 0 ? "nothing to do\n" : `${lines.join("\n")}\n`);
  return { data: { ran: run.ran, sql: run.sql ?? null }, text };
}

async function showStatus(context: CommandContext): Promise<CommandResult> {
  const status = await withMigrator(context, false, (migrator) => migrator.status());
  const isClean = status.pending === 0 && status.findings.length === 0;
  return {
    data: { schema: status.schemaName, pending: status.pending, migrations: status.migrations },
    text: statusText(status),
    findings: status.findings,
    exitCode: isClean ? EXIT.ok : EXIT.findings,
  };
}

function statusText({ migrations, pending }: MigrationStatus): string {
  const width = Math.max(0, ...migrations.map(({ fileName }) => fileName.length));
  const lines = migrations.map(
    ({ state, fileName, appliedAt, statementsApplied, statementsTotal, isOutOfOrder }) => {
      const progress =
        state === "partial" || state === "reverting" ? ` ${statementsApplied}/${statementsTotal}` : "";
      const note = isOutOfOrder ? "older than an applied one" : (appliedAt ?? "");
      return `${state.padEnd(9)}  ${fileName.padEnd(width)}  ${note}${progress}`.trimEnd();
    },
  );
  return `${[...lines, `${pending} pending`].join("\n")}\n`;
}

async function withMigrator<T>(
  context: CommandContext,
  isWrite: boolean,
  work: (migrator: Migrator) => Promise<T>,
): Promise<T> {
  const project = await openProject(context);
  const schemaName = await project.readSchemaName();
  const { createMigrator } = await import("../../migrations/index.ts");
  const { describeTarget } = await import("../../driver/index.ts");
  const report = await progressPrinter(context);
  return withTarget(project, async ({ target }) => {
    if (isWrite) announceTarget(context, describeTarget(target), schemaName);
    const { NODE_ENV } = project.environment;
    return work(
      createMigrator({
        ...project.config.migrations,
        target,
        schemaName,
        isProduction: NODE_ENV === "production",
        onProgress: report,
      }),
    );
  });
}

async function progressPrinter({ terminal }: CommandContext): Promise<(progress: MigrationProgress) => void> {
  const { describeHolder } = await import("../../migrations/index.ts");
  return (progress) => {
    switch (progress.kind) {
      case "waiting":
        terminal.err(`waiting for another runner: ${describeHolder(progress.holder)}`);
        break;
      case "started": {
        const from = progress.resumeAt === 0 ? "" : `, going on with statement ${progress.resumeAt + 1}`;
        const late = progress.isOutOfOrder ? " (older than an applied one)" : "";
        terminal.err(
          `${progress.direction === "up" ? "applying" : "undoing"} ${progress.fileName}${late}${from}`,
        );
        break;
      }
      case "retrying":
        terminal.err(
          terminal.paint(
            "yellow",
            `${progress.fileName}: ${progress.reason}; again in ${progress.delayMs} ms`,
          ),
        );
        break;
      case "cleaned":
        terminal.err(terminal.paint("yellow", `${progress.fileName}: removed ${progress.what}`));
        break;
      case "notice":
        terminal.err(terminal.paint("dim", `notice: ${progress.message}`));
        break;
      case "finished":
        break;
    }
  };
}

function positiveInteger(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
