import type { Call, Condition, Encoded, Expression } from "../../sql/index.ts";
import { encodePlainValue } from "../../statement/index.ts";
import type { TableScope } from "../context.ts";
import type { Given } from "../given.ts";
import { refuse } from "../options.ts";
import { SqlCondition, type SqlPart } from "./sql-condition.ts";

/** An application's own SQL as a condition. `scopes` are the entities it may name, the nearest first. */
export function sqlCondition(scopes: readonly TableScope[], given: Given): Condition | undefined {
  const content = SqlCondition.contentOf(given.value);
  if (content === undefined) return undefined;
  return {
    kind: "sql",
    parts: content.parts.map((part) => (typeof part === "string" ? part : holeOf(part, scopes, given))),
  };
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
  const value = (call: Call): Encoded =>
    encodePlainValue(
      SqlCondition.contentOf(given.in(call))?.values[position],
      `${given.path}.$${position + 1}`,
    );
  return { kind: "parameter", value };
}
