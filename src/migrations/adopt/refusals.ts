import { MigrationError, SafetyError } from "../../errors/index.ts";
import type { AdoptableTool } from "./tool.ts";

const SHOWN_LIMIT = 10;

/** A state in which the tool's own next run would stop as well. */
export function brokenHistory(problem: string, hint: string): SafetyError {
  return new SafetyError(problem, { hint: `${hint} Then run adopt again.` });
}

/** Baseline and folder would part: what is pending would run nowhere. */
export function pendingMigrations(
  tool: AdoptableTool,
  pending: readonly string[],
  applyCommand: string,
): SafetyError {
  const subject = pending.length === 1 ? "1 migration is" : `${pending.length} migrations are`;
  return new SafetyError(`${subject} in ${tool}'s folder and not applied here\n${listed(pending)}`, {
    hint: `Apply them with the tool (${applyCommand}), or delete what is not wanted. Then run adopt again.`,
  });
}

export function emptyHistory(tool: AdoptableTool, table: string, applyCommand: string): SafetyError {
  return new SafetyError(`${table} is empty: ${tool} has applied nothing to this database`, {
    hint: `Apply its migrations first (${applyCommand}), or begin without it: plinth migrate baseline.`,
  });
}

/** The folder does not fit the table, so what is pending cannot be told. */
export function unreadableFolder(problem: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", problem, {
    hint: "Name the folder that this database was migrated from: --folder DIR.",
  });
}

export function listed(names: readonly string[]): string {
  const lines = names.slice(0, SHOWN_LIMIT).map((name) => `  ${name}`);
  if (names.length > SHOWN_LIMIT) lines.push(`  and ${names.length - SHOWN_LIMIT} more`);
  return lines.join("\n");
}
