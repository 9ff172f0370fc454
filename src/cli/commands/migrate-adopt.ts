import { type Command, InvalidArgumentError } from "commander";
import type { Adoption, BaselineRun, MigrationProgress } from "../../migrations/index.ts";
import type { OpenTarget, Project } from "../../project.ts";
import type { Shadow } from "../../shadow/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { announceTarget, openProject, withTarget } from "../open-project.ts";

/** The same as `ADOPTABLE_TOOLS`, which `--help` must not load. */
export const TOOLS = [
  "drizzle",
  "prisma",
  "knex",
  "node-pg-migrate",
  "dbmate",
  "golang-migrate",
  "flyway",
  "alembic",
] as const;

interface SharedFlags {
  readonly dryRun?: true;
  readonly shadowUrl?: string;
}

interface AdoptFlags extends SharedFlags {
  readonly from: (typeof TOOLS)[number];
  readonly folder?: string;
  readonly table?: string;
  readonly allSchemas?: true;
}

interface BaselineFlags extends SharedFlags {
  readonly to?: string;
}

/** Adds `migrate adopt|baseline`. */
export function addAdoptCommands(migrate: Command, host: CommandHost): void {
  migrate
    .command("adopt")
    .description("take the database over from another migration tool, with a baseline proven equal to it")
    .requiredOption("--from <tool>", TOOLS.join(", "), oneOfTools)
    .option("--folder <dir>", "the tool's own folder, to see what is pending in it")
    .option("--table <name>", "the tool's table where it has another name: name or schema.name")
    .option("--all-schemas", "take every schema of the database into the baseline")
    .option("--dry-run", "print the baseline and the exact SQL, and write nothing")
    .option("--shadow-url <url>", "the server to prove it on (default: a second embedded one)")
    .action((flags: AdoptFlags, command: Command) =>
      runAction(host, command, (context) => adopt(context, flags)),
    );
  migrate
    .command("baseline")
    .description("record migrations as applied on a database that has what they make, once that is proven")
    .option("--to <version>", "the last version it has (default: the newest)")
    .option("--dry-run", "print the exact SQL and write nothing")
    .option("--shadow-url <url>", "the server to prove it on (default: a second embedded one)")
    .action((flags: BaselineFlags, command: Command) =>
      runAction(host, command, (context) => baseline(context, flags)),
    );
}

async function adopt(context: CommandContext, flags: AdoptFlags): Promise<CommandResult> {
  const { from, folder: toolFolder, table, dryRun = false, allSchemas = false } = flags;
  const { adoptMigrations } = await import("../../migrations/index.ts");
  const { startDirectory } = await import("../../project.ts");
  const { resolve } = await import("node:path");
  const here = startDirectory(process.cwd(), process.env);
  const adoption = await withGround(context, flags, ({ project, ...ground }) =>
    adoptMigrations({
      ...ground,
      from,
      toolFolder: toolFolder === undefined ? undefined : resolve(here, toolFolder),
      table,
      allSchemas,
      dryRun,
      folder: project.config.migrations.folder,
    }),
  );
  return {
    data: adoption,
    text: adoptionText(adoption, flags),
    findings: adoption.findings,
    exitCode: adoption.outcome === "differs" ? EXIT.findings : EXIT.ok,
  };
}

function adoptionText(
  { outcome, fileName, file, text, sql, applied }: Adoption,
  { from }: AdoptFlags,
): string {
  if (outcome === "already")
    return `nothing to do: Plinth's ledger is in use here, and begins with ${fileName}\n`;
  if (outcome === "differs") return "";
  if (sql !== undefined) {
    const baseline = text === "" ? "" : `-- the file ${fileName}:\n\n${text}\n`;
    return `${baseline}-- sent to the database:\n\n${sql}`;
  }
  const newest = applied.at(-1)?.name ?? "";
  return `adopted ${applied.length} of ${from}, the newest ${newest}\n${file ?? fileName}\n`;
}

async function baseline(context: CommandContext, flags: BaselineFlags): Promise<CommandResult> {
  const { recordBaseline } = await import("../../migrations/index.ts");
  const run = await withGround(context, flags, ({ project, ...ground }) =>
    recordBaseline({
      ...ground,
      to: flags.to,
      dryRun: flags.dryRun === true,
      folder: project.config.migrations.folder,
    }),
  );
  return {
    data: { recorded: run.recorded, sql: run.sql ?? null },
    text: baselineText(run),
    findings: run.findings,
    exitCode: run.findings.some(({ level }) => level === "error") ? EXIT.findings : EXIT.ok,
  };
}

function baselineText({ recorded, sql, findings }: BaselineRun): string {
  if (sql !== undefined) return sql;
  if (findings.some(({ level }) => level === "error")) return "";
  return recorded.length === 0 ? "nothing to do\n" : recorded.map((name) => `recorded ${name}\n`).join("");
}

/** What both commands work on. */
interface Ground extends Pick<OpenTarget, "target"> {
  readonly project: Project;
  readonly schemaName: string;
  readonly shadow: Shadow;
  readonly runnerWaitMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MigrationProgress) => void;
}

async function withGround<T>(
  context: CommandContext,
  { dryRun, shadowUrl }: SharedFlags,
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const project = await openProject(context);
  const schemaName = await project.readSchemaName();
  const { describeTarget } = await import("../../driver/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const { describeHolder } = await import("../../migrations/index.ts");
  return withTarget(project, async ({ target }) => {
    if (dryRun !== true) announceTarget(context, describeTarget(target), schemaName);
    const shadow = await openShadow({ url: shadowUrl, directory: project.directory });
    try {
      return await work({
        project,
        target,
        schemaName,
        shadow,
        runnerWaitMs: project.config.migrations.runnerWaitMs,
        signal: context.signal,
        onProgress: (progress) => {
          if (progress.kind !== "waiting") return;
          context.terminal.err(`waiting for another runner: ${describeHolder(progress.holder)}`);
        },
      });
    } finally {
      await shadow.release();
    }
  });
}

function oneOfTools(value: string): (typeof TOOLS)[number] {
  const tool = TOOLS.find((one) => one === value);
  if (tool !== undefined) return tool;
  throw new InvalidArgumentError(`It must be one of ${TOOLS.join(", ")}.`);
}
