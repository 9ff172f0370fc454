import type { Ground } from "./ground.ts";

const ALLOWANCE = /^-- plinth:allow ([^:\n]+):/;
const COMMENTS = /^(?:--[^\n]*\n)+/;

/** Statements with a transaction of their own, or none: nothing is held before them or after them. */
const ALONE =
  /^(?:do \$\w*\$[\s\S]*\bcommit;|(?:create (?:unique )?|drop )index concurrently |alter (?:table|domain) \S+ validate constraint |alter type \S+ add value )/;

/** Statements that ask for a lock which keeps others out, and of which table. */
const LOCKING = [
  /^alter table (?:only )?("(?:[^"]|"")*"(?:\."(?:[^"]|"")*")?|\S+)/,
  /^drop table (\S+)$/,
  /^(?:drop|create|create or replace|alter) (?:trigger|policy|rule) [\s\S]*? on ("(?:[^"]|"")*"|\S+)/,
  /\breferences ("(?:[^"]|"")*"|[^\s(]+)/,
];

/** Readers and writers of the parent go on; the lock is on the partition, and on the default one. */
const ATTACHING = /^alter table \S+ attach partition (\S+) /;

/**
 * What works through a table while an earlier statement of its transaction keeps others out of another one is one
 * more thing to know about it: the allowance says so.
 */
export function nameHeldLocks(ground: Ground, statements: readonly string[]): readonly string[] {
  const families = familiesOf(ground);
  let held = new Set<string>();
  return statements.map((statement) => {
    const text = statement.replace(COMMENTS, "");
    const reached = LOCKING.flatMap((form) => families.get(form.exec(text)?.[1] ?? "") ?? []);
    const own = ATTACHING.test(text) ? [...reached.slice(1), ATTACHING.exec(text)?.[1] ?? ""] : reached;
    const isAlone = ALONE.test(text);
    const others = isAlone ? [] : [...held].filter((table) => !own.includes(table));
    held = isAlone ? new Set() : new Set([...held, ...own]);
    return others.length > 0 && !statement.includes(UNDER_LOCK)
      ? statement.replace(ALLOWANCE, (_all, rules: string) => `-- plinth:allow ${rules}, ${UNDER_LOCK}:`)
      : statement;
  });
}

const UNDER_LOCK = "lock/work-under-lock";

/** The tables that are there, each with its partitions and heirs: a lock on one is a lock on all. */
function familiesOf(ground: Ground): ReadonlyMap<string, readonly string[]> {
  const family = (id: string): readonly string[] => [
    ground.ref(id),
    ...(ground.from.children.get(id) ?? []).flatMap((child) => family(child.id)),
  ];
  const tables = [...ground.from.objects.values()].filter(({ kind }) => kind === "table");
  return new Map(tables.map(({ id }) => [ground.ref(id), family(id)]));
}
