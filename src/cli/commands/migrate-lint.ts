import { type Command, InvalidArgumentError, Option } from "commander";
import type { LintFinding, LintReport, LintStatement } from "../../migrations/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { findMigrationSubject } from "../migration-subject.ts";

interface LintFlags {
  readonly mode: "static" | "trace";
  readonly dialectVersion?: number;
  readonly shadow: boolean;
  readonly shadowUrl?: string;
  readonly schema?: string;
}

/** Adds `migrate lint`. */
export function addLintCommand(migrate: Command, host: CommandHost): void {
  migrate
    .command("lint [files...]")
    .description("say what each statement locks, rewrites and scans, and how to write it safely")
    .addOption(
      new Option("--mode <mode>", "work it out, or run it on a shadow server with rows and look")
        .choices(["static", "trace"])
        .default("static"),
    )
    .option(
      "--dialect-version <major>",
      "the server's version: 15 to 18 (default: the shadow's)",
      majorVersion,
    )
    .option("--shadow-url <url>", "the server to replay on (default: a second embedded one)")
    .option("--no-shadow", "no server: by the text alone; what it does not tell counts as blocking")
    .option("--schema <name>", "the schema names without one mean (default: the project's, or public)")
    .action((files: readonly string[], flags: LintFlags, command: Command) =>
      runAction(host, command, (context) => lint(context, files, flags)),
    );
}

async function lint(
  context: CommandContext,
  files: readonly string[],
  flags: LintFlags,
): Promise<CommandResult> {
  const { folder: named, only } = await findFiles(files);
  const subject = await findMigrationSubject(context, named);
  const { lintMigrations, readMigrationFolder } = await import("../../migrations/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const folder = await readMigrationFolder(subject.folder);
  const options = {
    folder,
    only,
    schemaName: flags.schema ?? subject.schemaName,
    mode: flags.mode,
    dialectVersion: flags.dialectVersion,
  };
  if (!flags.shadow) {
    if (flags.mode === "trace") await refuseTraceAlone();
    return resultOf(await lintMigrations(options));
  }
  const shadow = await openShadow({ url: flags.shadowUrl, directory: subject.directory });
  try {
    return resultOf(await lintMigrations({ ...options, shadow }));
  } finally {
    await shadow.release();
  }
}

async function refuseTraceAlone(): Promise<never> {
  const { ConfigError } = await import("../../errors/index.ts");
  throw new ConfigError(
    "--mode trace runs the statements, so it needs a shadow server; leave out --no-shadow",
    {
      path: "mode",
    },
  );
}

/** One folder, or files that share one: what comes before them is replayed as well. */
async function findFiles(
  files: readonly string[],
): Promise<{ readonly folder: string | undefined; readonly only: readonly string[] | undefined }> {
  const { statSync } = await import("node:fs");
  const { basename, dirname, resolve } = await import("node:path");
  const { startDirectory } = await import("../../project.ts");
  const start = startDirectory(process.cwd(), process.env);
  const paths = files.map((file) => resolve(start, file));
  const [first] = paths;
  if (first === undefined) return { folder: undefined, only: undefined };
  const isFolder = statSync(first, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder && paths.length === 1) return { folder: first, only: undefined };
  // Some tools keep a folder for each migration, with files of the same name in it.
  const isNested = (path: string): boolean => /^(?:migration|down)\.sql$/.test(basename(path));
  const folderOf = (path: string): string => (isNested(path) ? dirname(dirname(path)) : dirname(path));
  const nameOf = (path: string): string =>
    isNested(path) ? `${basename(dirname(path))}/${basename(path)}` : basename(path);
  const stray = paths.find((path) => folderOf(path) !== folderOf(first));
  if (stray !== undefined) {
    const { ConfigError } = await import("../../errors/index.ts");
    throw new ConfigError(`${stray} is not in the folder of ${first}; lint one folder at a time`, {
      path: "files",
    });
  }
  return { folder: folderOf(first), only: paths.map(nameOf) };
}

function resultOf(report: LintReport): CommandResult {
  const { findings, ...data } = report;
  const isStopped = findings.some(({ level }) => level === "error");
  return {
    data,
    text: textOf(report),
    findings: findings.map((finding) => ({ ...finding, object: placeOf(finding) })),
    exitCode: isStopped ? EXIT.findings : EXIT.ok,
  };
}

/** With the rule, which is what an allowance names. */
function placeOf({ object, rule }: LintFinding): string {
  return `${object}: ${rule}`;
}

/** What blocks, and what takes a lock others wait for, a line each; then the count. */
function textOf({ statements, findings, mode, serverVersion }: LintReport): string {
  const shown = statements.filter((statement) => statement.blocking || statement.rules.length > 0);
  const blocking = statements.filter((statement) => statement.blocking).length;
  const errors = findings.filter(({ level }) => level === "error").length;
  const total = `${statements.length} statements, ${blocking} blocking, ${errors} errors, ${findings.length - errors} warnings (${mode}, PostgreSQL ${serverVersion})`;
  return `${[...shown.map(lineOf), total].join("\n")}\n`;
}

function lineOf(statement: LintStatement): string {
  const { file, line, sql, blocking, locks, rewrites, scans } = statement;
  const first = sql.split("\n", 1)[0] ?? "";
  const work = [
    ...locks.map(({ relation, mode }) => `${relation} ${mode}`),
    ...(rewrites.length === 0 ? [] : [`rewrites ${rewrites.join(", ")}`]),
    ...(scans.length === 0 ? [] : [`reads ${scans.join(", ")}`]),
  ];
  const effects = work.length === 0 ? "" : `\n          ${work.join("; ")}`;
  return `${blocking ? "blocks" : "      "}  ${file}:${line}: ${first}${effects}`;
}

function majorVersion(text: string): number {
  if (/^1[5-8]$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be 15, 16, 17 or 18.");
}
