import { type Command, InvalidArgumentError, Option } from "commander";
import type { ConnectionTarget } from "../../driver/index.ts";
import type { MigrationRun, MigrationStatus, Migrator } from "../../migrations/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { keepDumpFresh } from "../keep-dump.ts";
import { announceTarget, openProject, withTarget } from "../open-project.ts";
import { ALLOW_PRODUCTION, allowsProduction } from "../production.ts";
import { progressPrinter } from "../progress-printer.ts";
import { addAdoptCommands } from "./migrate-adopt.ts";
import { addDevCommand, settleDevelopment } from "./migrate-dev.ts";
import { driftFindings, driftText, readDrift, type StatusFlags } from "./migrate-drift.ts";
import { addDumpCommand } from "./migrate-dump.ts";
import { addGenerateCommand } from "./migrate-generate.ts";
import { addLintCommand } from "./migrate-lint.ts";
import { addProveCommand } from "./migrate-prove.ts";
import { addSquashCommand } from "./migrate-squash.ts";

interface RunFlags {
  readonly dryRun?: true;
  readonly allowProduction?: string;
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
      runAction(host, command, (context) => runUp(context, flags)),
    );
  migrate
    .command("down")
    .description("undo the newest migrations (refused in production)")
    .option("--steps <count>", "how many (default: 1)", positiveInteger)
    .addOption(
      new Option("--to <version>", "everything newer than this version; 0 for all").conflicts("steps"),
    )
    .option("--dry-run", "print the exact SQL and run nothing")
    .option(...ALLOW_PRODUCTION)
    .action((flags: RunFlags & { readonly steps?: number; readonly to?: string }, command: Command) =>
      runAction(host, command, (context) =>
        runMigrations(context, flags, (migrator, run) =>
          migrator.down({ ...run, steps: flags.steps, to: flags.to }),
        ),
      ),
    );
  migrate
    .command("redo")
    .description("undo the newest migration and apply it again (refused in production)")
    .option("--dry-run", "print the exact SQL and run nothing")
    .option(...ALLOW_PRODUCTION)
    .action((flags: RunFlags, command: Command) =>
      runAction(host, command, (context) =>
        runMigrations(context, flags, (migrator, run) => migrator.redo(run)),
      ),
    );
  migrate
    .command("status")
    .description("show where every migration stands; exits with 3 when something is pending or wrong")
    .option("--drift", "compare the database with what its applied migrations make")
    .option(
      "--shadow-url <url>",
      "with --drift: the server to replay them on (default: a second embedded one)",
    )
    .action((flags: StatusFlags, command: Command) =>
      runAction(host, command, (context) => showStatus(context, flags)),
    );
  addDumpCommand(migrate, host);
  addDevCommand(migrate, host);
  addGenerateCommand(migrate, host);
  addLintCommand(migrate, host);
  addProveCommand(migrate, host);
  addSquashCommand(migrate, host);
  addAdoptCommands(migrate, host);
}

/**
 * On a database that `migrate dev` has reshaped, the files' statements would meet what is there already. Only an embedded
 * one can be: it is asked first, and stays up in between.
 */
async function runUp(
  context: CommandContext,
  flags: RunFlags & { readonly to?: string },
): Promise<CommandResult> {
  const project = await openProject(context);
  const run = () => runMigrations(context, flags, (migrator, up) => migrator.up({ ...up, to: flags.to }));
  if (project.readDatabase().url !== undefined) return run();
  const schemaName = await project.readSchemaName();
  const { isReshaped } = await import("../../migrations/runner.ts");
  return withTarget(project, async ({ target }) => {
    if (!(await isReshaped(target, schemaName))) return run();
    const settled = await settleDevelopment(context, flags);
    if (flags.dryRun !== true) await keepDumpFresh(context);
    return settled;
  });
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
  const run = await withMigrator(context, !dryRun, async (migrator, target) => {
    const allowInProduction = await allowsProduction(flags.allowProduction, target);
    return work(migrator, { dryRun, allowInProduction, signal: context.signal });
  });
  if (!dryRun && run.ran.some(({ direction }) => direction === "up")) await keepDumpFresh(context);
  const lines = run.ran.map(({ direction, fileName, rows, durationMs }) => {
    const changed = rows === undefined ? "" : `${rows} rows, `;
    return `${direction === "up" ? "applied" : "undone"} ${fileName} (${changed}${durationMs} ms)`;
  });
  const text = run.sql ?? (lines.length === 0 ? "nothing to do\n" : `${lines.join("\n")}\n`);
  return { data: { ran: run.ran, sql: run.sql ?? null }, text };
}

async function showStatus(context: CommandContext, flags: StatusFlags): Promise<CommandResult> {
  const status = await withMigrator(context, false, (migrator) => migrator.status());
  const drift = flags.drift === true ? await readDrift(context, flags) : undefined;
  const findings = [...status.findings, ...driftFindings(status, drift)];
  const isClean = status.pending === 0 && findings.length === 0;
  return {
    data: {
      schema: status.schemaName,
      pending: status.pending,
      migrations: status.migrations,
      ...(drift === undefined ? {} : { drift: { applied: drift.applied, repair: drift.repair ?? null } }),
    },
    text: statusText(status) + (drift === undefined ? "" : driftText(drift)),
    findings,
    exitCode: isClean ? EXIT.ok : EXIT.findings,
  };
}

function statusText({ migrations, pending }: MigrationStatus): string {
  const width = Math.max(0, ...migrations.map(({ fileName }) => fileName.length));
  const lines = migrations.map(
    ({ state, fileName, appliedAt, statementsApplied, statementsTotal, rowsDone, isOutOfOrder }) => {
      const done = rowsDone === undefined ? `${statementsApplied}/${statementsTotal}` : `${rowsDone} rows`;
      const progress = state === "partial" || state === "reverting" ? ` ${done}` : "";
      const note = isOutOfOrder ? "older than an applied one" : (appliedAt ?? "");
      return `${state.padEnd(9)}  ${fileName.padEnd(width)}  ${note}${progress}`.trimEnd();
    },
  );
  return `${[...lines, `${pending} pending`].join("\n")}\n`;
}

async function withMigrator<T>(
  context: CommandContext,
  isWrite: boolean,
  work: (migrator: Migrator, target: ConnectionTarget) => Promise<T>,
): Promise<T> {
  const project = await openProject(context);
  const schemaName = await project.readSchemaName();
  const { createMigrator, describeBlocker, describeHolder } = await import("../../migrations/runner.ts");
  const { describeTarget } = await import("../../driver/index.ts");
  const { isProduction } = await import("../../config/index.ts");
  const report = progressPrinter(context.terminal, { describeBlocker, describeHolder });
  return withTarget(project, async ({ target }) => {
    if (isWrite) announceTarget(context, describeTarget(target), schemaName);
    const migrator = createMigrator({
      ...project.config.migrations,
      target,
      schemaName,
      isProduction: isProduction(project.environment.NODE_ENV, target.host),
      loadModule: project.loadModule,
      onProgress: report,
    });
    return work(migrator, target);
  });
}

function positiveInteger(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
