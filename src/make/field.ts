import { ConfigError, unknownName } from "../errors/index.ts";

/** One `name:type!` of the command line, read. */
export interface Field {
  /** The property, in camel case. */
  readonly key: string;
  readonly type: FieldType;
  /** `!` */
  readonly isRequired: boolean;
  readonly isUnique: boolean;
  readonly isIndexed: boolean;
}

export type FieldType =
  | {
      readonly kind: "column";
      readonly name: ColumnType;
      readonly arguments: string;
      readonly isArray: boolean;
    }
  | { readonly kind: "ref"; readonly target: string }
  | { readonly kind: "enum"; readonly values: readonly string[] };

/** How each type is written with Drizzle. */
export const COLUMN_TYPES = {
  text: "text()",
  integer: "integer()",
  bigint: 'bigint({ mode: "bigint" })',
  smallint: "smallint()",
  numeric: "numeric()",
  real: "real()",
  double: "doublePrecision()",
  boolean: "boolean()",
  date: "date()",
  time: "time()",
  timestamp: "timestamp({ withTimezone: true })",
  interval: "interval()",
  uuid: "uuid()",
  json: "jsonb()",
  inet: "inet()",
} as const;

export type ColumnType = keyof typeof COLUMN_TYPES;

/** Words people know from other tools, and the type each means here. */
const ALIASES: Readonly<Record<string, ColumnType>> = {
  string: "text",
  varchar: "text",
  int: "integer",
  bool: "boolean",
  float: "double",
  decimal: "numeric",
  datetime: "timestamp",
  timestamptz: "timestamp",
  jsonb: "json",
};

const FIELD = /^([a-z][A-Za-z0-9]*):([a-z]+)(?:\(([^()]*)\))?(\[\])?(!)?((?::(?:unique|index))*)$/;

/**
 * Reads one field: `title:text!`, `email:text!:unique`, `price:numeric(10,2)`, `tags:text[]`,
 * `projectId:ref(projects)!`, `status:enum(pending,done)!`.
 *
 * @throws {CONFIG_INVALID} with what is wrong and the form it should have.
 */
export function parseField(written: string): Field {
  const match = FIELD.exec(written.trim());
  const [, key, type, within, array, required, options = ""] = match ?? [];
  if (key === undefined || type === undefined) {
    throw wrong(
      written,
      "write name:type, with ! where it must not be null: title:text!, projectId:ref(projects)!",
    );
  }
  return {
    key,
    type: typeOf(written, type, within, array !== undefined),
    isRequired: required !== undefined,
    isUnique: options.includes(":unique"),
    isIndexed: options.includes(":index"),
  };
}

function typeOf(written: string, type: string, within: string | undefined, isArray: boolean): FieldType {
  const parts = (within ?? "").split(",").map((part) => part.trim());
  if (type === "ref") {
    const [target = ""] = parts;
    if (parts.length !== 1 || !/^[A-Za-z_]\w*$/.test(target))
      throw wrong(written, "name one entity: ref(projects)");
    if (isArray) throw wrong(written, "an array cannot refer to rows; make an entity for the link");
    return { kind: "ref", target };
  }
  if (type === "enum") {
    const isPlain = parts.every((value) => /^[\w -]+$/.test(value));
    if (!isPlain || new Set(parts).size !== parts.length)
      throw wrong(written, "list the values: enum(pending,done)");
    if (isArray) throw wrong(written, "an array of an enum is written by hand, with .array()");
    return { kind: "enum", values: parts };
  }
  const name = ALIASES[type] ?? type;
  if (!isColumnType(name)) {
    throw wrong(written, unknownName("type", type, [...Object.keys(COLUMN_TYPES), "ref", "enum"]));
  }
  if (within !== undefined && !(name === "numeric" && /^\d+(,\s*\d+)?$/.test(within))) {
    throw wrong(written, "only numeric takes a precision: numeric(10,2); for text add a check on its length");
  }
  return { kind: "column", name, arguments: within ?? "", isArray };
}

function isColumnType(name: string): name is ColumnType {
  return name in COLUMN_TYPES;
}

function wrong(written: string, hint: string): ConfigError {
  return new ConfigError(`the field ${JSON.stringify(written.slice(0, 80))} is wrong: ${hint}`, {
    path: "field",
  });
}
