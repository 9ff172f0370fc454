/** Rules of `plinth migrate lint` that speak of statements for which PostgreSQL has no online form. */
export type AllowedRule =
  | "breaks/drop-column"
  | "lock/blocks"
  | "lock/collation"
  | "lock/domain-column"
  | "lock/domain-constraint"
  | "lock/exclusion"
  | "lock/foreign-key"
  | "lock/generated-expression"
  | "lock/partition-scan"
  | "lock/storage"
  | "lock/stored-column"
  | "lock/type"
  | "lock/unique"
  | "lock/work-under-lock";

/**
 * Marks a statement that works through a table while nobody else can use it, where PostgreSQL knows no other way.
 * The reason is for the person who runs it; the linter passes the statement over.
 */
export function allowing(isInUse: boolean, rule: AllowedRule, reason: string, statement: string): string {
  return isInUse ? `-- plinth:allow ${rule}: ${reason}\n${statement}` : statement;
}
