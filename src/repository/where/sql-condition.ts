import { contentOfTemplate, type SqlContent, SqlTemplate } from "./sql-template.ts";

/** A condition in an application's own SQL, made by `` condition`…` `` and by nothing else. */
export class SqlCondition extends SqlTemplate {
  readonly #isCondition = true;

  constructor(content: SqlContent) {
    super(content);
    Object.freeze(this);
  }

  /** What a value is made of, if it is a condition. */
  static override contentOf(value: unknown): SqlContent | undefined {
    const isCondition = typeof value === "object" && value !== null && #isCondition in value;
    return isCondition ? SqlTemplate.contentOf(value) : undefined;
  }
}

/**
 * A condition that the operators of `where` cannot say, in SQL. Stands wherever a `where` or a part of one does. What is in
 * `${…}` is a column of an entity, another such condition, or a value, which travels as a parameter and never becomes SQL.
 * A column is one of the entity the condition is about; inside a condition on a relation, of the entities around it too.
 * A secret column may be named, as the application does so itself. No behaviour is lost: dead rows stay away.
 *
 * @throws {INVALID_QUERY} when it is called as a function; with the call, for a column of an entity it is not about.
 * @throws {INVALID_VALUE} with the call, for a value that has no obvious text, such as an object.
 *
 * @example
 * ```ts
 * await repo.tasks.list({ where: condition`length(${tasks.title}) > ${40}` });
 * // … where (length(t0."title") > $1) and t0."deleted_at" is null
 * await repo.tasks.count({ and: [{ status: "open" }, condition`${tasks.dueDate} < current_date`] });
 * ```
 */
export function condition(texts: TemplateStringsArray, ...holes: readonly unknown[]): SqlCondition {
  return new SqlCondition(contentOfTemplate("condition", texts, holes));
}
