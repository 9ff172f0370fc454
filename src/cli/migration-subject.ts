import type { Project } from "../project.ts";
import type { CommandContext } from "./action.ts";

/** What `lint` and `prove` work on: a project's migrations, or any folder alone. */
export interface MigrationSubject {
  readonly folder: string;
  /** Where a shadow server of its own would live. */
  readonly directory: string;
  /** Undefined where no project tells. */
  readonly schemaName: string | undefined;
  readonly project: Project | undefined;
}

/** The project around, or the folder that is named; a named folder that is the project's own is the project. */
export async function findMigrationSubject(
  context: CommandContext,
  folder: string | undefined,
): Promise<MigrationSubject> {
  const { resolve } = await import("node:path");
  const { nearestProjectFolder } = await import("../config/index.ts");
  const { startDirectory } = await import("../project.ts");
  const start = startDirectory(process.cwd(), process.env);
  const named = folder === undefined ? undefined : resolve(start, folder);
  const project = await findProjectOf(context, named);
  if (project === undefined) {
    const directory = nearestProjectFolder(start) ?? start;
    return { folder: named ?? start, directory, schemaName: undefined, project };
  }
  const schemaName = await project.readSchemaName();
  return { folder: project.config.migrations.folder, directory: project.directory, schemaName, project };
}

async function findProjectOf(
  context: CommandContext,
  folder: string | undefined,
): Promise<Project | undefined> {
  const { openProject } = await import("./open-project.ts");
  if (folder === undefined) return openProject(context);
  const { folderWithConfig } = await import("../config/index.ts");
  // The config of a project is only read where the folder may be its own.
  if (context.project === undefined && folderWithConfig(folder) === undefined) return undefined;
  const project = await openProject(
    context.project === undefined ? { ...context, project: folderWithConfig(folder) } : context,
  );
  return project.config.migrations.folder === folder ? project : undefined;
}
