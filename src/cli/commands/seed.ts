import type { Command } from "commander";
import type { SeedKind } from "../../seeds/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { announceTarget, openProject } from "../open-project.ts";
import { ALLOW_PRODUCTION, allowsProduction } from "../production.ts";

/** Adds `seed reference|dev`. */
export function addSeedCommands(program: Command, host: CommandHost): void {
  const seed = program.command("seed").description("write the rows an environment needs");
  seed
    .command("reference")
    .description("rows every environment needs (seeds/reference)")
    .action((_flags: object, command: Command) =>
      runAction(host, command, (context) => seedProject(context, "reference", undefined)),
    );
  seed
    .command("dev")
    .description("rows to develop with (seeds/dev; refused in production)")
    .option(...ALLOW_PRODUCTION)
    .action((flags: { readonly allowProduction?: string }, command: Command) =>
      runAction(host, command, (context) => seedProject(context, "dev", flags.allowProduction)),
    );
}

async function seedProject(
  context: CommandContext,
  kind: SeedKind,
  allowProduction: string | undefined,
): Promise<CommandResult> {
  const project = await openProject(context);
  const schema = await project.loadSchema();
  const seeds = await project.loadSeeds(kind);
  const { runSeeds } = await import("../../seeds/index.ts");
  const { createDatabase } = await import("../../database.ts");
  const { isProduction } = await import("../../config/index.ts");
  const { parseTarget } = await import("../../driver/index.ts");
  const { url, directUrl, session } = project.readDatabase();
  // The embedded server has one database, and is nobody's production.
  const target = url === undefined ? undefined : parseTarget(url);
  const allowInProduction = await allowsProduction(allowProduction, target ?? { database: "plinth" });
  const database = await createDatabase({
    schema,
    directory: project.directory,
    url,
    directUrl,
    pool: { max: 2, min: 0, instances: 1 },
    // A set-based seed may take longer than a request may.
    session: { ...session, applicationName: "plinth seed", statementTimeoutMs: 0 },
  });
  const ran = await (async () => {
    announceTarget(context, database.target, await project.readSchemaName());
    return runSeeds({
      database,
      seeds,
      kind,
      isProduction: isProduction(project.environment.NODE_ENV, target?.host ?? "localhost"),
      allowInProduction,
      signal: context.signal,
      onProgress: (progress) => {
        if (progress.kind === "started") context.terminal.err(`seeding ${progress.seed}`);
        if (progress.kind === "waiting") context.terminal.err("waiting for another seeding process");
      },
    });
  })().finally(() => database.close());
  const lines = ran.map(({ name, durationMs }) => `seeded ${name} (${durationMs} ms)`);
  return { data: { seeds: ran }, text: lines.length === 0 ? `no ${kind} seeds\n` : `${lines.join("\n")}\n` };
}
