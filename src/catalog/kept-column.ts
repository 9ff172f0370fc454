import type { ComputedColumn, DatabaseObject, EntityDescription } from "../schema/index.ts";
import { dollarQuote, quoteIdentifier, triggerText } from "../sql/index.ts";
import type { CatalogObject, RoutineObject, TriggerObject } from "./model.ts";

/**
 * Columns that a trigger keeps computed: what a stored generated column is, but one that a table in use can be given
 * without a rewrite.
 *
 * The function is the record of it. It is written from one pattern, and a function that is that pattern, character by
 * character, keeps the column and computes the expression that stand in it; any other function is its owner's
 * business. So what the catalog says cannot differ from what the database does, as a comment could.
 *
 * A fill (`difference/fill-kept.ts`) names its table in `plinth.fill`, for its transaction. The trigger then changes
 * the column and nothing else in the row, whatever triggers before it set at every update. Who else sets it has its
 * own updates of that table ignored.
 */
export interface KeptColumn {
  readonly column: string;
  /** Over the bare columns of the row, as a fill needs it. */
  readonly expression: string;
  /** Of the trigger, in its table. */
  readonly trigger: string;
  /** Ids of the trigger of that table and of its function. */
  readonly objects: readonly string[];
}

/** For its transaction: the oid of the table whose rows are being filled. */
export const FILL_SETTING = "plinth.fill";

/** After the triggers of a table that others name: PostgreSQL fires them by name. */
const TRIGGER_PREFIX = "zz_";

/** The function and the trigger that keep a column of a declared table. */
export function keepingObjects(entity: EntityDescription, column: ComputedColumn): readonly DatabaseObject[] {
  const { schema, name: table } = entity;
  const name = `${table}_${column.name}`;
  const trigger = `${TRIGGER_PREFIX}${column.name}`;
  const routine = quoteIdentifier(name);
  return [
    {
      kind: "function",
      schema,
      name,
      create: `create function ${routine}() returns trigger language plpgsql
set search_path from current as ${dollarQuote(bodyOf(quoteIdentifier(column.name), column.valueSql))}`,
      drop: `drop function ${routine}()`,
    },
    {
      kind: "trigger",
      schema,
      name: trigger,
      table,
      ...triggerText({ name: trigger, table, when: "before insert or update", execute: name }),
    },
  ];
}

/** `new."title"`, in an expression over the row that is written. */
const NEW_COLUMN = /\bnew\.("(?:[^"]|"")+")/g;

/** Null asks for the value to be computed anew; nothing else that is written into the column survives. */
function bodyOf(column: string, value: string): string {
  const row = (which: string): string =>
    `row(${columnsIn(value)
      .map((name) => `${which}.${name}`)
      .join(", ")})`;
  return `
-- Keeps ${column} computed. plinth migrate generate writes this text, and knows the column by it.
begin
  if tg_op = 'UPDATE' then
    if current_setting('${FILL_SETTING}', true) = tg_relid::text and pg_trigger_depth() = 1 then
      -- A fill changes this column and nothing else, whatever the triggers before this one have set.
      new := old;
    elsif ${row("new")} is not distinct from ${row("old")}
      and new.${column} is not null and old.${column} is not null then
      new.${column} := old.${column};
      return new;
    end if;
  end if;
  new.${column} :=
    ${value};
  return new;
end
`;
}

/** Quoted, each once. */
function columnsIn(value: string): readonly string[] {
  return [...new Set([...value.matchAll(NEW_COLUMN)].map(([, name = ""]) => name))];
}

function unquoted(name: string): string {
  return name.slice(1, -1).replaceAll('""', '"');
}

/** The column that a function of that pattern keeps, and what it computes, as it stands in the function. */
const ASSIGNMENT = /\n {2}new\.("(?:[^"]|"")+") :=\n {4}([\s\S]*);\n {2}return new;\nend\n$/;

const HEADER =
  /\(\)\n RETURNS trigger\n LANGUAGE plpgsql\n SET search_path TO [^\n]*\nAS (\$\w*\$)([\s\S]*)\1$/;

function readFunction({ definition }: RoutineObject): { column: string; value: string } | undefined {
  const body = HEADER.exec(definition)?.[2] ?? "";
  const [, column = "", value = ""] = ASSIGNMENT.exec(body) ?? [];
  return column !== "" && body === bodyOf(column, value) ? { column, value } : undefined;
}

const FIRING =
  /^CREATE TRIGGER [\s\S]* BEFORE INSERT OR UPDATE ON [\s\S]* FOR EACH ROW EXECUTE FUNCTION (.*)$/;

/** The function that a trigger runs to keep a column, and what stands in it. */
export function valueKeptBy(
  trigger: TriggerObject,
  objects: ReadonlyMap<string, CatalogObject>,
): { readonly routine: RoutineObject; readonly column: string; readonly value: string } | undefined {
  const routine = objects.get(`function ${FIRING.exec(trigger.definition)?.[1] ?? ""}`);
  const found = routine?.kind === "function" ? readFunction(routine) : undefined;
  return routine?.kind !== "function" || found === undefined ? undefined : { routine, ...found };
}

/** What that trigger keeps, if it is one that keeps a column, and at work. */
export function keptBy(
  trigger: TriggerObject,
  objects: ReadonlyMap<string, CatalogObject>,
): KeptColumn | undefined {
  if (trigger.enabled !== "origin" && trigger.enabled !== "always") return undefined;
  const found = valueKeptBy(trigger, objects);
  if (found === undefined) return undefined;
  return {
    column: unquoted(found.column),
    expression: found.value.replaceAll(NEW_COLUMN, "$1"),
    trigger: trigger.name,
    objects: [trigger.id, found.routine.id],
  };
}

/** A function that keeps a column, with other names for columns it reads, and for its own. */
export function withValue(routine: RoutineObject, names: ReadonlyMap<string, string>): RoutineObject {
  const found = readFunction(routine);
  if (found === undefined) return routine;
  const renamed = (quoted: string): string => {
    const name = names.get(unquoted(quoted));
    return name === undefined ? quoted : quoteIdentifier(name);
  };
  const value = found.value.replaceAll(NEW_COLUMN, (_all, name: string) => `new.${renamed(name)}`);
  const [before, after] = [bodyOf(found.column, found.value), bodyOf(renamed(found.column), value)];
  return { ...routine, definition: routine.definition.replace(before, () => after) };
}
