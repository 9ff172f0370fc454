import type { CatalogColumn, SequenceOptions } from "../model.ts";
import { lowerCase, sqlName } from "./names.ts";
import { sequenceOptions, usualOptions } from "./sequence-options.ts";

/** A column as `create table` and `add column` write it. */
export function columnDefinition(column: CatalogColumn, isNotNull = column.notNull): string {
  const words = [sqlName(column.name), typeOf(column)];
  if (column.generated !== undefined) {
    words.push(generation(column.generated));
  } else if (column.default !== undefined) {
    words.push(`default ${lowerCase(column.default)}`);
  }
  if (column.identity !== undefined) words.push(identityOf(column.identity));
  else if (isNotNull) words.push("not null");
  return words.join(" ");
}

/** With its collation, where it is not the type's own. */
export function typeOf({ type, collation }: Pick<CatalogColumn, "type" | "collation">): string {
  return collation === undefined ? type : `${type} collate ${collation}`;
}

export function generation({ expression, mode }: NonNullable<CatalogColumn["generated"]>): string {
  return `generated always as ${bracketed(lowerCase(expression))} ${mode}`;
}

export function identityOf({ mode, options }: NonNullable<CatalogColumn["identity"]>): string {
  const own = sequenceOptions(usualOptions(options.type, options.increment), options);
  return `generated ${mode} as identity${own === "" ? "" : ` (${own})`}`;
}

/** In brackets, unless the whole of it stands in one pair already. */
export function bracketed(expression: string): string {
  return isBracketed(expression) ? expression : `(${expression})`;
}

/** One pair of brackets goes around the whole of it. */
export function isBracketed(expression: string): boolean {
  if (!expression.startsWith("(") || !expression.endsWith(")")) return false;
  let depth = 0;
  for (const { 0: token, index } of expression.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]/g)) {
    if (token === "(") depth++;
    else if (token === ")") depth--;
    if (depth === 0) return index === expression.length - 1;
  }
  return false;
}

/** What a sequence of an identity column is after the column has changed its type. */
export function retypedOptions(options: SequenceOptions, type: string): SequenceOptions {
  const [old, next] = [usualOptions(options.type, options.increment), usualOptions(type, options.increment)];
  return {
    ...options,
    type,
    maximum: options.maximum === old.maximum ? next.maximum : options.maximum,
    minimum: options.minimum === old.minimum ? next.minimum : options.minimum,
  };
}
