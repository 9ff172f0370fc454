import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Project } from "../../project.ts";
import {
  type CommandContext,
  type CommandHost,
  type CommandResult,
  type Finding,
  runAction,
} from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { openProject, withTarget } from "../open-project.ts";

interface DumpFlags {
  readonly output?: string;
  readonly check?: true;
  readonly live?: true;
  readonly shadowUrl?: string;
}

/** Adds `migrate dump`. */
export function addDumpCommand(migrate: Command, host: CommandHost): void {
  migrate
    .command("dump")
    .description("write the whole schema, as the migrations make it, into one file")
    .option(
      "--output <file>",
      "where to; - for stdout (default: migrations.dump, or schema.sql beside the folder)",
    )
    .option("--check", "write nothing; exits with 3 when the file is stale")
    .addOption(new Option("--live", "what the database holds, instead of what the migrations make"))
    .option("--shadow-url <url>", "the server to build it on (default: a second embedded one)")
    .action((flags: DumpFlags, command: Command) =>
      runAction(host, command, (context) => dump(context, flags)),
    );
}

async function dump(context: CommandContext, flags: DumpFlags): Promise<CommandResult> {
  const project = await openProject(context);
  const { defaultDumpFile, staleLine, writeDump } = await import("../../migrations/index.ts");
  const { folder, dump: configured } = project.config.migrations;
  const text = flags.live === true ? await readLive(project) : await replay(project, flags.shadowUrl);
  if (flags.output === "-") return { data: { file: null, isWritten: false, sql: text }, text };
  const file =
    flags.output === undefined
      ? (configured ?? defaultDumpFile(folder))
      : resolve(project.directory, flags.output);
  if (flags.check === true) return checked(file, await staleLine(file, text));
  const isWritten = await writeDump(file, text);
  return { data: { file, isWritten, sql: text }, text: `${file}${isWritten ? "" : " is fresh"}\n` };
}

function checked(file: string, line: number | undefined): CommandResult {
  const finding: Finding = {
    rule: "dump-stale",
    level: "error",
    object: file,
    why: `it is not what the migrations make, from line ${line} on`,
    fix: "plinth migrate dump",
  };
  return line === undefined
    ? { data: { file, isFresh: true }, text: `${file} is fresh\n` }
    : { data: { file, isFresh: false }, text: "", findings: [finding], exitCode: EXIT.findings };
}

async function replay(project: Project, url: string | undefined): Promise<string> {
  const { dumpSchema } = await import("../../migrations/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const schemaName = await project.readSchemaName();
  const shadow = await openShadow({ url, directory: project.directory });
  try {
    return await dumpSchema({ folder: project.config.migrations.folder, schemaName, shadow });
  } finally {
    await shadow.release();
  }
}

async function readLive(project: Project): Promise<string> {
  const { renderDump } = await import("../../migrations/index.ts");
  const { readCatalog } = await import("../../catalog/index.ts");
  const { connect } = await import("../../driver/index.ts");
  const schemaName = await project.readSchemaName();
  return withTarget(project, async ({ target }) => {
    const connection = await connect(target);
    try {
      return renderDump(await readCatalog(connection, schemaName));
    } finally {
      await connection.close();
    }
  });
}
