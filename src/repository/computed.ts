import { type ColumnDescription, describeType, type TypeMap, type ValueOf } from "../schema/index.ts";
import { contentOfTemplate, type SqlContent, SqlTemplate } from "./where/sql-template.ts";

/** A value in an application's own SQL that a read gives with each row, made by `` computed(type)`…` `` and by nothing else. */
export class Computed<T, C extends string = string> extends SqlTemplate {
  readonly #isComputed = true;
  /** What its values are, for types alone. */
  declare readonly $type: T;
  /** Drizzle's name of its type, for types alone. */
  declare readonly $columnType: C;

  constructor(content: SqlContent) {
    super(content);
    Object.freeze(this);
  }

  /** What a value is made of, if it is computed. */
  static override contentOf(value: unknown): SqlContent | undefined {
    const isComputed = typeof value === "object" && value !== null && #isComputed in value;
    return isComputed ? SqlTemplate.contentOf(value) : undefined;
  }
}

/** Takes the text of a computed column, between backticks. */
export type ComputedTag<T, C extends string> = (
  texts: TemplateStringsArray,
  ...holes: readonly unknown[]
) => Computed<T, C>;

/** Computed columns by the names that a read gives them. */
export type ComputeMap = Readonly<Record<string, Computed<unknown>>>;

/**
 * A column that no table has: SQL of the application's own, for `compute` in a read. There it has a name, by which the rows
 * show it, `where` filters and `sort` orders. What is in `${…}` is a column of the entity that is read, another such column, a
 * `` condition`…` ``, or a value, which travels as a parameter and never becomes SQL. Keep it in a constant: it is the
 * same for every call.
 *
 * @param type Drizzle's column builder: `text()`, `numeric()`, `timestamp({ withTimezone: true })`. PostgreSQL casts the value
 * to it, and it is read as a column of it would be: int8 as bigint, numeric as text. Null unless `.notNull()` says never.
 *
 * @throws {SCHEMA_INVALID} for what is no type: a key, a default, `serial`.
 * @throws {INVALID_QUERY} when the tag is called as a function; with the call, for a column of another entity.
 * @throws {INVALID_VALUE} with the call, for a value that has no obvious text, such as an object.
 *
 * @example
 * ```ts
 * const fullName = computed(text().notNull())`${users.first} || ' ' || ${users.last}`;
 * await repo.users.list({ compute: { fullName }, where: { fullName: { startsWith: "A" } }, sort: "fullName" });
 * // select t0."id", …, (t0."first" || ' ' || t0."last")::text, … from … where ((t0."first" || …)::text like $1 …
 * ```
 */
export function computed<B extends TypeMap[string]>(type: B): ComputedTag<ValueOf<B>, B["_"]["columnType"]> {
  const column = describeType("a computed column", type);
  const read = { column, shape: shapeOfType(column) };
  return (texts, ...holes) => new Computed({ ...contentOfTemplate("computed", texts, holes), type: read });
}

let customTypes = 0;

/** Two types of one shape are written and read alike. Those with code of their own are alike to themselves only. */
function shapeOfType({ kind, sqlType, notNull, item, fields = [] }: ColumnDescription): string {
  if (kind === "custom") return `custom ${++customTypes}`;
  const inner = item === undefined ? [] : [shapeOfType(item)];
  const parts = fields.map((field) => [field.key, shapeOfType(field)]);
  return JSON.stringify([kind, sqlType, notNull, inner, parts]);
}
