import type { ArgumentDescription, RoutineDescription } from "../../schema/index.ts";
import { dollarQuote, quoteIdentifier } from "../../sql/index.ts";
import type { Names } from "./names.ts";
import type { Part } from "./part.ts";
import { attributeLine } from "./types.ts";

export function routinePart(routine: RoutineDescription, names: Names): Part {
  const { kind, name, needs, language, body } = routine;
  const takes = routine.arguments.map((argument) => argumentLine(argument, names)).join(", ");
  const head = `create ${kind} ${quoteIdentifier(name)}(${takes})${returnsOf(routine, names)}`;
  const create = [
    head,
    `language ${/^[a-z_]+$/.test(language) ? language : quoteIdentifier(language)}${propertiesOf(routine)} as ${dollarQuote(body)}`,
  ].join("\n");
  return {
    ids: [`routine ${name}`],
    rank: "routine",
    up: [create],
    down: [`drop ${kind} ${signatureOf(routine, names)}`],
    needs,
    // A body in another language is read when it runs; defaults of arguments are read now.
    text: language === "sql" ? create : head,
  };
}

/** What tells a routine from others of its name: `"touch"(text)`. */
export function signatureOf(routine: RoutineDescription, names: Names): string {
  const types = routine.arguments.map((argument) => modeOf(argument) + names.type(argument));
  return `${quoteIdentifier(routine.name)}(${types.join(", ")})`;
}

function argumentLine(argument: ArgumentDescription, names: Names): string {
  const byDefault = argument.defaultSql === undefined ? "" : ` default ${argument.defaultSql}`;
  return `${modeOf(argument)}${quoteIdentifier(argument.name)} ${names.type(argument)}${byDefault}`;
}

function modeOf({ mode }: ArgumentDescription): string {
  return mode === "in" ? "" : `${mode} `;
}

function returnsOf({ kind, returns }: RoutineDescription, names: Names): string {
  if (kind === "procedure") return "";
  switch (returns.kind) {
    case "nothing":
      return " returns void";
    case "trigger":
      return " returns trigger";
    case "value":
      return ` returns ${returns.isSet ? "setof " : ""}${names.type(returns.type)}`;
    case "row":
      return ` returns ${returns.isSet ? "setof " : ""}${names.relation(returns.of.schema, returns.of.name)}`;
    case "table":
      return ` returns table (${returns.columns.map((column) => attributeLine(column, names)).join(", ")})`;
  }
}

/** Only what is not PostgreSQL's default. `from current` pins the schema the migration runs in, whatever it is called. */
function propertiesOf(routine: RoutineDescription): string {
  const { volatility, parallel, cost, rows } = routine;
  const words = [
    volatility === "volatile" ? "" : volatility,
    routine.isLeakproof ? "leakproof" : "",
    routine.isStrict ? "strict" : "",
    routine.isDefiner ? "security definer" : "",
    parallel === "unsafe" ? "" : `parallel ${parallel}`,
    cost === undefined ? "" : `cost ${cost}`,
    rows === undefined ? "" : `rows ${rows}`,
    routine.hasOwnPath ? "set search_path from current" : "",
  ];
  return words.map((word) => (word === "" ? "" : ` ${word}`)).join("");
}
