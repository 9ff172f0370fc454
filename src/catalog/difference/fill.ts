import { dollarQuote } from "../../sql/index.ts";
import type { TableObject } from "../model.ts";
import { columnPath, type Ground } from "./ground.ts";
import { literal, sqlName } from "./names.ts";
import type { Loss } from "./plan.ts";

/** At most 9,312 rows: a page of 8 kB holds no more than 291. */
const PAGES_PER_BATCH = 32;

/** Passes over the table: one usually, more while others move rows behind the reader. */
const PASSES_LIMIT = 100;

/** Every table that holds the rows of this one: itself, its partitions and its heirs. */
export function rowTables(ground: Ground, table: TableObject): readonly TableObject[] {
  const children = ground.to.children.get(table.id) ?? [];
  const own = table.partitionKey === undefined ? [table] : [];
  return [...own, ...children.flatMap((child) => rowTables(ground, child))];
}

/**
 * Statements that give every row without a value its value, a batch a transaction. Batches go by pages, which needs
 * no key and reads every page once. A row that somebody updates meanwhile may move to a page that was read before, so
 * it goes over the table until there is nothing left to do.
 */
export function fillColumn(
  ground: Ground,
  table: TableObject,
  column: string,
  value: string,
): readonly string[] {
  for (const touched of touchedColumns(ground, table)) ground.losses.push(touched);
  const name = sqlName(column);
  const fill = { set: `${name} = ${value}`, where: `${name} is null` };
  return rowTables(ground, table).map(({ id }) => batches(ground.ref(id), fill));
}

/** What an update of many rows says. */
export interface Fill {
  readonly set: string;
  /** True of no row that was filled. */
  readonly where: string;
  /** PL/pgSQL before it, and after it where its transaction goes on. */
  readonly before?: string;
  readonly after?: string;
}

/** A block that fills a table in the transaction it runs in. */
export function inOne(table: string, { set, where, before, after }: Fill): string {
  const lines = [before, `update only ${table} set ${set}\n  where ${where};`, after];
  return `do ${dollarQuote(`\nbegin\n  ${lines.filter((line) => line !== undefined).join("\n  ")}\nend\n`)}`;
}

/**
 * A block that fills a table, a batch a transaction. The first pass leaves out rows that somebody is writing, so that it
 * waits for nobody while others wait for its batch: no transaction of theirs can end in a deadlock with it.
 */
export function batches(table: string, { set, where, before }: Fill): string {
  const places = `select ctid from only ${table}
        where ${where}
          and ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + ${PAGES_PER_BATCH})::tid`;
  return `do ${dollarQuote(`
declare
  page bigint;
  places tid[];
  changed bigint;
  total bigint;
begin
  for pass in 1..${PASSES_LIMIT} loop
    page := 0;
    total := 0;
    while page * current_setting('block_size')::bigint < pg_relation_size(${literal(table)}) loop
      if pass = 1 then
        places := array(${places}
        for no key update skip locked);
      else
        places := array(${places});
      end if;${before === undefined ? "" : `\n      ${before}`}
      update only ${table} set ${set} where ctid = any(places);
      get diagnostics changed = row_count;
      total := total + changed;
      commit;
      page := page + ${PAGES_PER_BATCH};
    end loop;
    exit when pass > 1 and total = 0;
  end loop;
end
`)}`;
}

/** `BEFORE UPDATE ON`, `BEFORE INSERT OR UPDATE OR DELETE ON`: of any column. */
const BEFORE_UPDATE = /\bBEFORE (?:(?:INSERT|DELETE) OR )*UPDATE (?:ON|OR)\b/;

/** What a trigger's function assigns to the row: `new.updated_at = now();` */
const ASSIGNMENT = /(?:^|;|\b(?:begin|then|else|loop)\b)\s*new\.("(?:[^"]|"")+"|[a-z_][\w$]*)\s*:?=/gim;

/**
 * Filling a column is an update: what triggers set at every update, `updated_at` say, is overwritten in every row.
 *
 * @param after the name of a trigger that undoes what those before it have set
 */
export function touchedColumns(ground: Ground, table: TableObject, after = ""): readonly Loss[] {
  const known = new Set(ground.losses.map(({ object }) => object));
  const triggers = (ground.to.parts.get(table.id) ?? []).filter(
    (part) =>
      part.kind === "trigger" &&
      part.name > after &&
      (part.enabled === "origin" || part.enabled === "always") &&
      BEFORE_UPDATE.test(part.definition),
  );
  const bodies = triggers.flatMap(({ dependsOn }) =>
    dependsOn.flatMap((id) => {
      const routine = ground.to.objects.get(id);
      return routine?.kind === "function" ? [routine.definition] : [];
    }),
  );
  const names = new Set(
    bodies.flatMap((body) => [...body.matchAll(ASSIGNMENT)].map(([, name = ""]) => name)),
  );
  const kept = table.columns.filter(
    ({ id }) => ground.decisions.columns.get(id) === "keep" && !ground.to.kept.has(id),
  );
  return kept
    .filter(({ name }) => names.has(name) || names.has(sqlName(name)) || names.has(`"${name}"`))
    .map(({ name }): Loss => ({ object: columnPath(ground, table, name), what: "data" }))
    .filter(({ object }) => !known.has(object));
}
