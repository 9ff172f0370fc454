/** Every rule of the linter. Ids are stable: allowances name them. */

export interface RuleFacts {
  readonly level: "error" | "warning";
  /** What it finds, in a line. */
  readonly finds: string;
}

export const RULES = {
  // A lock keeps others out while work is done, or for no good reason
  "lock/index": error("an index is built while writers of its table wait"),
  "lock/drop-index": warning("an index is dropped while nobody can use its table"),
  "lock/reindex": error("an index is built again while writers, and readers that use it, wait"),
  "lock/volatile-default": error("a new column whose default differs from row to row writes every row anew"),
  "lock/serial-column": error("a new serial column writes every row anew"),
  "lock/identity-column": error("a new identity column writes every row anew"),
  "lock/stored-column": error("a stored generated column writes every row anew"),
  "lock/domain-column": error("a new column of a domain with a constraint writes every row anew"),
  "lock/checked-column": error("a new column with a check reads every row"),
  "lock/unique-column": error("a new unique column builds an index while nobody can use the table"),
  "lock/referencing-column": error("a new foreign key column with a default reads both tables"),
  "lock/set-not-null": error("set not null reads every row"),
  "lock/check": error("a new check reads every row"),
  "lock/foreign-key": error("a new foreign key reads both tables while their writers wait"),
  "lock/validate": error("a constraint is validated in the transaction that holds a stronger lock"),
  "lock/unique": error("a unique constraint or primary key builds its index while nobody can use the table"),
  "lock/nullable-primary-key": error("a primary key on a column that may be null reads every row"),
  "lock/exclusion": error("an exclusion constraint builds its index while nobody can use the table"),
  "lock/type": error("a change of type writes every row anew"),
  "lock/type-check": error("a change of type builds indexes or checks rows again"),
  "lock/collation": error("a change of collation builds indexes again"),
  "lock/generated-expression": error("a new expression of a stored column writes every row anew"),
  "lock/drop-foreign-key": warning("dropping a foreign key locks both tables"),
  "lock/create-foreign-key": warning("a new table's foreign key stops writers of the table it points to"),
  "lock/partition": warning("a new partition locks the whole table, and its default partition"),
  "lock/partition-scan": error("a new or attached partition makes the server read rows under its lock"),
  "lock/detach": warning("detaching a partition locks the whole table"),
  "lock/refresh": error("a materialized view is refreshed while nobody can read it"),
  "lock/refresh-concurrently": warning("a concurrent refresh keeps other refreshes out while it reads"),
  "lock/cluster": error("cluster writes every row anew while nobody can use the table"),
  "lock/vacuum-full": error("vacuum full writes every row anew while nobody can use the table"),
  "lock/storage": error("a change of storage writes every row anew"),
  "lock/domain-constraint": error("a domain's new rule is checked in every table that uses it"),
  "lock/table": warning("a table is locked by hand"),
  "lock/work-under-lock": error("rows are read or written while an earlier statement's lock is held"),
  "lock/several-tables": warning("one transaction locks several tables, one after another"),
  "lock/no-timeout": warning("a strong lock is asked for without a limit to the wait"),
  "lock/blocks": error("others wait while it reads or writes rows, for a reason no other rule names"),
  "lock/unknown": error("what it does cannot be known, so it counts as blocking"),
  // An application that runs meanwhile sees an error, or other data than it expects
  "breaks/rename-table": error("a table or view is renamed or moved"),
  "breaks/rename-column": error("a column is renamed"),
  "breaks/rename-schema": error("a schema is renamed"),
  "breaks/rename-enum-value": error("a value of an enum is renamed"),
  "breaks/drop-table": error("a table or view is dropped"),
  "breaks/drop-column": error("a column is dropped"),
  "breaks/drop-object": error("a type, function or schema is dropped"),
  "breaks/drop-not-null": warning("a column may be null from now on"),
  "breaks/required-column": error("a column without a default is required from now on"),
  "breaks/row-security": warning(
    "row security is switched on without a policy, so nobody but the owner sees a row",
  ),
  // Data are lost, or written in one go
  "data/truncate": error("a table is emptied"),
  "data/delete-all": error("every row of a table is deleted"),
  "data/update-all": warning("every row of a table is updated at once"),
  "data/unbatched-write": warning("rows are looked for in the whole table and written in one transaction"),
  "data/drop-cascade": warning("cascade drops what the statement does not name"),
  // The statement fails, or cannot be run again
  "run/syntax": error("PostgreSQL cannot parse it"),
  "run/fails": error("the shadow server refused it"),
  "run/refused": error("the runner does not take it"),
  "run/concurrently-in-transaction": error(
    "it cannot run in a transaction, and the tool wraps one around it",
  ),
  "run/transaction-control": error("the file begins or ends transactions itself"),
  "run/if-not-exists-index": warning("if not exists accepts an invalid index that a failed build left"),
  "run/enum-value": error("a new enum value is used in the transaction that adds it"),
  "run/not-repeatable": warning("a statement that commits by itself cannot be run a second time"),
  "run/server-wide": warning("it changes the whole server, not this database"),
  "run/search-path": warning("it changes where names are looked up"),
  "run/no-way-back": warning("there is no down"),
  "run/needs-version": error("the version of PostgreSQL does not know it"),
  // How tables are built
  "design/no-primary-key": warning("a table without a primary key"),
  "design/small-key": warning("a primary key that runs out of numbers"),
  "design/serial": warning("serial instead of an identity column"),
  "design/char": warning("char(n) pads with blanks"),
  "design/varchar": warning("varchar(n) where text and a check do"),
  "design/money": warning("the type money"),
  "design/float-amount": warning("an amount of money as a floating-point number"),
  "design/timetz": warning("a time with a zone but without a day"),
  "design/timestamp": warning("a moment without its zone"),
  "design/json": warning("json instead of jsonb"),
  "design/text-key": warning("a primary key of varchar(n) or char(n)"),
  "design/foreign-key-index": warning("a foreign key without an index"),
  "design/foreign-key-type": warning("a foreign key of another type than its target"),
  "design/nullable-composite-key": warning("a foreign key of several columns of which some may be null"),
  "design/duplicate-index": warning("an index that is there already"),
  "design/covered-index": warning("an index whose columns another one begins with"),
  "design/boolean-index": warning("an index on nothing but a boolean"),
  "design/hash-index": warning("a hash index"),
  "design/long-name": warning("a name that PostgreSQL cuts at 63 bytes"),
  "design/mixed-case": warning("a name that has to be quoted everywhere"),
  "design/reserved-name": warning("a reserved word as a name"),
  "design/numbered-columns": warning("columns that are numbered instead of being rows"),
  // Allowances
  "allowance/without-reason": error("an allowance that does not say why"),
  "allowance/unused": warning("an allowance of what is not found"),
  "allowance/unknown-rule": error("an allowance of a rule that does not exist"),
} as const satisfies Readonly<Record<string, RuleFacts>>;

export type RuleId = keyof typeof RULES;

function error(finds: string): RuleFacts {
  return { level: "error", finds };
}

function warning(finds: string): RuleFacts {
  return { level: "warning", finds };
}

export const RULE_IDS: readonly RuleId[] = Object.keys(RULES).filter((id) => isRuleId(id));

export function isRuleId(text: string): text is RuleId {
  return Object.hasOwn(RULES, text);
}
