import { isUsualLimit } from "./limit.ts";
import { isPlainObject } from "./options.ts";
import { SqlTemplate, sqlShapeOf } from "./where/sql-template.ts";

/** Longer shapes are those of conditions that a program made; each is likely to come once, and is not remembered. */
const SHAPE_LENGTH_LIMIT = 16_384;
/** Deeper arguments are refused by whoever reads them; inside a value of JSON they decide nothing. */
const DEPTH_LIMIT = 64;

/**
 * What of a call's options decides its SQL text: names, lists of names, flags, and of every value no more than whether it
 * is null, a list or an object of operators. Two calls of one shape run the same statement with different parameters.
 * No two shapes are written alike, whatever the names are: each carries its length. `undefined` for what is not
 * worth remembering.
 */
export function shapeOf(options: unknown): string | undefined {
  if (options === undefined) return "";
  const writer = new ShapeWriter();
  writer.options(options, 0);
  return writer.text.length > SHAPE_LENGTH_LIMIT ? undefined : writer.text;
}

/** The same for an object of values, such as a `where` that is an argument of its own. */
export function valuesShapeOf(values: unknown): string | undefined {
  const writer = new ShapeWriter();
  writer.values(values, 0);
  return writer.text.length > SHAPE_LENGTH_LIMIT ? undefined : writer.text;
}

class ShapeWriter {
  text = "";

  /** The options of a read, or of a relation in it. */
  options(value: unknown, depth: number): void {
    this.#properties(value, depth, OPTION);
  }

  /** Relations by name, whatever their names are: one may be called "where". */
  relations(value: unknown, depth: number): void {
    this.#properties(value, depth, RELATION);
  }

  /** Any other option: names and flags are part of the text, numbers are parameters. */
  plain(value: unknown, depth: number): void {
    if (typeof value === "string") this.#name(value);
    else if (typeof value === "boolean") this.text += value ? "t" : "f";
    else if (typeof value !== "object" || value === null) this.text += atom(value);
    else if (isPlainObject(value)) this.#properties(value, depth, PLAIN);
    else if (!Array.isArray(value)) this.text += "x";
    else if (!this.#isTooDeep(depth)) {
      this.text += "[";
      for (const item of value) this.plain(item, depth + 1);
      this.text += "]";
    }
  }

  #properties(value: unknown, depth: number, write: WriteProperty): void {
    if (!isPlainObject(value)) {
      this.plain(value, depth);
      return;
    }
    if (this.#isTooDeep(depth)) return;
    this.text += "{";
    for (const key of Object.keys(value)) {
      this.#name(key);
      write(this, key, value[key], depth + 1);
    }
    this.text += "}";
  }

  /** Conditions: column and operator names are part of the text, everything they are compared with is a parameter. */
  values(value: unknown, depth: number): void {
    if (typeof value !== "object" || value === null) this.text += atom(value);
    else if (this.#isTooDeep(depth)) return;
    else if (Array.isArray(value)) this.#list(value, depth);
    else if (isPlainObject(value)) this.#condition(value, depth);
    else {
      const sql = SqlTemplate.contentOf(value);
      this.text += sql === undefined ? "v" : sqlShapeOf(sql);
    }
  }

  /** A list of values is a parameter; one of conditions is part of the text. */
  #list(items: readonly unknown[], depth: number): void {
    if (!items.every((item) => isPlainObject(item) || SqlTemplate.contentOf(item) !== undefined)) {
      this.text += "a";
      return;
    }
    this.text += "[";
    for (const item of items) this.values(item, depth + 1);
    this.text += "]";
  }

  #condition(value: Readonly<Record<string, unknown>>, depth: number): void {
    this.text += "{";
    for (const key of Object.keys(value)) {
      this.#name(key);
      const part = value[key];
      if (isOptionOfOperators(value, key, part)) {
        this.text += "s";
        this.#name(part);
      } else this.values(part, depth + 1);
    }
    this.text += "}";
  }

  #name(key: string): void {
    this.text += `${key.length}:${key}`;
  }

  #isTooDeep(depth: number): boolean {
    if (depth <= DEPTH_LIMIT && this.text.length <= SHAPE_LENGTH_LIMIT) return false;
    this.text += "…";
    return true;
  }
}

/** Writes what stands at a property, whose name is written already. */
type WriteProperty = (writer: ShapeWriter, key: string, value: unknown, depth: number) => void;

const OPTION: WriteProperty = (writer, key, value, depth) => {
  if (key === "where" || key === "having" || key === "compute") writer.values(value, depth);
  else if (key === "after") writer.text += atom(value);
  else if (key === "limit") writer.text += isUsualLimit(value) ? `l${value}` : atom(value);
  else if (key === "with" || key === "counts") writer.relations(value, depth);
  else writer.plain(value, depth);
};
const RELATION: WriteProperty = (writer, _, value, depth) => writer.options(value, depth);
const PLAIN: WriteProperty = (writer, _, value, depth) => writer.plain(value, depth);

/**
 * Options that stand among operators and decide the text. Where a column has the name of one, its values become part of
 * the shape if its neighbours have the names of operators: more statements than needed, and no wrong one.
 */
function isOptionOfOperators(
  operators: Readonly<Record<string, unknown>>,
  key: string,
  option: unknown,
): option is string {
  if (key === "mode") return option === "sensitive" || option === "insensitive";
  return key === "config" && typeof option === "string" && Object.hasOwn(operators, "matches");
}

function atom(value: unknown): string {
  if (value === null) return "0";
  return value === undefined ? "u" : "v";
}
