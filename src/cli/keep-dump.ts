import type { Shadow } from "../shadow/index.ts";
import type { CommandContext } from "./action.ts";
import { openProject } from "./open-project.ts";

/**
 * Rewrites the project's dump after the folder of migrations has changed, where the config names one. What the command
 * did stands whatever happens here, so that a failure is only said.
 */
export async function keepDumpFresh(context: CommandContext, known?: Shadow): Promise<void> {
  const project = await openProject(context);
  const { dump, folder } = project.config.migrations;
  if (dump === undefined || project.environment.NODE_ENV === "production") return;
  const { terminal } = context;
  try {
    const { dumpSchema, writeDump } = await import("../migrations/index.ts");
    const { openShadow } = await import("../shadow/index.ts");
    const shadow = known ?? (await openShadow({ directory: project.directory }));
    try {
      const text = await dumpSchema({ folder, schemaName: await project.readSchemaName(), shadow });
      if (await writeDump(dump, text)) terminal.err(terminal.paint("dim", `wrote ${dump}`));
    } finally {
      if (known === undefined) await shadow.release();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it failed";
    terminal.err(terminal.paint("yellow", `${dump} was not rewritten: ${reason}`));
  }
}
