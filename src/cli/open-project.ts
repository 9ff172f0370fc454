import type { OpenTarget, Project } from "../project.ts";
import type { CommandContext } from "./action.ts";

const opened = new WeakMap<CommandContext, Promise<Project>>();

/** The project a command works on, read once a command. Loaded when a command runs, never for `--help`. */
export function openProject(context: CommandContext): Promise<Project> {
  const project = opened.get(context) ?? findAndRead(context);
  opened.set(context, project);
  return project;
}

async function findAndRead(context: CommandContext): Promise<Project> {
  const { findProject, loadProject, startDirectory } = await import("../project.ts");
  const { resolve } = await import("node:path");
  const start = startDirectory(process.cwd(), process.env);
  return loadProject(context.project === undefined ? findProject(start) : resolve(start, context.project));
}

/** Opens the project's server, runs `work`, and lets go of the server whatever happens. */
export async function withTarget<T>(project: Project, work: (open: OpenTarget) => Promise<T>): Promise<T> {
  const { openTarget } = await import("../project.ts");
  const open = await openTarget(project);
  try {
    return await work(open);
  } finally {
    await open.release();
  }
}

/** Says on stderr what is about to be written to (`user@host:port/database`), before anything is. */
export function announceTarget(context: CommandContext, target: string, schemaName: string): void {
  context.terminal.err(context.terminal.paint("dim", `target: ${target}, schema ${schemaName}`));
}
