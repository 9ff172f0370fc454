import type { Condition, Encoded, Expression } from "../../sql/index.ts";
import { encodePlainValue } from "../../statement/index.ts";
import type { TableScope } from "../context.ts";
import type { Given } from "../given.ts";
import { refuse } from "../options.ts";
import { SqlCondition } from "./sql-condition.ts";
import { type SqlContent, type SqlPart, SqlTemplate } from "./sql-template.ts";

/** An application's own SQL as a condition. `scopes` are the entities it may name, the nearest first. */
export function sqlCondition(scopes: readonly TableScope[], given: Given): Condition | undefined {
  const content = SqlCondition.contentOf(given.value);
  return content === undefined ? undefined : { kind: "sql", parts: sqlParts(content, scopes, given) };
}

/** The parts of a template in a statement: its texts, with columns and parameters between them. */
export function sqlParts(
  { parts }: SqlContent,
  scopes: readonly TableScope[],
  given: Given,
): readonly (string | Expression)[] {
  return parts.map((part) => (typeof part === "string" ? part : holeOf(part, scopes, given)));
}

function holeOf(part: Exclude<SqlPart, string>, scopes: readonly TableScope[], given: Given): Expression {
  if (part.kind === "column") {
    const { entity, column } = part;
    const scope = scopes.find((one) => one.entity === entity);
    if (scope === undefined) {
      const known = scopes.map((one) => `"${one.entity.name}"`).join(", ");
      refuse(given.path, `names a column of "${entity.name}", which is not among ${known}`);
    }
    return { kind: "column", table: scope.table, name: column.name };
  }
  const { position } = part;
  return { kind: "parameter", value: (call) => templateValue(given.in(call), position, given.path) };
}

/** A value of the template that another call of the same shape has at this place. */
export function templateValue(template: unknown, position: number, path: string): Encoded {
  return encodePlainValue(SqlTemplate.contentOf(template)?.values[position], `${path}.$${position + 1}`);
}
