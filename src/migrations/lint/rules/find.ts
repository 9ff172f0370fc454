import { lockInWords } from "../lock-mode.ts";
import { alteredTable } from "./altered-table.ts";
import { broken } from "./breaks.ts";
import { dataRules } from "./data.ts";
import { designedColumns } from "./design-columns.ts";
import { designedNames } from "./design-names.ts";
import { statementLocks } from "./locks.ts";
import { RULES } from "./registry.ts";
import { runRules } from "./run.ts";
import { type Draft, listed, type Subject } from "./subject.ts";
import { transactionRules } from "./transaction.ts";

/** Everything the rules find in one statement. */
export async function findingsOf(subject: Subject): Promise<readonly Draft[]> {
  const drafts = [
    ...(subject.isAboutNew ? [] : await aboutOld(subject)),
    ...runRules(subject),
    ...transactionRules(subject),
    ...designedColumns(subject),
    ...designedNames(subject),
  ];
  return [...drafts, ...unexplained(subject, drafts)];
}

/** What matters only to tables that others use. */
async function aboutOld(subject: Subject): Promise<readonly Draft[]> {
  return [
    ...(await alteredTable(subject)),
    ...(await statementLocks(subject)),
    ...(await broken(subject)),
    ...(await dataRules(subject)),
  ];
}

/** Nothing blocks without a finding that says why, and that can be allowed. */
function unexplained(subject: Subject, drafts: readonly Draft[]): readonly Draft[] {
  const { unknowns, isBlocking, effects, text } = subject;
  if (unknowns.length > 0) {
    return [
      {
        rule: "lock/unknown",
        why: `${unknowns.join("; ")}: it counts as blocking`,
        fix: "-- look what it does, and allow it if that is little:\n-- plinth:allow lock/unknown: …",
      },
    ];
  }
  const isExplained = drafts.some(({ rule }) => explains(rule));
  if (!isBlocking || isExplained) return [];
  const strong = effects.locks.filter(({ relation }) =>
    [...effects.scans, ...effects.rewrites].includes(relation),
  );
  const words = (strong.length === 0 ? effects.locks : strong).map(
    ({ relation, mode }) => `${relation}: ${lockInWords(mode)}`,
  );
  return [
    {
      rule: "lock/blocks",
      why: `${words.join("; ")}, while ${listed([...new Set([...effects.scans, ...effects.rewrites])])} is read or written`,
      fix: `-- in a quiet hour, or on a small table, allow it:\n-- plinth:allow lock/blocks: …\n${text};`,
    },
  ];
}

function explains(rule: Draft["rule"]): boolean {
  return (
    (rule.startsWith("lock/") && RULES[rule].level === "error") ||
    rule === "data/truncate" ||
    rule === "breaks/required-column" ||
    rule === "lock/refresh-concurrently"
  );
}
