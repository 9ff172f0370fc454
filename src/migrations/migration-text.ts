import { ended } from "./sql-text.ts";

/** Both directions, one statement an item. */
export interface MigrationSql {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** A migration as the text of its file: a blank line between statements, or one to write on where there is none. */
export function migrationText({ up, down }: MigrationSql): string {
  return `-- migrate:up\n\n${script(up)}\n-- migrate:down\n\n${script(down)}`;
}

function script(statements: readonly string[]): string {
  return statements.map((statement) => `${ended(statement)}\n`).join("\n");
}
