import type { AlterTableCmd, AlterTableStmt, Constraint } from "libpg-query";
import type { Relation } from "../catalog-view.ts";
import { effectsOf } from "../effects/effects.ts";
import { constraintOf } from "../effects/family.ts";
import type { StatementEffects } from "../model.ts";
import { qualified, relationName, sqlName, stringsIn } from "../names.ts";
import { coverQuoted, takeApart } from "../statement-text.ts";
import { addedColumn } from "./added-column.ts";
import { madeName, requireColumn, swapColumn } from "./backfill.ts";
import { outside, steps, whenChecked } from "./recipe.ts";
import { type Draft, listed, type Subject } from "./subject.ts";

/** One command of `alter table` with what it does alone. */
interface Command {
  readonly subject: Subject;
  readonly relation: Relation;
  readonly command: AlterTableCmd;
  /** As it is written. */
  readonly text: string;
  /** Its own effects, without the other commands'. */
  readonly own: StatementEffects;
}

/** Rules about `alter table`, command by command. */
export async function alteredTable(subject: Subject): Promise<readonly Draft[]> {
  if (!("AlterTableStmt" in subject.tree)) return [];
  const statement = subject.tree.AlterTableStmt;
  const relation = await subject.view.find(relationName(statement.relation));
  if (relation === undefined || !relation.isOld) return [];
  const texts = takeApart(subject.text)?.commands ?? [];
  const drafts: Draft[] = [];
  for (const [at, node] of (statement.cmds ?? []).entries()) {
    if (!("AlterTableCmd" in node)) continue;
    const own = await ownEffects(subject, statement, node.AlterTableCmd);
    const command = { subject, relation, command: node.AlterTableCmd, text: texts[at] ?? "", own };
    drafts.push(...(await draftsOf(command)));
  }
  return drafts;
}

async function ownEffects(
  subject: Subject,
  statement: AlterTableStmt,
  command: AlterTableCmd,
): Promise<StatementEffects> {
  if (statement.cmds?.length === 1) return subject.effects;
  const alone = { AlterTableStmt: { ...statement, cmds: [{ AlterTableCmd: command }] } };
  return (await effectsOf(alone, "", subject.view)).effects();
}

async function draftsOf(one: Command): Promise<readonly Draft[]> {
  const { command, subject, relation, text, own } = one;
  const isWork = own.scans.length + own.rewrites.length > 0;
  switch (command.subtype) {
    case "AT_AddColumn":
      return command.def !== undefined && "ColumnDef" in command.def
        ? addedColumn(subject, relation, command.def.ColumnDef, text, own)
        : [];
    case "AT_SetNotNull":
      return isWork ? [setNotNull(one)] : [];
    case "AT_AddConstraint":
      return isWork ? addedConstraint(one) : [];
    case "AT_AlterColumnType":
      return isWork ? [changedType(one)] : [];
    case "AT_DropConstraint":
      return droppedConstraint(one);
    case "AT_AttachPartition":
      return isWork ? [attached(one)] : [];
    case "AT_DetachPartition":
      return detached(one);
    case "AT_SetExpression":
      return isWork ? [newExpression(one)] : [];
    case "AT_SetLogged":
    case "AT_SetUnLogged":
    case "AT_SetTableSpace":
    case "AT_SetAccessMethod":
      return isWork ? [newStorage(one)] : [];
    default:
      return [];
  }
}

function nobodyUses(relation: Relation): string {
  return `nobody can read or write ${relation.label}`;
}

function setNotNull({ relation, command, subject }: Command): Draft {
  const column = command.name ?? "";
  const name = madeName(relation.name, column, "not_null");
  return {
    rule: "lock/set-not-null",
    why: `${nobodyUses(relation)} while every row is read to see that ${sqlName(column)} is never null`,
    // From 18 on the constraint itself may be added first and validated later.
    fix:
      subject.view.serverVersion >= 18
        ? steps(subject.tool, [
            `alter table ${relation.label} add constraint ${name} not null ${sqlName(column)} not valid`,
            `alter table ${relation.label} validate constraint ${name}`,
          ])
        : requireColumn(relation, column, subject.tool),
  };
}

function addedConstraint(one: Command): readonly Draft[] {
  const { command, relation, subject, text } = one;
  if (command.def === undefined || !("Constraint" in command.def)) return [];
  const constraint = command.def.Constraint;
  const table = relation.label;
  switch (constraint.contype) {
    case "CONSTR_CHECK":
    case "CONSTR_NOTNULL": {
      const name = constraintName(relation, constraint, "check");
      return [
        {
          rule: "lock/check",
          why: `${nobodyUses(relation)} while every row is checked`,
          fix: steps(subject.tool, [
            `alter table ${table} ${named(text, constraint, name)} not valid`,
            `alter table ${table} validate constraint ${name}`,
          ]),
        },
      ];
    }
    case "CONSTR_FOREIGN":
      return [addedForeignKey(one, constraint)];
    case "CONSTR_EXCLUSION":
      return [
        {
          rule: "lock/exclusion",
          why: `${nobodyUses(relation)} while the constraint's index is built, and there is no way to build it beforehand`,
          fix: `-- a new table with the constraint, filled in batches, then put in the place of ${table}; or in a quiet hour, allowed here:
-- plinth:allow lock/exclusion: ${table} is small`,
        },
      ];
    default:
      return [addedKey(one, constraint)];
  }
}

/** `add check (…)` with its name; what has one stays as it is. */
function named(text: string, constraint: Constraint, name: string): string {
  return constraint.conname === undefined ? text.replace(/^add\s+/i, `add constraint ${name} `) : text;
}

function constraintName(relation: Relation, constraint: Constraint, kind: string): string {
  if (constraint.conname !== undefined) return sqlName(constraint.conname);
  return madeName(relation.name, ...stringsIn(constraint.keys), ...stringsIn(constraint.fk_attrs), kind);
}

function addedForeignKey({ relation, subject, text }: Command, constraint: Constraint): Draft {
  const name = constraintName(relation, constraint, "fkey");
  const target = qualified(relationName(constraint.pktable));
  const isWhole = relation.kind !== "partitioned" || subject.view.serverVersion >= 18;
  return {
    rule: "lock/foreign-key",
    why: `nobody can write ${relation.label} or ${target} while both are read to find rows without a partner`,
    fix: isWhole
      ? steps(subject.tool, [
          `alter table ${relation.label} ${named(text, constraint, name)} not valid`,
          `alter table ${relation.label} validate constraint ${name}`,
        ])
      : `-- before PostgreSQL 18 a partitioned table takes no foreign key that is not valid, but its parts do:
-- for each part the same key as not valid, then validated; and then this statement, which finds them`,
  };
}

function addedKey({ relation, subject, command }: Command, constraint: Constraint): Draft {
  const isPrimary = constraint.contype === "CONSTR_PRIMARY";
  const kind = isPrimary ? "primary key" : "unique";
  const table = relation.label;
  if (constraint.indexname !== undefined) {
    const index = relation.indexes.find(({ name }) => name === constraint.indexname);
    const nullable = (index?.keys ?? [])
      .flatMap(({ column }) => (column === undefined ? [] : [column]))
      .filter((name) => relation.columns.find((column) => column.name === name)?.isNotNull !== true);
    return {
      rule: "lock/nullable-primary-key",
      why: `${nobodyUses(relation)} while every row is read to see that ${listed(nullable.map(sqlName))} is never null`,
      fix: `${nullable.map((column) => requireColumn(relation, column, subject.tool)).join("\n")}
alter table ${table} add ${constraint.conname === undefined ? "" : `constraint ${sqlName(constraint.conname)} `}${kind} using index ${sqlName(constraint.indexname)};`,
    };
  }
  const name = constraintName(relation, constraint, isPrimary ? "pkey" : "key");
  if (relation.kind === "partitioned") return partitionedKey(relation, kind);
  const columns = stringsIn(constraint.keys).map(sqlName).join(", ");
  const checked = whenChecked(constraint);
  const included = stringsIn(constraint.including).map(sqlName).join(", ");
  const options = `${included === "" ? "" : ` include (${included})`}${constraint.nulls_not_distinct === true ? " nulls not distinct" : ""}`;
  return {
    rule: "lock/unique",
    why: `${nobodyUses(relation)} while the index of the ${command.def === undefined ? "key" : kind} is built`,
    fix: `${outside(subject.tool, `create unique index concurrently ${name} on ${table} (${columns})${options}`)}
alter table ${table} add constraint ${name} ${kind} using index ${name}${checked === "" ? "" : ` ${checked}`};`,
  };
}

/** A partitioned table takes no index that is there as its constraint. */
function partitionedKey(relation: Relation, kind: string): Draft {
  return {
    rule: "lock/unique",
    why: `${nobodyUses(relation)} or any of its parts while the index of the ${kind} is built in each`,
    fix: `-- for each part: create unique index concurrently …, and then the ${kind} using that index;
-- then this statement, which finds them and builds nothing`,
  };
}

function changedType({ relation, command, own, text }: Command): Draft {
  const { def, name = "" } = command;
  const column = sqlName(name);
  const isRewrite = own.rewrites.includes(relation.label);
  const collation = def !== undefined && "ColumnDef" in def ? def.ColumnDef.collClause : undefined;
  if (isRewrite) {
    const { type, using } = newType(text);
    return {
      rule: "lock/type",
      why: `${nobodyUses(relation)} while every row and every index of it is written anew for the new type of ${column}`,
      fix: swapColumn(relation, name, type, using),
    };
  }
  const indexes = relation.indexes.filter(({ label }) => own.rewrites.includes(label));
  const what =
    indexes.length > 0
      ? `${listed(indexes.map(({ label }) => label))} is built again`
      : "its checks are looked through again";
  const isKept = indexes.some((index) => index.constraint !== undefined);
  return {
    rule: collation === undefined ? "lock/type-check" : "lock/collation",
    why: `the rows stay as they are, but ${nobodyUses(relation)} while ${what}`,
    fix: isKept
      ? `-- an index of a key cannot be left out meanwhile. In a quiet hour, allow it, or fill a new column and swap the two:
-- plinth:allow ${collation === undefined ? "lock/type-check" : "lock/collation"}: …`
      : indexes.length > 0
        ? `-- the index first, the type then, and the index again without a lock:
${indexes.map(({ label }) => `drop index concurrently ${label};`).join("\n")}
alter table ${relation.label} ${text};
-- create index concurrently … as it was`
        : `-- the check first, the type then, and the check again as not valid, then validated:
alter table ${relation.label} drop constraint …;
alter table ${relation.label} ${text};`,
  };
}

/** The type and the value in `alter column name type … using …`. */
function newType(text: string): { readonly type: string; readonly using: string | undefined } {
  const covered = coverQuoted(text);
  const head = /^\s*alter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type\s+/i.exec(covered)?.[0].length;
  if (head === undefined) return { type: "…", using: undefined };
  const using = /\susing\b/i.exec(covered.slice(head));
  if (using === null) return { type: text.slice(head).trim(), using: undefined };
  const from = head + using.index;
  return { type: text.slice(head, from).trim(), using: text.slice(from + using[0].length).trim() };
}

async function droppedConstraint({ relation, command, subject }: Command): Promise<readonly Draft[]> {
  const constraint = constraintOf(relation, command.name);
  if (constraint?.kind !== "foreign-key") return [];
  const other = await subject.view.get(constraint.reference?.tableId ?? "");
  if (other === undefined || other.id === relation.id) return [];
  return [
    {
      rule: "lock/drop-foreign-key",
      why: `it is instant, but needs ${relation.label} and ${other.label} for itself: it waits for everybody who reads either, and everybody else waits behind it`,
      fix: `-- in a migration of its own, so that nothing else is held meanwhile:
set lock_timeout = '2s';
-- plinth:allow lock/drop-foreign-key: it stands alone, and gives up when it has to wait
alter table ${relation.label} drop constraint ${sqlName(constraint.name)};`,
    },
  ];
}

function attached({ relation, command, own, subject, text }: Command): Draft {
  const part =
    command.def !== undefined && "PartitionCmd" in command.def ? command.def.PartitionCmd.name : undefined;
  const name = qualified(relationName(part));
  const check = madeName(part?.relname ?? "part", "bound");
  return {
    rule: "lock/partition-scan",
    why: `the server reads ${listed(own.scans)} to see that rows fit, while nobody can use ${name}`,
    fix: `-- a check that says what the bound says (with not null on the key), and for a default partition one that excludes it:
${steps(subject.tool, [
  `alter table ${name} add constraint ${check} check (…) not valid`,
  `alter table ${name} validate constraint ${check}`,
  `alter table ${relation.label} ${text}`,
  `alter table ${name} drop constraint ${check}`,
])}`,
  };
}

function detached({ relation, command, subject, text }: Command): readonly Draft[] {
  const isConcurrent =
    command.def !== undefined &&
    "PartitionCmd" in command.def &&
    command.def.PartitionCmd.concurrent === true;
  if (isConcurrent) return [];
  const hasDefault = relation.partition?.defaultId !== undefined;
  return [
    {
      rule: "lock/detach",
      why: `it is instant, but needs the whole of ${relation.label} for itself: it waits for every query on it, and every other waits behind`,
      fix: hasDefault
        ? `-- concurrently is not possible while there is a default partition; keep the wait short:
set lock_timeout = '2s';
-- plinth:allow lock/detach: it gives up when it has to wait
alter table ${relation.label} ${text};`
        : outside(subject.tool, `alter table ${relation.label} ${text} concurrently`),
    },
  ];
}

function newExpression({ relation, command }: Command): Draft {
  return {
    rule: "lock/generated-expression",
    why: `${nobodyUses(relation)} while every row and every index of it is written anew for the new value of ${sqlName(command.name ?? "")}`,
    fix: `-- a new column with the new expression, kept by a trigger and filled in batches, and then in the place of the old one`,
  };
}

function newStorage({ relation }: Command): Draft {
  return {
    rule: "lock/storage",
    why: `${nobodyUses(relation)} while all of it is written anew`,
    fix: `-- there is no way around the lock. For a small table, or in a quiet hour, allow it:
-- plinth:allow lock/storage: ${relation.label} is small`,
  };
}
