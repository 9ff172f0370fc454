import type { RoutineObject } from "../catalog/index.ts";
import { snakeCase, unquoted } from "../sql/index.ts";
import type { PullContext } from "./context.ts";
import { call, object, quoted, template } from "./literal.ts";
import { camelCase, createNamer } from "./names.ts";
import { splitTop, takeName } from "./scan.ts";
import { typeSource } from "./types.ts";

/** A routine as its definition says it, as far as there is a declaration for it. */
export interface RoutineRead {
  readonly arguments: readonly ArgumentRead[];
  readonly returns: ReturnsRead;
  readonly language: string;
  readonly body: string;
  /** The words between the language and the body, in order: `STABLE`, `SET search_path TO 'shop'`. */
  readonly words: readonly string[];
}

interface ArgumentRead {
  readonly mode: "in" | "out" | "inout";
  readonly name: string;
  readonly type: string;
  readonly default: string | undefined;
}

type ReturnsRead =
  | { readonly kind: "void" | "trigger" }
  | { readonly kind: "type"; readonly isSet: boolean; readonly type: string }
  | { readonly kind: "table"; readonly columns: readonly { readonly name: string; readonly type: string }[] };

/** Why it cannot be declared, in words; or what it says. */
export function readRoutine(routine: RoutineObject): RoutineRead | string {
  if (routine.kind === "aggregate") return "an aggregate has no declaration";
  const quote = /\nAS (\$[\w]*\$)/.exec(routine.definition);
  const close = quote?.[1];
  if (quote === null || close === undefined) {
    return "a body that is not a text (begin atomic, return, a C function) has no declaration";
  }
  const bodyAt = quote.index + quote[0].length;
  const body = routine.definition.slice(bodyAt, routine.definition.lastIndexOf(close));
  if (body.trim() === "") return "an empty body has no declaration";
  const head = / *\n LANGUAGE ("(?:[^"]|"")+"|\S+)([\s\S]*)$/.exec(routine.definition.slice(0, quote.index));
  if (head === null) return "its definition could not be read";
  const argumentsRead = splitTop(routine.arguments, ",").map(readArgument);
  const odd = argumentsRead.find((argument) => typeof argument === "string");
  if (typeof odd === "string") return odd;
  const returns = readReturns(routine);
  if (typeof returns === "string") return returns;
  return {
    arguments: argumentsRead.filter((argument) => typeof argument !== "string"),
    returns,
    language: unquoted(head[1] ?? ""),
    body,
    words: wordsOf(head[2] ?? ""),
  };
}

function readArgument(text: string): ArgumentRead | string {
  const [, word = ""] = /^(IN|OUT|INOUT|VARIADIC) /.exec(text) ?? [];
  if (word === "VARIADIC") return "an argument that takes any number of values has no declaration";
  const rest = word === "" ? text : text.slice(word.length + 1);
  const [head = "", byDefault] = rest.split(/ DEFAULT (.*)/s);
  const taken = takeName(head);
  if (taken === undefined || !taken.rest.startsWith(" ") || isTypeAlone(head)) {
    return "an argument without a name has no declaration";
  }
  const mode = word === "OUT" ? "out" : word === "INOUT" ? "inout" : "in";
  return { mode, name: taken.name, type: taken.rest.trim(), default: byDefault };
}

/** `double precision` is no argument called double. */
function isTypeAlone(text: string): boolean {
  return /^(?:double precision|character varying|bit varying|(?:timestamp|time)(?:\(\d\))? with(?:out)? time zone|interval [a-z ]+)(?:\(|\[|$)/.test(
    text,
  );
}

function readReturns({ kind, returns }: RoutineObject): ReturnsRead | string {
  if (kind === "procedure" || returns === "void") return { kind: "void" };
  if (returns === "trigger") return { kind: "trigger" };
  if (returns === "event_trigger") return "a function for event triggers has no declaration";
  if (/^(?:SETOF )?record$/.test(returns)) return "a result that is any record has no declaration";
  const table = /^TABLE\((.*)\)$/s.exec(returns)?.[1];
  if (table === undefined) {
    const isSet = returns.startsWith("SETOF ");
    return { kind: "type", isSet, type: isSet ? returns.slice("SETOF ".length) : returns };
  }
  const columns = splitTop(table, ",").map((column) => takeName(column));
  return {
    kind: "table",
    columns: columns.flatMap((taken) =>
      taken === undefined ? [] : [{ name: taken.name, type: taken.rest.trim() }],
    ),
  };
}

/** `STABLE STRICT`, ` SET a TO b`, as `pg_get_functiondef` puts them: a line for each setting. */
function wordsOf(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const trimmed = line.trim();
    if (trimmed === "") return [];
    return trimmed.startsWith("SET ") ? [trimmed] : (trimmed.match(PROPERTY) ?? [trimmed]);
  });
}

const PROPERTY =
  /WINDOW|IMMUTABLE|STABLE|NOT LEAKPROOF|LEAKPROOF|STRICT|SECURITY DEFINER|PARALLEL \w+|COST [\d.]+|ROWS [\d.]+|SUPPORT \S+|TRANSFORM .*/g;

/** Adds a function or procedure. Its words have been looked at by `whyNotDeclared`. */
export function addRoutine(context: PullContext, routine: RoutineObject, read: RoutineRead): void {
  const { id, kind, name, comment } = routine;
  const { file, constants } = context;
  const has = (word: string): boolean => read.words.includes(word);
  const number = (word: string): string | undefined =>
    read.words.find((one) => one.startsWith(`${word} `))?.slice(word.length + 1);
  const parallel = number("PARALLEL")?.toLowerCase();
  const options = object([
    ["arguments", read.arguments.length === 0 ? undefined : argumentsSource(context, read)],
    ["returns", kind === "procedure" ? undefined : returnsSource(context, read.returns)],
    ["language", read.language === "plpgsql" ? undefined : quoted(read.language)],
    ["volatility", has("IMMUTABLE") ? '"immutable"' : has("STABLE") ? '"stable"' : undefined],
    ["parallel", parallel === undefined ? undefined : quoted(parallel)],
    ["strict", has("STRICT") ? "true" : undefined],
    ["leakproof", has("LEAKPROOF") ? "true" : undefined],
    ["security", has("SECURITY DEFINER") ? '"definer"' : undefined],
    ["searchPath", hasOwnPath(context, read) ? undefined : '"caller"'],
    ["cost", number("COST")],
    ["rows", number("ROWS")],
    ["comment", comment === undefined ? undefined : quoted(comment)],
    ["body", template(read.body)],
  ]);
  const maker = kind === "procedure" ? "app.procedure" : "app.function";
  file.declare(constants.get(id) ?? name, call(maker, quoted(name), options));
}

/** What of a routine has no declaration. */
export function whyNotDeclared(home: string, read: RoutineRead): string | undefined {
  const odd = read.words.find(
    (word) =>
      /^(?:WINDOW|SUPPORT|TRANSFORM)/.test(word) || (word.startsWith("SET ") && !isOwnPath(home, word)),
  );
  if (odd !== undefined) return `there is no declaration for ${odd}`;
  const names = [
    ...read.arguments.map(({ name }) => name),
    ...(read.returns.kind === "table" ? read.returns.columns.map(({ name }) => name) : []),
  ];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice === undefined ? undefined : `two of its names are ${twice}`;
}

function hasOwnPath(context: PullContext, { words }: RoutineRead): boolean {
  return words.some((word) => isOwnPath(context.lookup.catalog.home, word));
}

function isOwnPath(home: string, word: string): boolean {
  const value = /^SET search_path TO (.*)$/.exec(word)?.[1];
  return value !== undefined && value.replaceAll(/^['"]|['"]$/g, "") === home;
}

function argumentsSource(context: PullContext, { arguments: given }: RoutineRead): string {
  const keys = createNamer();
  return object(
    given.map(({ mode, name, type, default: expression }) => {
      const key = keys.take(camelCase(name));
      const base = typeSource(context, type, snakeCase(key) === name ? undefined : name).source;
      const byDefault =
        expression === undefined ? "" : `.default(${context.file.use("sql")}${template(expression)})`;
      const source = base + byDefault;
      if (mode === "in") return [key, source];
      return [key, call(context.file.use(mode === "out" ? "out" : "inOut"), source)];
    }),
  );
}

function returnsSource(context: PullContext, returns: ReturnsRead): string {
  switch (returns.kind) {
    case "void":
    case "trigger":
      return quoted(returns.kind);
    case "table": {
      const keys = createNamer();
      return object(
        returns.columns.map(({ name, type }) => {
          const key = keys.take(camelCase(name));
          return [key, typeSource(context, type, snakeCase(key) === name ? undefined : name).source];
        }),
      );
    }
    case "type": {
      const entity = context.constants.get(`table ${returns.type}`);
      const type = entity ?? typeSource(context, returns.type).source;
      return returns.isSet ? call(context.file.use("setOf"), type) : type;
    }
  }
}
