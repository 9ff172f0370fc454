import { type ColumnDescription, type EntityDescription, findColumn } from "../../schema/index.ts";
import { refuse } from "../options.ts";

/** What a template is made of: its own text, the columns it names, and the places of its values. */
export type SqlPart =
  | string
  | { readonly kind: "column"; readonly entity: EntityDescription; readonly column: ColumnDescription }
  | { readonly kind: "value"; readonly position: number };

export interface SqlContent {
  readonly parts: readonly SqlPart[];
  readonly values: readonly unknown[];
  /** What a value is read as; a condition has none. */
  readonly type?: SqlType | undefined;
}

export interface SqlType {
  readonly column: ColumnDescription;
  /** Types that are written alike here are read alike. */
  readonly shape: string;
}

/** SQL of an application's own, made by a tag and by nothing else: no parsed body holds one, whatever its properties. */
export abstract class SqlTemplate {
  readonly #content: SqlContent;

  constructor(content: SqlContent) {
    this.#content = content;
  }

  /** What a value is made of, if it is a template. */
  static contentOf(value: unknown): SqlContent | undefined {
    return typeof value === "object" && value !== null && #content in value ? value.#content : undefined;
  }
}

/** What a tag was given. `tag` is its name, for errors. */
export function contentOfTemplate(tag: string, texts: unknown, holes: readonly unknown[]): SqlContent {
  const parts: SqlPart[] = [];
  const values: unknown[] = [];
  templateTexts(tag, texts).forEach((text, i) => {
    parts.push(text);
    if (i >= holes.length) return;
    const hole = holes[i];
    const inner = SqlTemplate.contentOf(hole);
    const found = inner === undefined ? findColumn(hole) : undefined;
    if (inner !== undefined) {
      const { length } = values;
      const moved = inner.parts.map((part) =>
        typeof part === "object" && part.kind === "value"
          ? { ...part, position: part.position + length }
          : part,
      );
      const { type } = inner;
      parts.push("(", ...moved, type === undefined ? ")" : `)::${type.column.castType}`);
      values.push(...inner.values);
    } else if (found !== undefined) parts.push({ kind: "column", ...found });
    else parts.push({ kind: "value", position: values.push(hole) - 1 });
  });
  return { parts, values };
}

/** A string given as if it were the template would be somebody's text become SQL. */
function templateTexts(tag: string, texts: unknown): readonly string[] {
  const isTemplate = Array.isArray(texts) && Object.isFrozen(texts) && Object.hasOwn(texts, "raw");
  if (!isTemplate || !texts.every((text) => typeof text === "string"))
    refuse(tag, "is a tag, not a function: write its text between backticks, values as placeholders");
  // It would be whatever value happens to travel first.
  if (texts.some((text) => /\$\d/.test(text)))
    refuse(tag, "has a $1 in its own text; put the value itself there, as a placeholder of the template");
  return texts;
}

/** What of a template decides the text of a statement and how it is read: everything but its values. */
export function sqlShapeOf({ parts, type }: SqlContent): string {
  let shape = "<";
  for (const part of parts) {
    if (typeof part === "string") shape += `${part.length}:${part}`;
    else if (part.kind === "value") shape += "v";
    else {
      for (const name of [part.entity.schema, part.entity.name, part.column.name])
        shape += `c${name.length}:${name}`;
    }
  }
  return type === undefined ? `${shape}>` : `${shape}>${type.shape.length}:${type.shape}`;
}
