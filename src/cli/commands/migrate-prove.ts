import { type Command, InvalidArgumentError } from "commander";
import type { ProofReport, ProvenMigration } from "../../migrations/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { findMigrationSubject, type MigrationSubject } from "../migration-subject.ts";

interface ProveFlags {
  readonly shadowUrl?: string;
  readonly schema?: string;
  readonly from?: string;
  readonly rows?: number;
  readonly rowsFile?: string;
}

/** How often a long proof says where it is. */
const PROGRESS_EVERY = 50;

/** Adds `migrate prove`. */
export function addProveCommand(migrate: Command, host: CommandHost): void {
  migrate
    .command("prove [folder]")
    .description("run every migration up, down and up on a shadow server, with rows in the tables")
    .option("--shadow-url <url>", "the server to prove on (default: a second embedded one)")
    .option("--schema <name>", "the schema names without one mean (default: the project's, or public)")
    .option("--from <version>", "prove from here on; what comes before is only run")
    .option("--rows <count>", "rows each table is given (default: 5)", positiveInteger)
    .option(
      "--rows-file <file>",
      "rows no generator can make up (default: prove-rows.ts or .sql beside the folder)",
    )
    .action((folder: string | undefined, flags: ProveFlags, command: Command) =>
      runAction(host, command, (context) => prove(context, folder, flags)),
    );
}

async function prove(
  context: CommandContext,
  folder: string | undefined,
  flags: ProveFlags,
): Promise<CommandResult> {
  const subject = await findMigrationSubject(context, folder);
  const declared = await declaredBy(subject);
  const migrations = await import("../../migrations/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const { createModuleLoader } = await import("../../config/index.ts");
  const {
    files,
    findings: unread,
    format,
  } = declared === undefined
    ? await migrations.readMigrationFolder(subject.folder)
    : { files: await migrations.readMigrations(subject.folder), findings: [], format: "plinth" };
  const proveRows = await migrations.readProveRows(subject.folder, createModuleLoader(), flags.rowsFile);
  const shadow = await openShadow({ url: flags.shadowUrl, directory: subject.directory });
  try {
    let proven = 0;
    const report = await migrations.proveMigrations({
      shadow,
      files,
      schemaName: flags.schema ?? subject.schemaName,
      declared,
      from: flags.from,
      rowsPerTable: flags.rows,
      proveRows,
      signal: context.signal,
      onProgress: () => {
        proven += 1;
        if (proven % PROGRESS_EVERY === 0) context.terminal.err(`${proven} of ${files.length}`);
      },
    });
    const { findings: found, ...proof } = report;
    const findings = [...unread, ...found];
    const hasErrors = findings.some(({ level }) => level === "error");
    return {
      data: { format, ...proof },
      text: textOf(report),
      findings,
      exitCode: hasErrors ? EXIT.findings : EXIT.ok,
    };
  } finally {
    await shadow.release();
  }
}

/** Undefined where nothing is declared: a folder alone, or a project that writes its migrations by hand. */
async function declaredBy({ project }: MigrationSubject): Promise<readonly string[] | undefined> {
  const { existsSync } = await import("node:fs");
  if (project === undefined || !existsSync(project.config.schemaFile)) return undefined;
  return (await project.renderSchema()).up;
}

function textOf({ migrations, findings }: ProofReport): string {
  const width = Math.max(0, ...migrations.map(({ fileName }) => fileName.length));
  const lines = migrations.map(
    (one) => `${WORDS[one.proof].padEnd(8)}  ${one.fileName.padEnd(width)}  ${notes(one)}`,
  );
  const count = (level: "error" | "warning"): string => {
    const number = findings.filter((finding) => finding.level === level).length;
    return `${number} ${level}${number === 1 ? "" : "s"}`;
  };
  const proven = migrations.filter(({ proof }) => proof === "up-down-up").length;
  const total = `${proven} of ${migrations.length} proven both ways, ${count("error")}, ${count("warning")}`;
  return `${[...lines.map((line) => line.trimEnd()), total].join("\n")}\n`;
}

const WORDS: Readonly<Record<ProvenMigration["proof"], string>> = {
  "up-down-up": "proven",
  up: "up only",
  replayed: "run",
  failed: "failed",
};

function notes({ proof, tables, rows }: ProvenMigration): string {
  if (proof === "replayed") return "";
  const ways = proof === "up" ? "up" : "up, down, up";
  const held =
    rows === 0
      ? "without rows"
      : `with ${rows} row${rows === 1 ? "" : "s"} in ${tables} table${tables === 1 ? "" : "s"}`;
  return `${ways} ${held}`;
}

function positiveInteger(text: string): number {
  const number = Number(text);
  if (/^\d{1,4}$/.test(text) && number >= 1 && number <= 1_000) return number;
  throw new InvalidArgumentError("It must be a whole number from 1 to 1000.");
}
