import type { DriftReport, MigrationStatus } from "../../migrations/index.ts";
import type { CommandContext } from "../action.ts";
import { openProject, withTarget } from "../open-project.ts";

/** The flags of `migrate status`. */
export interface StatusFlags {
  readonly drift?: true;
  readonly shadowUrl?: string;
}

/** What `migrate status --drift` adds to the status. */
export async function readDrift(context: CommandContext, { shadowUrl }: StatusFlags): Promise<DriftReport> {
  const project = await openProject(context);
  const { findDrift } = await import("../../migrations/index.ts");
  const { openShadow } = await import("../../shadow/index.ts");
  const schemaName = await project.readSchemaName();
  const { folder } = project.config.migrations;
  const { possibleRoles } = await import("../../roles/index.ts");
  const roles = possibleRoles(schemaName, project.config.roles);
  return withTarget(project, async ({ target }) => {
    const shadow = await openShadow({ url: shadowUrl, directory: project.directory });
    try {
      return await findDrift({ target, schemaName, folder, shadow, roles });
    } finally {
      await shadow.release();
    }
  });
}

/** What follows the list of migrations; the differences themselves are findings. */
export function driftText({ findings, repair }: DriftReport): string {
  if (findings.length === 0) return "no drift\n";
  if (repair === undefined) return "";
  const losses = repair.losses.map(({ object, what }) => `-- loses: ${object} (${what})\n`);
  const statements = repair.statements.map((statement) => `${statement};\n`);
  return `\n-- Brings the database back to its migrations:\n${losses.join("")}${statements.join("")}`;
}

/** A history that is not in order is a finding of the status already. */
export function driftFindings(
  status: MigrationStatus,
  report: DriftReport | undefined,
): DriftReport["findings"] {
  const findings = report?.findings ?? [];
  return status.findings.length === 0 ? findings : findings.filter(({ rule }) => rule === "drift");
}
