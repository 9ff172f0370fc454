/** Rules about what a statement does to the transaction it stands in. */
import { keepsWritersOut } from "../lock-mode.ts";
import { steps } from "./recipe.ts";
import { type Draft, listed, type Subject } from "./subject.ts";

/** Work, or another table's lock, while earlier statements' locks are held. */
export function transactionRules(subject: Subject): readonly Draft[] {
  return [...workUnderLock(subject), ...severalTables(subject)];
}

function workUnderLock(subject: Subject): readonly Draft[] {
  const { effects, held, isBlocking, tree, tool, text } = subject;
  const work = [...new Set([...effects.scans, ...effects.rewrites])];
  const [first] = held;
  if (!isBlocking || first === undefined || work.length === 0) return [];
  // Where its own lock keeps the same people out, its own finding says so.
  const own = new Set(
    effects.locks.filter(({ mode }) => keepsWritersOut(mode)).map(({ relation }) => relation),
  );
  if (held.every(({ relation, isTable }) => !isTable || own.has(relation))) return [];
  const isValidation =
    "AlterTableStmt" in tree &&
    (tree.AlterTableStmt.cmds ?? []).some(
      (node) => "AlterTableCmd" in node && node.AlterTableCmd.subtype === "AT_ValidateConstraint",
    );
  const others = held.filter(({ relation, isTable }) => isTable && !own.has(relation));
  const tables = listed([...new Set(others.map(({ relation }) => relation))]);
  const lines = [...new Set(others.map(({ line }) => line))];
  return [
    {
      rule: isValidation ? "lock/validate" : "lock/work-under-lock",
      why: `${linesInWords(lines)} of the same transaction locked ${tables}, and others wait for it while ${listed(work)} is read or written`,
      fix: isValidation
        ? `-- in a transaction of its own, after the one that adds the constraint:\n${steps(tool, [text])}`
        : `-- in a migration of its own, so that the lock is given back first:\n${text};`,
    },
  ];
}

/** Two transactions that lock the same tables in another order wait for each other for ever. */
function severalTables({ effects, held, tables: isTable }: Subject): readonly Draft[] {
  const before = new Set(held.filter((lock) => lock.isTable).map(({ relation }) => relation));
  const now = effects.locks
    .filter(({ mode, relation }) => keepsWritersOut(mode) && isTable.has(relation) && !before.has(relation))
    .map(({ relation }) => relation);
  const tables = [...before];
  if (tables.length === 0 || now.length === 0 || effects.scans.length + effects.rewrites.length > 0)
    return [];
  return [
    {
      rule: "lock/several-tables",
      why: `it waits for ${listed(now)} while ${listed(tables)} is locked already: everybody behind ${listed(tables)} waits as well, and one that locks them in another order deadlocks`,
      fix: "-- one migration for each table, so that each lock is given back before the next is asked for",
    },
  ];
}

const LINES_SHOWN = 3;

function linesInWords(lines: readonly number[]): string {
  const shown = lines.slice(0, LINES_SHOWN).map(String);
  if (lines.length > LINES_SHOWN) return `lines ${shown.join(", ")} and more`;
  return `${lines.length === 1 ? "line" : "lines"} ${listed(shown)}`;
}
