import { type Command, InvalidArgumentError } from "commander";
import type { Project } from "../../project.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { openProject } from "../open-project.ts";

const ROLES = ["migrator", "app", "read-only", "backup", "monitor"] as const;
type Role = (typeof ROLES)[number];

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
    .option("--role <role>", `as whom: ${ROLES.join(", ")}`, role)
    .action((flags: { readonly role?: Role }, command: Command) =>
      runAction(host, command, (context) => printUrl(context, flags.role)),
    );
}

async function nameOf(project: Project, as: Role): Promise<string> {
  const { roleNames } = await import("../../roles/index.ts");
  const names = roleNames(await project.readSchemaName(), project.config.roles);
  return names[as === "read-only" ? "readOnly" : as];
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

function role(text: string): Role {
  const known = ROLES.find((one) => one === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`It must be one of ${ROLES.join(", ")}.`);
}

async function printUrl(context: CommandContext, as: Role | undefined): Promise<CommandResult> {
  const project = await openProject(context);
  const { embeddedRoleUrl, embeddedStatus } = await import("../../embedded/index.ts");
  const { state, url: own, port } = await embeddedStatus(project.directory);
  if (own !== undefined) {
    const url = as === undefined ? own : embeddedRoleUrl(own, await nameOf(project, as));
    return { data: { state, url, port }, text: `${url}\n` };
  }
  context.terminal.err(
    `the embedded server is ${state === "absent" ? "not started yet" : state}; run plinth db start`,
  );
  return { data: { state, url: null, port: null }, text: "", exitCode: EXIT.failed };
}
