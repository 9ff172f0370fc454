import type { Command } from "commander";
import type { SeedKind } from "../../seeds/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { announceTarget, openProject } from "../open-project.ts";

/** Adds `seed reference|dev`. */
export function addSeedCommands(program: Command, host: CommandHost): void {
  const seed = program.command("seed").description("write the rows an environment needs");
  seed
    .command("reference")
    .description("rows every environment needs (seeds/reference)")
    .action((_flags: object, command: Command) =>
      runAction(host, command, (context) => seedProject(context, "reference", false)),
    );
  seed
    .command("dev")
    .description("rows to develop with (seeds/dev; refused in production)")
    .option("--allow-production", "run although NODE_ENV is production")
    .action((flags: { readonly allowProduction?: true }, command: Command) =>
      runAction(host, command, (context) => seedProject(context, "dev", flags.allowProduction === true)),
    );
}

async function seedProject(
  context: CommandContext,
  kind: SeedKind,
  allowInProduction: boolean,
): Promise<CommandResult> {
  const project = await openProject(context);
  const schema = await project.loadSchema();
  const seeds = await project.loadSeeds(kind);
  const { runSeeds } = await import("../../seeds/index.ts");
  const { createDatabase } = await import("../../database.ts");
  const { url, session } = project.readDatabase();
  const database = await createDatabase({
    schema,
    directory: project.directory,
    ...(url === undefined ? {} : { url }),
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
      isProduction: project.environment.NODE_ENV === "production",
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
