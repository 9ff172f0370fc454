import type { Command } from "commander";
import type { Connection } from "../../driver/index.ts";
import type { Project } from "../../project.ts";
import type { PulledSchema } from "../../pull/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { openProject, withTarget } from "../open-project.ts";

interface PullFlags {
  readonly output?: string;
  readonly schema?: string;
  readonly shadowUrl?: string;
}

/** Adds `schema pull`. */
export function addSchemaCommands(program: Command, host: CommandHost): void {
  const schema = program.command("schema").description("the declared schema and the database");
  schema
    .command("pull")
    .description("write the schema file of an existing database")
    .option("--output <file>", "where to; - is stdout (default: the schema file of the project)")
    .option(
      "--schema <name>",
      "the PostgreSQL schema (default: DATABASE_SCHEMA, or the only one with tables)",
    )
    .option("--shadow-url <url>", "the server to prove it on (default: a second embedded one)")
    .action((flags: PullFlags, command: Command) =>
      runAction(host, command, (context) => pull(context, flags)),
    );
}

async function pull(context: CommandContext, flags: PullFlags): Promise<CommandResult> {
  const project = await openProject(context);
  const file = await outputOf(project, flags);
  const pulled = await pullFrom(project, flags, context);
  const { text, entities, findings } = pulled;
  if (file === undefined) return { data: { file: null, text, entities }, text, findings };
  const { writeFile } = await import("node:fs/promises");
  await writeFile(file, text, { flag: "wx" }).catch(refuseExisting(file));
  return { data: { file, text, entities }, text: `${file}\n`, findings };
}

/** Undefined for stdout. */
async function outputOf({ config }: Project, { output }: PullFlags): Promise<string | undefined> {
  if (output === "-") return undefined;
  const { startDirectory } = await import("../../project.ts");
  const { resolve } = await import("node:path");
  const { existsSync } = await import("node:fs");
  const here = startDirectory(process.cwd(), process.env);
  const file = output === undefined ? config.schemaFile : resolve(here, output);
  // Before the work; `wx` is what holds.
  if (existsSync(file)) throw await exists(file);
  return file;
}

async function pullFrom(
  project: Project,
  { schema, shadowUrl }: PullFlags,
  { terminal }: CommandContext,
): Promise<PulledSchema> {
  const { connect, describeTarget, retarget } = await import("../../driver/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const { pullSchema } = await import("../../pull/index.ts");
  const { OTHER_TOOLS_TABLES } = await import("../../migrations/index.ts");
  const { BEHAVIOURS } = await import("../../behaviours.ts");
  return withTarget(project, async ({ target }) => {
    // A catalog of thousands of tables takes its time.
    const session = { statementTimeoutMs: 0, lockTimeoutMs: 0, idleInTransactionTimeoutMs: 0 };
    const connection = await connect(retarget(target, { session }));
    try {
      const schemaName = schema ?? (await schemaOf(project, connection));
      terminal.err(terminal.paint("dim", `reading: ${describeTarget(target)}, schema ${schemaName}`));
      const shadow = await openShadow({ url: shadowUrl, directory: project.directory });
      try {
        const leaveOut = OTHER_TOOLS_TABLES;
        return await pullSchema({ connection, schemaName, shadow, behaviours: BEHAVIOURS, leaveOut });
      } finally {
        await shadow.release();
      }
    } finally {
      await connection.close();
    }
  });
}

/** DATABASE_SCHEMA, what the project declares already, or the only schema there is. */
async function schemaOf(project: Project, connection: Connection): Promise<string> {
  const { existsSync } = await import("node:fs");
  const configured = project.readDatabase().schema;
  if (configured !== undefined) return configured;
  if (existsSync(project.config.schemaFile)) return project.readSchemaName();
  const { listPullableSchemas } = await import("../../pull/index.ts");
  const names = await listPullableSchemas(connection);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const { ConfigError } = await import("../../errors/index.ts");
  throw new ConfigError(
    only === undefined ? "this database has no tables to pull" : `which schema is it: ${names.join(", ")}?`,
    { path: "schema", hint: "Say --schema NAME, and check that DATABASE_URL names the database you mean." },
  );
}

function refuseExisting(file: string): (error: unknown) => Promise<never> {
  return async (error) => {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw isThere ? await exists(file) : error;
  };
}

async function exists(file: string): Promise<Error> {
  const { SafetyError } = await import("../../errors/index.ts");
  return new SafetyError(`${file} exists, and nothing is overwritten`, {
    hint: "Say --output FILE for another place, or --output - to read it on stdout.",
  });
}
