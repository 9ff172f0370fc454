import type { PullContext } from "./context.ts";
import { object, quoted } from "./literal.ts";

/** What kind of literal a column's default may be. */
export type DefaultKind = "text" | "number" | "bigint" | "boolean" | "json" | "instant" | "uuid" | "other";

/** A column's type as TypeScript. */
export interface TypeSource {
  /** The builder's call: `varchar({ length: 200 })`. */
  readonly source: string;
  readonly defaults: DefaultKind;
}

interface Builder {
  readonly pattern: RegExp;
  readonly defaults: DefaultKind;
  readonly call: (context: PullContext, name: string | undefined, match: RegExpExecArray) => string;
}

/** A builder without options, but for the column's name. */
function plain(type: string, builder: PlainBuilder, defaults: DefaultKind): Builder {
  return {
    pattern: new RegExp(`^${type}$`),
    defaults,
    call: ({ file }, name) => `${file.use(builder)}(${name === undefined ? "" : quoted(name)})`,
  };
}

type PlainBuilder =
  | "smallint"
  | "integer"
  | "real"
  | "doublePrecision"
  | "boolean"
  | "text"
  | "uuid"
  | "json"
  | "jsonb"
  | "inet"
  | "cidr"
  | "macaddr"
  | "macaddr8"
  | "date";

type OptionBuilder = "bigint" | "numeric" | "varchar" | "char" | "timestamp" | "time" | "interval";

function withOptions(
  pattern: RegExp,
  builder: OptionBuilder,
  defaults: DefaultKind,
  options: (match: RegExpExecArray) => readonly (readonly [string, string | undefined])[],
): Builder {
  return {
    pattern,
    defaults,
    call: ({ file }, name, match) => {
      const given = object(options(match));
      const items = [...(name === undefined ? [] : [quoted(name)]), ...(given === "{}" ? [] : [given])];
      return `${file.use(builder)}(${items.join(", ")})`;
    },
  };
}

/** As `format_type` writes types; the value of each is what design decision 7 says. */
const BUILDERS: readonly Builder[] = [
  plain("smallint", "smallint", "number"),
  plain("integer", "integer", "number"),
  withOptions(/^bigint$/, "bigint", "bigint", () => [["mode", '"bigint"']]),
  plain("real", "real", "other"),
  plain("double precision", "doublePrecision", "other"),
  withOptions(/^numeric(?:\((\d+),(-?\d+)\))?$/, "numeric", "other", ([, precision, scale]) => [
    ["precision", precision],
    ["scale", scale === "0" ? undefined : scale],
  ]),
  plain("boolean", "boolean", "boolean"),
  plain("text", "text", "text"),
  withOptions(/^character varying(?:\((\d+)\))?$/, "varchar", "text", ([, length]) => [["length", length]]),
  withOptions(/^character\((\d+)\)$/, "char", "text", ([, length]) => [["length", length]]),
  plain("uuid", "uuid", "uuid"),
  plain("json", "json", "json"),
  plain("jsonb", "jsonb", "json"),
  plain("date", "date", "text"),
  withOptions(
    /^timestamp(?:\((\d)\))? (with|without) time zone$/,
    "timestamp",
    "instant",
    ([, precision, zone]) => [
      ["precision", precision],
      ["withTimezone", zone === "with" ? "true" : undefined],
    ],
  ),
  withOptions(/^time(?:\((\d)\))? (with|without) time zone$/, "time", "other", ([, precision, zone]) => [
    ["precision", precision],
    ["withTimezone", zone === "with" ? "true" : undefined],
  ]),
  withOptions(/^interval(?: ([a-z ]+))?(?:\((\d)\))?$/, "interval", "other", ([, fields, precision]) => [
    ["fields", fields === undefined ? undefined : quoted(fields)],
    ["precision", precision],
  ]),
  plain("inet", "inet", "other"),
  plain("cidr", "cidr", "other"),
  plain("macaddr", "macaddr", "other"),
  plain("macaddr8", "macaddr8", "other"),
];

/**
 * A type as the server writes it, as a call that makes a column; `name` is the column's where its property says another.
 * What neither Drizzle nor the schema has a builder for becomes a type of its own, whose values are text.
 */
export function typeSource(context: PullContext, type: string, name?: string): TypeSource {
  const array = /^(.*?)((?:\[\])+)$/s.exec(type);
  if (array?.[1] !== undefined) {
    return { source: `${typeSource(context, array[1], name).source}.array()`, defaults: "other" };
  }
  const given = name === undefined ? "" : quoted(name);
  const declared = context.lookup.type(type);
  if (declared !== undefined) {
    const constant = context.constants.get(declared.id) ?? declared.name;
    return { source: `${constant}(${given})`, defaults: declared.kind === "enum" ? "text" : "other" };
  }
  for (const { pattern, defaults, call } of BUILDERS) {
    const match = pattern.exec(type);
    if (match !== null) return { source: call(context, name, match), defaults };
  }
  return { source: `${context.file.customType(type)}(${given})`, defaults: "other" };
}
