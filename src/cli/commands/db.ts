import type { Command } from "commander";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { openProject } from "../open-project.ts";

/** Adds `db start|stop|url`, for the project's embedded server. */
export function addDbCommands(program: Command, host: CommandHost): void {
  const db = program.command("db").description("the project's embedded PostgreSQL");
  db.command("start")
    .description("start it and keep it running until `db stop`")
    .action((_flags: object, command: Command) => runAction(host, command, start));
  db.command("stop")
    .description("stop it, once nobody uses it any more")
    .action((_flags: object, command: Command) => runAction(host, command, stop));
  db.command("url")
    .description("print the URL of the running server, with its password")
    .action((_flags: object, command: Command) => runAction(host, command, printUrl));
}

async function start(context: CommandContext): Promise<CommandResult> {
  const { directory } = await openProject(context);
  const { pinEmbedded } = await import("../../embedded/index.ts");
  context.terminal.err("starting the embedded PostgreSQL");
  const { url = "", port, processId } = await pinEmbedded(directory);
  return { data: { url, port, processId }, text: `${url}\n` };
}

async function stop(context: CommandContext): Promise<CommandResult> {
  const { directory } = await openProject(context);
  const { stopEmbedded } = await import("../../embedded/index.ts");
  const { outcome, users } = await stopEmbedded(directory);
  const texts = {
    stopped: "stopped\n",
    "not-running": "it was not running\n",
    "in-use": `${users} ${users === 1 ? "process uses" : "processes use"} it; it stops with the last one\n`,
  };
  return { data: { outcome, users }, text: texts[outcome] };
}

async function printUrl(context: CommandContext): Promise<CommandResult> {
  const { directory } = await openProject(context);
  const { embeddedStatus } = await import("../../embedded/index.ts");
  const { state, url, port } = await embeddedStatus(directory);
  if (url !== undefined) return { data: { state, url, port }, text: `${url}\n` };
  context.terminal.err(
    `the embedded server is ${state === "absent" ? "not started yet" : state}; run plinth db start`,
  );
  return { data: { state, url: null, port: null }, text: "", exitCode: EXIT.failed };
}
