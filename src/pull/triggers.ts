import type { TriggerObject } from "../catalog/index.ts";
import { unquoted } from "../sql/index.ts";
import type { PullContext } from "./context.ts";
import { call, list, object, quoted, template } from "./literal.ts";
import { bare, inParentheses, literalText, splitTop, takeName } from "./scan.ts";

/** A trigger's definition taken apart. */
export interface TriggerRead {
  readonly timing: "before" | "after" | "instead of";
  readonly events: readonly string[];
  readonly columns: readonly string[];
  readonly deferrable: "immediate" | "deferred" | undefined;
  readonly oldRows: string | undefined;
  readonly newRows: string | undefined;
  readonly isForEachRow: boolean;
  readonly condition: string | undefined;
  readonly arguments: readonly string[];
}

/** Why it cannot be declared, in words; or what it says. */
export function readTrigger({ definition, enabled }: TriggerObject): TriggerRead | string {
  if (enabled !== "origin") return `that it is ${ENABLED[enabled]} has no declaration`;
  const head = /^CREATE (CONSTRAINT )?TRIGGER (?:[^"\s]\S*|"(?:[^"]|"")*") (BEFORE|AFTER|INSTEAD OF) /.exec(
    definition,
  );
  if (head === null) return "its definition could not be read";
  let rest = definition.slice(head[0].length);
  const events: string[] = [];
  let columns: readonly string[] = [];
  for (;;) {
    const event = /^(INSERT|DELETE|TRUNCATE|UPDATE)( OF )?/.exec(rest);
    if (event?.[1] === undefined) return "its definition could not be read";
    events.push(event[1].toLowerCase());
    rest = rest.slice(event[0].length);
    if (event[2] !== undefined) {
      const taken = takeNames(rest);
      columns = taken.names;
      rest = taken.rest;
    }
    if (!rest.startsWith(" OR ")) break;
    rest = rest.slice(" OR ".length);
  }
  const timing = timingOf(head[2] ?? "");
  return readEnd(rest, { timing, events, columns }, head[1] !== undefined);
}

const ENABLED: Readonly<Record<string, string>> = {
  disabled: "disabled",
  replica: "enabled on replicas only",
  always: "always enabled",
};

function timingOf(words: string): TriggerRead["timing"] {
  return words === "INSTEAD OF" ? "instead of" : words === "BEFORE" ? "before" : "after";
}

/** A list of names without parentheses around it. */
function takeNames(text: string): { readonly names: readonly string[]; readonly rest: string } {
  const names: string[] = [];
  let rest = text;
  for (let taken = takeName(rest); taken !== undefined; taken = takeName(rest)) {
    names.push(taken.name);
    rest = taken.rest;
    if (!rest.startsWith(", ")) break;
    rest = rest.slice(2);
  }
  return { names, rest };
}

function readEnd(
  text: string,
  begin: Pick<TriggerRead, "timing" | "events" | "columns">,
  isConstraint: boolean,
): TriggerRead | string {
  const level = / FOR EACH (ROW|STATEMENT) /.exec(text);
  if (level === null) return "its definition could not be read";
  const middle = text.slice(0, level.index);
  let rest = text.slice(level.index + level[0].length);
  let condition: string | undefined;
  if (rest.startsWith("WHEN ")) {
    const group = inParentheses(rest, "WHEN ".length);
    condition = bare(group?.inner ?? "");
    rest = rest.slice((group?.end ?? 0) + 1);
  }
  if (middle.includes(" FROM ")) return "a constraint trigger that looks at another table has no declaration";
  if (isConstraint && !middle.includes(" DEFERRABLE"))
    return "a constraint trigger that is not deferrable has no declaration";
  const execute = /^EXECUTE FUNCTION [^(]*/.exec(rest);
  const given = execute === null ? undefined : inParentheses(rest, execute[0].length);
  const values = splitTop(given?.inner ?? "", ",").map(literalText);
  if (given === undefined || values.includes(undefined)) return "its arguments could not be read";
  return {
    ...begin,
    deferrable: isConstraint ? (middle.includes("INITIALLY DEFERRED") ? "deferred" : "immediate") : undefined,
    oldRows: transitionTable(middle, "OLD"),
    newRows: transitionTable(middle, "NEW"),
    isForEachRow: level[1] === "ROW",
    condition,
    arguments: values.flatMap((value) => value ?? []),
  };
}

function transitionTable(text: string, which: "OLD" | "NEW"): string | undefined {
  const name = new RegExp(` ${which} TABLE AS ("(?:[^"]|"")*"|\\S+)`).exec(text)?.[1];
  return name === undefined ? undefined : unquoted(name);
}

/** Adds a trigger. */
export function addTrigger(context: PullContext, trigger: TriggerObject, read: TriggerRead): void {
  const { id, name, table, comment, dependsOn } = trigger;
  const { file, constants } = context;
  const properties = context.propertiesOf(table);
  const execute = dependsOn.find((one) => one.startsWith("function "));
  const referencing = object([
    ["old", read.oldRows === undefined ? undefined : quoted(read.oldRows)],
    ["new", read.newRows === undefined ? undefined : quoted(read.newRows)],
  ]);
  const options = object([
    ["on", constants.get(table) ?? table],
    ["timing", quoted(read.timing)],
    ["events", list(read.events.map(quoted))],
    [
      "columns",
      read.columns.length === 0
        ? undefined
        : list(read.columns.map((column) => quoted(properties.get(column) ?? column))),
    ],
    ["forEach", read.isForEachRow ? undefined : '"statement"'],
    [
      "condition",
      read.condition === undefined ? undefined : `() => ${file.use("sql")}${template(read.condition)}`,
    ],
    ["referencing", referencing === "{}" ? undefined : referencing],
    ["deferrable", read.deferrable === undefined ? undefined : quoted(read.deferrable)],
    ["execute", constants.get(execute ?? "") ?? execute],
    ["arguments", read.arguments.length === 0 ? undefined : list(read.arguments.map(quoted))],
    ["comment", comment === undefined ? undefined : quoted(comment)],
  ]);
  file.declare(constants.get(id) ?? name, call("app.trigger", quoted(name), options));
}
