import type { ColumnDef, Constraint } from "libpg-query";
import type { Relation } from "../catalog-view.ts";
import { columnConstraints, isSerial } from "../effects/add-column.ts";
import { resolveType } from "../effects/type-change.ts";
import type { StatementEffects } from "../model.ts";
import { qualified, relationName, sqlName } from "../names.ts";
import { coverQuoted, groupBehind } from "../statement-text.ts";
import { batch, madeName, requireColumn } from "./backfill.ts";
import { outside, references, steps, whenChecked } from "./recipe.ts";
import type { Draft, Subject } from "./subject.ts";

/** `add column`, taken apart. */
interface AddedColumn {
  readonly subject: Subject;
  readonly relation: Relation;
  readonly column: ColumnDef;
  readonly constraints: readonly Constraint[];
  readonly name: string;
  /** As it is written: all of it, and the type alone. */
  readonly command: string;
  readonly type: string;
}

/** What is wrong with a new column. `own`: the effects of this command alone. */
export async function addedColumn(
  subject: Subject,
  relation: Relation,
  column: ColumnDef,
  command: string,
  own: StatementEffects,
): Promise<readonly Draft[]> {
  const constraints = columnConstraints(column);
  const name = sqlName(column.colname ?? "");
  const added = { subject, relation, column, constraints, name, command, type: typeText(command) };
  if (relation.columns.some((one) => one.name === column.colname)) return [];
  const drafts = own.rewrites.includes(relation.label) ? [await rewriting(added)] : [];
  if (own.scans.length > 0 && drafts.length === 0) drafts.push(...scanning(added, own));
  return [...drafts, ...required(added)];
}

const TYPE_ENDS =
  /\s(?:collate|constraint|default|not|null|generated|check|unique|primary|references|storage|compression)\b/i;

/** The type in `add column name type …`; `text` where it cannot be told. */
function typeText(command: string): string {
  const covered = coverQuoted(command);
  const head = /^add\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?[\p{L}\p{N}_$]+\s+/iu.exec(covered)?.[0];
  if (head === undefined) return "text";
  const rest = covered.slice(head.length);
  const end = TYPE_ENDS.exec(rest)?.index ?? rest.length;
  return command.slice(head.length, head.length + end).trim();
}

function has({ constraints }: AddedColumn, contype: Constraint["contype"]): boolean {
  return constraints.some((constraint) => constraint.contype === contype);
}

async function rewriting(added: AddedColumn): Promise<Draft> {
  const { subject, relation, column, name, type } = added;
  const table = relation.label;
  const nobody = `nobody can read or write ${table} while every row and every index of it is written anew`;
  if (isSerial(column) || has(added, "CONSTR_IDENTITY")) {
    const isSerialType = isSerial(column);
    const sequence = madeName(relation.name, column.colname ?? "", "seq");
    const plain = /^bigserial|serial8/i.test(type)
      ? "bigint"
      : /^small|serial2/i.test(type)
        ? "smallint"
        : "integer";
    return {
      rule: isSerialType ? "lock/serial-column" : "lock/identity-column",
      why: `${nobody}, because each gets a number of its own in ${name}`,
      fix: `create sequence ${sequence};
alter table ${table} add column ${name} ${isSerialType ? plain : type};
alter table ${table} alter column ${name} set default nextval('${sequence}');
alter sequence ${sequence} owned by ${table}.${name};
${batch(relation, `${name} = default`, `${name} is null`)}`,
    };
  }
  if (has(added, "CONSTR_GENERATED")) return generated(added, nobody);
  const resolved = await resolveType(subject.view, column.typeName);
  if (resolved?.type.isConstrained === true && !resolved.type.isArray) return ofDomain(added, nobody);
  return volatile(added, nobody);
}

function generated(
  { relation, name, type, subject, column, constraints }: AddedColumn,
  nobody: string,
): Draft {
  const table = relation.label;
  const keeper = madeName(relation.name, column.colname ?? "", "fill");
  const isVirtualKnown = subject.view.serverVersion >= 18 && constraints.length > 0;
  const virtual = isVirtualKnown
    ? "-- or write virtual instead of stored: it is computed when it is read\n"
    : "";
  return {
    rule: "lock/stored-column",
    why: `${nobody}, because ${name} is computed and stored for each`,
    fix: `${virtual}alter table ${table} add column ${name} ${type};
create function ${keeper}() returns trigger language plpgsql as $$
begin
  new.${name} := null; -- the expression, with new. before its columns
  return new;
end $$;
create trigger ${keeper} before insert or update on ${table} for each row execute function ${keeper}();
${batch(relation, `${name} = ${name}`, `${name} is null`)}`,
  };
}

function ofDomain({ relation, name, type, subject }: AddedColumn, nobody: string): Draft {
  const check = madeName(relation.name, name.replaceAll('"', ""), "check");
  return {
    rule: "lock/domain-column",
    why: `${nobody}, because ${type} is a domain with a constraint; this is so even where every value is null`,
    fix: `-- the type below the domain, and the domain's rule as a check:
${steps(subject.tool, [
  `alter table ${relation.label} add column ${name} …`,
  `alter table ${relation.label} add constraint ${check} check (…) not valid`,
  `alter table ${relation.label} validate constraint ${check}`,
])}`,
  };
}

function volatile(added: AddedColumn, nobody: string): Draft {
  const { relation, name, type, subject, column, command } = added;
  const table = relation.label;
  const isRequired = has(added, "CONSTR_NOTNULL");
  const filled = batch(relation, `${name} = default`, `${name} is null`);
  const parts = [
    `alter table ${table} add column ${name} ${type};`,
    `alter table ${table} alter column ${name} set default ${defaultText(command)};`,
    filled,
  ];
  if (isRequired) parts.push("-- then:", requireColumn(relation, column.colname ?? "", subject.tool));
  return {
    rule: "lock/volatile-default",
    why: `${nobody}, because the default of ${name} gives each a value of its own`,
    fix: parts.join("\n"),
  };
}

/** The default as it is written, up to the next word that begins a constraint. */
function defaultText(command: string): string {
  const covered = coverQuoted(command);
  const start = /\bdefault\s+/i.exec(covered);
  if (start === null) return "…";
  const from = start.index + start[0].length;
  let depth = 0;
  let end = from;
  while (end < covered.length) {
    const character = covered.charAt(end);
    if (character === "(" || character === "[") depth += 1;
    if (character === ")" || character === "]") depth -= 1;
    const isEnd = depth === 0 && TYPE_ENDS.test(covered.slice(end, end + 14).replace(/^\S.*/, ""));
    if (isEnd || depth < 0) break;
    end += 1;
  }
  return command.slice(from, end).trim();
}

function scanning(added: AddedColumn, own: StatementEffects): readonly Draft[] {
  const { relation, name, type, subject, column } = added;
  const table = relation.label;
  const nobody = `nobody can read or write ${table}`;
  const plain = `alter table ${table} add column ${name} ${type}`;
  const drafts: Draft[] = [];
  let checks = 0;
  for (const constraint of added.constraints) {
    if (constraint.contype === "CONSTR_CHECK") {
      const rule = groupBehind(added.command, /\bcheck\s*(?=\()/gi, checks) ?? "(…)";
      checks += 1;
      const check =
        constraint.conname === undefined
          ? madeName(relation.name, column.colname ?? "", "check")
          : sqlName(constraint.conname);
      drafts.push({
        rule: "lock/checked-column",
        why: `${nobody} while every row is checked, although the new column is the same in all of them`,
        fix: steps(subject.tool, [
          plain,
          `alter table ${table} add constraint ${check} check ${rule} not valid`,
          `alter table ${table} validate constraint ${check}`,
        ]),
      });
    }
    if (constraint.contype === "CONSTR_UNIQUE" || constraint.contype === "CONSTR_PRIMARY") {
      const key =
        constraint.conname === undefined
          ? madeName(relation.name, column.colname ?? "", "key")
          : sqlName(constraint.conname);
      const kind = constraint.contype === "CONSTR_UNIQUE" ? "unique" : "primary key";
      const checked = whenChecked(constraint, added.constraints);
      drafts.push({
        rule: "lock/unique-column",
        why: `${nobody} while the index of ${name} is built`,
        fix: `${plain};
${outside(subject.tool, `create unique index concurrently ${key} on ${table} (${name})`)}
alter table ${table} add constraint ${key} ${kind} using index ${key}${checked === "" ? "" : ` ${checked}`};`,
      });
    }
    if (constraint.contype === "CONSTR_FOREIGN") drafts.push(referencing(added, constraint, own));
  }
  return drafts;
}

function referencing(added: AddedColumn, constraint: Constraint, own: StatementEffects): Draft {
  const { relation, name, type, subject, column, command, constraints } = added;
  const table = relation.label;
  const key =
    constraint.conname === undefined
      ? madeName(relation.name, column.colname ?? "", "fkey")
      : sqlName(constraint.conname);
  const target = qualified(relationName(constraint.pktable));
  return {
    rule: "lock/referencing-column",
    why: `nobody can read or write ${table}, and nobody can write ${target}, while the server reads ${own.scans.join(" and ")} to look the default up`,
    fix: steps(subject.tool, [
      `alter table ${table} add column ${name} ${type} default ${defaultText(command)}`,
      `alter table ${table} add constraint ${key} foreign key (${name}) ${references(constraint, constraints)} not valid`,
      `alter table ${table} validate constraint ${key}`,
    ]),
  };
}

/** `not null` without a value for the rows that are there. */
function required(added: AddedColumn): readonly Draft[] {
  const { relation, name, type, subject, column } = added;
  const isFilled =
    isSerial(column) ||
    added.constraints.some(
      ({ contype }) =>
        contype === "CONSTR_DEFAULT" || contype === "CONSTR_GENERATED" || contype === "CONSTR_IDENTITY",
    );
  const isRequired = has(added, "CONSTR_NOTNULL") || has(added, "CONSTR_PRIMARY");
  if (!isRequired || isFilled) return [];
  const table = relation.label;
  return [
    {
      rule: "breaks/required-column",
      why: `it fails as soon as ${table} has a row, and an application that does not know ${name} can insert none`,
      fix: `-- with a constant default it is instant:
alter table ${table} add column ${name} ${type} not null default …;
-- or, where each row has its own value:
alter table ${table} add column ${name} ${type};
${batch(relation, `${name} = …`, `${name} is null`)}
${requireColumn(relation, column.colname ?? "", subject.tool)}`,
    },
  ];
}
