import type { DifferencePlan, Loss } from "../../catalog/index.ts";
import { migrationText } from "../migration-text.ts";

/** Both directions, with the renames around them. */
export interface TwoWayPlan {
  readonly up: DifferencePlan;
  readonly down: DifferencePlan;
}

/** `tasks.due_date (data)` */
export function lossText({ object, what }: Loss): string {
  return `${object} (${what})`;
}

/** On the way up nothing has to be brought back: what only a person can do stops it as well. */
export function mayFail(up: DifferencePlan): readonly string[] {
  return [...up.mayFail, ...up.irreversible];
}

/** One readable file: what it loses on top, then both directions, a blank line between statements. */
export function renderMigration({ up, down }: TwoWayPlan): string {
  const header = [
    ...up.losses.map((loss) => `-- up loses: ${lossText(loss)}`),
    ...mayFail(up).map((sentence) => `-- up may fail: ${sentence}`),
    ...down.losses.map((loss) => `-- loses: ${lossText(loss)}`),
    ...down.mayFail.map((sentence) => `-- down may fail: ${sentence}`),
    ...down.irreversible.map((sentence) => `-- irreversible: ${sentence}`),
  ];
  const text = migrationText({ up: up.statements, down: down.statements });
  return header.length === 0 ? text : `${header.join("\n")}\n\n${text}`;
}
