import type { MigrationFile, Section } from "./migration-file.ts";

/** What the comment lines on top of a migration say about it. */
export interface Directives {
  /** Objects that lose data, by `down` or `up`: `tasks`, `tasks.due_date`. */
  readonly losses: readonly string[];
  /** Why it cannot be undone, in full or in part. */
  readonly irreversible: readonly string[];
}

/** Of a line without blanks at its end. */
const LINE = /^--[ \t]*(loses|up loses|down loses|irreversible):[ \t]*(\S.*)$/i;

/**
 * Reads `-- loses: tasks.due_date (data)`, `-- up loses: …` and `-- irreversible: …` in the comments above the first
 * marker, and above the first statement of each section (other tools' files have no marker).
 */
export function directivesOf(file: MigrationFile): Directives {
  const losses: string[] = [];
  const irreversible: string[] = [];
  for (const line of [...commentsOf(file.up), ...(file.down === undefined ? [] : commentsOf(file.down))]) {
    const match = LINE.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    if (match[1].toLowerCase() === "irreversible") irreversible.push(match[2]);
    else losses.push(match[2].replace(/\([^()]*\)$/, "").trimEnd());
  }
  return { losses, irreversible };
}

function commentsOf({ header = "", text }: Section): readonly string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const end = lines.findIndex((line) => line !== "" && !line.startsWith("--"));
  return [...header.split("\n").map((line) => line.trim()), ...lines.slice(0, end < 0 ? lines.length : end)];
}
