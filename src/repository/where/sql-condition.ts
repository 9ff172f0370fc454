import { type ColumnDescription, type EntityDescription, findColumn } from "../../schema/index.ts";
import { refuse } from "../options.ts";

/** What a condition's template is made of: its own text, the columns it names, and the places of its values. */
export type SqlPart =
  | string
  | { readonly kind: "column"; readonly entity: EntityDescription; readonly column: ColumnDescription }
  | { readonly kind: "value"; readonly position: number };

interface Content {
  readonly parts: readonly SqlPart[];
  readonly values: readonly unknown[];
}

/**
 * A condition in an application's own SQL, made by `` condition`…` `` and by nothing else: no parsed body holds one,
 * whatever its properties.
 */
export class SqlCondition {
  readonly #content: Content;

  constructor(content: Content) {
    this.#content = content;
    Object.freeze(this);
  }

  /** What a value is made of, if it is a condition. */
  static contentOf(value: unknown): Content | undefined {
    return typeof value === "object" && value !== null && #content in value ? value.#content : undefined;
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
  const parts: SqlPart[] = [];
  const values: unknown[] = [];
  templateTexts(texts).forEach((text, i) => {
    parts.push(text);
    if (i >= holes.length) return;
    const hole = holes[i];
    const inner = SqlCondition.contentOf(hole);
    const found = inner === undefined ? findColumn(hole) : undefined;
    if (inner !== undefined) {
      const { length } = values;
      const moved = inner.parts.map((part) =>
        typeof part === "object" && part.kind === "value"
          ? { ...part, position: part.position + length }
          : part,
      );
      parts.push("(", ...moved, ")");
      values.push(...inner.values);
    } else if (found !== undefined) parts.push({ kind: "column", ...found });
    else parts.push({ kind: "value", position: values.push(hole) - 1 });
  });
  return new SqlCondition({ parts, values });
}

/** A string given as if it were the template would be somebody's text become SQL. */
function templateTexts(texts: unknown): readonly string[] {
  const isTemplate = Array.isArray(texts) && Object.isFrozen(texts) && Object.hasOwn(texts, "raw");
  if (!isTemplate || !texts.every((text) => typeof text === "string"))
    refuse("condition", "is a tag, not a function: write its text between backticks, values as placeholders");
  // It would be whatever value happens to travel first.
  if (texts.some((text) => /\$\d/.test(text)))
    refuse(
      "condition",
      "has a $1 in its own text; put the value itself there, as a placeholder of the template",
    );
  return texts;
}

/** What of a condition decides the text of a statement: everything but its values. */
export function sqlShapeOf({ parts }: Content): string {
  let shape = "<";
  for (const part of parts) {
    if (typeof part === "string") shape += `${part.length}:${part}`;
    else if (part.kind === "value") shape += "v";
    else {
      for (const name of [part.entity.schema, part.entity.name, part.column.name])
        shape += `c${name.length}:${name}`;
    }
  }
  return `${shape}>`;
}
