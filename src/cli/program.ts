import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { type CommandHost, writeFailure } from "./action.ts";
import { addDbCommands } from "./commands/db.ts";
import { addHistoryCommands } from "./commands/history.ts";
import { addMakeCommands } from "./commands/make.ts";
import { addMigrateCommands } from "./commands/migrate.ts";
import { addPurgeCommand } from "./commands/purge.ts";
import { addRolesCommands } from "./commands/roles.ts";
import { addSchemaCommands } from "./commands/schema.ts";
import { addSeedCommands } from "./commands/seed.ts";
import { EXIT } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";

/** Builds the whole command line. Nothing but commander is loaded until a command runs. */
export function createProgram(host: CommandHost): Command {
  const program = new Command("plinth");
  program
    .description("The PostgreSQL data layer for TypeScript back ends")
    .version(readVersion(), "-v, --version", "print the version")
    .option("--json", "write exactly one JSON document to stdout")
    .option(
      "--project <dir>",
      "the folder with plinth.config.ts (default: found from the current one upwards)",
    )
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) =>
        command === program ? [] : program.options.filter((option) => option.long !== "--version"),
    })
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeOut: host.terminal.out, writeErr: () => undefined });
  addMigrateCommands(program, host);
  addSchemaCommands(program, host);
  addSeedCommands(program, host);
  addDbCommands(program, host);
  addHistoryCommands(program, host);
  addMakeCommands(program, host);
  addPurgeCommand(program, host);
  addRolesCommands(program, host);
  return program;
}

/** Runs one command line; `arguments_` are without node and script. The exit code goes to the host. */
export async function runProgram(host: CommandHost, arguments_: readonly string[]): Promise<void> {
  const program = createProgram(host);
  try {
    await program.parseAsync([...arguments_], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    host.setExitCode(EXIT.usage);
    const words = knownWords(program, arguments_);
    const message = usageMessage(error);
    const failure = usageFailure(message, `See plinth ${[...words, "--help"].join(" ")}.`);
    writeFailure(host, words.join(" "), arguments_.includes("--json"), failure);
  }
}

/** The noun and verb that were understood, so that the hint names a help that exists. */
function knownWords(program: Command, arguments_: readonly string[]): readonly string[] {
  const words: string[] = [];
  let at: Command | undefined = program;
  for (const word of arguments_) {
    at = at?.commands.find((command) => command.name() === word);
    if (at === undefined) break;
    words.push(word);
  }
  return words;
}

/** Commander shows help, and no message, when a noun stands without its verb. */
function usageMessage(error: CommanderError): string {
  if (error.code === "commander.help") return "a command is missing";
  return error.message.replace(/^error: /, "").replaceAll("\n", " ");
}

function readVersion(): string {
  const content: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const hasVersion = typeof content === "object" && content !== null && "version" in content;
  return hasVersion ? String(content.version) : "unknown";
}
