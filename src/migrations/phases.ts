import type { Section } from "./migration-file.ts";
import type { Recovery } from "./statement-kind.ts";
import type { Statement } from "./statements.ts";

/** Statements that succeed or fail together, and are recorded together. */
export type Phase =
  | { readonly kind: "transaction"; readonly first: number; readonly statements: readonly Statement[] }
  | {
      readonly kind: "outside";
      readonly first: number;
      readonly statement: Statement;
      readonly recovery: Recovery;
    };

/**
 * Cuts a section into phases: neighbours that can share a transaction do, the validation of a constraint has one of
 * its own, a statement that PostgreSQL refuses inside one stands alone. `first` is the statement's place in the
 * section, from 0.
 *
 * With `transaction:false` every statement is a phase of its own.
 */
export function planPhases(section: Section, statements: readonly Statement[]): readonly Phase[] {
  const phases: Phase[] = [];
  let open: Statement[] = [];
  const close = (end: number): void => {
    if (open.length > 0) phases.push({ kind: "transaction", first: end - open.length, statements: open });
    open = [];
  };
  for (const [index, statement] of statements.entries()) {
    if (statement.recovery !== undefined) {
      close(index);
      phases.push({ kind: "outside", first: index, statement, recovery: statement.recovery });
      continue;
    }
    if (statement.run === "alone") close(index);
    open.push(statement);
    const next = statements[index + 1];
    // Values added to an enum one after another do not use each other.
    const endsHere = statement.run === "alone" || (statement.run === "boundary" && next?.run !== "boundary");
    if (endsHere || !section.isTransactional) close(index + 1);
  }
  close(statements.length);
  return phases;
}

/** The statements of a phase, in order. */
export function statementsOf(phase: Phase): readonly Statement[] {
  return phase.kind === "outside" ? [phase.statement] : phase.statements;
}

/** How many statements of the section are done once the phase is. */
export function endOf(phase: Phase): number {
  return phase.first + statementsOf(phase).length;
}
