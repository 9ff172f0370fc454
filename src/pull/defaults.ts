import type { PullContext } from "./context.ts";
import { quoted, template } from "./literal.ts";
import { literalText } from "./scan.ts";
import type { DefaultKind } from "./types.ts";

/** `.default(…)` for a default as the server writes it: as a value where that makes the same text again. */
export function defaultSource(
  { file }: PullContext,
  {
    expression,
    type,
    kind,
  }: { readonly expression: string; readonly type: string; readonly kind: DefaultKind },
): string {
  const value = valueSource(expression, literalOf(expression, type), kind);
  if (value !== undefined) return value;
  return `.default(${file.use("sql")}${template(expression)})`;
}

/** The text of a literal of the column's own type, as in `'pending'::task_status`. */
function literalOf(expression: string, type: string): string | undefined {
  const cast = expression.lastIndexOf("::");
  if (cast < 0) return undefined;
  const base = type.replace(/^character\(\d+\)$/, "bpchar").replace(/\(\d+(?:,-?\d+)?\)/, "");
  return expression.slice(cast + 2) === base ? literalText(expression.slice(0, cast)) : undefined;
}

function valueSource(expression: string, text: string | undefined, kind: DefaultKind): string | undefined {
  switch (kind) {
    case "text":
      return text === undefined || text.includes("\\") ? undefined : `.default(${quoted(text)})`;
    case "number": {
      const number = text ?? expression;
      return /^(?:\d{1,9}|-[1-9]\d{0,8})$/.test(number) && (text === undefined) === !number.startsWith("-")
        ? `.default(${Number(number)})`
        : undefined;
    }
    case "bigint":
      return /^(?:0|[1-9]\d{0,8})$/.test(expression) ? `.default(${expression}n)` : undefined;
    case "boolean":
      return /^(?:true|false)$/.test(expression) ? `.default(${expression})` : undefined;
    case "json":
      // Only what Drizzle writes as the same text: no blanks, no order of keys.
      return text === "{}" || text === "[]" ? `.default(${text})` : undefined;
    case "instant":
      return expression === "now()" ? ".defaultNow()" : undefined;
    case "uuid":
      return expression === "gen_random_uuid()" ? ".defaultRandom()" : undefined;
    case "other":
      return undefined;
  }
}
