import type { DifferencePlan, Loss } from "../../catalog/index.ts";

/** Both directions, with the renames around them. */
export interface TwoWayPlan {
  readonly up: DifferencePlan;
  readonly down: DifferencePlan;
}

/** `tasks.due_date (data)` */
export function lossText({ object, what }: Loss): string {
  return `${object} (${what})`;
}

/** One readable file: what it loses on top, then both directions, a blank line between statements. */
export function renderMigration({ up, down }: TwoWayPlan): string {
  const header = [
    ...up.losses.map((loss) => `-- up loses: ${lossText(loss)}`),
    ...down.losses.map((loss) => `-- loses: ${lossText(loss)}`),
    ...down.irreversible.map((sentence) => `-- irreversible: ${sentence}`),
  ];
  return [
    ...(header.length === 0 ? [] : [`${header.join("\n")}\n`]),
    `-- migrate:up\n\n${script(up.statements)}`,
    `-- migrate:down\n\n${script(down.statements)}`,
  ].join("\n");
}

function script(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};\n`).join("\n");
}
