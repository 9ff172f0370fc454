/** Longer recipes: filling a column in batches, making it required, swapping it for another. */
import type { Relation } from "../catalog-view.ts";
import { sqlName } from "../names.ts";
import { steps } from "./recipe.ts";
import type { Tool } from "./subject.ts";

const NAME_BYTES = 63;

/** A name made of parts, as long as PostgreSQL lets it be. */
export function madeName(...parts: readonly string[]): string {
  return sqlName(
    Buffer.from(parts.join("_"))
      .subarray(0, NAME_BYTES)
      .toString("utf8")
      .replace(/\uFFFD+$/u, ""),
  );
}

/** The columns rows are told apart by in a batch. */
function keyOf(relation: Relation): string {
  const key = relation.constraints.find(({ kind }) => kind === "primary-key")?.columns ?? [];
  return key.length === 0 ? "ctid" : key.map(sqlName).join(", ");
}

/** One batch of an update, to be repeated. */
export function batch(relation: Relation, assignment: string, condition: string): string {
  const table = relation.label;
  const key = keyOf(relation);
  const keys = key.includes(",") ? `(${key})` : key;
  return [
    "-- again and again, each time in a transaction of its own, until no row is updated:",
    `update ${table} set ${assignment} where ${keys} in (select ${key} from ${table} where ${condition} limit 10000);`,
  ].join("\n");
}

/** `set not null` without reading rows under its lock. */
export function requireColumn(relation: Relation, column: string, tool: Tool): string {
  const table = relation.label;
  const name = madeName(relation.name, column, "not_null");
  return steps(tool, [
    `alter table ${table} add constraint ${name} check (${sqlName(column)} is not null) not valid`,
    `alter table ${table} validate constraint ${name}`,
    `alter table ${table} alter column ${sqlName(column)} set not null`,
    `alter table ${table} drop constraint ${name}`,
  ]);
}

/** A column of another type beside the old one, kept equal by a trigger, and then in its place. */
export function swapColumn(
  relation: Relation,
  column: string,
  type: string,
  using: string | undefined,
): string {
  const table = relation.label;
  const old = sqlName(column);
  const fresh = madeName(column, "new");
  const keeper = madeName(relation.name, column, "new");
  const value = using ?? old;
  return `alter table ${table} add column ${fresh} ${type};
create function ${keeper}() returns trigger language plpgsql as $$
begin
  select ${value} into new.${fresh} from (select new.*) as changed;
  return new;
end $$;
create trigger ${keeper} before insert or update on ${table} for each row execute function ${keeper}();
${batch(relation, `${fresh} = ${value}`, `${fresh} is distinct from ${value}`)}
-- in a later migration, when every row has it (indexes and constraints of ${old} first):
alter table ${table} drop column ${old};
alter table ${table} rename column ${fresh} to ${old};
drop trigger ${keeper} on ${table};
drop function ${keeper}();`;
}
