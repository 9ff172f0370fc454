import { endOf, type Phase } from "./phases.ts";
import { createLedger, createSchema } from "./queries.ts";
import { concurrentLockTimeout, pinSession, type SessionPins, usualLockTimeout } from "./session.ts";
import { ended } from "./sql-text.ts";
import type { Recovery } from "./statement-kind.ts";
import { isPatient, ledgerText, type MigrationTask } from "./task.ts";

/** What the database still lacks before the first migration. */
export interface Missing {
  readonly schema: boolean;
  readonly ledger: boolean;
}

/** The exact SQL a run would send, in order, ready to be read or given to psql. */
export function renderRun(tasks: readonly MigrationTask[], pins: SessionPins, missing: Missing): string {
  const parts: string[] = [];
  if (missing.schema) parts.push(`${createSchema(pins.schemaName)};`);
  if (missing.ledger) parts.push(`${createLedger(pins.schemaName)};`);
  for (const task of tasks) {
    if (task.data !== undefined) {
      // Without a statement, the ledger's included: whoever gives this to psql must not record what did not run.
      parts.push(
        `-- ${task.file.fileName}, ${task.direction}: a data migration, whose batches are chosen as it runs`,
      );
      continue;
    }
    const resumed = task.resumeAt === 0 ? "" : `, from statement ${task.resumeAt + 1}`;
    parts.push(`-- ${task.file.fileName}, ${task.direction}${resumed}\n${pinSession(pins)};`);
    for (const statement of task.statements.slice(0, task.resumeAt)) {
      if (statement.setting !== undefined) parts.push(ended(statement.text));
    }
    for (const phase of task.phases) parts.push(...renderPhase(task, phase, pins));
  }
  return parts.length === 0 ? "" : `${parts.join("\n\n")}\n`;
}

function renderPhase(task: MigrationTask, phase: Phase, pins: SessionPins): readonly string[] {
  const record = `${ledgerText(pins.schemaName, task, endOf(phase))};`;
  if (phase.kind === "transaction")
    return ["begin;", ...phase.statements.map(({ text }) => ended(text)), record, "commit;"];
  const begun = `-- outside a transaction${expectation(phase.recovery)}\n${ledgerText(pins.schemaName, task, phase.first, phase.first)};`;
  const statement = ended(phase.statement.text);
  if (!isPatient(task, phase.recovery)) return [begun, statement, record];
  return [begun, `${concurrentLockTimeout(pins)};`, statement, `${usualLockTimeout(pins)};`, record];
}

/** What a run does about an earlier attempt, which is not known before it looks. */
function expectation(recovery: Recovery): string {
  switch (recovery.kind) {
    case "create-index":
      return "; an invalid index of that name is dropped first, and the new one has to be valid";
    case "reindex":
      return "; copies that an interrupted attempt left are dropped first";
    case "rerun":
    case "rebuild":
      return "; run again when it was interrupted";
    case "drop-index":
    case "detach":
    case "create-database":
    case "drop-database":
      return "; taken as done when an interrupted attempt had finished it";
  }
}
